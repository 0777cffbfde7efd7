package runner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"benchbook/notebook/plan"
	"benchbook/runner/engine"
)

// How often what services use is read while they are measured. The processor time alone costs a few microseconds, and its readings
// have to lie close to both ends of a window of a tenth of a second; the rest costs more, and may lie further apart.
const (
	sampleEvery  = 20 * time.Millisecond // the processor time of services
	hostEvery    = 5                     // of these times that of the machine
	wholeEvery   = 10                    // of these times all of their usage
	threadsEvery = 30                    // of these times all of their threads

	// samplePause is the least time between two readings for each service, so that many of them cost no more than a few do.
	samplePause = 6 * time.Millisecond
)

// A sampler reads the usage of services beside a measurement.
type sampler struct {
	stop func()
	done sync.WaitGroup

	every    time.Duration // how often the processor time is read
	watched  []watched
	services map[string][]engine.Usage
	cpu      map[string][]engine.Usage // of those that tell it apart: processor time alone, more often
	threads  map[string][]threadReading
	ports    map[string][]portReading
	host     []hostUsage
	ticks    []time.Time       // when something was read
	clocks   []clocks          // at the beginning and at the end
	swapped  []int64           // bytes read from swap, likewise; -1 where the system does not tell
	facts    map[string]string // of networks and CPUs
	around   [2]neighbours     // at the beginning and at the end
	cost     float64           // cores that reading took; -1 unknown
	apart    apart

	mu    sync.Mutex
	loads []engine.Networked // the programs of the load, while they run in networks of their own
}

// watched is a service with its containers, of which there are several where it is scaled.
type watched struct {
	name       string
	containers []container
}

// container is one of a service with what its engine can tell about it; nil for what it cannot.
type container struct {
	engine.Running
	metered   engine.Metered
	threaded  engine.Threaded
	networked engine.Networked
	placed    engine.Placed
}

type (
	// threadReading is the processor time of each thread of a service, or of a few of them.
	threadReading struct {
		at    time.Time
		times map[int]time.Duration
		few   bool
		took  time.Duration // processor time of reading it
	}
	// portReading is the share of local ports in use.
	portReading struct {
		at    time.Time
		share float64
	}
	// hostUsage is the processor time of the whole machine, in seconds of all cores, and what of it this process took.
	hostUsage struct {
		at                      time.Time
		busy, total, steal, own float64
	}
)

// watch begins to read, at once and then regularly until finish.
func watch(ctx context.Context, services []engine.Running) *sampler {
	ctx, cancel := context.WithCancel(ctx)
	every := max(sampleEvery, time.Duration(len(services))*samplePause)
	s := &sampler{stop: cancel, every: every, services: map[string][]engine.Usage{}, cpu: map[string][]engine.Usage{}, threads: map[string][]threadReading{},
		ports: map[string][]portReading{}, clocks: []clocks{bothClocks()}, swapped: []int64{swappedIn()}, facts: map[string]string{}}
	for _, r := range services {
		c := container{Running: r}
		inner := r
		if k, ok := r.(known); ok { // whose name is ours, and what it can tell the engine's
			inner = k.Running
		}
		c.metered, _ = inner.(engine.Metered)
		c.threaded, _ = inner.(engine.Threaded)
		c.networked, _ = inner.(engine.Networked)
		c.placed, _ = inner.(engine.Placed)
		name := serviceOf(r.Name())
		i := slices.IndexFunc(s.watched, func(w watched) bool { return w.name == name })
		if i < 0 {
			i = len(s.watched)
			s.watched = append(s.watched, watched{name: name})
		}
		s.watched[i].containers = append(s.watched[i].containers, c)
	}
	s.lookAtNetworks(ctx)
	s.lookAtCPUs(ctx)
	s.around[0] = readNeighbours()
	begun := make(chan struct{})
	s.done.Go(func() { s.keepReading(ctx, begun) })
	<-begun
	return s
}

// keepReading reads until the context is done, and then once more, so that the window's end lies within. Begun is closed after the
// first reading. It has a thread to itself, whose processor time is what reading costs.
func (s *sampler) keepReading(ctx context.Context, begun chan<- struct{}) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	spent, began := threadTime(), time.Now()
	s.read(ctx, 0)
	close(begun)
	ticker := time.NewTicker(s.every)
	defer ticker.Stop()
	for tick := 1; ; tick++ {
		select {
		case <-ctx.Done():
			s.read(context.WithoutCancel(ctx), 0)
			s.cost = -1
			if now, passed := threadTime(), time.Since(began); now >= 0 && spent >= 0 && passed > wholeEvery*s.every { // a share of less says nothing
				s.cost = (now - spent).Seconds() / passed.Seconds()
			}
			return
		case <-ticker.C:
			s.read(ctx, tick)
		}
	}
}

