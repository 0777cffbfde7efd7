package cli

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// On a terminal a run draws a bar below its lines, and removes it before the summary.
func TestRunOnATerminal(t *testing.T) {
	w := scripted()
	w.LockDir, w.Terminal = "", func() int { return 80 }
	dir := t.TempDir()
	if status := run([]string{"-C", dir, "init", dir, "--template", "http"}, io.Discard, io.Discard, w); status != 0 {
		t.Fatalf("init ended with %d", status)
	}
	file := filepath.Join(dir, "experiments", "http", "article.md")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	put(t, file, strings.ReplaceAll(string(text), "connections: 4", "connections: 5")) // as in the made-up results
	var out bytes.Buffer
	if status := run([]string{"-C", dir, "run", "--quick"}, io.Discard, &out, w); status != 0 {
		t.Fatalf("run ended with %d: %s", status, &out)
	}
	printed := out.String()
	for _, want := range []string{"\n  [9/9] ", "\n9 of 9 [===", "\nmeasured 9 repetitions in "} {
		if !strings.Contains(printed, want) {
			t.Errorf("there is no %q in %q", want, printed)
		}
	}
}
