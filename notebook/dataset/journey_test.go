package dataset

import (
	"testing"

	"benchbook/notebook/record"
	"benchbook/notebook/recordtest"
)

// withJourneys is a record of a load with two steps, in a window of ten seconds.
func withJourneys(t *testing.T) *record.Record {
	times := func(seconds float64, count int64) record.Histogram {
		return recordtest.Histogram(t, recordtest.Times(seconds, count))
	}
	return &record.Record{
		Load: &record.Load{Window: 10, Connections: 5, Attempted: 2100, Failed: 100, Completed: 2000,
			Failures: map[string]int64{"wrong": 70, "extract": 30},
			Journeys: &record.Journeys{Attempted: 1050, Failed: 100, Completed: 940, Steps: []record.Step{
				{Name: "pay", Attempted: 1060, Failures: map[string]int64{"extract": 30}},
				{Name: "p50", Attempted: 1040, Failures: map[string]int64{"wrong": 70}}}}},
		Histograms: map[string]record.Histogram{"latency": times(0.1, 2000), "journey": times(0.5, 950),
			"latency.step.pay": times(0.2, 1030), "latency.step.p50": times(0.3, 970)},
	}
}

func TestMetricsOfJourneys(t *testing.T) {
	for _, tt := range []struct {
		metric  string
		want    float64
		missing string
	}{
		{"journeys", 1050, ""},
		{"journeys.failed", 100, ""},
		{"journeys.rate", 94, ""},
		{"journey.p50", 0.5, ""},
		{"journey.p90", 0.5, ""},
		{"journey.p99", 0, "among failures"},
		{"latency.step.pay.p50", 0.2, ""},
		{"latency.step.p50.p50", 0.3, ""},
		{"latency.step.p50.p99", 0, "among failures"},
		{"latency.step.other.p50", 0, "not measured"},
		{"errors.step.pay", 30, ""},
		{"errors.step.other", 0, noStep},
		{"errors.extract", 30, ""},
		{"throughput", 200, ""},
	} {
		got, missing := Value(withJourneys(t), tt.metric, nil)
		if !near(got, tt.want) || missing != tt.missing {
			t.Errorf("%s: got %v, %q, want %v, %q", tt.metric, got, missing, tt.want, tt.missing)
		}
	}
	without := withJourneys(t)
	without.Load.Journeys = nil
	for _, metric := range []string{"journeys", "journeys.rate", "journeys.failed"} {
		if _, missing := Value(without, metric, nil); missing != "not measured: the load has no steps" {
			t.Errorf("%s without steps: %q", metric, missing)
		}
	}
}

// near compares times, which histograms have to three digits.
func near(a, b float64) bool { return a >= b*0.999 && a <= b*1.001 }

// Journeys that were cut count as at least as long as they had been under way.
func TestCutJourneys(t *testing.T) {
	r := withJourneys(t)
	r.Load.Journeys.Attempted, r.Load.Journeys.Failed = 20, 0
	var list []recordtest.EqualTimes
	for i := range 20 {
		list = append(list, recordtest.Times(float64(i+1)/1000, 1))
	}
	r.Histograms["journey"] = recordtest.Histogram(t, list...)
	r.Histograms["journey.cut"] = recordtest.Histogram(t, recordtest.Times(0.0055, 10))
	if got, missing := Value(r, "journey.p50", nil); !near(got, 0.011) || missing != "" { // docs/method.md has the example
		t.Errorf("got %v, %q, want 11 ms", got, missing)
	}
}

// Journeys of an open loop are what was due, so what was done of them says whether the services kept up.
func TestRateOfJourneys(t *testing.T) {
	r := withJourneys(t)
	r.Load.Open = &record.OpenLoop{Rate: 94, Due: 940, Sent: 940}
	if got := answered(r); got != 940 {
		t.Errorf("%v of what was due was done, want 940", got)
	}
	if got := step(r, "journeys.rate", 0, 94); got != 0.1 {
		t.Errorf("the step of a rate is %v, want one journey in ten seconds", got)
	}
	r.Load.Open = nil
	if got := step(r, "journeys.rate", 0, 94); got != 0.5 {
		t.Errorf("the step of a rate is %v, want one journey of each client in ten seconds", got)
	}
}
