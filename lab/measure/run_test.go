package measure

import (
	"testing"
	"time"

	"benchbook/runner"
)

// The rest of a run's time is told by size, without what cannot be seen.
func TestRestOf(t *testing.T) {
	s := runner.Spent{runner.Measuring: time.Hour, runner.Searching: time.Hour, runner.Starting: 2 * time.Second,
		runner.Stopping: 3400 * time.Millisecond,
		runner.Saving:   30 * time.Millisecond, runner.Other: -time.Second}
	if got, want := restOf(s), "3.4s stopping services, 2s starting services"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
