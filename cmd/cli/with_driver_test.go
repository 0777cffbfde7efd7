// The tests here time what others would disturb: make test runs them when all others have ended.

package cli

import (
	"math"
	"path/filepath"
	"strings"
	"testing"

	"benchbook/lab"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
)

// agreement is how far the numbers of the manual's driver and of our own generator may be apart: most of it is what
// Python does between two requests, and with them.
const agreement = 0.10

// byBoth is the load of the manual's example of a driver, put on by our own generator.
const byBoth = `
~~~yaml experiment
name: by-us
extends: by-driver
load: {driver: null}
~~~
`

// ofManual measures the example below a heading of the manual for so long, and with what is added to it. No repetition
// may fail.
func ofManual(t *testing.T, w lab.Config, page, heading, duration, added string) (all []*record.Record) {
	t.Helper()
	_, example, found := strings.Cut("\n"+read(t, filepath.Join("..", "..", page)), "# "+heading+"\n")
	if !found {
		t.Fatalf("%s has no %q", page, heading)
	}
	example, _, _ = strings.Cut(example, "\n## ")
	// h2load takes whole seconds, and redis-benchmark a number of requests.
	example = strings.NewReplacer("duration: 5s", "duration: "+duration+"\n  warmup: 500ms",
		"duration: 3s", "duration: 1s", "requests: 100000", "requests: 30000").Replace(example)
	dir, folder := project(t, "by-driver", "---\ntitle: By a driver\ndefaults: {repetitions: 3, calibrate: false}\n---\n"+
		example+added)
	t.Log(mustRun(t, w, "-C", dir, "run"))
	for _, records := range measuredIn(t, folder) {
		all = append(all, records...)
	}
	if t.Failed() {
		t.FailNow()
	}
	return all
}

// The driver that the manual shows measures what our own generator does.
func TestManualsDriver(t *testing.T) {
	w := onEngine(t)
	records := ofManual(t, w, "docs/drivers.md", "Any program as driver", "2s", byBoth)
	if n := planned(records); n != 6 {
		t.Fatalf("%d records as planned, want 6", n)
	}
	// Of repetitions that were done again, both are counted: what disturbed them is as likely beside either.
	sums, counts := map[string]map[string]float64{"by-driver": {}, "by-us": {}}, map[string]float64{}
	for _, r := range records {
		counts[r.Experiment]++
		if (r.Experiment == "by-driver") != (r.Load.Driver != "") || r.Load.Failed > 0 {
			t.Errorf("%s: %+v", r.Experiment, r.Load)
		}
		for _, metric := range []string{"throughput", "latency.p50"} {
			x, missing := dataset.Value(r, metric, nil)
			if missing != "" {
				t.Errorf("%s: %s %s", r.Experiment, metric, missing)
			}
			sums[r.Experiment][metric] += x
		}
	}
	for metric, own := range sums["by-us"] {
		ratio := sums["by-driver"][metric] / counts["by-driver"] / (own / counts["by-us"])
		if !(math.Abs(ratio-1) <= agreement) {
			t.Errorf("%s by the driver is %.3f times ours", metric, ratio)
		}
	}
}

// The drivers of the manual for other protocols and tools measure what their servers do. Two of the servers answer after
// 20 ms. Connecting takes longer, and is over before the window. In a window of less than a second, what other programs
// do only warns, so that it is not measured again.
func TestManualsOtherProtocols(t *testing.T) {
	w := onEngine(t)
	for heading, least := range map[string]float64{"gRPC, one call after another": 0.02, "WebSocket echo": 0.02,
		"HTTP/2, by h2load": 1e-6, "Redis, by redis-benchmark": 1e-6} {
		t.Run(heading, func(t *testing.T) {
			records := ofManual(t, w, "examples/drivers.md", heading, "900ms", "")
			if n := planned(records); n != 3 {
				t.Fatalf("%d records as planned, want 3", n)
			}
			for _, r := range records {
				median, missing := dataset.Value(r, "latency.p50", nil)
				if missing != "" || median < least || median > least+0.01 {
					t.Errorf("the median is %v s%s, want %v and at most 10 ms more", median, missing, least)
				}
				if r.Load.Overlap == nil {
					continue // one summary does not tell when requests ended
				}
				mean, _ := dataset.Value(r, "latency.mean", nil)
				if ratio := r.Load.Overlap.Right / r.Load.Window * mean / float64(r.Load.Connections); r.Load.Failed > 0 ||
					!(math.Abs(ratio-1) <= agreement) {
					t.Errorf("of %d requests %d failed; clients are busy for %.2f of the time", r.Load.Attempted, r.Load.Failed,
						ratio)
				}
			}
		})
	}
}
