package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"benchbook/lab"
	"benchbook/lab/results"
)

var (
	pairs = flag.Int("pairs", 40, "how many pairs of revisions are compared of each amount of work")
	works = flag.String("works", "1 1.02 1.1", "the amounts of work")
)

// The program under test is a benchmark as those of languages are: it does its work many times and prints the median,
// as what disturbs a shared machine spares most of the short ones. Of a program that does as much at once every run is
// disturbed: its time varies three times as much.
const (
	work  = 4_000 // turns of a loop, some milliseconds
	times = 40
)

// A worker is a repository with a program whose work can be changed, and an article that has what it prints.
type worker struct {
	t   testing.TB
	dir string
	n   int // commits so far
}

func newWorker(t testing.TB) *worker {
	t.Helper()
	w := &worker{t: t, dir: t.TempDir()}
	for name, text := range map[string]string{
		"benchbook.yaml": "title: Test\n",
		"app/Dockerfile": "FROM debian:bookworm-slim\nCOPY work.sh /\n",
		"experiments/work/article.md": "---\ntitle: Work\n---\n\n```yaml experiment\nname: work\n" +
			"command: {build: ../../app, run: bash /work.sh}\n" +
			"metrics: [{name: work, from: stdout, regex: '(.*) us', unit: us, better: lower}]\n```\n",
	} {
		name = filepath.Join(w.dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	w.git("init", "-q", "-b", "main")
	return w
}

func (w *worker) git(args ...string) string {
	w.t.Helper()
	cmd := exec.Command("git", append([]string{"-C", w.dir, "-c", "user.name=x", "-c", "user.email=x@x.example"},
		args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		w.t.Fatalf("git %q: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// commit commits the program with so much of its work, 1 for what it does at first, and gives the commit. No two are
// the same file.
func (w *worker) commit(share float64) string {
	w.t.Helper()
	w.n++
	text := fmt.Sprintf(`# %d
for ((n = 0; n < %d; n++)); do
	began=${EPOCHREALTIME/./}
	for ((i = 0; i < %d; i++)); do :; done
	took+=($((${EPOCHREALTIME/./} - began)))
done
printf '%%s us\n' "${took[@]}" | sort -n | sed -n %dp
`, w.n, times, int(share*work), times/2)
	if err := os.WriteFile(filepath.Join(w.dir, "app", "work.sh"), []byte(text), 0o644); err != nil {
		w.t.Fatal(err)
	}
	w.git("add", ".")
	w.git("commit", "-q", "-m", fmt.Sprintf("%g of the work", share))
	return w.git("rev-parse", "HEAD")
}

// change compares two commits, and gives what became of the time that the work takes.
func (w *worker) change(c lab.Config, a, b string) (found results.ChangeJSON) {
	w.t.Helper()
	var compared results.CompareJSON
	if err := json.Unmarshal([]byte(mustRun(w.t, c, "-C", w.dir, "bench", a, b, "--metric", "work", "--format", "json")),
		&compared); err != nil {
		w.t.Fatal(err)
	}
	if len(compared.Changes) != 1 {
		w.t.Fatalf("there are %d changes", len(compared.Changes))
	}
	return compared.Changes[0]
}

// Two revisions of a program are built and timed on a real engine: one that does three times as much is found worse,
// whatever the tests of other packages do meanwhile, and what belongs to neither is not measured. How small a change
// may be to be found BenchmarkRevisions tells.
func TestBenchOnEngine(t *testing.T) {
	c := onEngine(t)
	c.LockDir = "" // other packages use the machine
	w := newWorker(t)
	before, after := w.commit(1), w.commit(3)
	var got results.ChangeJSON
	for range 5 { // those that measured nothing valid, as others used the CPUs, begin anew
		if got = w.change(c, before, after); got.Verdict != "not comparable" {
			break
		}
		before, after = w.commit(1), w.commit(3)
	}
	if got.Verdict != "worse" {
		t.Errorf("three times the work is %q: %+v", got.Verdict, got)
	}
}

// hyperfine times the programs of two commits as people do who have no benchbook: one behind the other, so often each.
func (w *worker) hyperfine(a, b string, runs int) (values [2][]float64) {
	w.t.Helper()
	dir := w.t.TempDir()
	args := []string{"-N", "--warmup", "1", "--runs", fmt.Sprint(runs), "--export-json", filepath.Join(dir, "times.json")}
	for i, commit := range []string{a, b} {
		file := filepath.Join(dir, fmt.Sprintf("%d.sh", i))
		if err := os.WriteFile(file, []byte(w.git("show", commit+":app/work.sh")), 0o644); err != nil {
			w.t.Fatal(err)
		}
		args = append(args, "bash "+file)
	}
	if out, err := exec.Command("hyperfine", args...).CombinedOutput(); err != nil {
		w.t.Fatalf("hyperfine: %v\n%s", err, out)
	}
	data, err := os.ReadFile(filepath.Join(dir, "times.json"))
	var timed struct{ Results []struct{ Times []float64 } }
	if err = errors.Join(err, json.Unmarshal(data, &timed)); err != nil || len(timed.Results) != 2 {
		w.t.Fatal(err, len(timed.Results))
	}
	return [2][]float64{timed.Results[0].Times, timed.Results[1].Times}
}

// benchstat says of the times of two programs whether the second is worse, better, or no difference is shown, at its
// level of 5 %; empty if it is not installed.
func benchstat(t testing.TB, values [2][]float64) string {
	t.Helper()
	program, err := exec.LookPath("benchstat")
	if err != nil {
		return ""
	}
	args := []string{"-format", "csv"}
	for i, list := range values {
		var text strings.Builder
		for _, x := range list {
			fmt.Fprintf(&text, "BenchmarkWork 1 %.0f ns/op\n", x*1e9)
		}
		file := filepath.Join(t.TempDir(), fmt.Sprintf("%d.txt", i))
		if err := os.WriteFile(file, []byte(text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		args = append(args, file)
	}
	out, err := exec.Command(program, args...).Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		if fields := strings.Split(line, ","); fields[0] == "Work" && len(fields) > 5 {
			return map[byte]string{'~': "no difference shown", '+': "worse", '-': "better"}[fields[5][0]]
		}
	}
	t.Fatalf("benchstat says %s", out)
	return ""
}

// BenchmarkRevisions counts how often a change is found, beside a program that takes a tenth of the processor in
// bursts: by bench, by benchstat of the same values, and by benchstat of what hyperfine measures of both.
func BenchmarkRevisions(t *testing.B) {
	c := onEngine(t)
	w := newWorker(t)
	stop := make(chan struct{})
	defer close(stop)
	go burst(stop, 0.1)
	before := w.commit(1)
	for word := range strings.FieldsSeq(*works) {
		share, err := strconv.ParseFloat(word, 64)
		if err != nil {
			t.Fatal(err)
		}
		counts, theirs, alone := map[string]int{}, map[string]int{}, map[string]int{}
		var took time.Duration
		rounds := 0
		for range *pairs {
			began, after := time.Now(), w.commit(share)
			got := w.change(c, before, after)
			took += time.Since(began)
			counts[got.Verdict]++
			rounds += got.B.Repetitions
			theirs[benchstat(t, [2][]float64{got.A.Values, got.B.Values})]++
			alone[benchstat(t, w.hyperfine(before, after, 20))]++
			if got.Change != nil && got.Lo != nil && got.Hi != nil {
				t.Logf("%g of the work is %s: %+.1f %% [%+.1f to %+.1f %%], %d rounds, floor %.3f; %s", share, got.Verdict,
					100**got.Change, 100**got.Lo, 100**got.Hi, got.B.Repetitions, got.NoiseFloor, got.Reason)
			}
		}
		t.Logf("%g of the work, %d pairs: %v; %.1f rounds and %v each; by benchstat of the same values %v; of 20 runs each "+
			"by hyperfine %v", share, *pairs, counts, float64(rounds)/float64(*pairs),
			(took / time.Duration(*pairs)).Round(time.Second), theirs, alone)
	}
}

// BenchmarkBisect looks for the commit that does a tenth more, among 32: it takes six comparisons at most.
func BenchmarkBisect(t *testing.B) {
	c := onEngine(t)
	w := newWorker(t)
	good, wanted := w.commit(1), ""
	for i := 1; i <= 32; i++ {
		share := 1.0
		if i >= 23 {
			share = 1.1
		}
		if commit := w.commit(share); i == 23 {
			wanted = commit
		}
	}
	said := mustRun(t, c, "-C", w.dir, "bench", "--bisect", good, "HEAD", "--fail-on", "work > 5%")
	t.Log(said)
	if !strings.Contains(said, ", is "+wanted[:12]+": ") {
		t.Errorf("%s is not named", wanted)
	}
	for _, more := range []string{"7", "8", "9"} {
		if strings.Contains(said, ": "+more+" comparisons for") {
			t.Error("more than 6 comparisons")
		}
	}
}

// burst keeps one core busy for some of the time of all, in turns of a second.
func burst(stop chan struct{}, share float64) {
	busy := time.Duration(share * float64(runtime.NumCPU()) * float64(time.Second))
	for {
		for end := time.Now().Add(busy); time.Now().Before(end); {
		}
		select {
		case <-stop:
			return
		case <-time.After(time.Second - busy):
		}
	}
}
