package lab_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"benchbook/lab"
	"benchbook/notebook/projects"
)

// A clone is a project of which the records are in a branch.
type clone struct {
	t       *testing.T
	dir     string
	session *lab.Session
}

func gitIn(t *testing.T, dir string, args ...string) string {
	t.Helper()
	identity := []string{"-C", dir, "-c", "user.name=x", "-c", "user.email=x@x.example"}
	cmd := exec.Command("git", append(identity, args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %q: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// clones are several of one remote.
func clones(t *testing.T, n int) (remote string, list []*clone) {
	t.Helper()
	for _, name := range []string{"AUTHOR", "COMMITTER"} {
		t.Setenv("GIT_"+name+"_NAME", "x")
		t.Setenv("GIT_"+name+"_EMAIL", "x@x.example")
	}
	remote = filepath.Join(t.TempDir(), "remote")
	first := t.TempDir()
	gitIn(t, first, "init", "-q", "-b", "main")
	if err := os.WriteFile(filepath.Join(first, "benchbook.yaml"), []byte("records: {branch: numbers}\n"),
		0o644); err != nil {
		t.Fatal(err)
	}
	gitIn(t, first, "add", ".")
	gitIn(t, first, "commit", "-q", "-m", "one")
	gitIn(t, first, "clone", "-q", "--bare", first, remote)
	for range n {
		dir := filepath.Join(t.TempDir(), "clone")
		gitIn(t, first, "clone", "-q", remote, dir)
		list = append(list, &clone{t, dir, &lab.Session{Stdout: t.Output(), Stderr: t.Output()}})
	}
	return remote, list
}

func (c *clone) file(run string) string {
	return filepath.Join(c.dir, ".benchbook", "records", "a", "c2-aaaaaa", "full", run+".jsonl")
}

// put writes a run of these lines.
func (c *clone) put(run string, lines ...string) {
	c.t.Helper()
	if err := os.MkdirAll(filepath.Dir(c.file(run)), 0o755); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(c.file(run), []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		c.t.Fatal(err)
	}
}

func (c *clone) sync() lab.Exchange {
	c.t.Helper()
	project, err := projects.Open(c.dir)
	if err != nil {
		c.t.Fatal(err)
	}
	done, err := c.session.Sync(c.t.Context(), project, true)
	if err != nil {
		c.t.Error(err)
	}
	return done
}

// has gives the lines of a run here, joined by spaces; "-" if it is not here.
func (c *clone) has(run string) string {
	data, err := os.ReadFile(c.file(run))
	if err != nil {
		return "-"
	}
	return strings.Join(strings.Fields(string(data)), " ")
}

// Runs go to the branch and come from it, grow, and are removed, wherever that was done.
func TestSync(t *testing.T) {
	remote, list := clones(t, 2)
	a, b := list[0], list[1]
	a.put("1", "x", "y")
	a.put("2", "z")
	if done := a.sync(); !slices.Equal(done.Sent, []string{"a/1", "a/2"}) || done.Fetched+done.Removed > 0 {
		t.Errorf("at first %+v", done)
	}
	if done := a.sync(); len(done.Sent)+done.Fetched+done.Removed > 0 {
		t.Errorf("again %+v", done)
	}
	if log := gitIn(t, remote, "log", "--format=%s", "numbers"); log != "Add run 2 of a\nAdd run 1 of a" {
		t.Errorf("the branch has the commits %q", log)
	}
	if done := b.sync(); done.Fetched != 2 || b.has("1") != "x y" || b.has("2") != "z" {
		t.Errorf("in the other clone %+v", done)
	}
	a.put("1", "x", "y", "of-a")
	b.put("1", "x", "y", "of-b")
	a.sync()
	if done := b.sync(); b.has("1") != "x y of-a of-b" || done.Fetched != 1 || len(done.Sent) != 1 {
		t.Errorf("both have added: %+v, %q", done, b.has("1"))
	}
	if a.sync(); a.has("1") != "x y of-a of-b" {
		t.Errorf("then the first has %q", a.has("1"))
	}
	if err := os.Remove(b.file("2")); err != nil {
		t.Fatal(err)
	}
	if done := b.sync(); !slices.Equal(done.Sent, []string{"a/2"}) {
		t.Errorf("removed: %+v", done)
	}
	if done := a.sync(); done.Removed != 1 || a.has("2") != "-" || a.has("1") == "-" {
		t.Errorf("removed elsewhere: %+v", done)
	}
	if got := gitIn(t, a.dir, "status", "--porcelain", "--untracked-files=all"); got != "" {
		t.Errorf("of the clone git says %q", got)
	}

	// a branch that is gone, or made anew, takes nothing along
	gitIn(t, remote, "branch", "-D", "numbers")
	if done := a.sync(); a.has("1") == "-" || len(done.Sent) != 1 {
		t.Errorf("the branch was deleted: %+v, %q", done, a.has("1"))
	}
	if done := b.sync(); b.has("1") == "-" || done.Removed > 0 {
		t.Errorf("the branch was made anew: %+v", done)
	}
	if err := os.RemoveAll(filepath.Join(a.dir, ".benchbook")); err != nil {
		t.Fatal(err)
	}
	if done := a.sync(); a.has("1") == "-" || len(done.Sent) > 0 {
		t.Errorf("the hidden folder was removed: %+v", done)
	}
}

// Nothing is lost when several push at the same time.
func TestSyncRaces(t *testing.T) {
	const rounds = 3
	_, list := clones(t, 4)
	for round := range rounds {
		var all sync.WaitGroup
		for i, c := range list {
			c.put(fmt.Sprintf("%d-%d", round, i), "line")
			c.put("both", append(strings.Fields(strings.ReplaceAll(c.has("both"), "-", "")), fmt.Sprintf("%d.%d", round, i))...)
			all.Go(func() { c.sync() })
		}
		all.Wait()
	}
	for i, c := range list {
		c.sync()
		if n := len(strings.Fields(c.has("both"))); n != rounds*len(list) {
			t.Errorf("clone %d has %d lines of the run that all add to, want %d: %s", i, n, rounds*len(list), c.has("both"))
		}
		for round := range rounds {
			for k := range list {
				if run := fmt.Sprintf("%d-%d", round, k); c.has(run) != "line" {
					t.Errorf("clone %d lacks run %s", i, run)
				}
			}
		}
	}
}

// What the branch holds beside runs is none of ours, and no file of it leaves the folder.
func TestSyncTakesRunsOnly(t *testing.T) {
	remote, list := clones(t, 1)
	c, other := list[0], t.TempDir()
	gitIn(t, other, "init", "-q", "-b", "numbers")
	for _, name := range []string{"README.md", "a/c2-aaaaaa/full/1.jsonl", "a/c2-aaaaaa/full/1.json", "a/1.jsonl",
		"a/b/c/d/1.jsonl"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(other, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(other, name), []byte("x\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(other, "a", "c2-aaaaaa", "full", "2.jsonl")); err != nil {
		t.Fatal(err)
	}
	gitIn(t, other, "add", ".")
	gitIn(t, other, "commit", "-q", "-m", "theirs")
	gitIn(t, other, "push", "-q", remote, "numbers")
	c.put("3", "y")
	if done := c.sync(); done.Fetched != 1 || len(done.Sent) != 1 {
		t.Errorf("%+v", done)
	}
	var files []string
	folder := filepath.Join(c.dir, ".benchbook", "records")
	err := filepath.WalkDir(folder, func(file string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			files = append(files, filepath.Base(file))
		}
		return err
	})
	if want := []string{".synced", "1.jsonl", "3.jsonl"}; err != nil || !slices.Equal(files, want) {
		t.Errorf("there are %q, want %q, %v", files, want, err)
	}
	if tree := gitIn(t, remote, "ls-tree", "-r", "--name-only", "numbers"); len(strings.Fields(tree)) != 7 {
		t.Errorf("the branch has %s", tree)
	}
}
