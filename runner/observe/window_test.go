package observe

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"benchbook/internal/slowtest"
	"benchbook/notebook/record"
	"benchbook/runner/engine"
	"benchbook/runner/load"
	"benchbook/runner/sysinfo"
)

func TestClockThatIsSet(t *testing.T) {
	wall := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	a := clocks{wall, 0}
	tests := []struct {
		name string
		b    clocks
		want bool
	}{
		{"not set", clocks{wall.Add(10 * time.Second), 10 * time.Second}, false},
		{"kept in time over a network", clocks{wall.Add(10*time.Minute + 300*time.Millisecond), 10 * time.Minute}, false},
		{"set back", clocks{wall.Add(-20 * time.Second), 10 * time.Second}, true},
		{"set forward a little", clocks{wall.Add(1030 * time.Millisecond), time.Second}, true},
	}
	for _, tt := range tests {
		if step, got := clockStep(a, tt.b); got != tt.want {
			t.Errorf("%s: %v, %v, want %v", tt.name, step, got, tt.want)
		}
	}
	usage := []engine.Usage{{At: wall}, {At: wall.Add(5 * time.Second), CPU: time.Second}}
	s := &Sampler{services: map[string][]engine.Usage{"server": usage}, clocks: []clocks{a, tests[2].b}}
	m := load.Measurement{Start: wall, Length: 5 * time.Second, Load: &record.Load{ForeignCPU: -1}}
	if got := s.Samples(&m); len(got) != 0 || m.Facts["usage.left_out"] != "the clock was set by -30s meanwhile" ||
		m.Load.ForeignCPU != -1 {
		t.Errorf("samples %v, facts %v", got, m.Facts)
	}
	if step, ok := clockStep(readClocks(), readClocks()); ok {
		t.Errorf("this clock was set by %v", step)
	}
}

// Others' use of the processor is recorded of commands too, if they last longer than the kernel's clock can tell.
func TestForeignCPUOfCommands(t *testing.T) {
	start := time.Now()
	at := func(seconds float64) time.Time { return start.Add(time.Duration(seconds * float64(time.Second))) }
	for _, tt := range []struct {
		length time.Duration
		own    float64 // processor time of benchbook itself until the window's end
		want   float64
	}{{2 * time.Second, 0, 0.25}, {2 * time.Second, 0.4, 0.15}, {190 * time.Millisecond, 0, -1}} {
		s := &Sampler{host: sysinfo.HostReadings{read(at(-1), 0, 0, 0, 0), read(at(0), 0, 2, 0, 0),
			read(at(2), 2, 6, 0, tt.own), read(at(3), 2, 8, 0, tt.own)}}
		m := load.Measurement{Start: at(0), Length: tt.length, GeneratorCPU: time.Second,
			Command: &record.Command{ForeignCPU: -1}}
		s.Samples(&m)
		if math.Abs(m.Command.ForeignCPU-tt.want) > 1e-9 {
			t.Errorf("of %v and %v s of our own: %v, want %v", tt.length, tt.own, m.Command.ForeignCPU, tt.want)
		}
	}
}

