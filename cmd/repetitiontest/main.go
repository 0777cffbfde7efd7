// Command repetitiontest compares what a repetition costs beyond its warm-up and window with two binaries of benchbook,
// which run the same articles in turn.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

var cases = []struct{ name, article, part, only string }{
	{"hello", "hello", "", ""},
	{"async-101", "async-101", "#slow-client", `guest == "nobody"`},
}

// costs are those of one binary for one case, in seconds, and shares.
type costs struct{ repetition, run, share []float64 }

func main() {
	project := flag.String("project", ".", "the project with the articles")
	rounds := flag.Int("rounds", 3, "measured runs of each binary and case; one more comes first, for images")
	flag.Parse()
	if flag.NArg() != 2 {
		fmt.Fprintln(os.Stderr, "usage: repetitiontest [-project FOLDER] [-rounds N] NEW BASE")
		os.Exit(2)
	}
	if err := compare(*project, *rounds, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "repetitiontest:", err)
		os.Exit(1)
	}
}

func compare(project string, rounds int, binaries []string) error {
	fmt.Println("case       binary  repetition, s             whole run, s              windows and warm-up")
	for _, c := range cases {
		all := make([]costs, len(binaries))
		for round := range rounds + 1 {
			for i := range binaries {
				i = (i + round) % len(binaries)
				one, err := measure(project, binaries[i], c.article, c.part, c.only)
				if err != nil {
					return fmt.Errorf("%s of %s: %w", c.name, binaries[i], err)
				}
				if round > 0 {
					all[i].repetition = append(all[i].repetition, one.repetition...)
					all[i].run, all[i].share = append(all[i].run, one.run...), append(all[i].share, one.share...)
				}
			}
		}
		for i, name := range []string{"new", "base"} {
			fmt.Printf("%-10s %-7s %-25s %-25s %s\n", c.name, name, spread(all[i].repetition), spread(all[i].run),
				spread(all[i].share))
		}
		fmt.Printf("%-10s ratio   %-25.3f %.3f\n", c.name, middle(all[0].repetition)/middle(all[1].repetition),
			middle(all[0].run)/middle(all[1].run))
	}
	return nil
}

// measure runs an article once, in a copy of the project without records.
func measure(project, binary, article, part, only string) (out costs, err error) {
	binary, err = filepath.Abs(binary)
	if err != nil {
		return out, err
	}
	folder, err := os.MkdirTemp("", "repetitiontest")
	if err != nil {
		return out, err
	}
	defer os.RemoveAll(folder)
	to := filepath.Join(folder, "experiments", article)
	if err := os.CopyFS(to, os.DirFS(filepath.Join(project, "experiments", article))); err != nil {
		return out, err
	}
	if err := os.RemoveAll(filepath.Join(to, "records")); err != nil {
		return out, err
	}
	settings, err := os.ReadFile(filepath.Join(project, "benchbook.yaml"))
	if err != nil {
		return out, err
	}
	if err := os.WriteFile(filepath.Join(folder, "benchbook.yaml"), settings, 0o644); err != nil {
		return out, err
	}
	arguments := []string{"run", "-C", folder, "--profile", "smoke", "--quiet", "--yes", article + part}
	if only != "" {
		arguments = append(arguments, "--only", only)
	}
	began := time.Now()
	if said, err := exec.Command(binary, arguments...).CombinedOutput(); err != nil {
		return out, fmt.Errorf("%w: %s", err, bytes.TrimSpace(said))
	}
	return read(to, time.Since(began).Seconds())
}

// read reads the records of a run that took so many seconds.
func read(article string, whole float64) (out costs, err error) {
	files, err := filepath.Glob(filepath.Join(article, "records", "*", "smoke", "*.jsonl"))
	if err != nil {
		return out, err
	}
	inside := 0.0
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			return out, err
		}
		for line := range bytes.Lines(data) {
			var r struct {
				Started, Ended time.Time
				Parts          map[string]float64
				Failure        string
			}
			if err := json.Unmarshal(line, &r); err != nil {
				return out, fmt.Errorf("%s: %w", name, err)
			}
			if r.Failure != "" {
				return out, fmt.Errorf("a repetition failed: %s", r.Failure)
			}
			measuring := r.Parts["warmup"] + r.Parts["measure"]
			inside += measuring
			out.repetition = append(out.repetition, r.Ended.Sub(r.Started).Seconds()-measuring)
		}
	}
	if len(out.repetition) == 0 {
		return out, fmt.Errorf("the run left no records in %s", article)
	}
	out.run, out.share = []float64{whole}, []float64{inside / whole}
	return out, nil
}

func middle(values []float64) float64 {
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}

func spread(values []float64) string {
	m := middle(values) // sorts
	return fmt.Sprintf("%.3f (%.3f-%.3f)", m, values[0], values[len(values)-1])
}
