package observe

import (
	"fmt"
	"math"
	"testing"
	"time"

	"benchbook/internal/test/assert"
	"benchbook/notebook/record"
	"benchbook/runner/engine"
	"benchbook/runner/machine"
)

// moment returns a time, in seconds after a fixed start.
func moment(seconds float64) time.Time {
	return time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC).Add(time.Duration(math.Round(seconds * 1e9)))
}

func TestClockStep(t *testing.T) {
	wall := moment(0)
	setBack := passed{-20 * time.Second, 10 * time.Second}
	for _, tt := range []struct {
		name   string
		passed passed
		want   bool
	}{
		{"not set", passed{10 * time.Second, 10 * time.Second}, false},
		{"kept in time over a network", passed{10*time.Minute + 300*time.Millisecond, 10 * time.Minute}, false},
		{"set back", setBack, true},
		{"set forward a little", passed{1030 * time.Millisecond, time.Second}, true},
	} {
		_, got := tt.passed.step()
		assert.Equal(t, got, tt.want, "%s", tt.name)
	}
	usage := []engine.Usage{{At: wall}, {At: wall.Add(5 * time.Second), CPU: time.Second}}
	s := &Sampler{services: []*service{{name: "server", cpu: usage, totals: usage}}, passed: setBack,
		facts: map[string]string{}}
	got := s.In(Window{Start: wall, Length: 5 * time.Second})
	if len(got.Samples) != 0 || got.Machine != nil || got.Foreign != -1 ||
		got.Facts[record.FactLeftOut] != "the clock was set by -30s meanwhile" {
		t.Errorf("got %+v", got)
	}
	step, ok := since(time.Now()).step()
	assert.Equal(t, ok, false, "this clock was set by %v", step)
}

// The usage of others is known if the load's is and the window is long enough for the kernel's clock.
func TestForeign(t *testing.T) {
	readings := func(own float64) machine.Readings {
		return machine.Readings{read(moment(-1), 0, 0, 0, 0), read(moment(0), 0, 2, 0, 0), read(moment(2), 2, 6, 0, own),
			read(moment(3), 2, 8, 0, own)}
	}
	server := &service{name: "server", cpu: []engine.Usage{{At: moment(-1)}, {At: moment(0)}, {At: moment(3), CPU: 600 * time.Millisecond}}}
	const load = time.Second
	container := func(cpu time.Duration) service {
		return service{cpu: []engine.Usage{{At: moment(0)}, {At: moment(2), CPU: cpu}}}
	}
	for _, tt := range []struct {
		name string
		own  float64 // processor time of the sampler's process in the window
		w    Window
		want float64
		load service // readings of its container
	}{
		{"this machine", 0, Window{Length: 2 * time.Second, LoadCPU: load}, 0.15, service{}},
		{"without what we took", 0.4, Window{Length: 2 * time.Second, LoadCPU: load}, 0.05, service{}},
		{"a short window", 0, Window{Length: 190 * time.Millisecond, LoadCPU: load}, -1, service{}},
		{"an unknown load", 0, Window{Length: 2 * time.Second, LoadCPU: -1}, -1, service{}},
		{"a load that its container tells", 0, Window{Length: 2 * time.Second, LoadCPU: -1}, 0.15, container(load)},
		{"a load that tells more exactly", 0, Window{Length: 2 * time.Second, LoadCPU: load}, 0.15, container(2 * load)},
		{"another machine with the load", 0, Window{Length: 2 * time.Second, LoadCPU: load,
			Machines: []OnMachine{{Readings: readings(0), Load: true}}}, 0.25, service{}},
		{"another machine without it", 0, Window{Length: 2 * time.Second, LoadCPU: load,
			Machines: []OnMachine{{Readings: readings(0), Services: []string{"server"}}}}, 0.4, service{}},
		{"the busier one of two", 0, Window{Length: 2 * time.Second, LoadCPU: load,
			Machines: []OnMachine{{Here: true, Load: true}, {Readings: readings(0)}}}, 0.5, service{}},
		{"one without readings", 0, Window{Length: 2 * time.Second, LoadCPU: load,
			Machines: []OnMachine{{Here: true, Load: true}, {}}}, -1, service{}},
	} {
		s := &Sampler{host: readings(tt.own), services: []*service{server}, load: tt.load, facts: map[string]string{}}
		tt.w.Start = moment(0)
		assert.Near(t, s.In(tt.w).Foreign, tt.want, 1e-9, "%s", tt.name)
	}
}

