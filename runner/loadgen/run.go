package loadgen

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"runtime"
	"sort"
	"time"
)

// load is what all engines share and only read.
type load struct {
	config  *Config
	targets []target
	origins []*origin
	window  *window
	base    time.Time // zero of the run's clock
}

// now returns the time on the run's clock, in nanoseconds since base.
func (l *load) now() int64 { return time.Since(l.base).Nanoseconds() }

// Run puts the load on the targets and measures until the window and its requests are over.
//
// While it runs, GOMAXPROCS is at least one more than the number of threads, or twice as many with https. An error says
// why nothing could be measured: the config is invalid, a host has no address or no listener, the check before timing
// failed, this process has too few files or too little memory, or the context ended, whose cause is wrapped. It runs on
// Linux only.
func Run(ctx context.Context, config Config) (*Result, error) {
	l, err := newLoad(&config)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	result, err := l.prepareAndMeasure(ctx, cancel)
	if cause := context.Cause(ctx); cause != nil {
		return nil, fmt.Errorf("measuring %s: %w", config.Targets[0].URL, cause)
	}
	return result, err
}

func (l *load) prepareAndMeasure(ctx context.Context, cancel context.CancelCauseFunc) (*Result, error) {
	config := l.config
	for _, o := range l.origins {
		all, err := o.resolve(ctx, config.Timeout)
		if err != nil {
			return nil, err
		}
		if err := l.choose(ctx, o, all); err != nil {
			return nil, err
		}
	}
	cores := min(runtime.NumCPU(), runtime.GOMAXPROCS(0))
	engines := min(cmp.Or(config.Threads, cores), config.Connections)
	// A waiting engine mostly keeps its P, so there is one more for everything else; with TLS there is one more per
	// engine, for handshakes.
	procs := engines + 1
	if config.secure() {
		procs = 2 * engines
	}
	if was := runtime.GOMAXPROCS(0); was < procs {
		runtime.GOMAXPROCS(procs)
		defer runtime.GOMAXPROCS(was)
	}
	result, err := measure(ctx, cancel, l, engines)
	if err != nil {
		return nil, err
	}
	for _, o := range l.origins {
		result.Addresses = append(result.Addresses, o.addresses...)
		result.Unreachable = append(result.Unreachable, o.unreachable...)
	}
	return result, nil
}

// newLoad validates a config and prepares its targets and origins.
func newLoad(config *Config) (*load, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	l := &load{config: config, base: time.Now(), window: newWindow(config.Duration)}
	byName := make(map[string]int)
	all, sum := 0.0, 0.0
	for i := range config.Targets {
		all += cmp.Or(config.Targets[i].Weight, 1)
	}
	for i := range config.Targets {
		t := &config.Targets[i]
		r, _ := t.compile(config.KeepAlive) // Validate has succeeded with it
		name := r.url.Scheme + "://" + hostField(r.url, r.port)
		origin, known := byName[name]
		if !known {
			origin = len(l.origins)
			byName[name] = origin
			l.origins = append(l.origins, newOrigin(r.url, r.port))
		}
		sum += cmp.Or(t.Weight, 1)
		r.origin, r.upTo = origin, uint64(min(sum/all, 1-0x1p-53)*(1<<63)*2)
		l.targets = append(l.targets, *r)
	}
	l.targets[len(l.targets)-1].upTo = math.MaxUint64
	return l, nil
}

// draw returns the index of the target that a random number selects.
func (l *load) draw(draw uint64) int {
	if len(l.targets) == 1 {
		return 0
	}
	u := mix(draw)
	return min(sort.Search(len(l.targets), func(i int) bool { return l.targets[i].upTo > u }), len(l.targets)-1)
}
