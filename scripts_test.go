package benchbook

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The tag is the newest version of the changelog, and there is none where something does not fit.
func TestReleaseIsTagged(t *testing.T) {
	const released = "# Changelog\n\n## Unreleased\n\n## 0.2.0 - 2026-12-01\n\n### Added\n\n- Tags.\n\n" +
		"## 0.1.0 - 2026-11-22\n\n- All.\n"
	tests := []struct {
		name, changelog, program string
		dirty                    bool
		want                     string // of what it prints; the tag is made if this begins so
	}{
		{"a version", released, "0.2.0", false, "tagged v0.2.0"},
		{"another program", released, "0.1.0", false, "CHANGELOG.md ends at 0.2.0, and the program says 0.1.0"},
		{"unreleased changes", strings.Replace(released, "Unreleased\n", "Unreleased\n\n- More.\n", 1), "0.2.0", false,
			"unreleased changes"},
		{"no version", "# Changelog\n", "0.2.0", false, "CHANGELOG.md has no section"},
		{"a change that is not committed", released, "0.2.0", true, "not committed"},
	}
	script, err := filepath.Abs("scripts/tag")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			write := func(name, text string) {
				t.Helper()
				if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			write(filepath.Join(dir, "CHANGELOG.md"), tt.changelog)
			write(filepath.Join(dir, "cmd", "benchbook", "version.go"), "package main\n\nconst version = \""+tt.program+"\"\n")
			made(t, dir, "git", "init", "-q")
			made(t, dir, "git", "config", "user.name", "Somebody")
			made(t, dir, "git", "config", "user.email", "somebody@example.org")
			made(t, dir, "git", "add", "-A")
			made(t, dir, "git", "commit", "-qm", "all")
			if tt.dirty {
				write(filepath.Join(dir, "README.md"), "more\n")
			}
			tag := func(args ...string) (string, error) {
				cmd := exec.Command(script, args...)
				cmd.Env = append(os.Environ(), "TAG_ROOT="+dir)
				out, err := cmd.CombinedOutput()
				return string(out), err
			}
			good := strings.HasPrefix(tt.want, "tagged")
			if out, err := tag("--check"); (err == nil) != good || good && out != "" {
				t.Errorf("--check prints %q, %v", out, err)
			}
			out, err := tag()
			if (err == nil) != good || !strings.Contains(out, tt.want) {
				t.Errorf("it prints %q, %v; want %q", out, err, tt.want)
			}
			tags := made(t, dir, "git", "tag", "-n9")
			if good != strings.Contains(tags, "v0.2.0") ||
				good && (!strings.Contains(tags, "- Tags.") || strings.Contains(tags, "- All.")) {
				t.Errorf("the tags are %q", tags)
			}
			if !good {
				return
			}
			if out, err := tag(); err != nil || !strings.Contains(out, "is the tag of this revision") {
				t.Errorf("a second time it prints %q, %v", out, err)
			}
			made(t, dir, "git", "commit", "-q", "--allow-empty", "-m", "more")
			if out, err := tag(); err == nil || !strings.Contains(out, "another revision") {
				t.Errorf("at another revision it prints %q, %v", out, err)
			}
		})
	}
}

// The changelog has a section for the version that the program has.
func TestChangelog(t *testing.T) {
	_, after, _ := strings.Cut(read(t, "cmd/benchbook/version.go"), "const version = \"")
	version, _, ok := strings.Cut(after, "\"")
	if !ok || !strings.Contains(read(t, "CHANGELOG.md"), "\n## "+version+" - 20") {
		t.Errorf("CHANGELOG.md has no section of version %q", version)
	}
}

// CI runs what anybody can run.
func TestWorkflowRunsCI(t *testing.T) {
	const workflow = ".github/workflows/ci.yml"
	if text := read(t, workflow); !strings.Contains(text, " .ci/run\n") {
		t.Errorf("%s does not call .ci/run", workflow)
	}
	if testing.Short() {
		t.Skip("it builds actionlint")
	}
	lint := exec.Command("go", "-C", ".ci/tools", "tool", "actionlint", filepath.Join("..", "..", workflow))
	if out, err := lint.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// eachFile calls do with each file whose name ends so, except for test data.
func eachFile(t *testing.T, suffix string, do func(name string)) {
	t.Helper()
	err := filepath.WalkDir(".", func(name string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() && e.Name() == "testdata" {
			return fs.SkipDir
		}
		if err == nil && strings.HasSuffix(name, suffix) {
			do(filepath.ToSlash(name))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// begins are calls, by the name behind the dot, that begin goroutines or have somebody else's call us.
var begins = regexp.MustCompile(`^(Go|Parallel|AfterFunc|Serve|ListenAndServe|New\w*Server)$`)

// Cells of the same name in two experiments have a median each.
func TestMedians(t *testing.T) {
	cmd := exec.Command("scripts/medians")
	cmd.Stdin = strings.NewReader("kept#plain: 2 repetitions of 1 trial (nginx, wrk), in random order, seed 1\n" +
		"  [1/2] nginx, wrk               80/s in 2.00 s\n  [2/2] nginx, wrk               90/s in 2.00 s\n" +
		"kept#tls: 1 repetition of 1 trial (nginx, wrk), in random order, seed 1\n" +
		"  [1/1] nginx, wrk               60/s in 2.00 s\n")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"kept#plain: nginx, wrk", "median 85/s of 2, 80 to 90\n", "kept#tls: nginx, wrk",
		"median 60/s of 1, 60 to 60\n"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("%q is missing in\n%s", want, out)
		}
	}
}

// The race detector looks at every package that begins a goroutine.
func TestConcurrent(t *testing.T) {
	listed := strings.Fields(made(t, ".", "scripts/concurrent"))
	if len(listed) < 30 {
		t.Errorf("only %q are listed", listed)
	}
	eachFile(t, ".go", func(name string) {
		if slices.ContainsFunc(listed, func(folder string) bool { return path.Clean(folder) == path.Dir(name) }) {
			return
		}
		files := token.NewFileSet()
		f, err := parser.ParseFile(files, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			_, found := n.(*ast.GoStmt)
			if call, ok := n.(*ast.CallExpr); ok {
				s, ok := call.Fun.(*ast.SelectorExpr)
				found = ok && begins.MatchString(s.Sel.Name)
			}
			if found {
				t.Errorf("%s begins a goroutine, and scripts/concurrent does not list its package", files.Position(n.Pos()))
			}
			return true
		})
	})
}
