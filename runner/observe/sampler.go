package observe

import (
	"context"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"benchbook/notebook/plan"
	"benchbook/runner/engine"
	"benchbook/runner/machine"
)

// How often the usage of services is read. The processor time alone costs a few microseconds, and its readings must be
// close to both ends of a window of a tenth of a second. The rest costs more, and may be further apart.
const (
	sampleEvery  = 20 * time.Millisecond // a tick: the processor time of services
	totalsEvery  = 10                    // ticks between readings of memory and counters
	threadsEvery = 30                    // ticks between readings of threads
	hostEvery    = 5                     // ticks between readings of the machine
	hostOften    = 50                    // first ticks that all read the machine, as a window may be short

	// servicePause is the least time between two readings for each container: many cost no more than a few.
	servicePause = 8 * time.Millisecond
	// Reading takes a fifth of the time at most, up to a pause of longestPause: an engine elsewhere takes a while.
	readShare    = 4
	longestPause = 200 * time.Millisecond
	// lastReading bounds the reading at the end, when the engine may no longer answer.
	lastReading = 10 * time.Second
)

// A Sampler reads the usage of services and of this machine.
type Sampler struct {
	stop func()
	done sync.WaitGroup

	every    time.Duration // how often the processor time is read
	began    time.Time
	services []*service
	load     service // that puts the load on
	host     machine.Readings
	ticks    []time.Time       // when something was read
	passed   passed            // from the beginning to the end
	swapped  []int64           // bytes read from swap at these times; -1 unknown
	around   [2]neighbours     // at these times
	facts    map[string]string // where things run
	cost     float64           // cores that reading took; -1 unknown
}

// service is a service with its containers; a scaled one has several.
type service struct {
	name       string
	containers []engine.Container
	groups     []string // of containers on another machine, whose agent reads them

	cpu     []engine.Usage // with processor time only
	totals  []engine.Usage // with memory and counters
	threads []threadReading
}

// Watch begins to read services, at once and then regularly until Finish. load is the container that the load runs in;
// nil if it has none of its own.
func Watch(ctx context.Context, services []engine.Container, load engine.Container) *Sampler {
	ctx, cancel := context.WithCancel(ctx)
	s := &Sampler{stop: cancel, every: max(sampleEvery, time.Duration(len(services))*servicePause), cost: -1,
		began: time.Now(), swapped: []int64{machine.SwappedIn()}, facts: map[string]string{}}
	for _, c := range services {
		name := ServiceOf(c.Name())
		i := slices.IndexFunc(s.services, func(s *service) bool { return s.name == name })
		if i < 0 {
			i = len(s.services)
			s.services = append(s.services, &service{name: name})
		}
		s.services[i].containers = append(s.services[i].containers, c)
	}
	if load != nil {
		s.load.containers = []engine.Container{load}
	}
	s.notePlaces(ctx)
	s.around[0] = readNeighbours()
	begun := make(chan struct{})
	s.done.Go(func() { s.keepReading(ctx, begun) })
	<-begun
	return s
}

// notePlaces notes which CPUs services and load run on, as far as their engine tells: it may have chosen them itself.
func (s *Sampler) notePlaces(ctx context.Context) {
	if sets := s.load.place(ctx); len(sets) > 0 && sets[0] != "" {
		s.facts[plan.FactLoadPlace] = sets[0]
	}
	var names, sets []string
	known := true // else what was asked for is all that is known
	for _, service := range s.services {
		own := service.place(ctx)
		if strings.HasSuffix(service.name, LinkSuffix) {
			continue
		}
		known = known && !slices.Contains(own, "")
		slices.Sort(own)
		names, sets = append(names, service.name), append(sets, strings.Join(slices.Compact(own), ","))
	}
	if known && len(names) > 0 {
		s.facts[plan.FactServicesPlace] = PlaceWords(names, sets)
	}
}

// place returns the CPUs that each container of a service runs on, empty if unknown, and notes the control groups of
// containers on another machine.
func (s *service) place(ctx context.Context) (sets []string) {
	for _, c := range s.containers {
		state, err := c.State(ctx)
		if err != nil {
			state = engine.State{}
		}
		sets = append(sets, state.CPUs)
		if state.ID != "" {
			s.groups = append(s.groups, state.ID)
		}
	}
	return sets
}

// keepReading reads until the context is done, and then once more, so that the end of the window is covered. It closes
// begun after the first reading. It has a thread to itself, whose processor time is the cost of reading.
func (s *Sampler) keepReading(ctx context.Context, begun chan<- struct{}) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	spent, began := machine.ThreadTime(), time.Now()
	s.read(ctx, 0)
	close(begun)
	pause := s.every
	for tick := 1; ; tick++ {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastReading)
			s.read(last, 0)
			cancel()
			passed, now := time.Since(began), machine.ThreadTime()
			if now >= 0 && spent >= 0 && passed > totalsEvery*s.every { // else it says nothing
				s.cost = (now - spent).Seconds() / passed.Seconds()
			}
			return
		case <-time.After(pause):
			read := time.Now()
			s.read(ctx, tick)
			took := time.Since(read)
			pause = max(s.every-took, min(readShare*took, longestPause))
		}
	}
}

// read reads what is due at a tick; at tick 0 everything.
func (s *Sampler) read(ctx context.Context, tick int) {
	s.ticks = append(s.ticks, time.Now())
	for _, service := range s.services {
		if len(service.groups) == 0 {
			service.read(ctx, tick)
		}
	}
	if tick > hostOften && tick%hostEvery != 0 {
		return
	}
	if reading := machine.Read(); reading.Total > 0 {
		s.host = append(s.host, reading)
	}
}

// read reads all containers of a service. A scaled one counts as of the moment at which its first container was read.
func (s *service) read(ctx context.Context, tick int) {
	threads := threadReading{at: time.Now(), times: map[int]time.Duration{}}
	detail := engine.Detail{Totals: tick%totalsEvery == 0,
		Threads: tick == 0 || tick%threadsEvery == 0 && s.threadsAreDue(threads.at)}
	began := machine.ThreadTime()
	var sum engine.Usage
	for i, c := range s.containers {
		u, err := c.Usage(ctx, detail)
		if err != nil {
			return
		}
		for id, thread := range u.Threads {
			threads.times[threadOf(i, id)] = thread.CPU
		}
		sum = sumOf(sum, u)
	}
	s.cpu = append(s.cpu, engine.Usage{At: sum.At, CPU: sum.CPU})
	if detail.Totals {
		s.totals = append(s.totals, sum)
	}
	if detail.Threads && len(threads.times) > 0 {
		threads.took = time.Since(threads.at)
		if ended := machine.ThreadTime(); began >= 0 && ended >= 0 {
			threads.took = ended - began
		}
		s.threads = append(s.threads, threads)
	}
}

// Finish reads once more and stops.
func (s *Sampler) Finish() {
	s.stop()
	s.done.Wait()
	s.passed, s.swapped = since(s.began), append(s.swapped, machine.SwappedIn())
	s.around[1] = readNeighbours()
}
