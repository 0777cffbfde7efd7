package observe

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"benchbook/internal/test/assert"
	"benchbook/notebook/plan"
	"benchbook/runner/engine"
)

func TestPlaceWords(t *testing.T) {
	for _, tt := range []struct{ sets, want string }{{"", ""}, {"0-1 0-1", "0-1"}, {"0-1 2", "a 0-1; b 2"}} {
		assert.Equal(t, PlaceWords([]string{"a", "b"}, strings.Fields(tt.sets)), tt.want, "%q", tt.sets)
	}
	assert.Equal(t, PlaceWords([]string{"a", "b"}, []string{"", "2"}), "a all; b 2", "one with all CPUs")
}

func TestBusiestThread(t *testing.T) {
	type times = map[int]time.Duration
	const s = time.Second
	reading := func(seconds float64, of times) threadReading { return threadReading{at: moment(seconds), times: of} }
	for _, tt := range []struct {
		name     string
		readings []threadReading
		length   time.Duration
		want     float64 // negative for none
	}{
		{"one busy thread of two", []threadReading{reading(-1, times{1: 0, 2: 0}), reading(3, times{1: 4 * s, 2: s})}, 2 * s, 1},
		{"between readings", []threadReading{reading(-1, times{1: 0}), reading(1, times{1: s}), reading(3, times{1: s})}, 2 * s,
			0.25},
		{"a thread that began later", []threadReading{reading(0, times{1: 0}), reading(1, times{1: 0, 2: 0}),
			reading(2, times{1: 0, 2: s})}, 2 * s, 0.5},
		{"a thread that ended", []threadReading{reading(0, times{2: 0}), reading(1, times{2: s * 8 / 10}),
			reading(2, times{1: 0})}, 2 * s, 0.4},
		{"a window that is too short", []threadReading{reading(0, times{1: 0}), reading(1, times{1: s})}, s / 10, -1},
		{"one reading", []threadReading{reading(0, times{1: 0})}, s, -1},
	} {
		sampler := &Sampler{services: []*service{{name: "server", threads: tt.readings}}}
		got, known := sampler.busiest(moment(0), moment(0).Add(tt.length))["server"]
		if known != (tt.want >= 0) || known && got != tt.want {
			t.Errorf("%s: got %v, %v, want %v", tt.name, got, known, tt.want)
		}
	}
}

// The more threads there are, the less often they are read.
func TestThreadsAreDue(t *testing.T) {
	for _, tt := range []struct {
		name     string
		readings []threadReading
		want     bool
	}{
		{"nothing was read", nil, true},
		{"where it takes next to nothing", []threadReading{{at: moment(0.4), took: 4 * time.Millisecond}}, true},
		{"where it takes long", []threadReading{{at: moment(0.4), took: 7 * time.Millisecond}}, false},
		{"once it is worth it", []threadReading{{at: moment(0)}, {at: moment(0.2), took: 8 * time.Millisecond}}, true},
	} {
		assert.Equal(t, (&service{threads: tt.readings}).threadsAreDue(moment(1)), tt.want, "%s", tt.name)
	}
}

// A fact reports readings that are too far apart because the machine was busy.
func TestSamplerFallsBehind(t *testing.T) {
	for _, tt := range []struct {
		ticks []time.Time
		want  string
	}{
		{[]time.Time{moment(-0.5), moment(0), moment(0.02), moment(0.04), moment(0.06), moment(1.1)}, ""},
		{[]time.Time{moment(-0.5), moment(0), moment(0.02), moment(0.35), moment(0.37)},
			"readings of what services used are up to 330ms apart, not 20ms: the machine was too busy for them"},
	} {
		s := &Sampler{every: sampleEvery, ticks: tt.ticks, facts: map[string]string{}}
		assert.Equal(t, s.In(Window{Start: moment(0), Length: 60 * time.Millisecond}).Facts["usage.behind"], tt.want)
	}
}

// A container uses a tenth of a core more with each reading.
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

// A sampler reads each container from beginning to end, and records the CPUs that engines have chosen.
func TestWatch(t *testing.T) {
	slow := &container{name: "slow", cpus: "1", slow: 30 * time.Millisecond}
	one, two := &container{name: "web.1", cpus: "0"}, &container{name: "web.2", cpus: "0"}
	link, gone := &container{name: "web.link"}, &container{name: "gone", cpus: "3", err: errors.New("gone")}
	load := &container{name: "load", cpus: "2"}
	s := Watch(t.Context(), []engine.Container{one, two, link, slow}, load)
	time.Sleep(300 * time.Millisecond)
	s.Finish()
	placed := s.facts[plan.FactServicesPlace] + " " + s.facts[plan.FactLoadPlace]
	assert.Equal(t, placed, "web 0; slow 1 2", "placed at")
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

// A deaf container belongs to an engine that answers only once.
type deaf struct{ container }

func (d *deaf) Usage(ctx context.Context, detail engine.Detail) (engine.Usage, error) {
	if len(d.details) > 0 {
		<-ctx.Done()
		return engine.Usage{}, ctx.Err()
	}
	return d.container.Usage(ctx, detail)
}

// An engine that no longer answers does not keep a sampler from finishing.
func TestFinishWithoutAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := Watch(t.Context(), []engine.Container{&deaf{container{name: "server"}}}, nil)
		began := time.Now()
		s.Finish()
		if took := time.Since(began); took > lastReading {
			t.Errorf("it took %v, want %v at most", took, lastReading)
		}
	})
}
