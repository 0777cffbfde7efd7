package plan

import (
	"slices"
	"testing"
	"time"

	"benchbook/notebook/article"
)

// The example of METHOD.md 8.1, and its edges.
func TestCandidates(t *testing.T) {
	tests := []struct {
		name   string
		search Search
		cores  int
		want   []int
	}{
		{"the default of six cores", Search{From: 1}, 6, []int{1, 2, 3, 5, 8, 12, 18, 24}},
		{"at least eight", Search{From: 1}, 1, []int{1, 2, 3, 5, 8}},
		{"the last is cut", Search{From: 1, To: 10}, 4, []int{1, 2, 3, 5, 8, 10}},
		{"from elsewhere", Search{From: 6, To: 20}, 4, []int{6, 9, 14, 20}},
		{"a single one", Search{From: 4, To: 4}, 4, []int{4}},
		{"in quick", Search{From: 1, To: 32, Points: 3}, 4, []int{1, 2, 3}},
		{"chosen by another", Search{Of: "e"}, 4, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := test.search.Candidates(test.cores); !slices.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

const tuned = "name: e\nservices: {s: {image: x, command: 'run ${{ tune.workers }}', cpus: '${{ tune.workers }}'}}\n" +
	"tune: {workers: {to: 8, budget: 30s}}\nload: {target: http://s/, duration: 4s}\n"

func TestTuneIsDeferred(t *testing.T) {
	trial := mustPlan(t, text(block(tuned)), Options{}, nil).Trials[0]
	want := []Deferred{{"services.s.command", "run ${{ tune.workers }}"}, {"services.s.cpus", "${{ tune.workers }}"}}
	if !slices.Equal(trial.Deferred, want) {
		t.Errorf("deferred %v, want %v", trial.Deferred, want)
	}
	if s := trial.Tune[0]; s.From != 1 || s.To != 8 || s.Maximize != "throughput" || s.Probes != 3 || s.Budget != 30*time.Second || s.Points != 0 {
		t.Errorf("search %+v", s)
	}
	quick := mustPlan(t, text(block(tuned)), Options{Profile: Quick}, nil).Trials[0]
	if s := quick.Tune[0]; s.Points != 3 {
		t.Errorf("in quick the search tries %d points, want 3", s.Points)
	}
}

// An experiment with a rate or a capacity takes what the experiment that it extends has tuned, unless it says otherwise.
func TestChoicesAreInherited(t *testing.T) {
	tests := []struct{ name, body, of string }{
		{"with a rate", "load: {rate: 5/s}\n", "e"},
		{"with a capacity", "capacity: {slo: latency.p99 < 1s, from: 1/s, to: 9/s}\n", "e"},
		{"in a closed loop", "repetitions: 4\n", ""},
		{"with a search of its own", "load: {rate: 5/s}\ntune: {workers: {to: 3}}\n", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p, problems := newPlan(t, text(block(tuned), "\n", block("name: f\nextends: e\n"+test.body)), Options{}, nil)
			if len(problems) > 0 {
				t.Fatal(problems[0])
			}
			if got := p.Experiments[1].Trials[0].Tune[0].Of; got != test.of {
				t.Errorf("takes the choice of %q, want %q", got, test.of)
			}
		})
	}
}

// A search for capacity is all that its experiment runs.
func TestCapacity(t *testing.T) {
	e := mustPlan(t, text(block("name: e\nservices: {s: {image: x}}\nload: {target: http://s/}\n"+
		"capacity: {slo: latency.p99 < 100ms and failed < 0.1%, from: 100/s, to: 2000/s}\n")), Options{}, nil)
	if len(e.Steps) != 0 || len(e.Trials) != 1 {
		t.Errorf("%d steps of %d trials", len(e.Steps), len(e.Trials))
	}
	c := e.Trials[0].Capacity
	if c == nil || c.From != 100 || c.To != 2000 || c.Repeats != 3 || c.Step != 0.05 || c.SLO != "latency.p99 < 100ms and failed < 0.1%" {
		t.Errorf("capacity %+v", c)
	}
}

func TestEstimate(t *testing.T) {
	at := Placement{ServiceCores: 1, LoadCores: 1}
	service := "services: {s: {image: x}}\n"
	tests := []struct {
		name, body string
		want       Estimate
		guesses    int
	}{
		{"for a time", service + "calibrate: false\nload: {target: http://s/}\n",
			Estimate{Warmup: 10 * time.Second, Window: 50 * time.Second, Overhead: 15 * time.Second, Total: 75 * time.Second}, 0},
		{"the A/A pair counts", service + "load: {target: http://s/, duration: 4s, warmup: 0s}\n",
			Estimate{Window: 40 * time.Second, Overhead: 30 * time.Second, Total: 70 * time.Second}, 0},
		{"for a number of requests", service + "calibrate: false\nload: {target: http://s/, requests: 2000}\n",
			Estimate{Window: 10 * time.Second, Overhead: 15 * time.Second, Total: 25 * time.Second}, 1},
		{"whichever ends first", service + "calibrate: false\nload: {target: http://s/, requests: 20000, duration: 3s}\n",
			Estimate{Window: 15 * time.Second, Overhead: 15 * time.Second, Total: 30 * time.Second}, 1},
		{"stages", service + "calibrate: false\nrepetitions: 1\nload: {target: http://s/, stages: [{duration: 4s, rate: 5/s}, {duration: 5s, rate: 9/s}]}\n",
			Estimate{Warmup: 2 * time.Second, Window: 9 * time.Second, Overhead: 3 * time.Second, Total: 14 * time.Second}, 0},
		{"a command", "calibrate: false\nrepetitions: 2\ncommand: {image: x, run: y}\n",
			Estimate{Window: 10 * time.Second, Overhead: 4 * time.Second, Total: 14 * time.Second}, 1},
		{"the timeout is the end", service + "calibrate: false\nrepetitions: 1\ntimeout: 10s\nload: {target: http://s/, duration: 1h}\n",
			Estimate{Warmup: 2 * time.Second, Window: 5 * time.Second, Overhead: 3 * time.Second, Total: 10 * time.Second}, 0},
		{"a search in its budget", "services: {s: {image: 'x${{ tune.n }}'}}\ncalibrate: false\nrepetitions: 1\ntune: {n: {to: 9, budget: 30s}}\n" +
			"load: {target: http://s/, duration: 4s, warmup: 0s}\n",
			Estimate{Window: 4 * time.Second, Overhead: 3 * time.Second, Searches: 30 * time.Second, Total: 37 * time.Second}, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p, problems := newPlan(t, text(block("name: e\n"+test.body)), Options{}, nil)
			if len(problems) > 0 {
				t.Fatal(problems[0])
			}
			got := p.Estimate(at)
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

func TestPlace(t *testing.T) {
	tests := []struct {
		name  string
		cores [][]int
		want  Placement
	}{
		{"two cores", [][]int{{0}, {1}}, Placement{"0", "1", 1, 1}},
		{"siblings stay together", [][]int{{0, 4}, {1, 5}, {2, 6}, {3, 7}}, Placement{"0-2,4-6", "3,7", 6, 2}},
		{"one core is shared", [][]int{{0}}, Placement{"0", "0", 1, 1}},
		{"nothing is known", nil, Placement{"", "", 1, 1}},
	}
	for _, test := range tests {
		if got := Place(test.cores); got != test.want {
			t.Errorf("%s: got %+v, want %+v", test.name, got, test.want)
		}
	}
}

func TestCheckCPUs(t *testing.T) {
	tests := []struct {
		name, service, load string
		cores               [][]int
		want                []string // hints
	}{
		{"all there", "0", "1", [][]int{{0}, {1}}, nil},
		{"none is written", "", "", [][]int{{0}}, nil},
		{"the service's is not", "0-3", "1", [][]int{{0}, {1}}, []string{`write "0", or remove cpuset`}},
		{"neither", "4", "5", [][]int{{0, 2}, {1, 3}}, []string{`write "0,2", or remove cpuset`, `write "1,3", or remove cpuset`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			body := "name: e\nservices: {s: {image: x, cpuset: '" + test.service + "'}}\nload: {target: http://s/, cpuset: '" + test.load + "'}\n"
			if test.service == "" {
				body = "name: e\nservices: {s: {image: x}}\nload: {target: http://s/}\n"
			}
			var problems article.Problems
			mustPlan(t, text(block(body)), Options{}, nil).CheckCPUs(test.cores, &problems)
			var got []string
			for _, p := range problems.Sorted() {
				got = append(got, p.Hint)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
