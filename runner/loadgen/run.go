package loadgen

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"time"
)

// load is what the engines of a run share and do not change.
type load struct {
	config  *Config
	targets []target
	origins []*origin
	window  *window
	base    time.Time // the run's clock starts here
}

// target is a Target, ready to be asked.
type target struct {
	request *Request
	origin  int    // in load.origins
	upTo    uint64 // a draw below this one, and not below that of the target before, is for this one
}

// now is the run's clock, in nanoseconds.
func (l *load) now() int64 { return time.Since(l.base).Nanoseconds() }

// errNoResources is what the generator, and not the server, has run out of.
var errNoResources = errors.New("the generator is out of files or memory for connections; " +
	"raise its limits or lower connections")

// Run puts the load on the targets and measures, until the window and the requests in it are over.
//
// While it runs, GOMAXPROCS is at least one more than the number of threads, or twice as many with https. The error
// says why nothing could be measured: the config is invalid, a target's name does not resolve or takes no connection
// before timing, the check before timing failed, this side ran out of files or memory, or the context ended, whose
// cause is then wrapped. It runs on Linux only.
func Run(ctx context.Context, config Config) (*Result, error) {
	if err := config.Validate(); err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	result, err := prepareAndMeasure(ctx, cancel, &config)
	if cause := context.Cause(ctx); cause != nil {
		return nil, fmt.Errorf("measuring %s: %w", config.Targets[0].URL, cause)
	}
	return result, err
}

func prepareAndMeasure(ctx context.Context, cancel context.CancelCauseFunc, config *Config) (*Result, error) {
	l, err := newLoad(config)
	if err != nil {
		return nil, err
	}
	for _, o := range l.origins {
		all, err := o.resolve(ctx, config.Timeout)
		if err != nil {
			return nil, err
		}
		if err := l.choose(ctx, o, all); err != nil {
			return nil, err
		}
	}
	engines := min(threads(config), config.Connections)
	// An engine that waits mostly keeps the P it runs on, so there is one more for everything else, and with TLS as many
	// again for handshakes.
	procs := engines + 1
	if config.Secure() {
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

// threads is how many threads the load may have.
func threads(c *Config) int {
	if c.Threads > 0 {
		return c.Threads
	}
	return min(runtime.NumCPU(), runtime.GOMAXPROCS(0))
}

// newLoad makes the targets ready.
func newLoad(config *Config) (*load, error) {
	l := &load{config: config, base: time.Now(), window: newWindow(config.Duration)}
	byName := make(map[string]int)
	weight := func(t *Target) float64 {
		return cmp.Or(t.Weight, 1)
	}
	all, sum := 0.0, 0.0
	for i := range config.Targets {
		all += weight(&config.Targets[i])
	}
	for i := range config.Targets {
		t := &config.Targets[i]
		request, err := t.Compile(config.KeepAlive)
		if err != nil {
			return nil, err
		}
		of, known := byName[originName(request.URL)]
		if !known {
			of = len(l.origins)
			byName[originName(request.URL)] = of
			l.origins = append(l.origins, newOrigin(request.URL))
		}
		sum += weight(t)
		upTo := uint64(math.MaxUint64)
		if share := sum / all; share < 1 {
			upTo = uint64(share * (1 << 63) * 2)
		}
		l.targets = append(l.targets, target{request: request, origin: of, upTo: upTo})
	}
	l.targets[len(l.targets)-1].upTo = math.MaxUint64
	return l, nil
}

// draw picks the target of a request by its draw.
func (l *load) draw(draw uint64) int {
	if len(l.targets) == 1 {
		return 0
	}
	u := mix(draw ^ choosing)
	low, high := 0, len(l.targets)-1
	for low < high { // the first whose upTo is above u
		if middle := (low + high) / 2; u < l.targets[middle].upTo {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return low
}

// choosing sets the draws of targets apart from those of numbers in requests.
const choosing = 0x6a09e667f3bcc908
