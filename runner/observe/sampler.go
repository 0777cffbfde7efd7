package observe

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"time"

	"benchbook/runner/engine"
	"benchbook/runner/sysinfo"
)

// How often what services use is read while they are measured. The processor time alone costs a few microseconds, and
// its readings have to lie close to both ends of a window of a tenth of a second; the rest costs more, and may lie
// further apart.
const (
	sampleEvery  = 20 * time.Millisecond // the processor time of services
	hostEvery    = 5                     // of these times that of the machine, and at first
	hostOften    = 50                    // times each time, as a window may be short
	wholeEvery   = 10                    // of these times all of their usage
	threadsEvery = 30                    // of these times all of their threads

	// samplePause is the least time between two readings for each service, so that many of them cost no more than a few
	// do.
	samplePause = 8 * time.Millisecond
)

// A Sampler reads the usage of services beside a measurement.
type Sampler struct {
	stop func()
	done sync.WaitGroup

	every    time.Duration // how often the processor time is read
	watched  []watched
	services map[string][]engine.Usage
	cpu      map[string][]engine.Usage // of those that tell it apart: processor time alone, more often
	threads  map[string][]threadReading
	host     sysinfo.HostReadings
	ticks    []time.Time       // when something was read
	clocks   []clocks          // at the beginning and at the end
	swapped  []int64           // bytes read from swap, likewise; -1 where the system does not tell
	facts    map[string]string // of networks and CPUs
	around   [2]neighbours     // at the beginning and at the end
	cost     float64           // cores that reading took; -1 unknown

	// Elsewhere is to be filled in before Samples.
	Elsewhere Elsewhere

	mu sync.Mutex // guards facts
}

// watched is a service with its containers, of which there are several where it is scaled.
type watched struct {
	name       string
	containers []container
}

// container is one of a service with what its engine can tell about it; nil for what it cannot.
type container struct {
	engine.Container
	metered  engine.Metered
	threaded engine.Threaded
	placed   engine.Placed
}

// Watch begins to read, at once and then regularly until Finish.
func Watch(ctx context.Context, services []engine.Container) *Sampler {
	ctx, cancel := context.WithCancel(ctx)
	every := max(sampleEvery, time.Duration(len(services))*samplePause)
	s := &Sampler{stop: cancel, every: every, services: map[string][]engine.Usage{}, cpu: map[string][]engine.Usage{},
		threads: map[string][]threadReading{}, clocks: []clocks{readClocks()},
		swapped: []int64{sysinfo.SwappedIn()}, facts: map[string]string{}}
	for _, r := range services {
		c := container{Running: r}
		inner := EngineRunning(r)
		c.metered, _ = inner.(engine.Metered)
		c.threaded, _ = inner.(engine.Threaded)
		c.placed, _ = inner.(engine.Placed)
		name := ServiceOf(r.Name())
		i := slices.IndexFunc(s.watched, func(w watched) bool { return w.name == name })
		if i < 0 {
			i = len(s.watched)
			s.watched = append(s.watched, watched{name: name})
		}
		s.watched[i].containers = append(s.watched[i].containers, c)
	}
	s.noteCPUs(ctx)
	s.around[0] = readNeighbours()
	begun := make(chan struct{})
	s.done.Go(func() { s.keepReading(ctx, begun) })
	<-begun
	return s
}

// keepReading reads until the context is done, and then once more, so that the window's end lies within. Begun is
// closed after the first reading. It has a thread to itself, whose processor time is what reading costs.
func (s *Sampler) keepReading(ctx context.Context, begun chan<- struct{}) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	spent, began := sysinfo.ThreadTime(), time.Now()
	s.read(ctx, 0)
	close(begun)
	ticker := time.NewTicker(s.every)
	defer ticker.Stop()
	for tick := 1; ; tick++ {
		select {
		case <-ctx.Done():
			s.read(context.WithoutCancel(ctx), 0)
			s.cost = -1
			// a share of less says nothing
			if now, passed := sysinfo.ThreadTime(), time.Since(began); now >= 0 && spent >= 0 && passed > wholeEvery*s.every {
				s.cost = (now - spent).Seconds() / passed.Seconds()
			}
			return
		case <-ticker.C:
			s.read(ctx, tick)
		}
	}
}

