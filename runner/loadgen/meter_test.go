//go:build linux

package loadgen

import "testing"

// A thread learns how early to wake up: enough for all but few of its wakes, no more than a limit, and less again once
// it has no time to find out.
func TestEarly(t *testing.T) {
	wakes := func(m *meter, n int, late func(int) int64) (missed int) {
		for i := range n {
			l := late(i)
			if l > m.early() {
				missed++
			}
			m.noteWait(1000, 1000+l, false)
			m.noteSent()
		}
		return missed
	}
	new := func() *meter { return &meter{polls: true, lateness: 60_000} }
	for _, tt := range []struct {
		name     string
		late     func(int) int64
		from, to int64 // early afterwards
	}{
		{"always 25 µs", func(int) int64 { return 25_000 }, leastEarly, leastEarly},
		{"25 µs, and 120 µs once in a hundred", func(i int) int64 {
			if i%100 == 99 {
				return 120_000
			}
			return 25_000
		}, 60_000, 130_000},
		{"always a millisecond", func(int) int64 { return 1_000_000 }, mostEarly, mostEarly},
	} {
		m := new()
		wakes(m, 5000, tt.late)
		if got := m.early(); got < tt.from || got > tt.to {
			t.Errorf("%s: %d ns early, want %d to %d", tt.name, got, tt.from, tt.to)
		}
		if missed := wakes(m, 5000, tt.late); tt.to < mostEarly && missed > 75 {
			t.Errorf("%s: %d of 5000 wakes were too late", tt.name, missed)
		}
	}
	m := new()
	wakes(m, 100, func(int) int64 { return 1_000_000 })
	for range 3000 {
		m.noteSent()
	}
	if m.early() != leastEarly {
		t.Errorf("%d ns early after a long time without sleep, want %d", m.early(), leastEarly)
	}
	m.polls = false
	if m.early() != 0 {
		t.Error("a thread without a core to spare wakes up early")
	}
}
