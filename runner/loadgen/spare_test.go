//go:build linux

package loadgen

import "testing"

func TestSpares(t *testing.T) {
	for _, tt := range []struct {
		name                     string
		threads, allowed, online int
		quota                    float64
		want                     bool
	}{
		{"a core of our own", 1, 1, 2, 0, true},
		{"two threads on a core of our own", 2, 1, 4, 0, false},
		{"one core that all share", 1, 1, 1, 0, false},
		{"one of two cores that all share", 1, 2, 2, 0, true},
		{"both of two cores that all share", 2, 2, 2, 0, false},
		{"a quota that polling would eat up", 1, 4, 8, 0.5, false},
		{"a quota that leaves room", 2, 4, 8, 2, true},
		{"a machine that does not say", 1, 1, 0, 0, false},
	} {
		if got := spares(tt.threads, tt.allowed, tt.online, tt.quota); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestParseQuota(t *testing.T) {
	for limit, want := range map[string]float64{"max 100000\n": 0, "150000 100000\n": 1.5, "": 0, "1 0\n": 0} {
		if got := parseQuota([]byte(limit)); got != want {
			t.Errorf("%q: got %v, want %v", limit, got, want)
		}
	}
}
