package record

import (
	"slices"
	"testing"

	"benchbook/internal/test/assert"
)

func TestMeasured(t *testing.T) {
	load := Measured{Services: []string{"server"}, Added: []Metric{{Name: "tail", Unit: "1"}}}
	open := Measured{OpenLoop: true, Capacity: true, Searches: []string{"workers"}}
	command := Measured{Command: true, Searches: []string{"level"}}
	for _, test := range []struct {
		name   string
		of     Measured
		metric string
		want   bool
	}{
		{"of every load", load, "throughput", true},
		{"any percentile", load, "latency.connect.p97.5", true},
		{"one that the experiment adds", load, "tail", true},
		{"of a service", load, "cpu.server", true},
		{"of no service", load, "cpu.srver", false},
		{"a network counter of a service", load, "net.retransmits.server", true},
		{"of commands alone", load, "time.real", false},
		{"memory of commands alone", load, "memory.peak", false},
		{"a kind of failure", load, "errors.reset", true},
		{"no kind of failure", load, "errors.rset", false},
		{"a status", load, "status.404", true},
		{"no status", load, "status.99", false},
		{"of an open loop, in a closed one", load, "lag.p99", false},
		{"any percentile of an open loop", open, "service.p90", true},
		{"what was due", open, "offered", true},
		{"a search", open, "tune.workers", true},
		{"no search", open, "tune.wrkers", false},
		{"a capacity", open, "capacity.rate", true},
		{"no capacity", load, "capacity.rate", false},
		{"nothing", load, "nothing", false},
		{"whatever a program prints", command, "startup", true},
		{"what a program cannot print", command, "tune.other", false},
	} {
		_, ok := test.of.Lookup(test.metric)
		assert.Equal(t, ok, test.want, "%s: %s is measured", test.name, test.metric)
	}
	for _, of := range []Measured{load, open, command} {
		names := of.Names()
		for _, name := range names {
			_, ok := of.Lookup(name)
			assert.Equal(t, ok, true, "%s is listed, and measured", name)
		}
		if slices.Sort(names); len(slices.Compact(names)) != len(of.Names()) {
			t.Errorf("one of %v is listed twice", names)
		}
	}
}

func TestSmallestEffect(t *testing.T) {
	for metric, want := range map[string]float64{
		"throughput": 0.05, "time.real": 0.05, "latency.p50": 0.05, "latency.p9": 0.05, "latency.p9.5": 0.05,
		"latency.mean": 0.05, "made-up": 0.05, "throughput.per_core": 0.1, "cpu.server": 0.1, "memory.server": 0.1,
		"memory.peak": 0.1, "time.user": 0.1, "time.sys": 0.1, "latency.p90": 0.25, "latency.p99.9": 0.25,
		"service.p95": 0.25, "latency.max": 0.25,
	} {
		assert.Equal(t, SmallestEffect(metric), want, "%s", metric)
	}
}
