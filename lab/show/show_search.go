package show

import (
	"fmt"
	"strings"

	"benchbook/internal/slice"
	"benchbook/lab"
	"benchbook/lab/terminal"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/render/wording"
)

// searchesOf are what searches tried and found for a cell: its values in the order written, then its capacity.
func searchesOf(c *dataset.Cell) []*record.Search {
	var out []*record.Search
	for _, s := range c.Trial.Tune {
		if found := c.Search(s.Name); found != nil {
			out = append(out, found)
		}
	}
	if found := c.Search(""); found != nil {
		out = append(out, found)
	}
	return out
}

func printSearch(a *lab.Session, s *record.Search) {
	what := "tune." + s.Name
	rows := [][]string{{s.Name, s.Metric, "phase", "counts"}}
	if s.Kind == record.SearchCapacity {
		what, rows[0][0], rows[0][3] = "capacity.rate", "rate", "meets "+s.Objective
	}
	values := slice.Map(s.Probes, func(p record.Probe) float64 { return p.Value })
	u := wording.UnitFor(s.Unit, false, values...)
	for _, p := range s.Probes {
		value, counts := "–", "yes"
		if p.Has(s.Metric) {
			value = u.Alone(p.Value)
		}
		switch {
		case p.Failure != "":
			counts = "failed: " + strings.ReplaceAll(p.Failure, "\n", " ")
		case p.Disturbed != "":
			counts = "disturbed and repeated: " + p.Disturbed
		case p.Invalid != "":
			counts = "not valid: " + p.Invalid
		case s.Kind == record.SearchCapacity && !p.Passed:
			counts = "no"
		}
		rows = append(rows, []string{candidateWords(s, &p), value, p.Phase, counts})
	}
	fmt.Fprintf(a.Stdout, "\n    search for %s: %s\n", what, FoundWords(s))
	terminal.PrintColumns(a.Stdout, "    ", rows)
}

// candidateWords writes what a probe tried: a rate, or a value.
func candidateWords(s *record.Search, p *record.Probe) string {
	u := wording.Plain
	if s.Kind == record.SearchCapacity {
		u = wording.UnitFor("1/s", false)
	}
	return u.Alone(p.Candidate)
}

// ProbeWords says what a probe came to.
func ProbeWords(s *record.Search, p *record.Probe) string {
	tried := candidateWords(s, p)
	switch {
	case p.Failure != "":
		return tried + " failed: " + strings.ReplaceAll(p.Failure, "\n", " ")
	case p.Disturbed != "":
		return tried + " is disturbed and will be repeated: " + p.Disturbed
	case p.Invalid != "":
		return tried + " is not valid: " + p.Invalid
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
