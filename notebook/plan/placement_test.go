package plan

import (
	"slices"
	"testing"

	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

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
		if got := Place(test.cores); got != test.want {
			t.Errorf("%s: got %+v, want %+v", test.name, got, test.want)
		}
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
		e := mustPlan(t, text(block(tt.body)), Options{}, nil)
		load, n := e.PlaceLoad(e.Trials[0], cores)
		set, _ := spec.ParseCPUSet(load)
		if at := e.Place("", cores); at.Services != tt.services || load != tt.load || n != len(set) {
			t.Errorf("%s: services on %s and it on %s, which are %d; want %s and %s", tt.name, at.Services, load, n, tt.services,
				tt.load)
		}
	}
	three := [][]int{{0}, {1}, {2}}
	e := mustPlan(t, text(block(service+"command: {image: x, run: y}\n")), Options{}, nil)
	if at := e.Place("", three); at.Services != "0-1" || at.Load != "2" {
		t.Errorf("on three cores: %+v", at)
	}
}

func TestCheckCPUs(t *testing.T) {
	for _, test := range []struct {
		name, service, load string
		cores               [][]int
		want                []string // hints
	}{
		{"all there", "0", "1", [][]int{{0}, {1}}, nil},
		{"none is written", "", "", [][]int{{0}}, nil},
		{"the service's is not", "0-3", "1", [][]int{{0}, {1}},
			[]string{`write "0", or remove cpuset`}},
		{"neither", "4", "5", [][]int{{0, 2}, {1, 3}},
			[]string{`write "0,2", or remove cpuset`,
				`write "1,3", or remove cpuset`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			body := "name: e\nservices: {s: {image: x, cpuset: '" + test.service + "'}}\nload: {target: http://s/, cpuset: '" +
				test.load + "'}\n"
			if test.service == "" {
				body = "name: e\nservices: {s: {image: x}}\nload: {target: http://s/}\n"
			}
			var problems source.Problems
			mustPlan(t, text(block(body)), Options{}, nil).CheckCPUs(func(string) [][]int { return test.cores }, &problems)
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
