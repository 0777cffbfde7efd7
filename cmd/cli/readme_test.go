package cli

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/kballard/go-shellquote"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/markdown"
	"benchbook/internal/test/must"
	"benchbook/lab"
)

// readmeCommands are the commands of the README's console blocks and scripts, without their output.
func readmeCommands() (out []string) {
	for _, f := range markdown.Read(filepath.Join("..", "..", "README.md")).Fences {
		for line := range strings.Lines(f.Body) {
			line, isCommand := strings.CutPrefix(strings.TrimSpace(line), "$ ")
			if f.Info != "sh" && !(f.Info == "console" && isCommand) {
				continue
			}
			line, _, _ = strings.Cut(line, " # ")
			for part := range strings.SplitSeq(line, "&&") {
				out = append(out, strings.TrimSpace(part))
			}
		}
	}
	return out
}

// understands returns the first mistake in the words of a command.
func understands(words []string) error {
	verb, rest, err := (&app{&lab.Session{}}).root().Find(words)
	if err == nil {
		err = verb.ParseFlags(rest)
	}
	if err == nil {
		err = verb.ValidateArgs(verb.Flags().Args())
	}
	return err
}

// The commands of the README do what it says, in an empty folder with a Compose file and some data. Those that serve,
// need a repository or measure for minutes have tests of their own; here their flags and targets are looked up.
func TestReadmeCommands(t *testing.T) {
	dir := t.TempDir()
	must.Write(filepath.Join(dir, "data"), strings.Repeat("benchbook ", 10_000))
	must.Write(filepath.Join(dir, "docker-compose.yml"), "services: {api: {image: x, ports: ['80']}}\n")
	targets := must.Read(filepath.Join("..", "..", "Makefile"))
	commands, ran := readmeCommands(), 0
	t.Chdir(dir)
	for _, line := range commands {
		words := must.Get(shellquote.Split(line))
		switch words[0] {
		case "git", "cd":
			continue
		case "make":
			assert.Contains(t, targets, "\n"+words[len(words)-1]+":")
			continue
		case "benchbook":
		default:
			t.Errorf("%s is no command of benchbook, make or git: add it here", line)
			continue
		}
		switch verb := words[1]; {
		case verb == "init" && words[2] == "--from", verb == "time", verb == "doctor":
			status, _, stderr := said(scripted(), ".", words[1:]...)
			assert.Equal(t, status, 0, "status of %s\n%s", line, stderr)
			ran++
		default:
			if err := understands(words[1:]); err != nil {
				t.Errorf("%s: %v", line, err)
			}
		}
	}
	if ran < 2 {
		t.Errorf("%d commands were run", ran)
	}
}
