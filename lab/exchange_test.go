package lab_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
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
	var text strings.Builder
	for _, line := range lines {
		if !strings.HasPrefix(line, "{") {
			line = strconv.Quote(line)
		}
		text.WriteString(line + "\n")
	}
	if err := os.WriteFile(c.file(run), []byte(text.String()), 0o644); err != nil {
		c.t.Fatal(err)
	}
}

func (c *clone) project() *projects.Project {
	c.t.Helper()
	project, err := projects.Open(c.dir)
	if err != nil {
		c.t.Fatal(err)
	}
	return project
}

// remove removes runs as gc does.
func (c *clone) remove(runs ...string) lab.Exchange {
	c.t.Helper()
	packs, err := c.session.Packs(c.t.Context(), c.project())
	if err != nil {
		c.t.Fatal(err)
	}
	for _, run := range runs {
		if err := os.Remove(c.file(run)); err != nil {
			c.t.Fatal(err)
		}
	}
	done, err := c.session.Sync(c.t.Context(), c.project(), true, packs)
	if err != nil {
		c.t.Error(err)
	}
	return done
}

func (c *clone) sync() lab.Exchange {
	c.t.Helper()
	done, err := c.session.Sync(c.t.Context(), c.project(), true, nil)
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
	return strings.ReplaceAll(strings.Join(strings.Fields(string(data)), " "), `"`, "")
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
	if done := b.remove("2"); !slices.Equal(done.Sent, []string{"a/2"}) || b.has("2") != "-" {
		t.Errorf("removed: %+v", done)
	}
	if done := a.sync(); done.Removed != 1 || a.has("2") != "-" || a.has("1") == "-" {
		t.Errorf("removed elsewhere: %+v", done)
	}
	if got := gitIn(t, a.dir, "status", "--porcelain", "--untracked-files=all"); got != "" {
		t.Errorf("of the clone git says %q", got)
	}

	// what others have added since is not removed
	a.put("3", "x")
	a.sync()
	b.sync()
	packs, err := b.session.Packs(t.Context(), b.project())
	if err != nil {
		t.Fatal(err)
	}
	a.put("3", "x", "y")
	a.sync()
	if err := os.Remove(b.file("3")); err != nil {
		t.Fatal(err)
	}
	if done, err := b.session.Sync(t.Context(), b.project(), true, packs); err != nil || b.has("3") != "x y" {
		t.Errorf("removed beside an addition: %+v, %q, %v", done, b.has("3"), err)
	}
}

// Whatever happens to folders and branches by accident takes no run from the other side.
func TestSyncLosesNothing(t *testing.T) {
	for name, accident := range map[string]func(t *testing.T, remote string, c *clone){
		"the branch was deleted": func(t *testing.T, remote string, _ *clone) { gitIn(t, remote, "branch", "-D", "numbers") },
		"the branch was made anew": func(t *testing.T, remote string, _ *clone) {
			commit := gitIn(t, remote, "commit-tree", "-m", "anew", gitIn(t, remote, "mktree", "--missing"))
			gitIn(t, remote, "update-ref", "refs/heads/numbers", commit)
		},
		"the hidden folder was removed": func(t *testing.T, _ string, c *clone) {
			if err := os.RemoveAll(filepath.Join(c.dir, ".benchbook")); err != nil {
				t.Fatal(err)
			}
		},
		"the runs were removed": func(t *testing.T, _ string, c *clone) {
			if err := os.RemoveAll(filepath.Join(c.dir, ".benchbook", "records", "a")); err != nil {
				t.Fatal(err)
			}
		},
		"a run was cut short": func(t *testing.T, _ string, c *clone) {
			if err := os.WriteFile(c.file("1"), []byte(`"x"`+"\n"+`"y`), 0o644); err != nil {
				t.Fatal(err)
			}
		},
		"the folder is a link now": func(t *testing.T, _ string, c *clone) {
			folder, elsewhere := filepath.Join(c.dir, ".benchbook", "records"), filepath.Join(t.TempDir(), "records")
			if err := errors.Join(os.Rename(folder, elsewhere), os.Symlink(elsewhere, folder)); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			remote, list := clones(t, 2)
			a, b := list[0], list[1]
			a.put("1", "x", "y")
			a.put("2", "z")
			a.sync()
			b.sync()
			accident(t, remote, a)
			for range 2 {
				a.sync()
				b.sync()
			}
			for _, c := range list {
				if c.has("1") != "x y" || c.has("2") != "z" {
					t.Errorf("there are %q and %q", c.has("1"), c.has("2"))
				}
			}
			if n := strings.Count(gitIn(t, remote, "ls-tree", "-r", "--name-only", "numbers"), ".jsonl"); n != 2 {
				t.Errorf("the branch has %d runs", n)
			}
		})
	}
}