// read reads what is due at a tick; at the ticks 0 that is all there is.
func (s *sampler) read(ctx context.Context, tick int) {
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
		for _, c := range w.containers {
			if c.networked != nil {
				s.readPorts(ctx, w.name, c.networked)
			}
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
	if tick%hostEvery != 0 {
		return
	}
	if host := readHost(); host.total > 0 {
		s.host = append(s.host, host)
	}
	s.mu.Lock()
	loads := slices.Clone(s.loads)
	s.mu.Unlock()
	for _, load := range loads {
		s.readPorts(ctx, loadName, load)
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

// usage is what the containers of a service have used together. It is of the moment at which the first of them was read.
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
		sum.ListenOverflows, sum.Retransmits = added(sum.ListenOverflows, u.ListenOverflows), added(sum.Retransmits, u.Retransmits)
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

// threads is the processor time of each thread of all containers of a service, or of a few of them, if their engine tells it.
func (w watched) threads(ctx context.Context, few map[int]bool) (threadReading, bool) {
	r := threadReading{at: time.Now(), times: map[int]time.Duration{}, few: len(few) > 0}
	began := threadTime()
	for i, c := range w.containers {
		if c.threaded == nil {
			return r, false
		}
		var only []int
		for thread := range few {
			if thread>>32 == i { // numbers tell apart those of one container
				only = append(only, thread-i<<32)
			}
		}
		if r.few && len(only) == 0 {
			continue
		}
		times, err := c.threaded.Threads(ctx, only...)
		if err != nil {
			return r, false
		}
		for thread, time := range times {
			r.times[i<<32|thread] = time
		}
	}
	r.took = time.Since(r.at)
	if ended := threadTime(); began >= 0 && ended >= 0 {
		r.took = ended - began
	}
	return r, true
}

// How often all threads of a service are read. A service may have thousands, of which only the busiest is asked for: in between it is the
// busiest ones that are read.
const (
	wholeFirst  = 3   // readings, in which those that work show themselves before a window begins
	wholePause  = 300 // times what a reading took, before the next
	busyThreads = 16  // that are read in between
)

// fewThreads are those to be read now; nil for all of them, which is what it is of services that have few.
func fewThreads(readings []threadReading, now time.Time) map[int]bool {
	var last, before *threadReading // whole ones
	whole := 0
	for i := range readings {
		if r := &readings[i]; !r.few {
			last, before = r, last
			whole++
		}
	}
	if whole < wholeFirst || now.Sub(last.at) >= wholePause*last.took {
		return nil
	}
	threads := slices.SortedFunc(maps.Keys(last.times), func(a, b int) int {
		return cmp.Or(cmp.Compare(last.times[b]-before.times[b], last.times[a]-before.times[a]), cmp.Compare(a, b))
	})
	if len(threads) <= busyThreads {
		return nil
	}
	few := map[int]bool{}
	for _, thread := range threads[:busyThreads] {
		few[thread] = true
	}
	return few
}

func (s *sampler) readPorts(ctx context.Context, name string, n engine.Networked) {
	at := time.Now()
	if share, err := n.Ports(ctx); err == nil {
		s.ports[name] = append(s.ports[name], portReading{at, share})
	}
}

func (s *sampler) finish() {
	s.stop()
	s.done.Wait()
	s.clocks, s.swapped = append(s.clocks, bothClocks()), append(s.swapped, swappedIn())
	s.around[1] = readNeighbours()
}

// The facts about networks.
const (
	factPath   = "network.path"   // how packets leave services
	factListen = "network.listen" // the bounds of connections that wait to be accepted by them
	factLoadIn = "network.load"   // the service whose network the load was in
)

// lookAtNetworks notes what the networks of services are like: once for all of them where they are alike. What could not be read is
// noted too, and why: a record without these facts would not say whether anybody had looked.
func (s *sampler) lookAtNetworks(ctx context.Context) {
	paths, limits := map[string]string{}, map[string]string{}
	for _, w := range s.watched {
		c := w.containers[0] // the others of a service that is scaled have the same
		if c.networked == nil {
			paths[w.name], limits[w.name] = unreadByEngine, unreadByEngine
			continue
		}
		network, err := c.networked.Network(ctx)
		if err != nil {
			paths[w.name] = unread(err)
			limits[w.name] = paths[w.name]
			continue
		}
		paths[w.name] = pathWords(network)
		var words []string
		for _, name := range slices.Sorted(maps.Keys(network.Limits)) {
			words = append(words, name+" "+network.Limits[name])
		}
		limits[w.name] = strings.Join(words, ", ")
	}
	for fact, values := range map[string]map[string]string{factPath: paths, factListen: limits} {
		if words := together(values); words != "" {
			s.facts[fact] = words
		}
	}
}

// unreadByEngine stands for a fact that an engine has no way to tell.
const unreadByEngine = "not read: the engine does not tell"

// unread stands for a fact that could not be read. Of the error it has the cause alone: what was being done names processes.
func unread(err error) string {
	if errors.Is(err, os.ErrPermission) {
		return "not read: it takes root"
	}
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		err = inner
	}
	return "not read: " + err.Error()
}

// pathWords is a network in words: "veth on a bridge, MTU 1500, gso tso".
func pathWords(n engine.Network) string {
	words := []string{n.Path}
	if n.MTU > 0 {
		words = append(words, fmt.Sprintf("MTU %d", n.MTU))
	}
	words = append(words, strings.Join(n.Offloads, " "))
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), ", ")
}

