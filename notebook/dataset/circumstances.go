package dataset

import (
	"fmt"
	"slices"

	"benchbook/internal/slice"
	"benchbook/notebook/record"
	"benchbook/notebook/validity"
)

// Facts of records that say under which circumstances a cell was measured.
const (
	factShared      = "shared.services"
	factSharedStart = "shared.start"
	factAdapted     = "placement.adapted"
)

// Circumstances says what readers have to know of how a cell was measured, in sentences: of what ran already, on
// services that its repetitions share with others or with each other, which makes them less independent, on other CPUs
// than the article asks for, and without records that had to be left out.
//
// Source: docs/method.md#words-and-defaults.
func (c *Cell) Circumstances() []string {
	var out []string
	facts := func(name string) []string {
		var found []string
		for _, r := range c.Records {
			if text := r.Facts[name]; text != "" {
				found = slice.Add(found, text)
			}
		}
		return found
	}
	if len(facts(record.FactTarget)) > 0 {
		out = append(out, "of a running target")
	}
	for _, services := range facts(factShared) {
		words := "measured on shared services: " + services
		if n := len(facts(factSharedStart)); n > 1 {
			words += fmt.Sprintf(", of %d starts", n)
		}
		out = append(out, words)
	}
	if c.SharesStart() {
		out = append(out, MarkStart+": intervals do not cover differences between starts")
	}
	for _, adapted := range facts(factAdapted) {
		out = append(out, "on other CPUs than the article says: "+adapted)
	}
	if n := len(c.LeftOut); n == 1 {
		out = append(out, "a record was left out: "+c.LeftOut[0])
	} else if n > 1 {
		out = append(out, fmt.Sprintf("%d records were left out, the first: %s", n, c.LeftOut[0]))
	}
	return out
}

// SharesStart reports whether repetitions of the cell were measured on the same services.
//
// Source: docs/method.md#blocks.
func (c *Cell) SharesStart() bool {
	starts := map[string]bool{}
	for _, r := range c.Records {
		start := r.Facts[record.FactStart]
		if start != "" && starts[start] {
			return true
		}
		starts[start] = true
	}
	return false
}

// SharesStarts reports whether a cell of the experiment does.
func (e *Experiment) SharesStarts() bool {
	return slices.ContainsFunc(e.AllCells(), (*Cell).SharesStart)
}

// Stalled says which values of a result are of repetitions in which a request lost a second or more to the network.
//
// Source: docs/method.md#stalls.
func (c *Cell) Stalled(of Result) []bool {
	return slice.Map(of.repetitions, func(repetition int) bool {
		return slices.ContainsFunc(c.Records, func(r *record.Record) bool {
			return r.Repetition == repetition && validity.Stalled(r)
		})
	})
}

// UnfitForHeadline says why the cell can carry no headline claim, by half of its repetitions or more; empty if it can.
//
// Source: docs/validity.md#headline-claims.
func (c *Cell) UnfitForHeadline() string { return validity.Usual(c.Records, validity.Headline) }

// MeasuredAgain counts the repetitions of what is shown of an experiment that were measured in the place of disturbed
// ones.
func (e *Experiment) MeasuredAgain() int {
	n := 0
	for _, c := range e.AllCells() {
		for _, r := range c.Records {
			n += boolean(r.Order.Replaces > 0)
		}
	}
	return n
}

// ProbesAgain counts the probes of the experiment's own searches that were made again, as the machine had disturbed
// them.
func (e *Experiment) ProbesAgain() int {
	n := 0
	for _, c := range e.Cells {
		for _, r := range c.searches {
			if r.Experiment == e.Plan.Name { // else it is taken over
				n += r.Search.Disturbed()
			}
		}
	}
	return n
}

// SharedCores is what validity.SharedCores says of all records of the experiment's cells.
func (e *Experiment) SharedCores() (validity.CheckResult, bool) {
	var all []*record.Record
	for _, c := range e.Cells {
		all = append(all, c.Records...)
	}
	return validity.SharedCores(all)
}
