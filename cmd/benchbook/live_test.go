package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

// A run on a terminal is drawn, and ends with plain lines.
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
	for _, want := range []string{"overall", "so far   ", "left, 0 of 9 of http#hello", "\x1b[2A\x1b[J"} {
		if !strings.Contains(text, want) {
			t.Errorf("there is no %q in %q", want, text)
		}
	}
	last := text[strings.LastIndex(text, "\x1b")+3:]
	if !strings.HasPrefix(last, "measured 9 repetitions in ") {
		t.Errorf("it ends with %q", last)
	}
}
