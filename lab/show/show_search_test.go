package show

import (
	"testing"

	"benchbook/notebook/record"
)

// A probe without the value that its search asks for says so: there is no time of 0 s.
func TestProbeWithoutValue(t *testing.T) {
	s := &record.Search{Kind: record.SearchCapacity, Metric: "latency.p99", Unit: "s"}
	probe := record.Probe{Candidate: 2500, Samples: []record.Sample{{Metric: "throughput", Value: 2215, Unit: "1/s"}}}
	if got, want := ProbeWords(s, &probe), "2,500/s: no latency.p99, does not meet the objective"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
