package cli

import (
	"bytes"
	"io"
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
	var out bytes.Buffer
	if status := run([]string{"-C", dir, "run", "--quick"}, io.Discard, &out, w); status != 0 {
		t.Fatalf("run ended with %d: %s", status, &out)
	}
	text := out.String()
	for _, want := range []string{"\n  [9/9] ", "\n9 of 9 [===", "\nmeasured 9 repetitions in "} {
		if !strings.Contains(text, want) {
			t.Errorf("there is no %q in %q", want, text)
		}
	}
}
