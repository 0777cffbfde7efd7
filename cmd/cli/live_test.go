package cli

import (
	"testing"
)

// On a terminal a run draws a bar below its lines, and removes it before the summary.
func TestRunOnATerminal(t *testing.T) {
	w := unlocked()
	w.Terminal = func() int { return 80 }
	dir, _ := project(t, "pair", pair)
	status, _, stderr := said(w, dir, "run")
	if status != 0 {
		t.Fatalf("run ended with %d: %s", status, stderr)
	}
	wantSaid(t, stderr, "\n  [6/6] ", "\n6 of 6 [===", "\nmeasured 6 repetitions in ")
}
