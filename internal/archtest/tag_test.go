package archtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

// The section of the newest version becomes the message of its tag and the notes of its release.
func TestTag(t *testing.T) {
	dir, script := t.TempDir(), filepath.Join(must.Get(filepath.Abs("../..")), "scripts", "tag")
	run := func(wants, name string, args ...string) string {
		t.Helper()
		cmd := exec.Command(name, args...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "TAG_ROOT="+dir)
		out, err := cmd.CombinedOutput()
		if refused := name == script && wants != ""; refused != (err != nil) || !strings.Contains(string(out), wants) {
			t.Fatalf("%s %q: %v\n%s", name, args, err, out)
		}
		return string(out)
	}
	commit := func(changelog string) {
		must.Write(filepath.Join(dir, "CHANGELOG.md"), "# Changelog\n\n"+changelog+"\n## 0.1.0 - 2026-01-01\n\n- First.\n")
		run("", "git", "add", ".")
		run("", "git", "commit", "-qm", "all")
	}
	run("", "git", "init", "-q")
	run("", "git", "config", "user.email", "a@example.com")
	run("", "git", "config", "user.name", "A")
	must.Write(filepath.Join(dir, "cmd", "cli", "version.go"), "const version = \"0.2.0\"\n")
	commit("")
	run("make them equal", script, "--check")
	commit("## Unreleased\n\n- More.\n\n## 0.2.0 - 2026-02-02\n\n- Second.\n")
	run("unreleased changes", script, "--check")
	commit("## 0.2.0 - 2026-02-02\n\n### Added\n\n- Second.\n")
	assert.Equal(t, run("", script, "--notes"), "\n### Added\n\n- Second.\n", "notes")
	run("", script, "--check")
	run("", script)
	run("### Added\n\n- Second.\n", "git", "tag", "-l", "--format=%(contents)")
	run("", script) // again
	must.Write(filepath.Join(dir, "more"), "")
	run("not committed", script, "--check")
}
