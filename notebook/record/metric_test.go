package record

import "testing"

func TestSmallestEffect(t *testing.T) {
	for metric, want := range map[string]float64{
		"throughput": 0.05, "time.real": 0.05, "latency.p50": 0.05, "latency.p9": 0.05, "latency.p9.5": 0.05,
		"latency.mean": 0.05, "made-up": 0.05, "throughput.per_core": 0.1, "cpu.server": 0.1, "memory.server": 0.1,
		"memory.peak": 0.1, "time.user": 0.1, "time.sys": 0.1, "latency.p90": 0.25, "latency.p99.9": 0.25,
		"service.p95": 0.25, "latency.max": 0.25,
	} {
		if got := SmallestEffect(metric); got != want {
			t.Errorf("%s: %v, want %v", metric, got, want)
		}
	}
}
