package observe

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"benchbook/internal/test/assert"
	"benchbook/notebook/plan"
	"benchbook/runner/engine"
)

func TestPlaceWords(t *testing.T) {
	for _, tt := range []struct{ sets, want string }{{"", ""}, {"0-1 0-1", "0-1"}, {"0-1 2", "a 0-1; b 2"}} {
		assert.Equal(t, PlaceWords([]string{"a", "b"}, strings.Fields(tt.sets)), tt.want, "%q", tt.sets)
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
	for _, tt := range []struct {
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
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &Sampler{services: []*service{{name: "server", threads: tt.readings}}}
			if got := s.busiest(start, start.Add(tt.length)); fmt.Sprint(got) != fmt.Sprint(tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// Of many threads all are read at first and then now and then, and the busy ones in between.
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
	for _, tt := range []struct {
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
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := fewThreads(tt.readings, at(tt.ms))
			assert.Equal(t, len(got), tt.want, "threads")
			for thread := range got {
				if thread < 500 || thread >= 520 {
					t.Errorf("thread %d is read, which does nothing", thread)
				}
			}
		})
	}
}

// Readings that are far apart are a fact: the machine was too busy.
func TestSamplerFallsBehind(t *testing.T) {
	start := time.Now()
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	for _, tt := range []struct {
		ticks []time.Time
		want  string
	}{
		{[]time.Time{at(-500), at(0), at(20), at(40), at(60), at(1100)}, ""},
		{[]time.Time{at(-500), at(0), at(20), at(350), at(370)},
			"readings of what services used are up to 330ms apart, not 20ms: the machine was too busy for them"},
	} {
		s := &Sampler{every: sampleEvery, ticks: tt.ticks, facts: map[string]string{}}
		assert.Equal(t, s.In(Window{Start: start, Length: 60 * time.Millisecond}).Facts["usage.behind"], tt.want)
	}
}

// A container tells what it uses: a tenth of a core more with each reading.
type container struct {
	engine.Container
	name, cpus string
	slow       time.Duration
	err        error

	mu      sync.Mutex
	details []engine.Detail
}

func (c *container) Name() string { return c.name }

func (c *container) State(context.Context) (engine.State, error) {
	return engine.State{CPUs: c.cpus}, c.err
}

func (c *container) Usage(_ context.Context, d engine.Detail) (engine.Usage, error) {
	time.Sleep(c.slow)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.details = append(c.details, d)
	n := len(c.details)
	u := engine.NoUsage()
	u.CPU = time.Duration(n) * time.Millisecond
	if d.Totals {
		u.Memory = 10
	}
	if d.Threads {
		u.Threads = map[int]engine.Thread{7: {CPU: u.CPU}}
	}
	return u, c.err
}

// A sampler reads each container from the beginning to the end, and notes which CPUs engines have chosen.
func TestWatch(t *testing.T) {
	slow := &container{name: "slow", cpus: "1", slow: 30 * time.Millisecond}
	one, two := &container{name: "web.1", cpus: "0"}, &container{name: "web.2", cpus: "0"}
	link, gone := &container{name: "web.link"}, &container{name: "gone", cpus: "3", err: errors.New("gone")}
	load := &container{name: "load", cpus: "2"}
	s := Watch(t.Context(), []engine.Container{one, two, link, slow}, load)
	time.Sleep(300 * time.Millisecond)
	s.Finish()
	if got := s.facts[plan.FactServicesPlace] + " " + s.facts[plan.FactLoadPlace]; got != "web 0; slow 1 2" {
		t.Errorf("placed at %q", got)
	}
	for _, service := range s.services {
		most := len(service.cpu)
		if most < 3 || most > 10 { // slow takes most of the time
			t.Errorf("%s: %d readings", service.name, most)
		}
		if len(service.totals) < 2 || len(service.threads) < 2 {
			t.Errorf("%s: %d readings of totals, %d of threads, want those of both ends", service.name,
				len(service.totals), len(service.threads))
		}
	}
	web := s.services[0]
	if last := web.totals[len(web.totals)-1]; last.Memory != 20 || len(web.threads[0].times) != 2 ||
		last.CPU != 2*time.Duration(len(one.details))*time.Millisecond {
		t.Errorf("two replicas used %+v, threads %v", last, web.threads[0].times)
	}
	s = Watch(t.Context(), []engine.Container{one, gone}, nil)
	s.Finish()
	if len(s.facts) != 0 || len(s.services[1].cpu) != 0 {
		t.Errorf("of a container that is gone: facts %v, readings %v", s.facts, s.services[1].cpu)
	}
}
