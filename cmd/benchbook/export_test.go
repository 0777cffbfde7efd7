package main

import (
	"encoding/csv"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"benchbook/lab/results"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// exportOf is what the command exports of this repository's articles.
func exportOf(t *testing.T, args ...string) string {
	t.Helper()
	return mustRun(t, scripted(), append([]string{"-C", filepath.Join("..", ".."), "export"}, args...)...)
}

// Benchstat reads what we export, and comes to the medians that we show.
func TestBenchstatReadsExport(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds benchstat")
	}
	for _, slug := range []string{"hello", "async-vs-sync-web"} {
		t.Run(slug, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "new.txt")
			if err := os.WriteFile(file, []byte(exportOf(t, slug, "--format", "benchfmt")), 0o644); err != nil {
				t.Fatal(err)
			}
			out, err := exec.Command("go", "tool", "benchstat", "-format", "csv", file).Output()
			if err != nil {
				t.Fatal(err)
			}
			if text, err := os.ReadFile(file); err != nil || !strings.Contains(string(text), "\nUnit ") &&
				!strings.HasPrefix(string(text), "Unit ") {
				t.Errorf("no unit says what is better, %v", err)
			}
			found := medians(t, string(out))
			var values []results.ExportedJSON
			if err := json.Unmarshal([]byte(exportOf(t, slug, "--format", "json")), &values); err != nil {
				t.Fatal(err)
			}
			type cell struct{ experiment, trial, metric string }
			byCell := map[cell][]float64{}
			names := map[cell]string{}
			for _, v := range values {
				c := cell{v.Experiment, v.Trial, v.Metric}
				byCell[c] = append(byCell[c], v.Value)
				metric, ok := record.LookupMetric(v.Metric)
				if !ok {
					metric = record.Metric{Name: v.Metric, Unit: v.Unit}
				}
				names[c] = results.BenchUnit(metric)
			}
			if len(byCell) == 0 {
				t.Fatal("nothing is exported")
			}
			wanted := 0
			for c, list := range byCell {
				want := stats.Median(list)
				if want == 0 {
					continue // benchstat leaves them out of its geometric means, and prints 0
				}
				wanted++
				if !slices.ContainsFunc(found[names[c]],
					func(got float64) bool { return math.Abs(got-want) <= 1e-9*math.Abs(want) }) {
					t.Errorf("%v: benchstat has %v in %s, and none is %v", c, found[names[c]], names[c], want)
				}
			}
			if wanted < 2 {
				t.Errorf("only %d medians were compared", wanted)
			}
		})
	}
}

// medians are those of a table of benchstat, by unit.
func medians(t *testing.T, text string) map[string][]float64 {
	t.Helper()
	out := map[string][]float64{}
	reader := csv.NewReader(strings.NewReader(text))
	reader.FieldsPerRecord = -1
	rows, err := reader.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	unit := ""
	for _, row := range rows {
		switch {
		case len(row) > 2 && row[0] == "" && row[2] == "CI":
			unit = row[1]
		case len(row) > 1 && row[0] != "" && row[0] != "geomean":
			if v, err := strconv.ParseFloat(row[1], 64); err == nil {
				out[unit] = append(out[unit], v)
			}
		}
	}
	return out
}

// What hyperfine saves can be imported, and what is exported then has what hyperfine measured, in hyperfine's own form.
func TestHyperfineBothWays(t *testing.T) {
	saved, err := os.ReadFile(filepath.Join("..", "..", "notebook", "loadtool", "testdata", "hyperfine", "sleep.json"))
	if program, missing := exec.LookPath("hyperfine"); missing == nil {
		file := filepath.Join(t.TempDir(), "saved.json")
		if out, err := exec.Command(program, "--runs", "3", "--shell", "none", "--export-json", file,
			"sleep 0.01").CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		saved, err = os.ReadFile(file)
	} else if strings.Contains(os.Getenv("BENCHBOOK_TEST_REQUIRE"), "hyperfine") {
		t.Fatal(missing)
	}
	if err != nil {
		t.Fatal(err)
	}
	dir := initialised(t, "command")
	article := filepath.Join(dir, "experiments", "command", "article.md")
	const text = "---\ntitle: x\n---\n\n```yaml experiment\nname: sleeps\nmatrix: {for: [\"0.01\"]}\n" +
		"command: {image: x, run: \"sleep ${{ matrix.for }}\"}\nrepetitions: 3\ncalibrate: false\n```\n"
	if err := os.WriteFile(article, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	first := filepath.Join(t.TempDir(), "first.json")
	if err := os.WriteFile(first, saved, 0o644); err != nil {
		t.Fatal(err)
	}
	mustRun(t, scripted(), "-C", dir, "import", first, "--as", "command#sleeps{for=0.01}")
	exported := mustRun(t, scripted(), "-C", dir, "export", "--format", "hyperfine")

	theirs, ours := fields(t, saved), fields(t, []byte(exported))
	for _, name := range []string{"command", "mean", "stddev", "median", "user", "system", "min", "max", "times",
		"exit_codes"} {
		if _, has := theirs[name]; has {
			if _, has := ours[name]; !has {
				t.Errorf("hyperfine writes %q, and we do not", name)
			}
		}
	}
	for _, name := range []string{"mean", "user", "system"} {
		if theirs[name] != ours[name] {
			t.Errorf("%s: hyperfine has %v, and we have %v", name, theirs[name], ours[name])
		}
	}

	// What we export of our own measurements can be read by what reads hyperfine's: our own import is one.
	second := filepath.Join(t.TempDir(), "second.json")
	own := exportOf(t, "hello", "--profile", "full", "--host", "c2-39de7f", "--trial", "9", "--format", "hyperfine")
	if err := os.WriteFile(second, []byte(own), 0o644); err != nil {
		t.Fatal(err)
	}
	mustRun(t, scripted(), "-C", dir, "import", second, "--format", "hyperfine", "--as", "command#sleeps{for=0.01}")
	records, _, err := record.Dir(filepath.Join(dir, "experiments", "command", "records")).Read()
	if err != nil || len(records) != 2 {
		t.Fatal(len(records), err)
	}
	want := fields(t, []byte(own))["mean"]
	if !slices.ContainsFunc(records, func(r *record.Record) bool {
		s,
			_ := r.Sample("time.real")
		return s.Value == want
	}) {
		t.Errorf("no record has the mean %v", want)
	}
}

// fields are those of the only result.
func fields(t *testing.T, data []byte) map[string]any {
	t.Helper()
	var saved struct{ Results []map[string]any }
	if err := json.Unmarshal(data, &saved); err != nil || len(saved.Results) != 1 {
		t.Fatalf("%d results, %v", len(saved.Results), err)
	}
	return saved.Results[0]
}
