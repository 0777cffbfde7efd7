package cli

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kballard/go-shellquote"

	"benchbook/internal/slowtest"
	"benchbook/internal/test/must"
)

// workflows returns the files of GitHub Actions that the manual offers, and those of this repository.
func workflows(t *testing.T) []string {
	t.Helper()
	files := must.Glob(filepath.Join("..", "..", "docs", "actions", "*.yml"), 3)
	return append(files, must.Glob(filepath.Join("..", "..", ".github", "workflows", "*.yml"), 4)...)
}

// What the workflows call is in the command, with these flags.
func TestWorkflowsCallTheCommand(t *testing.T) {
	called := 0
	for _, file := range workflows(t) {
		for line := range strings.Lines(must.Read(file)) {
			line, ok := strings.CutPrefix(strings.TrimPrefix(strings.TrimSpace(line), "run: "), "benchbook ")
			if !ok {
				continue
			}
			called++
			line, _, _ = strings.Cut(line, " >")
			if err := understands(must.Get(shellquote.Split(line))); err != nil {
				t.Errorf("%s: benchbook %s: %v", file, line, err)
			}
		}
	}
	if called < 4 {
		t.Errorf("the workflows call benchbook %d times", called)
	}
}

func TestWorkflowsAreSound(t *testing.T) {
	slowtest.SkipSequential(t)
	t.Parallel()
	// actionlint looks at action.yml too, as a workflow uses it.
	args := []string{"-C", filepath.Join("..", "..", ".ci", "tools"), "tool", "actionlint"}
	must.Run(exec.Command("go", append(args, workflows(t)...)...))
}
