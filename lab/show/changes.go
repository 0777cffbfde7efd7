package show

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"benchbook/internal/phrase"
	"benchbook/internal/slice"
	"benchbook/notebook/compare"
	"benchbook/notebook/dataset"
	"benchbook/notebook/stats"
	"benchbook/render/wording"
)

func countVerdicts(changes []*compare.Change) string {
	var out []string
	for _, w := range []stats.Shift{stats.Worse, stats.Better, stats.Higher, stats.Lower, stats.NotShown,
		stats.NotComparable} {
		n := slice.Count(changes, func(c *compare.Change) bool { return c.Verdict == w })
		if n > 0 || w == stats.Worse || w == stats.Better {
			out = append(out, fmt.Sprintf("%d %s", n, w))
		}
	}
	return strings.Join(out, ", ")
}

// groups splits changes where the name changes.
func groups(changes []*compare.Change, name func(*compare.Change) string) (out [][]*compare.Change) {
	begin := 0
	for i := range changes {
		if i+1 == len(changes) || name(changes[i+1]) != name(changes[i]) {
			out, begin = append(out, changes[begin:i+1]), i+1
		}
	}
	return out
}

func experimentSection(changes []*compare.Change) Section {
	s := Section{Title: changes[0].ExperimentName()}
	if !slices.ContainsFunc(changes, func(c *compare.Change) bool { return !c.Unchanged }) {
		s.Lines = []string{"both sides are the same repetitions"}
		return s
	}
	s.Table = Table{Head: []string{"metric", "cell", "A", "B", "change", "verdict"}, Right: []int{2, 3, 4}}
	var floors, marks noteGroups
	var cells []string
	for _, group := range groups(changes, func(c *compare.Change) string { return c.Metric.Name }) {
		var results []dataset.Result
		for _, c := range group {
			results = append(results, c.ResultA, c.ResultB)
		}
		name, u := group[0].Metric.Name, wording.ColumnOf(group[0].Metric, results...)
		side := func(r dataset.Result) string {
			if r.Missing != "" { // the verdict gives the reason
				return "–"
			}
			return wording.Estimate(r, u)
		}
		first := name
		for _, c := range group {
			verdict := string(c.Verdict)
			if c.Reason != "" {
				verdict += ": " + c.Reason
			}
			s.Table.Rows = append(s.Table.Rows, []string{first, c.Name, side(c.ResultA), side(c.ResultB), changeWords(c), verdict})
			first = ""
			if c.HasFloor {
				floors.add("noise floor "+wording.PercentUnit.Alone(c.Floor), name)
			}
			cells = slice.Add(cells, c.Name)
			for _, mark := range c.Marks {
				marks.add(mark, c.Name)
			}
		}
	}
	s.Notes = append(floors.lines(), marks.within(len(cells))...)
	return s
}

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
	u.Signed = true
	decimals := u.Decimals(wording.Reading(e))
	if e.Interval == nil {
		return u.Quantity(e.Number, decimals)
	}
	return fmt.Sprintf("%s [%s]", u.Quantity(e.Number, decimals), u.Between(e.Interval.Lo, e.Interval.Hi, decimals))
}

// maxDetails is the largest number of rows for one difference.
const maxDetails = 12

// differences returns a table with a row for each part of each difference.
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

// A Proof says whether a planted slowdown of a cell would have been seen.
type Proof struct {
	Cell     string   `json:"cell"`
	Metric   string   `json:"metric"`
	Slowdown float64  `json:"slowdown"` // such as 0.1
	Change   *float64 `json:"change"`   // measured change, as in type Change
	Lo       *float64 `json:"lo"`
	Hi       *float64 `json:"hi"`
	Seen     bool     `json:"seen"`
	Reason   string   `json:"reason,omitempty"`

	shown string
}

func newProof(p *compare.Proof, slowdown float64) Proof {
	n := numberOf(p.Effect)
	return Proof{Cell: p.CellName(), Metric: p.Metric.Name, Slowdown: slowdown, Change: n.Value, Lo: n.Lo, Hi: n.Hi,
		Seen: p.Seen, Reason: p.Reason, shown: changeWords(p.Change)}
}

func (p *Proof) String() string {
	words := "would have been seen"
	if !p.Seen {
		words = "would not have been seen"
	}
	out := fmt.Sprintf("a slowdown of %s in %s %s: planted in the second measurement of %s, it shows as %s",
		phrase.Percent(p.Slowdown), p.Metric, words, p.Cell, p.shown)
	if p.Reason != "" {
		out += " (" + p.Reason + ")"
	}
	return out
}
