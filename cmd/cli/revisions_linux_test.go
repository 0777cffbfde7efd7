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

// The program under test is a benchmark as those of languages are: it does its work many times and prints the median,
// as what disturbs a shared machine spares most of the short ones. Of a program that does as much at once every run is
// disturbed: its time varies three times as much. It takes less than a second beside busy tests too, so that the share of
// the CPU that they use only warns.
const (
	work  = 4_000 // turns of a loop, some milliseconds
	times = 15
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
	put(t, filepath.Join(w.dir, "benchbook.yaml"), "title: Test\nengine: local\n")
	put(t, filepath.Join(w.dir, "experiments/work/article.md"), "---\ntitle: Work\n---\n\n```yaml experiment\nname: work\n"+
		"command:\n  build: {context: ../.., run: \"grep -v '^#' app/work.sh > built.sh\", keep: [built.sh]}\n"+
		"  run: bash -c 'cat /etc/greeting; bash built.sh'\n  configs: [{source: greeting, target: /etc/greeting}]\n"+
		"metrics: [{name: work, from: stdout, regex: '(.*) us', unit: us, better: lower}]\n```\n")
	w.git("init", "-q", "-b", "main")
	return w
}

func (w *worker) git(args ...string) string { return git(w.t, w.dir, args...) }

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
	put(w.t, filepath.Join(w.dir, "app", "work.sh"), text)
	w.git("add", ".")
	w.git("commit", "-q", "-m", fmt.Sprintf("%g of the work", share))
	return w.git("rev-parse", "HEAD")
}

// greet writes the config of the article.
func (w *worker) greet(text string) {
	w.t.Helper()
	put(w.t, filepath.Join(w.dir, "experiments/work/greeting"), text)
}

// bench compares two commits, and returns what is printed in JSON.
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