// Of two lines that were sealed in the same place of a run the branch keeps the one that came first; the other is put
// aside.
func TestSyncOfOnePlace(t *testing.T) {
	_, list := clones(t, 2)
	a, b := list[0], list[1]
	a.put("1", `{"of":"a","seal":{"number":1}}`)
	b.put("1", `{"of":"b","seal":{"number":1}}`, `{"of":"b","seal":{"number":2}}`)
	a.sync()
	done := b.sync()
	if want := `{of:a,seal:{number:1}} {of:b,seal:{number:2}}`; b.has("1") != want {
		t.Errorf("the run is %s, want %s", b.has("1"), want)
	}
	if len(done.Aside) != 1 {
		t.Fatalf("%+v", done)
	}
	aside, err := os.ReadFile(done.Aside[0])
	if err != nil || string(aside) != `{"of":"b","seal":{"number":1}}`+"\n" {
		t.Errorf("%q is aside, %v", aside, err)
	}
	if done := b.sync(); len(done.Aside)+done.Fetched+len(done.Sent) > 0 {
		t.Errorf("again %+v", done)
	}
}

// A branch that is none for records alone, or a remote that the repository does not know, is refused.
func TestSyncRefuses(t *testing.T) {
	_, list := clones(t, 1)
	c := list[0]
	for settings, want := range map[string]string{
		"records: {branch: main}":                         "the branch that you work on",
		"records: {branch: gh-pages}":                     "the branch of the site",
		"records: {branch: 'a..b'}":                       "cannot be the name of a branch",
		"records: {branch: numbers, remote: nowhere}":     `has no remote "nowhere"`,
		"records: {branch: numbers, remote: '../remote'}": `has no remote "../remote"`,
	} {
		if err := os.WriteFile(filepath.Join(c.dir, "benchbook.yaml"), []byte(settings+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := c.session.Sync(t.Context(), c.project(), true, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", settings, err, want)
		}
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
			both := strings.Fields(strings.ReplaceAll(c.has("both"), "-", ""))
			c.put("both", append(both, fmt.Sprintf("%d.%d", round, i))...)
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
		"a/b/c/d/1.jsonl", ".synced/a/b/1.jsonl", "a/c2-aaaaaa/.hidden/1.jsonl"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(other, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(other, name), []byte("\"x\"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(other, "a", "c2-aaaaaa", "full", "4.jsonl"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(other, "a", "c2-aaaaaa", "full", "2.jsonl")); err != nil {
		t.Fatal(err)
	}
	gitIn(t, other, "add", ".")
	gitIn(t, other, "commit", "-q", "-m", "theirs")
	gitIn(t, other, "push", "-q", remote, "numbers")
	c.put("3", "y")
	if done := c.sync(); done.Fetched != 2 || len(done.Sent) != 1 {
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
	if want := []string{".synced", "1.jsonl", "3.jsonl", "4.jsonl"}; err != nil || !slices.Equal(files, want) {
		t.Errorf("there are %q, want %q, %v", files, want, err)
	}
	if tree := gitIn(t, remote, "ls-tree", "-r", "--name-only", "numbers"); len(strings.Fields(tree)) != 10 {
		t.Errorf("the branch has %s", tree)
	}
}
