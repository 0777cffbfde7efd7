// Package observe reads the usage of services and machines during a measurement.
//
// A Sampler reads services and this machine regularly, on its own thread. Sampler.In turns the readings of a Window
// into samples and facts for a record.
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

// Sampling intervals. Reading processor time costs a few microseconds, and even a window of a tenth of a second needs
// readings close to both ends. Everything else costs more and is read less often.
const (
	sampleEvery  = 20 * time.Millisecond // a tick, which reads the processor time of services
	totalsEvery  = 10                    // ticks between readings of memory and counters
	threadsEvery = 30                    // ticks between readings of threads
	hostEvery    = 5                     // ticks between readings of the machine
	hostOften    = 50                    // initial ticks that all read the machine, because a window may be short

	// servicePause is the minimum tick per container, so that many containers cost no more than a few.
	servicePause = 8 * time.Millisecond
	// The pause is readShare times as long as the reading, up to longestPause: a remote engine answers slowly.
	readShare    = 4
	longestPause = 200 * time.Millisecond
	// lastReading limits the final reading, when the engine may no longer answer.
	lastReading = 10 * time.Second
)

// A Sampler reads the usage of services and of this machine from Watch to Finish.
type Sampler struct {
	stop func()
	done sync.WaitGroup

	every    time.Duration // length of a tick
	began    time.Time
	services []*service
	load     service // container of the load
	host     machine.Readings
	ticks    []time.Time       // times of all readings
	passed   passed            // time from Watch to Finish
	swapped  []int64           // machine.SwappedIn at Watch and Finish
	around   [2]neighbours     // processes at Watch and Finish
	facts    map[string]string // placement facts
	cost     float64           // cores used by reading; -1 if unknown
}

// service is a service with its containers; a scaled one has several.
type service struct {
	name       string
	containers []engine.Container
	groups     []string // control groups on another machine, read by its agent

	cpu     []engine.Usage // processor time only
	totals  []engine.Usage // with memory and counters
	threads []threadReading
}

// Watch reads services at once, and then regularly until Finish. Load is the container of the load, or nil if it has
// none of its own.
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

// notePlaces records the CPUs that services and load run on, if the engine knows them. It may have chosen them itself.
func (s *Sampler) notePlaces(ctx context.Context) {
	if sets := s.load.place(ctx); len(sets) > 0 && sets[0] != "" {
		s.facts[plan.FactLoadPlace] = sets[0]
	}
	var names, sets []string
	known := true // otherwise the requested CPUs stay in the record
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

// place returns the CPUs of each container of a service, empty if unknown, and remembers the control groups of
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

// keepReading reads until the context is done, and once more to cover the end of the window. It closes begun after the
// first reading. It locks its thread, whose processor time is the cost of reading.
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
			if now >= 0 && spent >= 0 && passed > totalsEvery*s.every { // long enough to tell
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

// read takes the readings that are due at a tick. Everything is due at tick 0.
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

// read reads all containers of a service. The reading of a scaled service has the time of its first container.
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

// Finish takes a last reading and stops.
func (s *Sampler) Finish() {
	s.stop()
	s.done.Wait()
	s.passed, s.swapped = since(s.began), append(s.swapped, machine.SwappedIn())
	s.around[1] = readNeighbours()
}

// LinkSuffix follows the name of a service in the name of its link. Names of services have no dots.
const LinkSuffix = ".link"

// ServiceOf returns the service of a container from the container's name, without the number of a replica. A link
// counts as a service.
func ServiceOf(container string) string {
	if i := strings.LastIndexByte(container, '.'); i >= 0 && strings.Trim(container[i+1:], "0123456789") == "" {
		return container[:i]
	}
	return container
}

// Renamed is a container with the name that records and messages use for it.
type Renamed struct {
	engine.Container
	As string
}

// Name returns As.
func (r Renamed) Name() string { return r.As }

// PlaceWords returns the common CPU set of all services, or each service with its own set. It is empty without
// services. An empty set means all CPUs.
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

// threadOf identifies a thread of a container within its service, because thread IDs of containers may coincide.
func threadOf(container, id int) int { return container<<32 | id }

// threadsPause is the minimum time between readings of threads, in multiples of the processor time of the last one, as
// a service may have thousands.
const threadsPause = 100

// threadsAreDue reports whether threadsPause has passed since the last reading of threads.
func (s *service) threadsAreDue(now time.Time) bool {
	if len(s.threads) == 0 {
		return true
	}
	last := s.threads[len(s.threads)-1]
	return now.Sub(last.at) >= threadsPause*last.took
}

// busiest returns, by service, the share of a window in which its busiest thread was running; nil if unknown.
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

// threadAt returns the processor time of a thread at a moment, interpolated between readings. Before the thread first
// appears it is 0, and after its end it stays at the last value.
func threadAt(readings []threadReading, thread int, at time.Time) time.Duration {
	var before threadReading
	var spent time.Duration // processor time at that reading
	for _, r := range readings {
		now := max(spent, r.times[thread])
		if r.at.Before(at) {
			before, spent = r, now
			continue
		}
		if before.at.IsZero() { // at is before the first reading
			return now
		}
		part := at.Sub(before.at).Seconds() / r.at.Sub(before.at).Seconds()
		return spent + time.Duration(part*float64(now-spent))
	}
	return spent
}
