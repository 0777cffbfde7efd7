package lab

import (
	"testing"

	"benchbook/runner/engine"
)

// Whatever kind of thing an engine leaves is counted.
func TestLeftovers(t *testing.T) {
	for _, test := range []struct {
		kinds []string
		want  string
	}{
		{[]string{"process"}, "1 process"},
		{[]string{"process", "folder", "process"}, "2 processes and 1 folder"},
		{[]string{"container", "network", "volume"}, "1 container, 1 network and 1 volume"},
		{[]string{"namespace", "namespace"}, "2 namespaces"},
	} {
		var left []engine.Leftover
		for _, kind := range test.kinds {
			left = append(left, engine.Leftover{Kind: kind})
		}
		if got := Leftovers(left); got != test.want {
			t.Errorf("%v: %q, want %q", test.kinds, got, test.want)
		}
	}
}
