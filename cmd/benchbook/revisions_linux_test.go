package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"benchbook/lab"
	"benchbook/lab/results"
)

var pairs = flag.Int("pairs", 40, "how many pairs of revisions are compared of each amount of work")

// loops is how often the program under test goes round before anything is changed: a tenth of a second or so.
const loops = 2_000_000

// A worker is a repository with a program whose work can be changed, and an article that times it.
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
		"app/Dockerfile": "FROM debian:bookworm-slim\nCOPY work.pl /\n",
		"experiments/work/article.md": "---\ntitle: Work\n---\n\n```yaml experiment\nname: work\n" +
			"command: {build: ../../app, run: perl /work.pl}\n```\n",
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
func (w *worker) commit(work float64) string {
	w.t.Helper()
	w.n++
	text := fmt.Sprintf("# %d\nmy $x = 0; for (1 .. %d) { $x += $_ %% 7 } print \"$x\\n\";\n", w.n, int(loops*work))
	if err := os.WriteFile(filepath.Join(w.dir, "app", "work.pl"), []byte(text), 0o644); err != nil {
		w.t.Fatal(err)
	}
	w.git("add", ".")
	w.git("commit", "-q", "-m", fmt.Sprintf("%g of the work", work))
	return w.git("rev-parse", "HEAD")
}

// change compares two commits, and gives what became of the time that the program takes.
func (w *worker) change(c lab.Config, a, b string) (found results.ChangeJSON) {
	w.t.Helper()
	var compared results.CompareJSON
	if err := json.Unmarshal([]byte(mustRun(w.t, c, "-C", w.dir, "bench", a, b, "--metric", "time.real", "--json")),
		&compared); err != nil {
		w.t.Fatal(err)
	}
	if len(compared.Changes) != 1 {
		w.t.Fatalf("there are %d changes", len(compared.Changes))
	}
	return compared.Changes[0]
}

// Two revisions of a program are built and timed on a real engine: one that does a third more is found worse, and what
// belongs to neither is not measured.
func TestBenchOnEngine(t *testing.T) {
	c := onEngine(t)
	c.LockDir = "" // other packages use the machine
	w := newWorker(t)
	before, after := w.commit(1), w.commit(4.0/3)
	if got := w.change(c, before, after); got.Verdict != "worse" {
		t.Errorf("a third more work is %q: %+v", got.Verdict, got)
	}
}

// BenchmarkRevisions counts how often a change is found, beside a program that takes a tenth of the processor in
// bursts.
func BenchmarkRevisions(t *testing.B) {
	c := onEngine(t)
	w := newWorker(t)
	stop := make(chan struct{})
	defer close(stop)
	go burst(stop, 0.1)
	before := w.commit(1)
	for _, work := range []float64{1, 1.02, 1.1} {
		counts, began, rounds := map[string]int{}, time.Now(), 0
		for range *pairs {
			got := w.change(c, before, w.commit(work))
			counts[got.Verdict]++
			rounds += got.B.Repetitions
			isOdd := got.Verdict == "worse" && work == 1.02 || got.Verdict != "worse" && work == 1.1 ||
				got.Verdict != "no difference shown" && work == 1
			if isOdd && got.Change != nil && got.Lo != nil && got.Hi != nil {
				t.Logf("%g of the work is %s: %+.1f %% [%+.1f to %+.1f %%]", work, got.Verdict, 100**got.Change, 100**got.Lo,
					100**got.Hi)
			}
		}
		t.Logf("%g of the work, %d pairs: %v; %.1f rounds and %v each", work, *pairs, counts,
			float64(rounds)/float64(*pairs), (time.Since(began) / time.Duration(*pairs)).Round(time.Second))
	}
}

// BenchmarkBisect looks for the commit that does a tenth more, among 32: it takes six comparisons at most.
func BenchmarkBisect(t *testing.B) {
	c := onEngine(t)
	w := newWorker(t)
	good, wanted := w.commit(1), ""
	for i := 1; i <= 32; i++ {
		work := 1.0
		if i >= 23 {
			work = 1.1
		}
		if commit := w.commit(work); i == 23 {
			wanted = commit
		}
	}
	said := mustRun(t, c, "-C", w.dir, "bench", "--bisect", good, "HEAD", "--fail-on", "time.real > 5%")
	t.Log(said)
	if !strings.Contains(said, wanted[:12]+" is the first commit that meets") {
		t.Errorf("%s is not named", wanted)
	}
	for _, more := range []string{"7", "8", "9"} {
		if strings.Contains(said, ": "+more+" comparisons of") {
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
