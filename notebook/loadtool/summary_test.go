package loadtool

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"benchbook/internal/test/must"
)

// oneTime is a histogram with a single value.
func oneTime(value int64) string {
	h := hdrhistogram.New(1, 1<<40, 3)
	must.Do(h.RecordValue(value))
	encoded := must.Get(h.Encode(hdrhistogram.V2CompressedEncodingCookieBase))
	return string(encoded)
}

var driverKinds = []string{"connect", "timeout"}

func TestDriverSummary(t *testing.T) {
	o := must.Get(Summary([]byte(` {"window": 2.5, "attempted": 100, "failed": 2, "began": 1795449600.25,
		"failures": {"timeout": 2}, "statuses": {"200": 97, "404": 1},
		"latency": {"p50": 0.02, "p99.9": 0.03, "mean": 0.021, "max": 0.03}, "step": 0.001}`+"\n"), driverKinds))
	p50 := o.Samples[2]
	if o.Window.Seconds() != 2.5 || o.Attempted != 100 || o.Completed != 98 || o.Failures["timeout"] != 2 ||
		o.Statuses["404"] != 1 || p50.Value != 0.02 || p50.Step != 0.001 || len(o.Samples) != 4 || o.Timed != 98 ||
		o.Started.Round(time.Millisecond).UnixMilli() != 1795449600250 || !o.Connecting {
		t.Errorf("%+v", o)
	}
	for unit, value := range map[string]int64{"s": 3, "ms": 3000, "us": 3_000_000, "ns": 3_000_000_000} {
		o := must.Get(Summary(fmt.Appendf(nil, `{"window": 9, "attempted": 1, "histogram": %q, "unit": %q}`,
			oneTime(value), unit), driverKinds))
		if h := o.Histograms["latency"]; h.Count != 1 || h.Min < 2.99 || h.Max > 3.01 || h.Sum < 2.99 || h.Sum > 3.01 {
			t.Errorf("%s: %+v", unit, h)
		}
	}
	for _, tt := range []struct{ printed, want string }{
		{``, "what it printed is empty"},
		{`{"window": 1}`, "no attempted or no window"},
		{`{"window": 0, "attempted": 1}`, "its window is 0 s"},
		{`{"window": -1, "attempted": 1}`, "its window is -1 s"},
		{`{"window": 1e30, "attempted": 1}`, "its window is 1e+30 s"},
		{`{"window": 1, "attempted": -1}`, "invalid number of requests -1"},
		{`{"window": 1, "attempted": 1.5}`, "has an invalid attempted: 1.5"},
		{`{"window": 1, "attempted": 1, "failed": 2}`, "of 1 requests 2 failed"},
		{`{"window": 1, "attempted": 1, "began": -5}`, "it began at -5 s"},
		{`{"window": 1, "attempted": 1, "latencies": {}}`,
			`has an unknown key "latencies"`},
		{`{"window": 1, "attempted": 1} {"window": 1}`, "is not one JSON object"},
		{`[1]`, "is JSON, and not an object"},
		{`{"window": 1, "attempted": 0}`, "no request ended"},
		{`{"window": 1, "attempted": 1, "step": -1, "latency": {"p50": 1}}`, "its step is -1 s"},
		{`{"window": 1, "attempted": 1, "latency": {"p50": -1}}`, "latency.p50 is -1"},
		{`{"window": 1, "attempted": 1, "latency": {"median": 1}}`, `unknown latency "median"`},
		{`{"window": 1, "attempted": 1, "latency": {"p50": 2, "p99": 1}}`, "50% of the times are at most 2 s"},
		{`{"window": 1, "attempted": 1, "failures": {"boom": 1}}`, `unknown kind of failure "boom"`},
		{`{"window": 1, "attempted": 1, "failures": {"timeout": -1}}`, "invalid count -1"},
		{`{"window": 1, "attempted": 9, "failed": 1, "failures": {"timeout": 2}}`,
			"failures by kind are 2, and failed is 1"},
		{`{"window": 1, "attempted": 1, "statuses": {"200": 2}}`, "2 answers have a status"},
		{`{"window": 1, "attempted": 1, "histogram": "x", "unit": "ns"}`, "its histogram cannot be read"},
		{`{"window": 1, "attempted": 1, "histogram": "x", "unit": "min"}`, `the histogram's unit is "min"`},
		{`{"window": 1, "attempted": 1, "histogram": "x", "latency": {"p50": 1}}`,
			"it has both a histogram and a latency"},
		{`{"window": 1, "attempted": 1, "failed": 1, "unit": "ns", "histogram": "H"}`, "its histogram"},
	} {
		printed := strings.Replace(tt.printed, `"H"`, fmt.Sprintf("%q", oneTime(5)), 1)
		if _, err := Summary([]byte(printed), driverKinds); !errors.Is(err, ErrNoSamples) ||
			!strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", printed, err, tt.want)
		}
	}
}
