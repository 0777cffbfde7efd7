package stats

import "testing"

func TestSensitive(t *testing.T) {
	tests := []struct {
		name     string
		verdicts []Verdict
		want     Sensitivity
	}{
		{"the example, reversed", []Verdict{Supported, Contradicted, Inconclusive}, Reversed},
		{"the example, robust", []Verdict{Supported, Supported, NotMeasured}, Robust},
		{"one decides", []Verdict{Supported, Inconclusive}, Weaker},
		{"none decides", []Verdict{Inconclusive, Inconclusive}, Robust},
		{"one metric", []Verdict{Supported, NotMeasured, NotMeasured}, OneMetric},
		{"none", nil, OneMetric},
	}
	for _, tt := range tests {
		if got := Sensitive(tt.verdicts); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// The best by throughput is the best by latency: lower latencies count as better.
func TestOrderAgreement(t *testing.T) {
	throughput, latency := []float64{100, 300, 200}, []float64{30, 10, 20}
	if tau := OrderAgreement(throughput, HigherIsBetter, latency, LowerIsBetter); tau == nil || tau.Value != 1 {
		t.Errorf("the same order: %+v", tau)
	}
	if tau := OrderAgreement(throughput, HigherIsBetter, latency, HigherIsBetter); tau == nil || tau.Value != -1 {
		t.Errorf("the reverse order: %+v", tau)
	}
	if tau := OrderAgreement(throughput, HigherIsBetter, []float64{1, 1, 1}, LowerIsBetter); tau != nil {
		t.Errorf("no order: %+v", tau)
	}
	if latency[0] != 30 {
		t.Error("the values were changed")
	}
}
