package cli

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"benchbook/internal/test/must"
	"benchbook/lab"
	"benchbook/notebook/record"
)

func put(t testing.TB, name, data string) {
	t.Helper()
	must.Do(os.MkdirAll(filepath.Dir(name), 0o755))
	must.Do(os.WriteFile(name, []byte(data), 0o644))
}

func read(t testing.TB, name string) string {
	t.Helper()
	data := must.Get(os.ReadFile(name))
	return string(data)
}

// git runs git in a folder.
func git(t testing.TB, dir string, args ...string) string {
	t.Helper()
	args = append([]string{"-C", dir, "-c", "user.name=x", "-c", "user.email=x@x.example"}, args...)
	out, err := exec.Command("git", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("git %q: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// inGit makes a folder a git repository that tracks all of its files.
func inGit(t testing.TB, dir string) {
	t.Helper()
	git(t, dir, "init", "-q", "-b", "main")
	git(t, dir, "add", "-A")
}

// fixture is an article of testdata/articles.
func fixture(t testing.TB, name string) string {
	t.Helper()
	return read(t, filepath.Join("testdata", "articles", name+".md"))
}

// project makes a project with one article, written with ~ in the place of backquotes.
func project(t testing.TB, slug, text string) (dir, folder string) {
	t.Helper()
	dir = t.TempDir()
	folder = filepath.Join(dir, "experiments", slug)
	put(t, filepath.Join(dir, "benchbook.yaml"), "title: Test\n")
	put(t, filepath.Join(folder, "article.md"), strings.ReplaceAll(text, "~~~", "```"))
	return dir, folder
}

// recordsIn reads the records of an article, all of which have to be good.
func recordsIn(t testing.TB, folder string) []*record.Record {
	t.Helper()
	records, bad, err := record.Dir(filepath.Join(folder, "records")).Read()
	if err != nil || len(bad) > 0 {
		t.Fatalf("bad records %v, %v", bad, err)
	}
	return records
}

// said runs the command in a project, and gives what it prints and says.
func said(w lab.Config, dir string, args ...string) (status int, stdout, stderr string) {
	var out, errs bytes.Buffer
	status = run(append([]string{"-C", dir}, args...), &out, &errs, w)
	return status, out.String(), errs.String()
}

// unlocked is the command with the scripted engine, which waits for no other run.
func unlocked() lab.Config {
	w := scripted()
	w.LockDir = ""
	return w
}

// mustRun runs the command, which has to end with status 0, and gives its standard output.
func mustRun(t testing.TB, w lab.Config, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if status := run(args, &stdout, &stderr, w); !wasMeasured(status, stderr.String()) {
		t.Fatalf("benchbook %s: status %d\n%s%s", strings.Join(args, " "), status, &stdout, &stderr)
	}
	return stdout.String()
}

// wantSaid fails the test unless all of these stand in what was said.
func wantSaid(t testing.TB, said string, want ...string) {
	t.Helper()
	for _, words := range want {
		if !strings.Contains(said, words) {
			t.Errorf("it does not say %q:\n%s", words, said)
		}
	}
}
