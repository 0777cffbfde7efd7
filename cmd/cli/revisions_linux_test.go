package cli

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"

	"benchbook/internal/test/must"
	"benchbook/lab"
	"benchbook/lab/show"
)

// A worker is a repository with a program whose amount of work can be changed, and an article about its output.
type worker struct {
	t   testing.TB
	dir string
	n   int // commits so far
}

func newWorker(t testing.TB) *worker {
	t.Helper()
	w := &worker{t: t, dir: t.TempDir()}
	must.Write(filepath.Join(w.dir, "benchbook.yaml"), "title: Test\nengine: local\n")
	must.Write(filepath.Join(w.dir, "experiments/work/article.md"),
		"---\ntitle: Work\n---\n\n```yaml experiment\nname: work\n"+
			"command:\n  build: {context: ../.., run: \"grep -v '^#' app/work.sh > built.sh\", keep: [built.sh]}\n"+
			"  run: bash -c 'cat /etc/greeting; bash built.sh'\n  configs: [{source: greeting, target: /etc/greeting}]\n"+
			"metrics: [{name: work, from: stdout, regex: '(.*) steps', unit: '1', better: lower}]\n```\n")
	w.git("init", "-q", "-b", "main")
	return w
}

func (w *worker) git(args ...string) string { return must.Git(w.dir, args...) }

// commit commits the program with so much of its work, 1 for what it does at first, and gives the commit. No two are
// the same file. The program prints its work with 2 % of noise, as a count of instructions would be: a time would be
// longer beside other tests, by up to four times.
func (w *worker) commit(share float64) string {
	w.t.Helper()
	w.n++
	text := fmt.Sprintf("# %d\necho $((%d + RANDOM %% 200)) steps\n", w.n, int(share*10_000))
	must.Write(filepath.Join(w.dir, "app", "work.sh"), text)
	w.git("add", ".")
	w.git("commit", "-q", "-m", fmt.Sprintf("%g of the work", share))
	return w.git("rev-parse", "HEAD")
}

// greet writes the config of the article.
func (w *worker) greet(text string) {
	w.t.Helper()
	must.Write(filepath.Join(w.dir, "experiments/work/greeting"), text)
}

// bench compares two commits and returns the JSON output.
func (w *worker) bench(c lab.Config, args ...string) (out show.Comparison) {
	w.t.Helper()
	printed := mustRun(w.t, c, append([]string{"-C", w.dir, "bench", "--json", "--yes"}, args...)...)
	must.Do(json.Unmarshal([]byte(printed), &out))
	return out
}

// Programs of this machine are built from both revisions, and get the configs of both. Revisions whose builds have the
// same results are not measured, and a slowdown that is planted is seen.
func TestBenchOfPrograms(t *testing.T) {
	c := onLocal(t)
	c.LockDir = ""
	w := newWorker(t)
	w.greet("hello\n")
	before := w.commit(1)
	remark := w.commit(1) // another comment in the program
	if got := w.bench(c, before, remark); !got.Same {
		t.Errorf("a comment that the build removes: %+v", got)
	}
	w.greet("good day\n")
	greeting := w.commit(1)
	if got := w.bench(c, remark, greeting); got.Same || len(got.Differences) == 0 ||
		got.Differences[0].Subject != "command: /etc/greeting" {
		t.Errorf("another config: %+v", got.Differences)
	}
	after := w.commit(3)
	got := w.bench(c, greeting, after, "--metric", "work", "--prove", "90%")
	if len(got.Changes) != 1 || got.Changes[0].Verdict != "worse" {
		t.Errorf("three times the work: %+v", got.Changes)
	}
	if len(got.Proofs) != 1 || !got.Proofs[0].Seen || *got.Proofs[0].Change < 0.3 {
		t.Errorf("a planted slowdown of 90 %%: %+v", got.Proofs)
	}
}
