package cli

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/markdown"
	"benchbook/internal/test/must"
	"benchbook/lab/pages"
	"benchbook/notebook/article"
)

// The commands of the tutorial work in order, with the edits between them.
func TestTutorialOnAnEngine(t *testing.T) {
	w := beside(t)
	begin := time.Now()
	dir := t.TempDir()
	file := func() string { return filepath.Join(dir, pages.ArticlesDir, "packing", article.FileName) }
	written := ""
	write := func(text string) {
		written = text
		must.Write(file(), text)
	}
	var shown *pages.Previewer
	look := func() { // at the preview, which the tutorial leaves running
		t.Helper()
		if shown == nil {
			return
		}
		if b := shown.Build(context.Background()); b.Problems != "" {
			t.Fatalf("the preview has problems:\n%s", b.Problems)
		}
	}
	var verbs []string
	for _, f := range markdown.Read(filepath.Join("..", "..", "docs", "tutorial.md")).Fences {
		kind, _, _ := strings.Cut(f.Info, " ")
		switch {
		case f.Info == "markdown" && f.Ticks == 4:
			write(f.Body)
		case f.Info == "markdown":
			write(written + "\n" + f.Body)
		case kind == "yaml":
			write(written + "\n```" + f.Info + "\n" + f.Body + "```\n")
		case f.Info == "console":
			look()
			shell, output := "", ""
			var commands [][]string
			for line := range strings.Lines(f.Body) {
				typed, ok := strings.CutPrefix(line, "$ ")
				switch words := strings.Fields(typed); {
				case !ok:
					output += line
				case words[0] == "benchbook":
					commands = append(commands, words[1:])
				case len(commands) > 0:
					t.Fatalf("%q comes after a command of benchbook in its block", typed)
				default:
					shell += typed
				}
			}
			if shell != "" {
				cmd := exec.Command("bash", "-e", "-c", shell+"pwd")
				cmd.Dir, cmd.Stderr = dir, t.Output()
				dir = strings.TrimSpace(string(must.Get(cmd.Output())))
			}
			for _, words := range commands {
				verbs = append(verbs, strings.Join(words, " "))
				if words[0] == "preview" { // it ends when it is interrupted, which would end the test
					shown = previewerOf(t, dir)
					look()
					continue
				}
				status, stdout, stderr := said(w, dir, words...)
				if status != 0 {
					t.Fatalf("benchbook %q: status %d\n%s%s", words, status, stdout, stderr)
				}
				trials, _, _ := strings.Cut(output, ", in random order, seed")
				trials = trials[strings.LastIndex(trials, "\n")+1:]
				switch {
				case words[0] == "doctor" && !strings.Contains(stdout, "can measure"):
					t.Errorf("doctor does not say that this machine can measure:\n%s", stdout)
				case words[0] == "check" && stdout != output:
					t.Errorf("check prints\n%s\nand the tutorial shows\n%s", stdout, output)
				case words[0] == "run" && !strings.Contains(stderr, trials):
					t.Errorf("run says\n%s\nand the tutorial shows\n%s", stderr, trials)
				}
			}
		}
	}
	assert.Equal(t, strings.Join(verbs, ", "), "doctor, check, run, preview, run, render",
		"the commands of the tutorial, of which this test has to know what each is to do")

	assert.Contains(t, must.Read(filepath.Join(dir, pages.SiteDir, "packing", "index.html")), "harder-is-slower",
		"fig-gzip", "tbl-gzip")
	t.Logf("from the first to the last command: %v", time.Since(begin).Round(100*time.Millisecond))
}