// The machine's part of a record describes the window, as far as known.
func TestMachine(t *testing.T) {
	usage := func(seconds float64, periods, throttled int64) engine.Usage {
		return engine.Usage{At: moment(seconds), Periods: periods, Throttled: throttled}
	}
	s := &Sampler{
		host: machine.Readings{read(moment(-1), 0, 0, 0, 0), read(moment(0), 0, 2, 0.5, 0), read(moment(2), 2, 6, 0.7, 0),
			read(moment(3), 2, 8, 2, 0)},
		services: []*service{{name: "server", totals: []engine.Usage{usage(-1, 5, 1), usage(0, 10, 2), usage(1, 15, 2),
			usage(2, 30, 6), usage(3, 40, 9)}},
			{name: "quiet", totals: []engine.Usage{usage(-1, -1, -1), usage(3, -1, -1)}}},
		swapped: []int64{4096, 12288}, facts: map[string]string{},
	}
	for _, tt := range []struct {
		name   string
		length time.Duration
		change func(*Sampler)
		want   *record.Machine
	}{
		{"all of it", 2 * time.Second, func(*Sampler) {}, &record.Machine{Steal: 0.05, SwappedIn: 8192,
			Throttled: map[string]record.Throttling{"server": {Periods: 20, Throttled: 4, Limited: true}}}},
		{"a window that is too short for the clocks", time.Millisecond, func(s *Sampler) { s.swapped[1] = -1 },
			&record.Machine{Steal: -1, SwappedIn: -1,
				Throttled: map[string]record.Throttling{"server": {Periods: 5, Throttled: 0, Limited: true}}}},
		{"no window", 0, func(*Sampler) {}, nil},
		{"the clock was set", 2 * time.Second, func(s *Sampler) { s.passed.steady = time.Minute }, nil},
	} {
		tt.change(s)
		got := s.In(Window{Start: moment(0), Length: tt.length, Limited: map[string]bool{"server": true}}).Machine
		if tt.want != nil && got != nil {
			got.Steal = math.Round(got.Steal*1e9) / 1e9
		}
		assert.Deep(t, got, tt.want, "%s", tt.name)
	}
}

// The machine that lost most to other virtual machines counts, wherever it is in the list.
func TestStealOfSeveralMachines(t *testing.T) {
	steal := func(share float64) OnMachine {
		return OnMachine{Readings: machine.Readings{read(moment(0), 0, 0, 0, 0), read(moment(2), 0, 4, 4*share, 0)}}
	}
	for _, machines := range [][]OnMachine{{steal(0.1), steal(0.02)}, {steal(0.02), steal(0.1)}} {
		s := &Sampler{facts: map[string]string{}}
		got := s.In(Window{Start: moment(0), Length: 2 * time.Second, Machines: machines})
		assert.Near(t, got.Machine.Steal, 0.1, 1e-9, "%+v", machines)
	}
}

func TestUsageInWindow(t *testing.T) {
	// The most in the window is neither its first nor its last reading, and less than before and after it.
	memory := [11]int64{9000, 1000, 1001, 1002, 1008, 1007, 1004, 1002, 1001, 1000, 9000}
	var usage []engine.Usage
	for i := range 11 { // a reading every 100 ms; half a core from 200 to 800
		busy := min(max(0, 100*i-200), 600) / 2
		usage = append(usage, engine.Usage{At: moment(0.1 * float64(i)), CPU: time.Duration(busy) * time.Millisecond,
			Memory: memory[i], ListenOverflows: int64(i)})
	}
	server := &service{name: "server", cpu: usage, totals: usage}
	for _, test := range []struct {
		name             string
		begin, end, want float64
	}{
		{"inside", 0.3, 0.7, 0.2},
		{"between readings", 0.35, 0.65, 0.15},
		{"across the start", 0.1, 0.3, 0.05},
		{"all", 0, 1, 0.3},
		{"after the last reading", 0.9, 1.2, 0},
	} {
		got, ok := server.used(moment(test.begin), moment(test.end))
		assert.Equal(t, ok, true, "%s: known", test.name)
		assert.Near(t, got, test.want, 1e-9, "%s", test.name)
	}
	s := &Sampler{services: []*service{server}, facts: map[string]string{}}
	got := map[string]float64{}
	for _, sample := range s.In(Window{Start: moment(0.25), Length: 500 * time.Millisecond, LoadCPU: -1}).Samples {
		got[sample.Metric] = sample.Value
	}
	for metric, want := range map[string]float64{"cpu.server": 0.5, "memory.server": 1008,
		"net.listen_overflows.server": 6} {
		assert.Equal(t, got[metric], want, "%s", metric)
	}
}

// The usage of a link counts as ours, not as a sample of its service.
func TestUsageOfLinks(t *testing.T) {
	used := func(name string, cores float64) *service {
		usage := []engine.Usage{{At: moment(0), Memory: 5}, {At: moment(4), Memory: 5,
			CPU: time.Duration(cores * 4 * float64(time.Second))}}
		return &service{name: name, cpu: usage, totals: usage}
	}
	s := &Sampler{services: []*service{used("db", 0.5), used("db.link", 0.25)}, facts: map[string]string{},
		host: machine.Readings{{At: moment(0)}, {At: moment(4), Busy: 4, Total: 8}}}
	got := s.In(Window{Start: moment(0), Length: 4 * time.Second})
	assert.Contains(t, fmt.Sprint(got.Samples), "{cpu.db 0.5 cores")
	assert.Lacks(t, fmt.Sprint(got.Samples), "link")
	// Of half of the machine's time, 3 of 8 core seconds were ours.
	assert.Equal(t, [2]any{got.Facts["link.cpu.db"], got.Foreign}, [2]any{"0.250", 0.125}, "facts %v", got.Facts)
}

// read returns a reading of a machine.
func read(at time.Time, busy, total, steal, own float64) machine.Reading {
	return machine.Reading{At: at, Busy: busy, Total: total, Steal: steal, Own: own}
}
