package loadgen

import (
	"testing"
	"time"
)

// An answer that we get to see only after its timeout is a failure, even if no timer has gone off.
func TestJudge(t *testing.T) {
	tests := []struct {
		name   string
		took   time.Duration
		status int
		want   Kind
	}{
		{"in time", time.Second, 200, ""},
		{"too late", time.Second + 1, 200, Timeout},
		{"wrong", time.Second, 500, Wrong},
		{"wrong and too late", time.Second + 1, 500, Timeout},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := kindOf(nil, time.Second, tt.took.Nanoseconds(), tt.status, 0); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
