package main

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

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

// The driver that the manual shows measures what our own generator does.
func TestManualsDriver(t *testing.T) {
	w := onEngine(t)
	manual, err := os.ReadFile(filepath.Join("..", "..", "docs", "drivers.md"))
	if err != nil {
		t.Fatal(err)
	}
	example, _, _ := strings.Cut(string(manual), "\n## ")
	_, example, _ = strings.Cut(example, "\n")
	dir, folder := project(t, "by-driver", "---\ntitle: By a driver\ndefaults: {repetitions: 3, calibrate: false}\n---\n"+
		example+byBoth)
	t.Log(mustRun(t, w, "-C", dir, "run", "--quick"))
	records, bad, err := record.Dir(filepath.Join(folder, "records")).Read()
	if n := planned(records); err != nil || len(bad) > 0 || n != 6 {
		t.Fatalf("%d records as planned, %d bad ones, %v; want 6", n, len(bad), err)
	}
	sums := map[string]map[string]float64{"by-driver": {}, "by-us": {}}
	for _, r := range records {
		if r.Failure != "" {
			t.Fatalf("%s: %s\n%s", r.Experiment, r.Failure, r.Log)
		}
		if isDriven := r.Experiment == "by-driver"; isDriven != (r.Load.Driver != "") || isDriven != (r.Facts["image.load"] !=
			"") || r.Load.Failed > 0 {
			t.Errorf("%s: %+v", r.Experiment, r.Load)
		}
		for _, metric := range []string{"throughput", "latency.p50"} {
			x, missing := dataset.Value(r, metric, nil)
			if missing != "" {
				t.Errorf("%s: %s %s", r.Experiment, metric, missing)
			}
			sums[r.Experiment][metric] += x
		}
		t.Logf("%s: %.1f/s, busy %.2f, in flight %.3f", r.Experiment, r.Load.Overlap.Right/r.Load.Window, r.Load.Busy,
			r.Load.InFlight)
	}
	for metric, own := range sums["by-us"] {
		if ratio := sums["by-driver"][metric] / own; !(math.Abs(ratio-1) <= agreement) {
			t.Errorf("%s by the driver is %.3f times ours", metric, ratio)
		}
	}
}
