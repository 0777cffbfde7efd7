package observe

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"benchbook/runner/load"
)

// Services that have CPUs together are told as one, and else each with its own.
func TestPlaceWords(t *testing.T) {
	for _, tt := range []struct{ sets, want string }{{"", ""}, {"0-1 0-1", "0-1"}, {"0-1 2", "a 0-1; b 2"}} {
		if got := PlaceWords([]string{"a", "b"}, strings.Fields(tt.sets)); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.sets, got, tt.want)
		}
	}
	if got := PlaceWords([]string{"a", "b"}, []string{"", "2"}); got != "a all; b 2" {
		t.Errorf("one with all CPUs: got %q", got)
	}
}

func TestBusiestThread(t *testing.T) {
	start := time.Unix(1e9, 0)
	reading := func(seconds float64, times map[int]time.Duration) threadReading {
		return threadReading{at: start.Add(time.Duration(seconds * float64(time.Second))), times: times}
	}
	few := func(r threadReading) threadReading {
		r.few = true
		return r
	}
	tests := []struct {
		name     string
		readings []threadReading
		length   time.Duration
		want     map[string]float64
	}{
		{"one busy thread of two", []threadReading{reading(-1, map[int]time.Duration{1: 0, 2: 0}),
			reading(3, map[int]time.Duration{1: 4 * time.Second, 2: time.Second})}, 2 * time.Second,
			map[string]float64{"server": 1}},
		{"between readings", []threadReading{reading(-1, map[int]time.Duration{1: 0}),
			reading(1, map[int]time.Duration{1: time.Second}),
			reading(3, map[int]time.Duration{1: time.Second})}, 2 * time.Second, map[string]float64{"server": 0.25}},
		{"a thread that began later", []threadReading{reading(0, map[int]time.Duration{1: 0}),
			reading(1, map[int]time.Duration{1: 0, 2: 0}),
			reading(2, map[int]time.Duration{1: 0, 2: time.Second})}, 2 * time.Second, map[string]float64{"server": 0.5}},
		{"a thread that ended", []threadReading{reading(0, map[int]time.Duration{2: 0}),
			reading(1, map[int]time.Duration{2: 800 * time.Millisecond}),
			reading(2, map[int]time.Duration{1: 0})}, 2 * time.Second, map[string]float64{"server": 0.4}},
		{"a thread that is read now and then", []threadReading{reading(0, map[int]time.Duration{1: 0, 2: 0}),
			few(reading(1, map[int]time.Duration{1: 100 * time.Millisecond})),
			reading(2, map[int]time.Duration{1: 100 * time.Millisecond, 2: time.Second})},
			time.Second, map[string]float64{"server": 0.5}},
		{"a window that is too short", []threadReading{reading(0, map[int]time.Duration{1: 0}),
			reading(1, map[int]time.Duration{1: time.Second})},
			100 * time.Millisecond, nil},
		{"one reading", []threadReading{reading(0, map[int]time.Duration{1: 0})}, time.Second, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &Sampler{threads: map[string][]threadReading{"server": tt.readings}}
			if got := s.busiest(start, start.Add(tt.length)); fmt.Sprint(got) != fmt.Sprint(tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// A service of many threads has all of them read at first, then now and then, and those that are busy in between.
func TestFewThreads(t *testing.T) {
	start := time.Unix(1e9, 0)
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	many := func(ms, busy int) threadReading {
		r := threadReading{at: at(ms), took: 10 * time.Millisecond, times: map[int]time.Duration{}}
		for thread := range 1000 {
			r.times[thread] = time.Hour // spent long ago
		}
		for thread := range busy {
			r.times[500+thread] += r.at.Sub(start)
		}
		return r
	}
	begun := []threadReading{many(0, 20), many(600, 20), many(1200, 20)}
	quick := slices.Clone(begun)
	quick[2].took = 100 * time.Microsecond
	small := []threadReading{{at: at(0)}, {at: at(600)}, {at: at(1200), took: time.Second,
		times: map[int]time.Duration{1: 1}}}
	tests := []struct {
		name     string
		readings []threadReading
		ms, want int
	}{
		{"nothing was read", nil, 0, 0},
		{"before anybody knows which are busy", begun[:2], 1200, 0},
		{"then", begun, 1800, busyThreads},
		{"as long as it would take too much", append(slices.Clone(begun), threadReading{at: at(1800), few: true}), 4100,
			busyThreads},
		{"once it is worth it", begun, 4200, 0},
		{"where it takes next to nothing", quick, 1800, 0},
		{"where there are few", small, 1800, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := fewThreads(tt.readings, at(tt.ms))
			if len(got) != tt.want {
				t.Errorf("%d threads, want %d", len(got), tt.want)
			}
			for thread := range got {
				if thread < 500 || thread >= 520 {
					t.Errorf("thread %d is read, which does nothing", thread)
				}
			}
		})
	}
}

// Readings that lie far apart are named: the machine was too busy.
func TestSamplerThatFallsBehindSaysSo(t *testing.T) {
	start := time.Now()
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	for _, tt := range []struct {
		ticks []time.Time
		want  string
	}{
		{[]time.Time{at(-500), at(0), at(20), at(40), at(60), at(1100)}, ""},
		{[]time.Time{at(-500), at(0), at(20), at(350), at(370)},
			"readings of what services used lie up to 330ms apart, not 20ms: the machine was too busy for them"},
	} {
		s := &Sampler{every: sampleEvery, ticks: tt.ticks}
		m := load.Measurement{Start: start, Length: 60 * time.Millisecond}
		s.Samples(&m)
		if got := m.Facts["usage.behind"]; got != tt.want {
			t.Errorf("said %q, want %q", got, tt.want)
		}
	}
}
