package http

import (
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	const rest = " S 1 2 3 0 -1 4194560 100 0 0 0 120 34 0 0 20 0 9 0 1000 1 2"
	tests := []struct {
		name, stat string
		id         int
		used       time.Duration
		err        bool
	}{
		{"plain", "4321 (benchbook-load)" + rest, 4321, 1540 * time.Millisecond, false},
		{"a name with parentheses and spaces", "7 (a) R 9 (b))" + rest, 7, 1540 * time.Millisecond, false},
		{"no name", "7 S 1 2 3", 0, 0, true},
		{"cut off", "7 (a) S 1 2 3", 0, 0, true},
		{"no number", "7 (a) S 1 2 3 0 -1 4194560 100 0 0 0 x 34 0 0", 0, 0, true},
		{"empty", "", 0, 0, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			id, used, err := parseStat([]byte(tt.stat))
			if (err != nil) != tt.err || !tt.err && (id != tt.id || used != tt.used) {
				t.Errorf("got %d, %v, %v; want %d, %v", id, used, err, tt.id, tt.used)
			}
		})
	}
}

func TestUsageSince(t *testing.T) {
	threads := func(ms ...int) map[int]time.Duration {
		m := make(map[int]time.Duration)
		for i, n := range ms {
			m[i] = time.Duration(n) * time.Millisecond
		}
		return m
	}
	at := func(s float64, user, system int, threads map[int]time.Duration) *usage {
		return &usage{sec(s), time.Duration(user) * time.Millisecond, time.Duration(system) * time.Millisecond, threads}
	}
	tests := []struct {
		name          string
		before, after *usage
		threads       int
		want          float64 // negative for none
	}{
		{"one busy thread", at(1, 0, 0, threads(100, 0)), at(3, 1000, 500, threads(1600, 100)), 2, 0.75},
		{"a thread that is new", at(1, 0, 0, threads(100)), at(3, 1000, 0, threads(100, 1000)), 2, 0.5},
		{"work that moves between threads", at(1, 0, 0, threads(0, 0)), at(3, 1000, 800, threads(900, 900)), 1, 0.9},
		{"rounded up beyond the time", at(1, 0, 0, threads(0)), at(3, 2000, 10, threads(2010)), 1, 1},
		{"threads not told apart", at(1, 0, 0, nil), at(3, 1000, 0, nil), 1, -1},
		{"too short a time", at(1, 0, 0, threads(0)), at(1.05, 50, 0, threads(50)), 1, -1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cpu := tt.after.since(tt.before, tt.threads)
			if cpu.Busiest == nil {
				if tt.want >= 0 {
					t.Errorf("got none, want %v", tt.want)
				}
				return
			}
			if *cpu.Busiest != tt.want {
				t.Errorf("got %v, want %v", *cpu.Busiest, tt.want)
			}
		})
	}
	if cpu := at(1, 0, 0, nil).since(nil, 1); cpu != nil {
		t.Errorf("without a first reading: got %+v, want none", cpu)
	}
}

// What the system tells about us makes sense: a process that has run has used processor time.
func TestReadUsage(t *testing.T) {
	start := time.Now()
	for time.Since(start) < 20*time.Millisecond {
	}
	u := readUsage(func() int64 { return 7 })
	if u == nil || u.at != 7 || u.user+u.system < 10*time.Millisecond {
		t.Errorf("got %+v after 20 ms of work", u)
	}
}
