package plan

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestEstimate(t *testing.T) {
	at := Placement{ServiceCores: 1, LoadCores: 1}
	service := "services: {s: {image: x}}\n"
	tests := []struct {
		name, body string
		want       Estimate
		guesses    int
	}{
		{"for a time", service + "calibrate: false\nload: {target: http://s/}\n",
			Estimate{Warmup: 10 * time.Second, Window: 50 * time.Second, Overhead: 7500 * time.Millisecond,
				Total: 67500 * time.Millisecond}, 0},
		{"the A/A pair counts", service + "load: {target: http://s/, duration: 4s, warmup: 0s}\n",
			Estimate{Window: 40 * time.Second, Overhead: 15 * time.Second, Total: 55 * time.Second}, 0},
		{"for a number of requests", service + "calibrate: false\nload: {target: http://s/, requests: 2000}\n",
			Estimate{Window: 10 * time.Second, Overhead: 7500 * time.Millisecond, Total: 17500 * time.Millisecond}, 1},
		{"whichever ends first", service + "calibrate: false\nload: {target: http://s/, requests: 20000, duration: 3s}\n",
			Estimate{Window: 15 * time.Second, Overhead: 7500 * time.Millisecond, Total: 22500 * time.Millisecond}, 1},
		{"a command", "calibrate: false\nrepetitions: 2\ncommand: {image: x, run: y}\n",
			Estimate{Window: 10 * time.Second, Overhead: 2 * time.Second, Total: 12 * time.Second}, 1},
		{"the timeout is the end", service + "calibrate: false\nrepetitions: 1\ntimeout: 10s\n" +
			"load: {target: http://s/, duration: 1h}\n",
			Estimate{Warmup: 2 * time.Second, Window: 6500 * time.Millisecond, Overhead: 1500 * time.Millisecond,
				Total: 10 * time.Second}, 0},
		{"a search in its budget", "services: {s: {image: 'x${{ tune.n }}'}}\ncalibrate: false\nrepetitions: 1\n" +
			"tune: {n: {to: 9, budget: 30s}}\n" +
			"load: {target: http://s/, duration: 4s, warmup: 0s}\n",
			Estimate{Window: 4 * time.Second, Overhead: 1500 * time.Millisecond, Searches: 27 * time.Second,
				Total: 32500 * time.Millisecond}, 0},
		{"shared services are started once", "services: {s: {image: x}, db: {image: y}}\nshared: [db]\ncalibrate: false\n" +
			"load: {target: http://s/}\n",
			Estimate{Warmup: 10 * time.Second, Window: 50 * time.Second, Overhead: 7500 * time.Millisecond,
				Total: 67500 * time.Millisecond}, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if !strings.Contains(test.body, "repetitions") {
				test.body = "repetitions: {looks: [5, 9]}\n" + test.body // what is estimated is what there is at least
			}
			p, problems := newPlan(t, text(block("name: e\n"+test.body)), Options{}, nil)
			if len(problems) > 0 {
				t.Fatal(problems[0])
			}
			got := p.Experiments[0].Estimate(at, nil)
			if len(got.Guesses) != test.guesses {
				t.Errorf("guesses %q, want %d", got.Guesses, test.guesses)
			}
			got.Guesses = nil
			if got.Warmup != test.want.Warmup || got.Window != test.want.Window || got.Overhead != test.want.Overhead ||
				got.Searches != test.want.Searches || got.Total != test.want.Total {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

// What records know goes before what is assumed, and what is fresh takes no time.
func TestEstimateFromExperience(t *testing.T) {
	const body = "name: e\nservices: {s: {image: x}}\ncalibrate: false\nmatrix: {a: [1, {name: 2, unavailable: gone}]}\n"
	recorded := Experience{Pending: 2, Recorded: true, Window: 7 * time.Second, Overhead: 4 * time.Second}
	tests := []struct {
		name, load string
		known      Experience
		want       Estimate
	}{
		{"a time that the article sets", "load: {target: http://s/}\n", recorded,
			Estimate{Warmup: 4 * time.Second, Window: 20 * time.Second, Overhead: 8 * time.Second, Total: 32 * time.Second,
				Recorded: true}},
		{"a time that it does not set", "load: {target: http://s/, requests: 9}\n", recorded,
			Estimate{Window: 14 * time.Second, Overhead: 8 * time.Second, Total: 22 * time.Second, Recorded: true}},
		{"one of another experiment", "load: {target: http://s/, requests: 2000}\n", Experience{Pending: 2, Recorded: true,
			Overhead: 4 * time.Second},
			Estimate{Window: 4 * time.Second, Overhead: 8 * time.Second, Total: 12 * time.Second, Recorded: true,
				Guesses: []string{"1000 requests per second"}}},
		{"nothing is left to do", "load: {target: http://s/}\n", Experience{}, Estimate{}},
		{"a search that has no repetitions", "load: {target: http://s/}\ncapacity: {slo: failed < 1%, from: 1/s, to: 2/s}\n",
			Experience{Pending: 1},
			Estimate{Searches: 351 * time.Second, Probes: 26, Total: 351 * time.Second}},
		{"one that is recorded", "load: {target: http://s/}\ncapacity: {slo: failed < 1%, from: 1/s, to: 2/s}\n",
			Experience{}, Estimate{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := mustPlan(t, text(block(body+test.load)), Options{}, nil)
			got := e.Estimate(Placement{ServiceCores: 1, LoadCores: 1}, func(*Trial) Experience { return test.known })
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}