// lookAtCPUs notes on which CPUs services run, where their engine has chosen these, in the place of those that were asked for.
func (s *sampler) lookAtCPUs(ctx context.Context) {
	var names, sets []string
	for _, w := range s.watched {
		if strings.HasSuffix(w.name, linkSuffix) {
			continue // it is none of the services
		}
		var of []string
		for _, c := range w.containers {
			if c.placed == nil {
				return
			}
			set, err := c.placed.CPUs(ctx)
			if err != nil || set == "" {
				return // what was asked for is all that is known
			}
			of = append(of, set)
		}
		slices.Sort(of)
		names, sets = append(names, w.name), append(sets, strings.Join(slices.Compact(of), ","))
	}
	if len(names) > 0 {
		s.facts[plan.FactServicesPlace] = placeWords(names, sets)
	}
}

// placeWords is the set of CPUs that all services have, or each service with its own; empty if there is no service. All CPUs of a machine
// are an empty set.
func placeWords(names, sets []string) string {
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

// lookAtLoad notes on which CPUs the load runs, likewise: those of all its generators.
func (s *sampler) lookAtLoad(ctx context.Context, r engine.Running) {
	placed, ok := r.(engine.Placed)
	if !ok {
		return
	}
	if set, err := placed.CPUs(ctx); err == nil && set != "" {
		s.mu.Lock()
		sets := slices.DeleteFunc(append(strings.Split(s.facts[plan.FactLoadPlace], ","), strings.Split(set, ",")...), func(s string) bool { return s == "" })
		slices.Sort(sets)
		s.facts[plan.FactLoadPlace] = strings.Join(slices.Compact(sets), ",")
		s.mu.Unlock()
	}
}

// together is a value that all names share, or each name with its own.
func together(values map[string]string) string {
	var each, different []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		each = append(each, name+": "+values[name])
		if !slices.Contains(different, values[name]) {
			different = append(different, values[name])
		}
	}
	if len(different) == 1 {
		return different[0]
	}
	return strings.Join(each, "; ")
}

// loadName is the name of the program that puts the load on, whichever it is. Where there are several, their names differ as those of the
// containers of a service do.
const loadName = "load"

// space is a space in which the sampler sees the load start and end.
func (s *sampler) space(inner engine.Space) engine.Space { return observed{inner, s} }

type observed struct {
	engine.Space
	sampler *sampler
}

// Run is part of engine.Space.
func (o observed) Run(ctx context.Context, program engine.Program, started func(engine.Running)) (engine.Exit, error) {
	if serviceOf(program.Name) != loadName {
		return o.Space.Run(ctx, program, started)
	}
	var load engine.Running
	watch := func(r engine.Running) {
		if program.Beside == "" { // else its ports are those of the service
			load = r
			o.sampler.addLoad(r)
		}
		o.sampler.lookAtLoad(ctx, r)
		if started != nil {
			started(r)
		}
	}
	defer func() { o.sampler.dropLoad(load) }()
	if program.Beside != "" {
		o.sampler.loadIn(program.Beside)
	}
	return o.Space.Run(ctx, program, watch)
}

// addLoad has the ports of a program of the load read from now on, if it can tell of them.
func (s *sampler) addLoad(r engine.Running) {
	if networked, ok := r.(engine.Networked); ok {
		s.mu.Lock()
		s.loads = append(s.loads, networked)
		s.mu.Unlock()
	}
}

// dropLoad undoes what addLoad did; of nil that is nothing.
func (s *sampler) dropLoad(r engine.Running) {
	networked, _ := r.(engine.Networked)
	s.mu.Lock()
	s.loads = slices.DeleteFunc(s.loads, func(n engine.Networked) bool { return n == networked })
	s.mu.Unlock()
}

// loadIn notes that the load is in the network of a service. Several programs of it are there at the same time.
func (s *sampler) loadIn(service string) {
	s.mu.Lock()
	s.facts[factLoadIn] = "that of " + service
	s.mu.Unlock()
}
