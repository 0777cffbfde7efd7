package wording

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"benchbook/notebook/compare"
	"benchbook/notebook/dataset"

	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/notebook/stats"

	"benchbook/internal/slice"
)

func Change(c *compare.Change) string {
	e := c.Effect
	if e == nil {
		return "–"
	}
	u := PercentUnit
	switch {
	case c.Points && c.Metric.Share:
		u = Unit{Symbol: "points", Scale: 0.01}
	case c.Points:
		u = UnitFor(c.Metric.Unit, false, e.Number)
	}
	decimals := u.Decimals(Reading(e))
	if e.Interval == nil {
		return u.Signed(e.Number, decimals)
	}
	return fmt.Sprintf("%s [%s]", u.Signed(e.Number, decimals), u.SignedBetween(e.Interval.Lo, e.Interval.Hi, decimals))
}

// Verdict writes the verdict on a change, with its reason.
func Verdict(c *compare.Change) string {
	if c.Reason == "" {
		return string(c.Verdict)
	}
	var without []string // notes say why cells are not valid, once for all metrics
	for _, side := range []struct {
		name   string
		result dataset.Result
	}{{"A", c.ResultA}, {"B", c.ResultB}} {
		if strings.HasPrefix(side.result.Missing, InvalidReason) {
			without = append(without, side.name)
		}
	}
	if len(without) > 0 {
		return fmt.Sprintf("%s: %s not valid", c.Verdict, strings.Join(without, " and "))
	}
	return string(c.Verdict) + ": " + c.Reason
}

// InvalidReason begins the reason of a result that is missing because the cell is not valid.
const InvalidReason = "invalid: "

// A ChangeTable holds the changes of one metric of one experiment.
type ChangeTable struct {
	Metric  record.Metric
	Changes []*compare.Change

	experiment string // with its article
}

func tablesOf(changes []compare.Change) []ChangeTable {
	var out []ChangeTable
	for i := range changes {
		change := &changes[i]
		k := slices.IndexFunc(out, func(t ChangeTable) bool {
			return t.experiment == change.ExperimentName() && t.Metric.Name == change.Metric.Name
		})
		if k < 0 {
			k = len(out)
			out = append(out, ChangeTable{experiment: change.ExperimentName(), Metric: change.Metric})
		}
		out[k].Changes = append(out[k].Changes, change)
	}
	return out
}

// Title is the metric with the noise floor, or why that was not measured.
func (t *ChangeTable) Title() string {
	floor, isMeasured, why := 0.0, false, ""
	for _, c := range t.Changes {
		floor, isMeasured, why = max(floor, c.Floor), isMeasured || c.HasFloor, cmp.Or(why, c.NoFloor)
	}
	switch {
	case isMeasured:
		return fmt.Sprintf("%s, noise floor %s", t.Metric.Name, PercentUnit.Alone(floor))
	case why != "":
		return fmt.Sprintf("%s, noise floor not measured: %s", t.Metric.Name, why)
	}
	return t.Metric.Name
}

// Rows are the rows below the head "cell A B change verdict".
func (t *ChangeTable) Rows() [][]string {
	var results []dataset.Result
	for _, c := range t.Changes {
		results = append(results, c.ResultA, c.ResultB)
	}
	u := ColumnOf(t.Metric, results...)
	var rows [][]string
	for _, c := range t.Changes {
		// What is missing stands in the verdict, too.
		side := func(r dataset.Result) string {
			if r.Missing != "" {
				return "–"
			}
			return Estimate(r, u)
		}
		rows = append(rows, []string{c.Name(), side(c.ResultA), side(c.ResultB), Change(c), Verdict(c)})
	}
	return rows
}

type ExperimentChanges struct {
	Name   string // with its article
	Tables []ChangeTable
}

