package show

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"benchbook/internal/slice"
	"benchbook/notebook/compare"
	"benchbook/notebook/dataset"
	"benchbook/notebook/spec"
	"benchbook/notebook/stats"
	"benchbook/render/wording"
)

// countVerdicts counts the changes of each verdict.
func countVerdicts(changes []compare.Change) string {
	var out []string
	for _, w := range []stats.Shift{stats.Worse, stats.Better, stats.Higher, stats.Lower, stats.NotShown,
		stats.NotComparable} {
		n := slice.Count(changes, func(c compare.Change) bool { return c.Verdict == w })
		if n > 0 || w == stats.Worse || w == stats.Better {
			out = append(out, fmt.Sprintf("%d %s", n, w))
		}
	}
	return strings.Join(out, ", ")
}

// groups splits changes into runs with the same name.
func groups(changes []compare.Change, name func(*compare.Change) string) (out [][]compare.Change) {
	begin := 0
	for i := range changes {
		if i+1 == len(changes) || name(&changes[i+1]) != name(&changes[i]) {
			out, begin = append(out, changes[begin:i+1]), i+1
		}
	}
	return out
}

// experimentSection has the changes of one experiment.
func experimentSection(changes []compare.Change) Section {
	s := Section{Title: changes[0].ExperimentName()}
	if !slices.ContainsFunc(changes, func(c compare.Change) bool { return !c.Unchanged }) {
		s.Lines = []string{"both sides are the same repetitions"}
		return s
	}
	s.Table = Table{Head: []string{"metric", "cell", "A", "B", "change", "verdict"}, Right: []int{2, 3, 4}}
	var floors grouped
	metrics := groups(changes, func(c *compare.Change) string { return c.Metric.Name })
	for _, group := range metrics {
		var results []dataset.Result
		for _, c := range group {
			results = append(results, c.ResultA, c.ResultB)
		}
		metric, u := group[0].Metric, wording.ColumnOf(group[0].Metric, results...)
		side := func(r dataset.Result) string {
			if r.Missing != "" { // the verdict has the reason
				return "–"
			}
			return wording.Estimate(r, u)
		}
		name := metric.Name
		for i := range group {
			c := &group[i]
			s.Table.Rows = append(s.Table.Rows, []string{name, c.Name(), side(c.ResultA), side(c.ResultB), changeWords(c),
				verdictWords(c)})
			name = ""
		}
		if words := floorWords(group); words != "" {
			floors.add(words, metric.Name)
		}
	}
	s.Notes = append(floors.lines(), changeNotes(changes, len(metrics))...)
	return s
}

// changeWords writes a change with its interval.
func changeWords(c *compare.Change) string {
	e := c.Effect
	if e == nil {
		return "–"
	}
	u := wording.PercentUnit
	switch {
	case c.Points && c.Metric.Share:
		u = wording.Unit{Symbol: "points", Scale: 0.01}
	case c.Points:
		u = wording.UnitFor(c.Metric.Unit, false, e.Number)
	}
	decimals := u.Decimals(wording.Reading(e))
	if e.Interval == nil {
		return u.Signed(e.Number, decimals)
	}
	return fmt.Sprintf("%s [%s]", u.Signed(e.Number, decimals), u.SignedBetween(e.Interval.Lo, e.Interval.Hi, decimals))
}

// verdictWords writes the verdict on a change with its reason. Notes have the reasons of cells that are not valid.
func verdictWords(c *compare.Change) string {
	var invalid []string
	if strings.HasPrefix(c.ResultA.Missing, wording.InvalidReason) {
		invalid = append(invalid, "A")
	}
	if strings.HasPrefix(c.ResultB.Missing, wording.InvalidReason) {
		invalid = append(invalid, "B")
	}
	switch {
	case c.Reason == "":
		return string(c.Verdict)
	case invalid != nil:
		return fmt.Sprintf("%s: %s not valid", c.Verdict, strings.Join(invalid, " and "))
	}
	return string(c.Verdict) + ": " + c.Reason
}

// floorWords is the noise floor of the changes of a metric, or the reason why it was not measured.
func floorWords(changes []compare.Change) string {
	floor, isMeasured, why := 0.0, false, ""
	for _, c := range changes {
		floor, isMeasured, why = max(floor, c.Floor), isMeasured || c.HasFloor, cmp.Or(why, c.NoFloor)
	}
	switch {
	case isMeasured:
		return "noise floor " + wording.PercentUnit.Alone(floor)
	case why != "":
		return "noise floor not measured: " + why
	}
	return ""
}

// changeNotes are the marks of changes, each with its metrics and cells unless all have it.
func changeNotes(changes []compare.Change, allMetrics int) []string {
	var cells, metrics grouped
	var allCells []string
	for i := range changes {
		c := &changes[i]
		allCells = slice.Add(allCells, c.Name())
		marks := slices.Clone(c.Marks)
		if strings.Contains(c.Reason, wording.InvalidReason) {
			marks = append(marks, c.Reason)
		}
		for _, m := range marks {
			if m != dataset.MarkNoFloor { // floorWords says why
				cells.add(m, c.Name())
				metrics.add(m, c.Metric.Name)
			}
		}
	}
	return slice.Map(cells.texts, func(m string) string {
		var of []string
		if names := metrics.names[m]; len(names) < allMetrics {
			of = append(of, strings.Join(names, ", "))
		}
		if names := cells.names[m]; len(names) < len(allCells) {
			of = append(of, strings.Join(names, "; "))
		}
		if of == nil {
			return m
		}
		return fmt.Sprintf("%s (%s)", m, strings.Join(of, " of "))
	})
}

// maxDetails is how many rows a difference has for people.
const maxDetails = 12

// differences has a row for each part of a difference.
func differences(list []compare.Difference) Table {
	t := Table{Head: []string{"what", "A", "B", "where"}}
	for _, d := range list {
		where := "all cells"
		if !d.All {
			where = "in " + strings.Join(d.Cells, "; ")
		}
		if d.OneSided {
			where += " (recorded on one side only)"
		}
		for k, p := range d.Parts {
			if k == maxDetails-1 && len(d.Parts) > maxDetails {
				t.Rows = append(t.Rows, []string{fmt.Sprintf("%d more of %s", len(d.Parts)-k, d.Subject), "", "", where})
				break
			}
			t.Rows = append(t.Rows, []string{p.Name, cmp.Or(p.A, "none"), cmp.Or(p.B, "none"), where})
		}
	}
	if t.Rows == nil {
		return Table{}
	}
	return t
}

// apartWords warns of the time between A and B, in which anything may have changed; empty if there is none.
func apartWords(d time.Duration) string {
	if d == 0 {
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
