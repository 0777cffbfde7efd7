package dataset

import (
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
)

// Validity says how far one repetition can be believed, from its record alone, and what each check that applies to it came to.
// A repetition that could not be run is invalid.
//
// Source: docs/method.md#valid-cells.
func Validity(r *record.Record) (Level, []CheckResult) {
	if r.Failure != "" {
		return Invalid, []CheckResult{{Name: "run", Level: Invalid, Words: r.Failure}}
	}
	a := (&Cell{Records: []*record.Record{r}}).assess("")
	checks := []CheckResult{{Name: "run", Level: OK}}
	for i, name := range a.names {
		f := a.findings[i][0]
		checks = append(checks, CheckResult{Name: name, Level: f.level, Words: f.words})
	}
	if a.steady.Name != "" {
		checks = append(checks, a.steady)
	}
	return a.level, checks
}

// Value gives one metric of one repetition, in the metric's base unit, whether the repetition is valid or not, or the reason why it
// has none. Added are the metrics that its experiment adds, some of which are computed from others.
func Value(r *record.Record, metric string, added []plan.Metric) (value float64, missing string) {
	if r.Failure != "" {
		return 0, "failed: " + r.Failure
	}
	return readWith((&inflater{}).decode, r, metric, added)
}
