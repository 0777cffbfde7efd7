// Tests of a package run in the order of its files' names. Those here time what others would disturb, and by now the
// tests of other packages have ended.

package cli

import (
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"benchbook/notebook/dataset"
)

// agreement is how far the requests in flight may be from the connections: most of it is what Python does between two
// requests, and with them.
const agreement = 0.10

// The drivers of the manual measure what their servers do. Two of the servers answer after 20 ms. Connecting takes longer,
// and is over before the window.
func TestManualsDrivers(t *testing.T) {
	w := onEngine(t)
	for heading, least := range map[string]float64{"Any program as driver": 1e-6, "gRPC, one call after another": 0.02,
		"WebSocket echo": 0.02, "HTTP/2, by h2load": 1e-6, "Redis, by redis-benchmark": 1e-6} {
		t.Run(heading, func(t *testing.T) {
			page := "examples/drivers.md"
			if heading == "Any program as driver" {
				page = "docs/drivers.md"
			}
			_, example, found := strings.Cut("\n"+read(t, filepath.Join("..", "..", page)), "# "+heading+"\n")
			if !found {
				t.Fatalf("%s has no %q", page, heading)
			}
			example, _, _ = strings.Cut(example, "\n## ")
			dir, folder := project(t, "by-driver",
				"---\ntitle: By a driver\ndefaults: {repetitions: 3, calibrate: false}\n---\n"+example)
			mustRun(t, w, "-C", dir, "run")
			records := slices.Concat(slices.Collect(maps.Values(measuredIn(t, folder)))...)
			if n := planned(records); n != 3 || t.Failed() {
				t.Fatalf("%d records as planned, want 3", n)
			}
			for _, r := range records {
				median, missing := dataset.Value(r, "latency.p50", nil)
				if missing != "" || median < least || median > least+0.01 {
					t.Errorf("the median is %v s%s, want %v and at most 10 ms more", median, missing, least)
				}
				if r.Load.Overlap == nil {
					t.Logf("p50 %.3f ms, %.1f/s", median*1e3, float64(r.Load.Attempted)/r.Load.Window)
					continue // one summary does not tell when requests ended
				}
				t.Logf("p50 %.2f ms, %.1f/s, in flight %.3f", median*1e3, r.Load.Overlap.Right/r.Load.Window, r.Load.InFlight)
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
