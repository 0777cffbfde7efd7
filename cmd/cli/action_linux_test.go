package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

// action runs scripts/action in dir with the variables of GitHub Actions, and a benchbook on the local engine.
func action(t *testing.T, dir string, inputs ...string) (status int, stdout, summary, badge string) {
	t.Helper()
	temp := t.TempDir()
	must.Write(filepath.Join(temp, "bin", "benchbook"), "#!/bin/sh\nexec "+onEngineProgram+" \"$@\"\n")
	must.Do(os.Chmod(filepath.Join(temp, "bin", "benchbook"), 0o755))
	cmd := exec.Command(must.Get(filepath.Abs("../../scripts/action")))
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+filepath.Join(temp, "bin")+":"+os.Getenv("PATH"), "RUNNER_TEMP="+temp,
		"GITHUB_OUTPUT="+filepath.Join(temp, "output"), "GITHUB_STEP_SUMMARY="+filepath.Join(temp, "summary"),
		"BADGE="+filepath.Join(temp, "made", "badge.svg"), locksVariable+"="+temp, policyVariable+"=")
	cmd.Env = append(cmd.Env, inputs...)
	out, err := cmd.Output()
	if exit, ok := err.(*exec.ExitError); ok {
		t.Logf("%s", exit.Stderr)
	} else {
		must.Do(err)
	}
	file := strings.TrimPrefix(strings.TrimSpace(must.Read(filepath.Join(temp, "output"))), "summary=")
	assert.Equal(t, must.Read(filepath.Join(temp, "summary")), must.Read(file), "the summary, and the output")
	return cmd.ProcessState.ExitCode(), string(out), must.Read(file), must.Read(filepath.Join(temp, "made", "badge.svg"))
}

func TestActionChecks(t *testing.T) {
	dir := t.TempDir()
	const article = "---\ntitle: A\n---\n\n```yaml experiment\nname: a\ncommand: {run: \"true\"%s}\n```\n"
	must.Write(filepath.Join(dir, "in, it", "benchbook.yaml"), "title: Test\nengine: local\n")
	file := filepath.Join(dir, "in, it", "experiments", "a", "article.md")
	must.Write(file, strings.Replace(article, "%s", "", 1))
	status, stdout, summary, badge := action(t, dir, "VERB=check", `ARGS=--strict -C "in, it"`)
	if status != 0 || stdout != "1 article, no problems\n" ||
		summary != "### benchbook check\n\n    1 article, no problems\n" ||
		!strings.Contains(badge, "<title>benchbook check: 1 article, no problems</title>") {
		t.Errorf("without problems: status %d\n%s\n%s\n%s", status, stdout, summary, badge)
	}

	must.Write(file, strings.Replace(article, "%s", `, "100%, r:n": 1`, 1))
	status, stdout, summary, badge = action(t, dir, "VERB=check", `ARGS=-C "in, it"`)
	const want = "::error file=in%2C it/experiments/a/article.md,line=7,col=24,title=unknown-key::" +
		`unknown key "100%25, r:n" in command`
	if status != 1 || !strings.HasPrefix(stdout, want) ||
		!strings.Contains(summary, `    in, it/experiments/a/article.md:7: error [unknown-key] unknown key "100%, r:n" in command`) ||
		!strings.Contains(badge, ": 1 problem</title>") {
		t.Errorf("with a problem: status %d\n%s\n%s\n%s", status, stdout, summary, badge)
	}

	if status, stdout, _, _ := action(t, dir, "VERB=run"); status != 2 || !strings.HasPrefix(stdout, "::error title=benchbook::unknown verb") {
		t.Errorf("another verb: status %d\n%s", status, stdout)
	}
}

// Builds with the same bytes are not measured, so that the test does not depend on what else the machine does.
func TestActionBenches(t *testing.T) {
	onLocal(t)
	t.Setenv(programsVariable, builtPrograms(t))
	w := newWorker(t)
	w.greet("hello\n")
	before := w.commit(1)
	after := w.commit(1)
	status, _, summary, badge := action(t, w.dir, "VERB=bench", "ARGS="+before+" "+after+" --fail-on 'work > 3%' --yes")
	if status != 0 || !strings.Contains(summary, "are the same in all that is measured of work") ||
		!strings.Contains(badge, "benchbook bench: limit not exceeded") {
		t.Errorf("the same build: status %d\n%s\n%s", status, summary, badge)
	}
}
