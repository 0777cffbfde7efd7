//go:build linux

package loadgen

import (
	"testing"
	"time"
)

func TestBusiest(t *testing.T) {
	ms := time.Millisecond
	for _, tt := range []struct {
		name  string
		cpu   CPU
		share float64
		want  float64 // negative for none
	}{
		{"one busy thread", CPU{User: 1000 * ms, System: 500 * ms, Length: 2000 * ms, Threads: make([]ThreadCPU,
			2)}, 0.7, 0.7},
		{"work of other threads", CPU{User: 1000 * ms, System: 800 * ms, Length: 2000 * ms,
			Threads: make([]ThreadCPU, 1)}, 0.2, 0.9},
		{"polling is no work", CPU{User: 1000 * ms, System: 800 * ms, Length: 2000 * ms,
			Threads: []ThreadCPU{{Time: 1800 * ms, Polling: 1600 * ms}}}, 0.1, 0.1},
		{"rounded up beyond the time", CPU{User: 2010 * ms, Length: 2000 * ms, Threads: make([]ThreadCPU, 1)}, 0.9,
			1},
		{"threads not told apart", CPU{User: 1000 * ms, Length: 2000 * ms}, 0, -1},
		{"too short a time", CPU{User: 5 * ms, Length: 5 * ms, Threads: make([]ThreadCPU, 1)}, 1, -1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			switch got := busiest(&tt.cpu, tt.share); {
			case got == nil && tt.want >= 0:
				t.Errorf("got none, want %v", tt.want)
			case got != nil && *got != tt.want:
				t.Errorf("got %v, want %v", *got, tt.want)
			}
		})
	}
}
