package show

import (
	"fmt"
	"math"
	"strings"

	"benchbook/internal/slice"
	"benchbook/notebook/record"
	"benchbook/render/wording"
)

// FoundWords says what a search found.
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
	record.StopPoints: "as many as this profile tries", record.StopOnly: "the only one allowed",
}

// searchSection lists the probes of a search.
func searchSection(s *record.Search) Section {
	what, head := "tune."+s.Name, []string{s.Name, s.Metric, "phase", "counts"}
	if s.Kind == record.SearchCapacity {
		what, head = "capacity.rate", []string{"rate", s.Metric, "phase", "meets " + s.Objective}
	}
	out := Section{Title: fmt.Sprintf("search for %s: %s", what, FoundWords(s)), Table: Table{Head: head}}
	values := slice.Map(s.Probes, func(p record.Probe) float64 { return p.Value })
	u := wording.UnitFor(s.Unit, false, values...)
	for _, p := range s.Probes {
		value, counts := "–", "yes"
		if p.Has(s.Metric) {
			value = u.Alone(p.Value)
		}
		if words := rejected(&p, ""); words != "" {
			counts = words
		} else if s.Kind == record.SearchCapacity && !p.Passed {
			counts = "no"
		}
		out.Table.Rows = append(out.Table.Rows, []string{candidateWords(s, &p), value, p.Phase, counts})
	}
	return out
}

// rejected says why a probe does not count; empty if it does.
func rejected(p *record.Probe, is string) string {
	switch {
	case p.Failure != "":
		return "failed: " + strings.ReplaceAll(p.Failure, "\n", " ")
	case p.Disturbed != "":
		return is + "disturbed and repeated: " + p.Disturbed
	case p.Invalid != "":
		return is + "not valid: " + p.Invalid
	}
	return ""
}

// candidateWords writes a tried rate or value.
func candidateWords(s *record.Search, p *record.Probe) string {
	u := wording.Plain
	if s.Kind == record.SearchCapacity {
		u = wording.UnitFor("1/s", false)
	}
	return u.Alone(p.Candidate)
}

// ProbeWords says what a probe found.
func ProbeWords(s *record.Search, p *record.Probe) string {
	tried := candidateWords(s, p)
	if words := rejected(p, "is "); words != "" {
		return tried + " " + words
	}
	words := tried + ": no " + s.Metric
	if p.Has(s.Metric) {
		u := wording.UnitFor(s.Unit, false, p.Value)
		words = tried + ": " + s.Metric + " " + u.Alone(p.Value)
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
