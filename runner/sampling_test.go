package runner

import (
	"testing"

	"benchbook/notebook/plan"
	"benchbook/runner/engine/enginetest/fake"
	"benchbook/runner/load"
)

func newFake() *fake.Engine { return fake.New(script()) }

// The CPUs that an engine chose are in the record.
func TestRecordTellsWhereItRan(t *testing.T) {
	s := script()
	s.CPUs = func(name string) (string, error) {
		return map[string]string{"server": "2-3", load.LoadName: "5"}[name], nil
	}
	r := runOnce(t, s)
	if r.Machine == nil || r.Machine.Sampling == nil {
		t.Errorf("machine %+v", r.Machine)
	}
	for fact, want := range map[string]string{plan.FactServicesPlace: "2-3", plan.FactLoadPlace: "5"} {
		if r.Facts[fact] != want {
			t.Errorf("fact %s is %q, want %q", fact, r.Facts[fact], want)
		}
	}
}