// read reads what is due at a tick; at the ticks 0 that is all there is.
func (s *Sampler) read(ctx context.Context, tick int) {
	s.ticks = append(s.ticks, time.Now())
	for _, w := range s.watched {
		at := time.Now()
		if used, ok := w.cpu(ctx); ok {
			s.cpu[w.name] = append(s.cpu[w.name], engine.Usage{At: at, CPU: used})
		}
		if tick%wholeEvery != 0 {
			continue
		}
		if u, err := w.usage(ctx); err == nil {
			s.services[w.name] = append(s.services[w.name], u)
		}
		if tick%threadsEvery == 0 {
			var few map[int]bool
			if tick > 0 {
				few = fewThreads(s.threads[w.name], at)
			}
			if reading, ok := w.threads(ctx, few); ok {
				s.threads[w.name] = append(s.threads[w.name], reading)
			}
		}
	}
	if tick > hostOften && tick%hostEvery != 0 {
		return
	}
	if host := sysinfo.ReadHost(); host.Total > 0 {
		s.host = append(s.host, host)
	}
}

// cpu is the processor time that all containers of a service have used, if their engine tells it apart.
func (w watched) cpu(ctx context.Context) (sum time.Duration, ok bool) {
	for _, c := range w.containers {
		if c.metered == nil {
			return 0, false
		}
		used, err := c.metered.CPU(ctx)
		if err != nil {
			return 0, false
		}
		sum += used
	}
	return sum, true
}

// usage is what the containers of a service have used together. It is of the moment at which the first of them was
// read.
func (w watched) usage(ctx context.Context) (engine.Usage, error) {
	sum, err := w.containers[0].Usage(ctx)
	for _, c := range w.containers[1:] {
		u, failed := c.Usage(ctx)
		if err = errors.Join(err, failed); err != nil {
			break
		}
		sum.CPU = added(sum.CPU, u.CPU)
		sum.Memory = added(sum.Memory, u.Memory)
		sum.Periods, sum.Throttled = added(sum.Periods, u.Periods), added(sum.Throttled, u.Throttled)
		sum.ListenOverflows, sum.Retransmits = added(sum.ListenOverflows, u.ListenOverflows),
			added(sum.Retransmits, u.Retransmits)
	}
	return sum, err
}

// added is a sum that an engine can tell only where it can tell both.
func added[T ~int64](a, b T) T {
	if a < 0 || b < 0 {
		return -1
	}
	return a + b
}

// Finish ends reading, after one more.
func (s *Sampler) Finish() {
	s.stop()
	s.done.Wait()
	s.clocks, s.swapped = append(s.clocks, readClocks()), append(s.swapped, sysinfo.SwappedIn())
	s.around[1] = readNeighbours()
}

// LoadName is the name of the program that puts the load on, whichever it is.
const LoadName = "load"

// Space is a space in which the sampler sees the load start and end.
func (s *Sampler) Space(inner engine.Space) engine.Space { return observed{inner, s} }

type observed struct {
	engine.Space
	sampler *Sampler
}

func (o observed) Run(ctx context.Context, program engine.Program, started func(engine.Container)) (engine.Exit, error) {
	if program.Name != LoadName {
		return o.Space.Run(ctx, program, started)
	}
	watch := func(r engine.Container) {
		o.sampler.NoteLoadCPUs(ctx, r)
		if started != nil {
			started(r)
		}
	}
	if program.Beside != "" {
		o.sampler.noteLoadIn(program.Beside)
	}
	return o.Space.Run(ctx, program, watch)
}

// noteLoadIn notes that the load is in the network of a service.
func (s *Sampler) noteLoadIn(service string) {
	s.mu.Lock()
	s.facts[FactLoadIn] = "that of " + service
	s.mu.Unlock()
}
