package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/kballard/go-shellquote"
	"gopkg.in/yaml.v3"

	"benchbook/lab"
)

// workflows are those of GitHub Actions that the manual offers.
func workflows(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", "docs", "actions", "*.yml"))
	if err != nil || len(files) < 3 {
		t.Fatalf("%d workflows, %v", len(files), err)
	}
	return files
}

// What the workflows call is in the command, with these flags.
func TestWorkflowsCallTheCommand(t *testing.T) {
	called := 0
	for _, file := range workflows(t) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var workflow struct {
			Permissions map[string]string
			Jobs        map[string]struct {
				Steps []struct{ Run string }
			}
		}
		if err := yaml.Unmarshal(data, &workflow); err != nil {
			t.Fatal(err)
		}
		if len(workflow.Permissions) == 0 {
			t.Errorf("%s does not limit what it may do", file)
		}
		for _, job := range workflow.Jobs {
			for _, step := range job.Steps {
				for line := range strings.Lines(step.Run) {
					line, ok := strings.CutPrefix(strings.TrimSpace(line), "benchbook ")
					if !ok {
						continue
					}
					called++
					line, _, _ = strings.Cut(line, " >")
					words, err := shellquote.Split(line)
					if err != nil {
						t.Fatal(err)
					}
					verb, rest, err := (&app{&lab.Session{}}).root().Find(words)
					if err == nil {
						err = verb.ParseFlags(rest)
					}
					if err == nil {
						err = verb.ValidateArgs(verb.Flags().Args())
					}
					if err != nil {
						t.Errorf("%s: benchbook %s: %v", file, line, err)
					}
				}
			}
		}
	}
	if called < 5 {
		t.Errorf("the workflows call benchbook %d times", called)
	}
}

// A script must not be put together from what somebody else has written, such as the title of a pull request.
func TestWorkflowsExpandNothingInScripts(t *testing.T) {
	script := regexp.MustCompile(`(?m)^\s+run: (\|\n(\s{10,}.*\n)+|.*\n)`)
	for _, file := range workflows(t) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, run := range script.FindAllString(string(data), -1) {
			if strings.Contains(run, "${{") {
				t.Errorf("%s expands an expression in a script:\n%s", file, run)
			}
		}
	}
}

func TestWorkflowsAreSound(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds actionlint")
	}
	args := []string{"-C", filepath.Join("..", "..", ".ci", "tools"), "tool", "actionlint"}
	if out, err := exec.Command("go", append(args, workflows(t)...)...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
