package article

import (
	"strings"
	"testing"
)

func TestMetrics(t *testing.T) {
	tests := []struct {
		kind, metric string
		shows        bool
		want         string
	}{
		{"dots", "throughput", true, "throughput"},
		{"dots", "latency.p50", false, "throughput"},
		{"scatter", "latency.p50", true, "latency.p50 cpu throughput"},
		{"lines", "throughput", false, "latency.p50 cpu"},
		{"latency", "latency.p99.9", true, ""},
		{"latency", "latency.mean", false, ""},
		{"search", "latency.p50", true, "latency.p50 cpu throughput"},
		{"pie", "throughput", false, ""},
	}
	for _, tt := range tests {
		y := []string{"latency.p50", "cpu"}
		k, _ := FigureKindOf(tt.kind, "throughput", y)
		if got := strings.Join(k.Metrics("throughput", y), " "); got != tt.want {
			t.Errorf("%s shows %q, want %q", tt.kind, got, tt.want)
		}
		if got := k.ShowsMetric(tt.metric, "throughput", y); got != tt.shows {
			t.Errorf("that %s shows %s is %v", tt.kind, tt.metric, got)
		}
	}
}
