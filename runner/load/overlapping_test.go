package load

import (
	"testing"

	"benchbook/runner/loadgen"
)

// under is a request that was under way between two times, in seconds.
func under(from, to float64) loadgen.Sample {
	return loadgen.Sample{Start: int64(from * 1e9), Sent: int64(from * 1e9), End: int64(to * 1e9)}
}

func TestOverlapping(t *testing.T) {
	for _, tt := range []struct {
		name     string
		requests []loadgen.Sample
		most     int
		want     int
	}{
		{"one after the other", []loadgen.Sample{under(0, 1), under(1, 2), under(2, 3)}, 1, -1},
		{"by no more than clocks are off", []loadgen.Sample{under(0, 1.000002), under(1, 2)}, 1, -1},
		{"by more", []loadgen.Sample{under(0, 1.00001), under(1, 2)}, 1, 1},
		{"in any order", []loadgen.Sample{under(1, 2), under(0, 1.5), under(0.5, 1)}, 2, -1},
		{"one too many", []loadgen.Sample{under(1, 2), under(0, 1.5), under(0.5, 1.1)}, 2, 0},
		{"never sent", []loadgen.Sample{{Start: 1e9, Sent: loadgen.NeverSent, End: 3e9}, under(1, 2)}, 1, -1},
		{"none", nil, 1, -1},
	} {
		if got := overlapping(tt.requests, tt.most, 2000); got != tt.want {
			t.Errorf("%s: got %d, want %d", tt.name, got, tt.want)
		}
	}
}
