package show

import (
	"fmt"
	"math"
	"strings"

	"benchbook/notebook/record"
	"benchbook/render/wording"
)

// FoundWords returns the result of a search in words.
func FoundWords(s *record.Search) string {
	rate := wording.UnitFor("1/s", false)
	switch {
	case s.Reason != "":
		return "no value found: " + s.Reason
	case s.Kind == record.SearchTune:
		words := wording.Plain.Tuned(float64(s.Chosen), s.Lo, s.Hi)
		if s.Matters >= 1 {
			words += fmt.Sprintf(", the best %.2g times as good as the worst", s.Matters)
		}
		return words + " (" + stopWords[s.Stop] + ")"
	case s.Hi == 0:
		return rate.Capacity(s.Lo, math.Inf(1))
	}
	return rate.Capacity(s.Lo, s.Hi)
}

// stopWords say why a search for a value ended.
var stopWords = map[string]string{
	record.StopWorse: "larger ones were no better", record.StopLimit: "up to the largest allowed",
	record.StopBudget: "until its budget was over",
	record.StopOnly:   "the only one allowed",
}

// searchSection lists the probes of a search.
func searchSection(s *record.Search) Section {
	what := "tune." + s.Name
	if s.Kind == record.SearchCapacity {
		what = "capacity.rate, objective " + s.Objective
	}
	out := Section{Title: fmt.Sprintf("search for %s: %s", what, FoundWords(s)),
		Table: Table{Head: []string{"phase", "probe"}}}
	for i := range s.Probes {
		out.Table.Rows = append(out.Table.Rows, []string{s.Probes[i].Phase, ProbeWords(s, &s.Probes[i])})
	}
	return out
}

// ProbeWords returns the result of a probe in words.
func ProbeWords(s *record.Search, p *record.Probe) string {
	u := wording.Plain
	if s.Kind == record.SearchCapacity {
		u = wording.UnitFor("1/s", false)
	}
	tried := u.Alone(p.Candidate)
	switch {
	case p.Failure != "":
		return tried + " failed: " + strings.ReplaceAll(p.Failure, "\n", " ")
	case p.Disturbed != "":
		return tried + " is disturbed and repeated: " + p.Disturbed
	case p.Invalid != "":
		return tried + " is not valid: " + p.Invalid
	}
	words := tried + ": no " + s.Metric
	if p.Has(s.Metric) {
		words = tried + ": " + s.Metric + " " + wording.UnitFor(s.Unit, false, p.Value).Alone(p.Value)
	}
	switch {
	case s.Kind == record.SearchTune:
	case p.Passed:
		words += ", meets the objective"
	default:
		words += ", does not meet the objective"
	}
	return words
}
