package cli

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"benchbook/lab"
	"benchbook/notebook/record"
)

// searched is an article that searches with loads by a driver. The server has three processors, each of which answers a
// hundred requests per second.
const searched = `---
title: Searches with a driver
defaults: {calibrate: false, repetitions: 1}
---

~~~dockerfile file=Dockerfile
FROM scratch
COPY pool driver /
~~~

~~~yaml experiment
name: best
services: {server: {BUILD command: "/pool -workers ${{ tune.workers }}", expose: ["8080"]}}
load: {target: "http://server:8080/", connections: 16, duration: 900ms, warmup: 200ms, driver: {BUILD command: /driver}}
tune: {workers: {to: 6}}
~~~

~~~yaml experiment
name: most
services: {server: {BUILD command: /pool -workers 3, expose: ["8080"]}}
load: {target: "http://server:8080/", connections: 16, duration: 900ms, warmup: 200ms, driver: {BUILD command: /driver}}
capacity: {slo: latency.p50 < 50ms and failed < 1%, from: 50/s, to: 2000/s}
~~~
`

// A driver puts on the loads of searches as well, in a container and as a process of this machine: a closed one for the
// best setting, and one at each rate that is tried for the capacity.
func TestSearchesWithDriver(t *testing.T) {
	for name, wire := range map[string]func(testing.TB) lab.Config{"local": onLocal, "docker": onEngine} {
		t.Run(name, func(t *testing.T) {
			w, programs, text := wire(t), builtPrograms(t), strings.ReplaceAll(searched, "BUILD", "build: .,")
			if name == "local" {
				port := freePort(t) // other packages are tested on this machine at the same time
				text = strings.NewReplacer("BUILD ", "", "/pool", programs+"/pool -port "+port, "command: /driver",
					"command: "+programs+"/driver", "8080", port).Replace(searched)
			}
			dir, folder := project(t, "searched", text)
			for _, program := range []string{"pool", "driver"} {
				data, err := os.ReadFile(filepath.Join(programs, program))
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(folder, program), data, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			best, most := searchedFor(t, w, dir, folder, name)
			for range 2 { // more attempts, for a machine that has something else to do
				if best.Chosen == 3 && most.Lo > 150 {
					break
				}
				best, most = searchedFor(t, w, dir, folder, name)
			}
			if best.Chosen != 3 || best.Matters < 2 {
				t.Errorf("the best number of workers is %d, which matters %v times, want 3 and about 3", best.Chosen, best.Matters)
			}
			if most.Stop == record.StopNone || most.Lo < 150 || most.Hi > 400 {
				t.Errorf("the server bears %v/s and not %v/s, and can bear 300/s: %s", most.Lo, most.Hi, most.Reason)
			}
		})
	}
}

// searchedFor is what a run finds.
func searchedFor(t *testing.T, w lab.Config, dir, folder, engine string) (best, most *record.Search) {
	t.Helper()
	if err := os.RemoveAll(filepath.Join(folder, "records")); err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	t.Log(mustRun(t, w, "-C", dir, "run", "--engine", engine))
	records := measuredIn(t, folder)
	for name, s := range map[string]**record.Search{"best": &best, "most": &most} {
		for _, r := range records[name] {
			switch {
			case r.Search != nil:
				*s = r.Search
			case r.Load == nil || !strings.HasSuffix(r.Load.Driver, "/driver") || r.Load.Completed < 50:
				t.Errorf("%s: not put on by the driver, or too little: %+v", name, r.Load)
			}
		}
		if *s == nil {
			t.Fatalf("%s was not searched for", name)
		}
	}
	t.Logf("best %d; bears %.0f/s and not %.0f/s", best.Chosen, most.Lo, most.Hi)
	return best, most
}

// freePort is a port of this machine that nobody listens at.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}
