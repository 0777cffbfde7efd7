package main

import (
	"fmt"
	"math"
	"strings"

	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/render/number"
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

// printSearch lists the probes of a search.
func printSearch(a *session, s *record.Search) {
	what, candidate := "tune."+s.Name, number.Plain
	rows := [][]string{{s.Name, s.Metric, "phase", "counts"}}
	if s.Kind == record.SearchCapacity {
		what, candidate = "capacity.rate", number.For("1/s", false)
		rows[0][0], rows[0][3] = "rate", "meets "+s.Objective
	}
	var values []float64
	for _, p := range s.Probes {
		values = append(values, p.Value)
	}
	u := number.For(s.Unit, false, values...)
	for _, p := range s.Probes {
		tried := candidate.Quantity(p.Candidate, max(0, candidate.Decimals(p.Candidate, math.NaN(), math.NaN())))
		value, counts := "–", "yes"
		if p.Has(s.Metric) {
			value = u.Quantity(p.Value, u.Decimals(p.Value, math.NaN(), math.NaN()))
		}
		switch {
		case p.Failure != "":
			counts = "failed: " + strings.ReplaceAll(p.Failure, "\n", " ")
		case p.Disturbed != "":
			counts = "disturbed, and made again: " + p.Disturbed
		case p.Invalid != "":
			counts = "not valid: " + p.Invalid
		case s.Kind == record.SearchCapacity && !p.Passed:
			counts = "no"
		}
		rows = append(rows, []string{tried, value, p.Phase, counts})
	}
	fmt.Fprintf(a.stdout, "\n    search for %s: %s\n", what, foundWords(s))
	printColumns(a.stdout, "    ", rows)
}
