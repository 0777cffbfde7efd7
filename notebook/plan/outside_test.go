package plan

import (
	"slices"
	"testing"

	"benchbook/notebook/record"
	"benchbook/notebook/spec"
)

// A load with outside runs on this machine, with any engine of the project.
func TestRunningTarget(t *testing.T) {
	for _, host := range []string{"127.0.0.1:8080", "localhost", "[::1]:8080", "127.8.0.1"} {
		e := mustPlan(t, text(block("name: e\nload: {target: 'http://"+host+"/', outside: true}\n")), Options{}, nil)
		if !e.Outside || e.Engine != spec.Local || !e.Trials[0].Load.Outside {
			t.Errorf("%s: outside %v, engine %s", host, e.Outside, e.Engine)
		}
		if local := (record.Input{Name: "engine", Digest: "local"}); !slices.Contains(e.Trials[0].Inputs, local) {
			t.Errorf("%s: inputs %v", host, e.Trials[0].Inputs)
		}
	}
}
