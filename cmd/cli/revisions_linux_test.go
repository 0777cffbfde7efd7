package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"benchbook/lab"
	"benchbook/lab/show"
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
func (w *worker) change(c lab.Config, a, b string) (found show.Change) {
	w.t.Helper()
	var compared show.Comparison
	if err := json.Unmarshal([]byte(mustRun(w.t, c, "-C", w.dir, "bench", a, b, "--metric", "work", "--json")),
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
// may be to be found scripts/bench-gate tells.
func TestBenchOnEngine(t *testing.T) {
	c := onEngine(t)
	c.LockDir = "" // other packages use the machine
	w := newWorker(t)
	before, after := w.commit(1), w.commit(3)
	var got show.Change
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

// local rewrites the article for a program that is built by a script and runs without a container; a config has what it
// prints first.
func (w *worker) local() {
	w.t.Helper()
	for name, text := range map[string]string{
		"benchbook.yaml": "title: Test\nengine: local\n",
		"experiments/work/article.md": "---\ntitle: Work\n---\n\n```yaml experiment\nname: work\n" +
			"command:\n  build: {context: ../.., run: \"grep -v '^#' app/work.sh > built.sh\", keep: [built.sh]}\n" +
			"  run: bash -c 'cat /etc/greeting; bash built.sh'\n  configs: [{source: greeting, target: /etc/greeting}]\n" +
			"metrics: [{name: work, from: stdout, regex: '(.*) us', unit: us, better: lower}]\n```\n",
		"experiments/work/greeting": "hello\n",
	} {
		if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o644); err != nil {
			w.t.Fatal(err)
		}
	}
}

// bench compares two commits, and returns what is printed in JSON.
func (w *worker) bench(c lab.Config, args ...string) (out show.Comparison) {
	w.t.Helper()
	printed := mustRun(w.t, c, append([]string{"-C", w.dir, "bench", "--json", "--yes"}, args...)...)
	if err := json.Unmarshal([]byte(printed), &out); err != nil {
		w.t.Fatal(err)
	}
	return out
}

// Programs of this machine are built from both revisions, and get the configs of both. Revisions whose builds have the
// same results are not measured, and a slowdown that is planted is seen.
func TestBenchOfPrograms(t *testing.T) {
	c := onLocal(t)
	c.LockDir = ""
	w := newWorker(t)
	w.local()
	before := w.commit(1)
	remark := w.commit(1) // another comment in the program
	if got := w.bench(c, before, remark); !got.Same {
		t.Errorf("a comment that the build removes: %+v", got)
	}
	if err := os.WriteFile(filepath.Join(w.dir, "experiments/work/greeting"), []byte("good day\n"), 0o644); err != nil {
		t.Fatal(err)
	}
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