// What the machine did in the window is recorded, and nothing where it cannot be told.
func TestMachine(t *testing.T) {
	start := time.Now()
	at := func(seconds float64) time.Time { return start.Add(time.Duration(seconds * float64(time.Second))) }
	usage := func(seconds float64, periods, throttled int64) engine.Usage {
		return engine.Usage{At: at(seconds), Periods: periods, Throttled: throttled}
	}
	s := &Sampler{
		host: sysinfo.HostReadings{read(at(-1), 0, 0, 0, 0), read(at(0), 0, 2, 0.5, 0), read(at(2), 2, 6, 0.7, 0),
			read(at(3), 2, 8, 2, 0)},
		services: map[string][]engine.Usage{
			"server": {usage(-1, 5, 1), usage(0, 10, 2), usage(1, 15, 2), usage(2, 30, 6), usage(3, 40, 9)},
			"quiet":  {usage(-1, -1, -1), usage(3, -1, -1)},
		},
		swapped: []int64{4096, 12288},
	}
	tests := []struct {
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
		{"the clock was set", 2 * time.Second, func(s *Sampler) { s.clocks = []clocks{{start, 0}, {start, time.Minute}} },
			nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.change(s)
			got := s.Machine(&load.Measurement{Start: start, Length: tt.length}, map[string]bool{"server": true})
			if tt.want != nil && got != nil {
				got.Steal = math.Round(got.Steal*1e9) / 1e9
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestUsageInWindow(t *testing.T) {
	start := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	var usage []engine.Usage
	for i := range 11 { // a reading every 100 ms; half a core from 200 to 800
		busy := min(max(0, 100*i-200), 600) / 2
		usage = append(usage, engine.Usage{At: at(100 * i), CPU: time.Duration(busy) * time.Millisecond,
			Memory: int64(1000 + i), ListenOverflows: int64(i)})
	}
	tests := []struct {
		name       string
		begin, end int
		want       float64
	}{
		{"inside", 300, 700, 0.2},
		{"between readings", 350, 650, 0.15},
		{"across the start", 100, 300, 0.05},
		{"all", 0, 1000, 0.3},
		{"after the last reading", 900, 1200, 0},
	}
	for _, test := range tests {
		got, ok := cpuIn(usage, at(test.begin), at(test.end))
		if !ok || got < test.want-1e-9 || got > test.want+1e-9 {
			t.Errorf("%s: got %v, %v, want %v", test.name, got, ok, test.want)
		}
	}
	s := &Sampler{services: map[string][]engine.Usage{"server": usage}}
	m := load.Measurement{Start: at(250), Length: 500 * time.Millisecond, GeneratorCPU: -1}
	got := map[string]float64{}
	for _, sample := range s.Samples(&m) {
		got[sample.Metric] = sample.Value
	}
	for metric, want := range map[string]float64{"cpu.server": 0.5, "memory.server": 1008,
		"net.listen_overflows.server": 6} {
		if got[metric] != want {
			t.Errorf("%s is %v, want %v", metric, got[metric], want)
		}
	}
}

// What a link used is ours, and no metric of its service.
func TestUsageOfLinks(t *testing.T) {
	start := time.Now()
	at := func(seconds float64) time.Time { return start.Add(time.Duration(seconds * float64(time.Second))) }
	usage := func(cores float64) []engine.Usage {
		return []engine.Usage{{At: at(0), Memory: 5}, {At: at(4), CPU: time.Duration(cores * 4 * float64(time.Second)),
			Memory: 5}}
	}
	s := &Sampler{services: map[string][]engine.Usage{"db": usage(0.5), "db.link": usage(0.25)},
		host: sysinfo.HostReadings{{At: at(0)}, {At: at(4), Busy: 4, Total: 8}}}
	m := load.Measurement{Start: at(0), Length: 4 * time.Second, GeneratorCPU: 0, Load: &record.Load{},
		Facts: map[string]string{"a": "b"}}
	samples := fmt.Sprint(s.Samples(&m))
	if !strings.Contains(samples, "{cpu.db 0.5 cores") || strings.Contains(samples, "link") {
		t.Errorf("got %v", samples)
	}
	// Of half of the machine's time, 3 of 8 core seconds were ours.
	if m.Facts["link.cpu.db"] != "0.250" || m.Facts["a"] != "b" || m.Load.ForeignCPU != 0.125 {
		t.Errorf("facts %v, foreign %v", m.Facts, m.Load.ForeignCPU)
	}
}

// The end of a window may lie in the future by a clock that was set back, which is no reason to wait for it.
func TestAwaitReadings(t *testing.T) {
	slowtest.Skip(t)
	began := time.Now()
	if err := AwaitReadings(t.Context(), began.Add(time.Hour)); err != nil || time.Since(began) > 30*time.Second {
		t.Errorf("%v after %v", err, time.Since(began))
	}
	if err := AwaitReadings(t.Context(), began.Add(-time.Hour)); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := AwaitReadings(ctx, time.Now().Add(time.Hour)); !errors.Is(err, context.Canceled) {
		t.Errorf("an interrupt came to %v", err)
	}
}

// read is a reading of a machine.
func read(at time.Time, busy, total, steal, own float64) sysinfo.HostUsage {
	return sysinfo.HostUsage{At: at, Busy: busy, Total: total, Steal: steal, Own: own}
}
