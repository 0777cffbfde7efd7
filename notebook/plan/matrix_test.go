package plan

import (
	"testing"
)

func TestUnavailableTrialsDoNotChangeTheOrder(t *testing.T) {
	with := func(rows string) *Experiment {
		return mustPlan(t, text(block("name: e\ncommand: {image: x, run: y}\nmatrix: {include: ["+rows+"]}\n")), Options{},
			nil)
	}
	a, b := with("{a: 1}, {a: 2}"), with("{a: 1}, {a: 3, unavailable: gone}, {a: 2}")
	if a.Digest != b.Digest || a.Seed != b.Seed {
		t.Error("a row that cannot be measured makes another run of it")
	}
}
