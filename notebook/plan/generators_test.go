package plan

import (
	"strings"
	"testing"
)

// Every generator needs something to do, and what a tool prints of its part cannot be added up.
func TestGenerators(t *testing.T) {
	for _, tt := range []struct{ name, load, want string }{
		{"some", "connections: 10, generators: 3", ""},
		{"as many as connections", "connections: 3, generators: 3", ""},
		{"of an open loop", "connections: 100, rate: 500/s, generators: 3", ""},
		{"more than connections", "connections: 3, generators: 4",
			"4 generators need as many connections, and the load has 3 [contradiction]"},
		{"more than connections that nobody wrote", "generators: 11",
			"11 generators need as many connections, and the load has 10 [contradiction]"},
		{"as many as connections in the end", "connections: 1, generators: 5, stages: [{duration: 1s, connections: 5}]", ""},
		{"more than connections in the end", "connections: 1, generators: 6, stages: [{duration: 1s, connections: 5}]",
			"6 generators need as many connections, and the load has 5 [contradiction]"},
		{"more than requests", "requests: 3, generators: 4",
			"4 generators need as many requests, and the load has 3 [contradiction]"},
		{"threads", "connections: 6, generators: 2, threads: 3", ""},
		{"too many threads", "connections: 5, generators: 2, threads: 3",
			"2 generators of 3 threads need 6 connections, and the load has 5 [contradiction]"},
		{"none", "generators: 0", "generators must be between 1 and 64, not 0 [wrong-value]"},
		{"too many", "connections: 100, generators: 65", "generators must be between 1 and 64, not 65 [wrong-value]"},
		{"connections of one", "connections: 100000", "connections must be between 1 and 60000, not 100000 [wrong-value]"},
		{"connections of two", "connections: 100000, generators: 2", ""},
		{"too many connections of two", "connections: 130000, generators: 2",
			"connections must be between 1 and 120000, not 130000 [wrong-value]"},
		{"of a tool", "tool: ab, generators: 2",
			"the output of several runs of ab cannot be merged: percentiles do not add up [no-flag]"},
		{"one of a tool", "tool: ab, generators: 1", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, problems := newPlan(t, text(block("name: e\nservices: {s: {image: x}}\nload: {target: http://s/, "+tt.load+
				"}\n")), Options{}, nil)
			var got []string
			for _, p := range problems {
				got = append(got, p.Message+" ["+p.Rule+"]")
			}
			if all := strings.Join(got, "; "); all != tt.want {
				t.Errorf("got %q, want %q", all, tt.want)
			}
		})
	}
}

// One generator is what there is if nothing is said, so that what was measured without the key stays fresh.
func TestOneGeneratorIsTheSameTrial(t *testing.T) {
	trial := func(load string) *Trial {
		return mustPlan(t, text(block("name: e\nservices: {s: {image: x}}\nload: {target: http://s/"+load+"}\n")), Options{},
			nil).Trials[0]
	}
	none, one, two := trial(""), trial(", generators: 1"), trial(", generators: 2")
	if none.Key != one.Key || one.Load.Generators != 0 {
		t.Errorf("one generator has the key %s, and %s if nothing is said", one.Key, none.Key)
	}
	if two.Key == one.Key || two.Load.Generators != 2 || !strings.Contains(string(two.Definition), `"generators":2`) {
		t.Errorf("two generators have the key %s and the definition %s", two.Key, two.Definition)
	}
}
