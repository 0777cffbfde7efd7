package cli

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"benchbook/internal/test/must"
	"benchbook/lab"
	"benchbook/notebook/record"
)

// inGit makes a folder a git repository that tracks all of its files.
func inGit(dir string) {
	must.Git(dir, "init", "-q", "-b", "main")
	must.Git(dir, "add", "-A")
}

// fixture is an article of testdata/articles.
func fixture(t testing.TB, name string) string {
	t.Helper()
	return must.Read(filepath.Join("testdata", "articles", name+".md"))
}

// project makes a project with one article, written with ~ instead of backquotes.
func project(t testing.TB, slug, text string) (dir, folder string) {
	t.Helper()
	dir = t.TempDir()
	folder = filepath.Join(dir, "experiments", slug)
	must.Write(filepath.Join(dir, "benchbook.yaml"), "title: Test\n")
	must.Write(filepath.Join(folder, "article.md"), strings.ReplaceAll(text, "~~~", "```"))
	return dir, folder
}

// recordsIn returns the records of an article. All must be readable.
func recordsIn(t testing.TB, folder string) []*record.Record {
	t.Helper()
	records, bad, err := record.Dir(filepath.Join(folder, "records")).Read()
	if err != nil || len(bad) > 0 {
		t.Fatalf("bad records %v, %v", bad, err)
	}
	return records
}

// said runs the command in a project and returns its standard output and standard error.
func said(w lab.Config, dir string, args ...string) (status int, stdout, stderr string) {
	var out, errs bytes.Buffer
	status = run(append([]string{"-C", dir}, args...), &out, &errs, w)
	return status, out.String(), errs.String()
}

// unlocked returns a configuration with the scripted engine and without locks, so it never waits for another run.
func unlocked() lab.Config {
	w := scripted()
	w.LockDir = ""
	return w
}

// mustRun runs the command and returns its standard output. It fails the test unless the status is 0.
func mustRun(t testing.TB, w lab.Config, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if status := run(args, &stdout, &stderr, w); !wasMeasured(status, stderr.String()) {
		t.Fatalf("benchbook %s: status %d\n%s%s", strings.Join(args, " "), status, &stdout, &stderr)
	}
	return stdout.String()
}
