// Package observe reads what services and machines do while something is measured.
//
// A Sampler reads the usage of services and of this machine during a measurement, on a thread of its own. A Window of
// that time gets samples and facts of a record.
package observe

import (
	"cmp"
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

// LinkSuffix follows the name of a service in the name of the relay before it. No service has a dot in its name.
const LinkSuffix = ".link"

// ServiceOf returns the service that a container belongs to, from its name: replicas have numbers behind a dot. A link
// is a service of its own.
func ServiceOf(container string) string {
	if i := strings.LastIndexByte(container, '.'); i >= 0 && strings.Trim(container[i+1:], "0123456789") == "" {
		return container[:i]
	}
	return container
}

// Renamed is a container under the name that records and messages have for it.
type Renamed struct {
	engine.Container
	As string
}

// Name returns the name in records and messages, instead of the engine's.
func (r Renamed) Name() string { return r.As }

// PlaceWords returns the set of CPUs that all services have, or each service with its own; empty without services. An
// empty set means all CPUs.
func PlaceWords(names, sets []string) string {
	different := slices.Clone(sets)
	slices.Sort(different)
	if different = slices.Compact(different); len(different) <= 1 {
		return strings.Join(different, "")
	}
	var each []string
	for i, name := range names {
		each = append(each, name+" "+cmp.Or(sets[i], "all"))
	}
	return strings.Join(each, "; ")
}

// threadReading is the processor time of each thread of a service.
type threadReading struct {
	at    time.Time
	times map[int]time.Duration // by threadOf
	took  time.Duration         // processor time of reading it
}

// threadOf identifies a thread of one container of a service: containers may number theirs alike.
func threadOf(container, id int) int { return container<<32 | id }

// threadsPause is how long the next reading of the threads waits, in times of what the last one took: a service may have
// thousands, each with a file of its own.
const threadsPause = 100

// threadsAreDue reports whether the threads of a service may be read again.
func (s *service) threadsAreDue(now time.Time) bool {
	if len(s.threads) == 0 {
		return true
	}
	last := s.threads[len(s.threads)-1]
	return now.Sub(last.at) >= threadsPause*last.took
}

// busiest returns the share of a window in which the busiest thread of each service was running; nil if unknown.
func (s *Sampler) busiest(begin, end time.Time) map[string]float64 {
	length := end.Sub(begin)
	var out map[string]float64
	for _, service := range s.services {
		readings := service.threads
		if length < shortestShare || len(readings) < 2 {
			continue
		}
		threads := map[int]bool{}
		for _, r := range readings {
			for thread := range r.times {
				threads[thread] = true
			}
		}
		most := time.Duration(0)
		for thread := range threads {
			most = max(most, threadAt(readings, thread, end)-threadAt(readings, thread, begin))
		}
		if out == nil {
			out = map[string]float64{}
		}
		out[service.name] = min(1, most.Seconds()/length.Seconds())
	}
	return out
}

// threadAt returns the processor time of a thread at a moment, interpolated between readings: 0 before it is first seen,
// and what it was last seen with after its end.
func threadAt(readings []threadReading, thread int, at time.Time) time.Duration {
	var before threadReading
	var spent time.Duration // at that reading
	for _, r := range readings {
		now := max(spent, r.times[thread])
		if r.at.Before(at) {
			before, spent = r, now
			continue
		}
		if before.at.IsZero() { // it is the first
			return now
		}
		part := at.Sub(before.at).Seconds() / r.at.Sub(before.at).Seconds()
		return spent + time.Duration(part*float64(now-spent))
	}
	return spent
}
