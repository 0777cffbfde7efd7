package plan

import (
	"strings"
	"testing"
	"time"
)

func TestEstimate(t *testing.T) {
	at := Placement{ServiceCores: 1, LoadCores: 1}
	service := "services: {s: {image: x}}\n"
	known := func(pending int, searched bool) func(*Trial) Experience {
		return func(*Trial) Experience {
			return Experience{Pending: pending, Searched: searched, Overhead: 4 * time.Second, Window: 7 * time.Second}
		}
	}
	for _, test := range []struct {
		name, body string
		known      func(*Trial) Experience
		want       string
	}{
		{"for a time", service + "calibrate: false\nload: {target: http://s/}\n", nil, "40.5s"},
		{"the A/A pair counts", service + "load: {target: http://s/, duration: 4s, warmup: 0s}\n", nil, "33s"},
		{"for a number of requests", service + "calibrate: false\nload: {target: http://s/, requests: 2000}\n", nil, "10.5s"},
		{"whichever ends first", service + "calibrate: false\nload: {target: http://s/, requests: 20000, duration: 3s}\n",
			nil, "13.5s"},
		{"a command", "calibrate: false\nrepetitions: 2\ncommand: {image: x, run: y}\n", nil, "13s"},
		{"the timeout is the end", service + "calibrate: false\nrepetitions: 1\ntimeout: 10s\n" +
			"load: {target: http://s/, duration: 1h}\n", nil, "10s"},
		{"a search in its budget", "services: {s: {image: 'x${{ tune.n }}'}}\ncalibrate: false\nrepetitions: 1\n" +
			"tune: {n: {to: 9, budget: 30s}}\nload: {target: http://s/, duration: 4s, warmup: 0s}\n", nil, "32.5s"},
		{"a recorded overhead", service + "calibrate: false\nload: {target: http://s/}\n", known(2, false), "32s"},
		{"a recorded window", service + "calibrate: false\nload: {target: http://s/, requests: 9}\n", known(2, false), "22s"},
		{"nothing is pending", service + "load: {target: http://s/}\n", known(0, false), "0s"},
		{"a search that is done", "services: {s: {image: 'x${{ tune.n }}'}}\ncalibrate: false\nrepetitions: 1\n" +
			"tune: {n: {to: 9}}\nload: {target: http://s/, duration: 4s, warmup: 0s}\n", known(1, true), "8s"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if !strings.Contains(test.body, "repetitions") {
				test.body = "repetitions: up to 9\n" + test.body // the estimate is for the first look
			}
			p, problems := newPlan(t, text(block("name: e\n"+test.body)), Options{}, nil)
			if len(problems) > 0 {
				t.Fatal(problems[0])
			}
			if got := p.Experiments[0].Estimate(at, test.known); got.String() != test.want {
				t.Errorf("got %v, want %s", got, test.want)
			}
		})
	}
}
