package plan

import (
	"slices"
	"strings"
	"testing"

	"benchbook/notebook/source"
)

// What can be measured, and is hardly meant, is remarked with its place.
func TestRemarks(t *testing.T) {
	const service = "services: {s: {image: x, expose: ['80', '8080']}}\n"
	tests := []struct{ name, body, want string }{
		{"an axis that nothing uses", service +
			"matrix: {a: [1, 2], b: [x, y]}\nload: {target: 'http://s/${{ matrix.b }}'}\n", "unused-axis at a"},
		{"an axis of which a field is used", service +
			"matrix: {a: [{name: x, path: p}, {name: y, path: q}]}\nload: {target: 'http://s/${{ matrix.a.path }}'}\n", ""},
		{"an axis that a row of include goes by",
			service + "matrix: {a: [x, y], include: [{a: x, path: p}, {a: y, path: q}]}\n" +
				"load: {target: 'http://s/${{ matrix.path }}'}\n", ""},
		{"an axis with one value", service + "matrix: {a: [x]}\nload: {target: 'http://s/'}\n", ""},
		{"an axis of a search", service + "matrix: {a: [1, 2]}\ntune: {n: {from: 1, to: '${{ matrix.a }}', maximize: " +
			"throughput}}\nload: {target: 'http://s/${{ tune.n }}'}\n", ""},
		{"another port", service + "load: {target: 'http://s:81/'}\n", "port-not-exposed at 'http://s:81/'"},
		{"a port that is exposed", service + "load: {target: 'http://s:8080/'}\n", ""},
		{"the port of the scheme", service + "load: {target: 'https://s/'}\n", "port-not-exposed at 'https://s/'"},
		{"a service that exposes none", "services: {s: {image: x}}\nload: {target: 'http://s:81/'}\n",
			"port-not-exposed at 'http://s:81/'"},
		{"one that says when it is ready", "services: {s: {image: x, healthcheck: {test: [LOG, up]}}}\n" +
			"load: {target: 'http://s:81/'}\n", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p, problems := planIn(t, "name: e\n"+test.body, func(string, string) {})
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			var found source.Problems
			p.Experiments[0].Remarks(&found)
			var got []string
			for _, p := range found.Sorted() {
				if p.Severity != source.SeverityWarning || p.Hint == "" {
					t.Errorf("it is no warning with a way out: %v", p)
				}
				got = append(got, p.Rule+" at "+string(p.Pos.Source.Data[p.Pos.Start:p.Pos.End]))
			}
			if strings.Join(got, ", ") != test.want {
				t.Errorf("got %v, want %s", got, test.want)
			}
		})
	}
}

// A limit of more CPUs than the machine has is refused before anything starts.
func TestCPUsOfTheMachine(t *testing.T) {
	p, problems := planIn(t, "name: e\nservices: {s: {image: x, cpus: 900}, t: {image: x, cpus: 1.5}}\n"+
		"load: {target: http://s/}\n", func(string, string) {})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	var found source.Problems
	p.Experiments[0].CheckCPUs(func(string) [][]int { return [][]int{{0}, {1}} }, &found)
	list := found.Sorted()
	if len(list) != 1 || list[0].Rule != "no-such-cpu" ||
		list[0].Message != `this machine has 2 CPUs, and service "s" may use 900` {
		t.Errorf("got %v", list)
	}
}

// Nothing can stand below a file in a container.
func TestBelowFiles(t *testing.T) {
	for _, body := range []string{
		"services: {s: {image: x, configs: [{source: Dockerfile, target: /a}, {source: Dockerfile, target: /a/b}]}}\n" +
			"load: {target: http://s/}\n",
		"services: {s: {image: x, configs: [{source: Dockerfile, target: /a}], volumes: ['data:/a/b']}}\n" +
			"load: {target: http://s/}\n",
		"command: {image: x, run: y, configs: [{source: Dockerfile, target: /a/b/c}, {source: Dockerfile, target: /a/b}]}\n",
	} {
		_, problems := planIn(t, "name: e\n"+body, func(string, string) {})
		is := func(p *source.Problem) bool {
			return p.Rule == "contradiction" && strings.Contains(p.Message, "which is a file")
		}
		if len(problems) != 1 || !slices.ContainsFunc(problems, is) {
			t.Errorf("%s: got %v", body, problems)
		}
	}
	if _, problems := planIn(t, "name: e\nservices: {s: {image: x, configs: [{source: Dockerfile, target: /a}, {source: "+
		"Dockerfile, target: /ab/c}]}}\n"+
		"load: {target: http://s/}\n", func(string, string) {}); len(problems) > 0 {
		t.Error(problems)
	}
}