// Changes groups changes by experiment and metric, in their order.
func Changes(changes []compare.Change) []ExperimentChanges {
	var out []ExperimentChanges
	for _, t := range tablesOf(changes) {
		if len(out) == 0 || out[len(out)-1].Name != t.experiment {
			out = append(out, ExperimentChanges{Name: t.experiment})
		}
		out[len(out)-1].Tables = append(out[len(out)-1].Tables, t)
	}
	return out
}

// Unchanged reports whether both sides are the same repetitions.
func (e *ExperimentChanges) Unchanged() bool {
	return !slices.ContainsFunc(e.Tables, func(t ChangeTable) bool {
		return slices.ContainsFunc(t.Changes, func(c *compare.Change) bool { return !c.Unchanged })
	})
}

// Notes are the marks of the changes, each with its metrics and cells unless all have it.
func (e *ExperimentChanges) Notes() []string {
	var marks []string
	cells, metrics := map[string][]string{}, map[string][]string{}
	add := func(list []string, name string) []string {
		if slices.Contains(list, name) {
			return list
		}
		return append(list, name)
	}
	var all []string
	for _, t := range e.Tables {
		for _, c := range t.Changes {
			all = add(all, c.Name())
			marksOfCell := c.Marks
			if strings.Contains(c.Reason, InvalidReason) {
				marksOfCell = append(slices.Clip(marksOfCell), c.Reason)
			}
			for _, m := range marksOfCell {
				if m == dataset.MarkNoFloor { // the titles of its tables say why
					continue
				}
				if cells[m] == nil {
					marks = append(marks, m)
				}
				cells[m], metrics[m] = add(cells[m], c.Name()), add(metrics[m], t.Metric.Name)
			}
		}
	}
	for i, m := range marks {
		var of []string
		if len(metrics[m]) < len(e.Tables) {
			of = append(of, strings.Join(metrics[m], ", "))
		}
		if len(cells[m]) < len(all) {
			of = append(of, strings.Join(cells[m], "; "))
		}
		if len(of) > 0 {
			marks[i] = fmt.Sprintf("%s (%s)", m, strings.Join(of, " of "))
		}
	}
	return marks
}

// Sum counts the changes of each verdict.
func Sum(changes []compare.Change) string {
	words := []stats.Shift{stats.Worse, stats.Better, stats.Higher, stats.Lower, stats.NotShown, stats.NotComparable}
	var out []string
	for _, w := range words {
		n := slice.Count(changes, func(c compare.Change) bool { return c.Verdict == w })
		if n > 0 || w == stats.Worse || w == stats.Better {
			out = append(out, fmt.Sprintf("%d %s", n, w))
		}
	}
	return strings.Join(out, ", ")
}

// Where lists the cells of a difference, and says if it cannot have caused the changes.
func Where(d *compare.Difference) string {
	out := ""
	if !d.All {
		out = ", in " + strings.Join(d.Cells, "; ")
	}
	if d.OneSided {
		out += " (recorded on one side only)"
	}
	return out
}

// MaxDetails is how many lines a difference has for people; data have all.
const MaxDetails = 12

// Details lists the parts of a difference, one in a line.
func Details(d *compare.Difference) []string {
	var out []string
	for i, p := range d.Parts {
		if i == MaxDetails-1 && len(d.Parts) > MaxDetails {
			return append(out, fmt.Sprintf("and %d more", len(d.Parts)-i))
		}
		out = append(out, p.String())
	}
	return out
}

// Apart warns of the time between A and B, in which anything may have changed; no noise floor of one run covers it.
func Apart(d time.Duration) string {
	if d = d.Abs(); d == 0 {
		return ""
	}
	words := spec.FormatDuration(d.Round(time.Minute))
	if d < time.Minute {
		words = "less than a minute"
	}
	if days := int(d.Hours() / 24); days > 1 {
		words = fmt.Sprintf("%d days", days)
	}
	return fmt.Sprintf("A and B were measured %s apart: every change includes whatever else changed in between, which "+
		"the noise floor does not cover", words)
}
