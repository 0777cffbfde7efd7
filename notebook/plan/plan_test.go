package plan

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

// text returns an article with these fences.
func text(parts ...string) string { return "---\ntitle: x\n---\n\n" + strings.Join(parts, "") }

func block(body string) string { return "```yaml experiment\n" + body + "```\n" }

// newPlan plans an article in a folder with the given files.
func newPlan(t *testing.T, src string, files map[string]string) (*Plan, []*source.Problem) {
	t.Helper()
	return planText(t, src, func(dir, _ string) {
		for name, data := range files {
			must.Write(filepath.Join(dir, name), data)
		}
	})
}

// mustPlan plans an article that has no problems.
func mustPlan(t *testing.T, source string, files map[string]string) *Plan {
	t.Helper()
	p, problems := newPlan(t, source, files)
	assert.None(t, problems)
	return p
}

// Each round has every trial once, in a random order.
func TestOrder(t *testing.T) {
	e := mustPlan(t, text(block("name: e\ncommand: {image: x, run: y}\nmatrix: {a: [1, 2]}\nrepetitions: 20\n")),
		nil).Experiments[0]
	if len(e.Steps) != 60 {
		t.Fatalf("%d steps, want 20 rounds of 3", len(e.Steps))
	}
	firsts := map[string]int{}
	for round := range 20 {
		seen := map[string]bool{}
		for _, s := range e.Steps[3*round : 3*round+3] {
			if s.Round != round+1 || s.Repetition != round+1 {
				t.Errorf("round %d holds a step of round %d, repetition %d", round+1, s.Round, s.Repetition)
			}
			seen[s.Trial.Name] = true
		}
		assert.Equal(t, len(seen), 3, "trials of round %d", round+1)
		firsts[e.Steps[3*round].Trial.Name]++
	}
	assert.Equal(t, len(firsts), 3, "trials that come first in 20 rounds, %v", firsts)
}

// A load with outside runs on this machine, with any engine of the project.
func TestRunningTarget(t *testing.T) {
	for _, host := range []string{"127.0.0.1:8080", "localhost", "[::1]:8080", "127.8.0.1"} {
		e := mustPlan(t, text(block("name: e\nload: {target: 'http://"+host+"/', outside: true}\n")), nil).Experiments[0]
		if !e.Outside || e.Engine != spec.Local || !e.Trials[0].Load.Outside {
			t.Errorf("%s: outside %v, engine %s", host, e.Outside, e.Engine)
		}
		if local := (record.Input{Name: "engine", Digest: "local"}); !slices.Contains(e.Trials[0].Inputs, local) {
			t.Errorf("%s: inputs %v", host, e.Trials[0].Inputs)
		}
	}
}

func TestPlace(t *testing.T) {
	for _, test := range []struct {
		name  string
		cores [][]int
		want  Placement
	}{
		{"two cores", [][]int{{0}, {1}}, Placement{"0", "1", 1, 1}},
		{"siblings stay together", [][]int{{0, 4}, {1, 5}, {2, 6}, {3, 7}}, Placement{"0-2,4-6", "3,7", 6, 2}},
		{"one core is shared", [][]int{{0}}, Placement{"0", "0", 1, 1}},
		{"nothing is known", nil, Placement{"", "", 1, 1}},
	} {
		assert.Equal(t, Place(test.cores), test.want, "%s", test.name)
	}
}

// A load has the last core, a command all cores, or half of them if there are services.
func TestPlaceLoad(t *testing.T) {
	const service = "name: e\nservices: {s: {image: x}}\n"
	tests := []struct{ name, body, services, load string }{
		{"a load", service + "load: {target: http://s/}\n", "0-2,4-6", "3,7"},
		{"a command alone", "name: e\ncommand: {image: x, run: y}\n", "0-7", "0-7"},
		{"a command beside a service", service + "command: {image: x, run: y}\n", "0-1,4-5", "2-3,6-7"},
		{"a command in a service", service + "command: {service: s, run: y}\n", "0-7", "0-7"},
		{"a command in a service with CPUs of its own",
			"name: e\nservices: {s: {image: x, cpuset: '1-2'}}\ncommand: {service: s, run: y}\n", "0-7", "1-2"},
		{"a command with CPUs of its own", service + "command: {image: x, run: y, cpuset: '0,5'}\n", "0-7", "0,5"},
		{"a command where a load would be", service + "command: {image: x, run: y, cpuset: load}\n", "0-2,4-6", "3,7"},
		{"it alone", "name: e\ncommand: {image: x, run: y, cpuset: load}\n", "0-2,4-6", "3,7"},
	}
	cores := [][]int{{0, 4}, {1, 5}, {2, 6}, {3, 7}}
	for _, tt := range tests {
		e := mustPlan(t, text(block(tt.body)), nil).Experiments[0]
		load, n := e.PlaceLoad(e.Trials[0], cores)
		set, _ := spec.ParseCPUSet(load)
		at := e.Place(cores)
		assert.Equal(t, [3]any{at.Services, load, n}, [3]any{tt.services, tt.load, len(set)}, "%s: CPUs", tt.name)
	}
	three := [][]int{{0}, {1}, {2}}
	e := mustPlan(t, text(block(service+"command: {image: x, run: y}\n")), nil).Experiments[0]
	at := e.Place(three)
	assert.Equal(t, [2]string{at.Services, at.Load}, [2]string{"0-1", "2"}, "on three cores")
}

// CPUs that the machine does not have are refused before anything starts.
func TestCheckCPUs(t *testing.T) {
	two := [][]int{{0}, {1}}
	for _, test := range []struct {
		name, services, load string
		cores                [][]int
		want                 []string // parts of messages or hints
	}{
		{"all there", "{s: {image: x, cpuset: '0'}}", ", cpuset: '1'", two, nil},
		{"none is written", "{s: {image: x}}", "", two[:1], nil},
		{"the service's is not", "{s: {image: x, cpuset: '0-3'}}", ", cpuset: '1'", two,
			[]string{`write "0", or remove cpuset`}},
		{"neither", "{s: {image: x, cpuset: '4'}}", ", cpuset: '5'", [][]int{{0, 2}, {1, 3}},
			[]string{`write "0,2", or remove cpuset`, `write "1,3", or remove cpuset`}},
		{"a limit of more than there are", "{s: {image: x, cpus: 900}, t: {image: x, cpus: 1.5}}", "", two,
			[]string{`this machine has 2 CPUs, and service "s" may use 900`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			body := "name: e\nservices: " + test.services + "\nload: {target: http://s/" + test.load + "}\n"
			var problems source.Problems
			mustPlan(t, text(block(body)), nil).Experiments[0].CheckCPUs(test.cores, &problems)
			got := problems.Sorted()
			if len(got) != len(test.want) {
				t.Fatalf("got %v, want %q", got, test.want)
			}
			for i, p := range got {
				if p.Rule != "no-such-cpu" || !strings.Contains(p.Message+p.Hint, test.want[i]) {
					t.Errorf("got %v, want %q", p, test.want[i])
				}
			}
		})
	}
}

func TestEstimate(t *testing.T) {
	at := Placement{ServiceCPUs: 1, LoadCPUs: 1}
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
			e := mustPlan(t, text(block("name: e\n"+test.body)), nil).Experiments[0]
			if test.known == nil {
				test.known = func(*Trial) Experience { return Experience{Pending: e.Least()} }
			}
			assert.Equal(t, e.Estimate(at, test.known).String(), test.want)
		})
	}
}
