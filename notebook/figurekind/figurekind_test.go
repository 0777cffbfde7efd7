package figurekind

import (
	"slices"
	"strings"
	"testing"
)

// Every kind stands once, in order, and what it says of its keys does not contradict itself.
func TestAll(t *testing.T) {
	if !slices.IsSortedFunc(All, func(a, b *Kind) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("the kinds are not in the order of their names")
	}
	for i, k := range All {
		if i > 0 && k.Drawn == All[i-1].Drawn {
			t.Errorf("%s stands twice", k.Drawn)
		}
		if (len(k.Needs) > 0) != (k.Hint != "") {
			t.Errorf("%s needs %v, and the hint is %q", k.Name, k.Needs, k.Hint)
		}
		keys := slices.Concat(Common, k.Needs, k.Takes)
		slices.Sort(keys)
		// which needs one of Common
		if once := slices.Compact(slices.Clone(keys)); len(once) != len(keys) {
			t.Errorf("a key of %s stands twice: %v", k.Name, keys)
		}
		for key, axis := range map[string]Axis{"x": k.X, "y": k.Y} {
			if (axis != Anything || slices.Contains(k.Shows, key)) && !k.Has(key) {
				t.Errorf("%s shows %s on %s, and does not take it", k.Name, axis, key)
			}
			if slices.Contains(k.Shows, key) && axis != Metric {
				t.Errorf("%s shows the metrics of %s, which has %s", k.Name, key, axis)
			}
		}
		x, y := "", []string(nil)
		if slices.Contains(k.Needs, "x") {
			x = "x"
		}
		if slices.Contains(k.Needs, "y") {
			y = []string{"y"}
		}
		if got, ok := Of(k.Name, x, y); got != k || !ok {
			t.Errorf("%s is not found by its name", k.Name)
		}
	}
	if k, ok := Of("pie", "", nil); ok || k.Has("x") || !k.Has("label") {
		t.Errorf("a kind that is not there is %+v", k)
	}
}

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
		k, _ := Of(tt.kind, "throughput", y)
		if got := strings.Join(k.Metrics("throughput", y), " "); got != tt.want {
			t.Errorf("%s shows %q, want %q", tt.kind, got, tt.want)
		}
		if got := k.ShowsMetric(tt.metric, "throughput", y); got != tt.shows {
			t.Errorf("that %s shows %s is %v", tt.kind, tt.metric, got)
		}
	}
}
