package plan

import (
	"testing"

	"benchbook/notebook/source"
)

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
