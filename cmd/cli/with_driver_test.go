// The tests here time what others would disturb: make test runs the first one when all others have ended, and make
// test-long the second.

package cli

import (
	"math"
	"path/filepath"
	"strings"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
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

// ofManual measures the example below a heading of the manual, and what is added to it, three times. No repetition may
// fail. In a window of less than a second, what other programs do only warns, so that none is measured again.
func ofManual(t *testing.T, page, heading, added string, want int) (all []*record.Record) {
	t.Helper()
	w := onEngine(t)
	_, example, found := strings.Cut("\n"+must.Read(filepath.Join("..", "..", page)), "# "+heading+"\n")
	if !found {
		t.Fatalf("%s has no %q", page, heading)
	}
	example, _, _ = strings.Cut(example, "\n## ")
	// h2load takes whole seconds, and redis-benchmark a number of requests.
	example = strings.NewReplacer("duration: 5s", "duration: 900ms\n  warmup: 500ms",
		"duration: 3s", "duration: 1s", "requests: 100000", "requests: 30000").Replace(example)
	dir, folder := project(t, "by-driver", "---\ntitle: By a driver\ndefaults: {repetitions: 3, calibrate: false}\n---\n"+
		example+added)
	t.Log(mustRun(t, w, "-C", dir, "run"))
	for _, records := range measuredIn(t, folder) {
		all = append(all, records...)
	}
	if n := planned(all); t.Failed() || n != want {
		t.Fatalf("%d records as planned, want %d", n, want)
	}
	return all
}

// The driver that the manual shows measures what our own generator does.
func TestManualsDriver(t *testing.T) {
	sums := map[string]map[string]float64{"by-driver": {}, "by-us": {}}
	for _, r := range ofManual(t, "docs/drivers.md", "Any program as driver", byBoth, 6) {
		if (r.Experiment == "by-driver") != (r.Load.Driver != "") || r.Load.Failed > 0 {
			t.Errorf("%s: %+v", r.Experiment, r.Load)
		}
		for _, metric := range []string{"throughput", "latency.p50"} {
			x, missing := dataset.Value(r, metric, nil)
			assert.Equal(t, missing, "", "%s: %s", r.Experiment, metric)
			sums[r.Experiment][metric] += x
		}
	}
	for metric, own := range sums["by-us"] {
		if ratio := sums["by-driver"][metric] / own; !(math.Abs(ratio-1) <= agreement) {
			t.Errorf("%s by the driver is %.3f times ours", metric, ratio)
		}
	}
}

// The drivers of the manual for other protocols and tools measure what their servers do. Two of the servers answer after
// 20 ms. Connecting takes longer, and is over before the window.
func TestManualsOtherProtocols(t *testing.T) {
	for heading, least := range map[string]float64{"gRPC, one call after another": 0.02, "WebSocket echo": 0.02,
		"HTTP/2, by h2load": 1e-6, "Redis, by redis-benchmark": 1e-6} {
		t.Run(heading, func(t *testing.T) {
			for _, r := range ofManual(t, "examples/drivers.md", heading, "", 3) {
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
