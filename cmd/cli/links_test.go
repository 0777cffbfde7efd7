package cli

import (
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"benchbook/notebook/record"
)

// farAway has every way in which a request can meet an origin and a link: of 50 ms and of 40 ms.
const farAway = `---
title: Far away
---

~~~yaml experiment
name: requests
services:
  slow: {origin: {latency: {distribution: constant, value: 50ms}, body: 1256B}}
  far: {origin: {body: 100B}, link: {rtt: 40ms}}
  both: {origin: {latency: {distribution: constant, value: 50ms}}, link: {rtt: 40ms}, depends_on: [far], healthcheck: {test: [HTTP, /]}}
  unused: {origin: {}, link: {rtt: 1s, jitter: 10ms, rate: 1kB/s}}
matrix: {service: [slow, far, both], keepalive: ["true", "false"]}
load: {target: "http://${{ matrix.service }}/", connections: 5, keepalive: "${{ matrix.keepalive }}", requests: 50, warmup: 300ms}
repetitions: 1
calibrate: false
~~~

~~~yaml experiment
name: command
services:
  far: {origin: {body: 100B}, link: {rtt: 40ms}}
command:
  image: debian:bookworm-slim
  run: ["bash", "-c", 'exec 3<>/dev/tcp/far/80; printf "GET / HTTP/1.0\r\n\r\n" >&3; cat <&3']
  expect: {contains: benchbook-origin}
repetitions: 1
calibrate: false
~~~
`

// What a load and a command measure through a link, and of an origin, is what the manual's arithmetic says.
func TestOriginsAndLinksOnAnEngine(t *testing.T) {
	w := beside(t) // nothing but the shortest of many times matters here, however busy the machine is
	dir, folder := project(t, "far-away", farAway)
	t.Log(mustRun(t, w, "-C", dir, "run"))
	records, bad, err := record.Dir(filepath.Join(folder, "records")).Read()
	if n := planned(records); err != nil || len(bad) > 0 || n != 7 {
		t.Fatalf("%d records as planned, %d bad ones, %v; want 7", n, len(bad), err)
	}
	const ms = time.Millisecond
	want := map[string]time.Duration{
		"slow, true": 50 * ms, "slow, false": 50 * ms, "far, true": 40 * ms, "far, false": 80 * ms, "both, true": 90 * ms,
		"both, false": 130 * ms,
	}
	for _, r := range records {
		if r.Failure != "" {
			t.Errorf("%s: %s\n%s", r.Trial, r.Failure, r.Log)
			continue
		}
		least, wanted := math.NaN(), 80*ms
		if r.Experiment == "requests" {
			least, wanted = r.Histograms["latency"].Min, want[r.Trial]
			if r.Load.Attempted != 50 || r.Facts["origin.late.slow"] == "" && strings.HasPrefix(r.Trial, "slow") {
				t.Errorf("%s: %d requests, lateness %q", r.Trial, r.Load.Attempted, r.Facts["origin.late.slow"])
			}
			// To wait until a link is ready takes no connection through it.
			if late := r.Facts["link.late.unused"]; late != "" {
				t.Errorf("%s: nobody asked, and something came through the link: %s", r.Trial, late)
			}
		}
		for _, s := range r.Samples {
			if s.Metric == "time.real" {
				least = s.Value
			}
		}
		took := time.Duration(least * float64(time.Second))
		// Of a command, that of the shell comes on top.
		if most := wanted + 10*ms; took < wanted || r.Experiment == "requests" && took > most || took > wanted+time.Second {
			t.Errorf("%s %s: the shortest took %v, want %v", r.Experiment, r.Trial, took, wanted)
		}
		t.Logf("%s %s: %v over %v; link %q, %q cores; origin %q", r.Experiment, r.Trial, took-wanted, wanted,
			r.Facts["link.late.far"], r.Facts["link.cpu.far"], r.Facts["origin.late.slow"])
	}
}
