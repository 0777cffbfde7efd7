package hosts

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"benchbook/notebook/compare"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
	"benchbook/render/cellview"
	"benchbook/render/datafile"
	"benchbook/render/figure"
	"benchbook/render/number"
	"benchbook/render/outcome"
	"benchbook/render/wording"
	"benchbook/slice"
)

// Figure shows each cell as a ratio to the first host, in a panel for each further one.
type Figure struct {
	ID, Title, Sub string
	Panels         []Panel
	Missing        string // why there is nothing to draw
	HowTo          []string
	Cells          string // how many are drawn, in words
	Data           *datafile.Table
}

// Panel is a host beside the first.
type Panel struct {
	ID         string
	Host, Name string      // empty if there is one panel
	Rows       figure.Rows // without rows if none can be drawn
	Missing    string      // why
}

// mostRows is how many cells a panel shows. The data have all of them.
const mostRows = 60

// hostSeries is the colour of hosts: none that a family of cells has at the beginning of a palette.
const hostSeries = 4

// Figure draws the cells that two hosts measured.
func (s *Sheet) Figure() Figure {
	const id = "fig-hosts"
	first := s.Hosts[0].Name
	f := Figure{ID: id, Title: s.figureTitle(), Data: &datafile.Table{Columns: []string{"experiment", "cell", "metric",
		"unit", "first_host", "first_run", "first", "first_lo", "first_hi", "host", "run", "value", "lo", "hi", "ratio",
		"ratio_lo", "ratio_hi", "verdict"}}}
	drawn, which := s.drawnCells()
	most := 0
	scales := s.scales()
	var ends []float64
	for i := range s.Pairs {
		p := &s.Pairs[i]
		panel := Panel{ID: id, Rows: p.rows(drawn, scales)}
		if len(s.Pairs) > 1 {
			panel.ID, panel.Host = fmt.Sprintf("%s-%d", id, i+1), p.Host.Name
			panel.Name = p.Host.Name + ", " + p.Sum()
		}
		if n := len(panel.Rows.Rows); n == 0 {
			panel.Missing = fmt.Sprintf("No cell was measured on both %s and %s in a way that can be compared.", first,
				p.Host.Name)
		}
		panel.Rows.Head.ID = panel.ID
		for _, row := range panel.Rows.Rows {
			ends = append(ends, row.Value, row.Lo, row.Hi)
		}
		most = max(most, len(panel.Rows.Rows))
		p.addTo(f.Data)
		f.Panels = append(f.Panels, panel)
	}
	if len(s.Pairs) > 1 { // panels share their axis
		ends = slices.DeleteFunc(ends, func(v float64) bool { return !dataset.Finite(v) || v <= 0 })
		for i := range f.Panels {
			f.Panels[i].Rows.X.Also = ends
		}
	}
	if !slices.ContainsFunc(f.Panels, func(p Panel) bool { return p.Missing == "" }) {
		f.Missing = "No cell was measured on two hosts in a way that can be compared."
		return f
	}
	on := "each host"
	if len(s.Pairs) == 1 {
		on = s.Pairs[0].Host.Name
	}
	subject := cmp.Or(scales.subject, "values")
	if strings.Contains(subject, ", ") { // with its unit
		subject += ","
	}
	f.Sub = wording.Capital(subject) + " on " + on + " as a ratio to " + first + ", on a log scale"
	f.Cells, f.HowTo = number.Count(most, "cell"), s.howTo(which)
	return f
}

// figureTitle says how far the values of the hosts agree.
func (s *Sheet) figureTitle() string {
	if len(s.Pairs) > 1 {
		return "The values of " + every(len(s.Hosts)) + ", relative to " + s.Hosts[0].Name
	}
	p := &s.Pairs[0]
	near, shifted := slice.Count(p.Cells, isNear), slice.Count(p.Cells, isShifted)
	switch all := len(p.Cells); {
	case all == 0:
		return "The values of both hosts"
	case near == all:
		return "All values agree within " + smallest
	case shifted == 0:
		return "No value was found to differ"
	case shifted == all:
		return "All values differ"
	default:
		return fmt.Sprintf("%d of %d values differ", shifted, all)
	}
}

// drawnCells are those of the first host that are drawn where there are too many, and which these are, in words: those
// of claims, headline claims first, as far as there is room, or else the first ones. All are drawn if it is nil.
func (s *Sheet) drawnCells() (only map[*dataset.Cell]bool, which string) {
	if !slices.ContainsFunc(s.Pairs, func(p Pair) bool { return len(p.Cells) > mostRows }) {
		return nil, ""
	}
	only, which = map[*dataset.Cell]bool{}, "cells of claims"
	for i, c := range s.Headlines() {
		if i == 0 && c.Block.Headline.V {
			which = "cells of headline claims"
		}
		cells := slice.Filter(outcome.CellsOf(c.Results[0].Judgement), func(cell *dataset.Cell) bool { return !only[cell] })
		if len(only)+len(cells) <= mostRows {
			for _, cell := range cells {
				only[cell] = true
			}
		}
	}
	if slices.ContainsFunc(s.Pairs, func(p Pair) bool {
		return slices.ContainsFunc(p.Cells, func(c *compare.Change) bool { return only[c.A] })
	}) {
		return only, which
	}
	for i := range s.Pairs {
		for _, c := range s.Pairs[i].Cells[:min(mostRows, len(s.Pairs[i].Cells))] {
			only[c.A] = true
		}
	}
	return only, "first cells"
}

// scales are the units and digits in which values are written.
type scales struct {
	of      map[*dataset.Experiment]cellview.Quantity // of the first host
	subject string                                    // of all of them; empty if they differ
}

// scales chooses a unit for the values of each experiment on all hosts.
func (s *Sheet) scales() scales {
	results, metrics := map[*dataset.Experiment][]dataset.Result{}, map[*dataset.Experiment]record.Metric{}
	for i := range s.Pairs {
		for _, c := range s.Pairs[i].Cells {
			e := c.A.Experiment
			results[e], metrics[e] = append(results[e], c.ResultA, c.ResultB), c.Metric
		}
	}
	out := scales{of: map[*dataset.Experiment]cellview.Quantity{}}
	subjects := map[string]bool{}
	for e, list := range results {
		q := cellview.Quantity{Metric: metrics[e], Unit: wording.ColumnOf(metrics[e], list...)}
		q.Axis = cellview.QuantityWords(q.Metric, q.Unit.Unit)
		out.of[e], out.subject = q, q.Subject()
		subjects[out.subject] = true
	}
	if len(subjects) != 1 {
		out.subject = ""
	}
	return out
}

// rows are the cells of a panel, those of an experiment below its name if there are several.
func (p *Pair) rows(only map[*dataset.Cell]bool, in scales) figure.Rows {
	list := slice.Filter(p.Cells, func(c *compare.Change) bool { return only == nil || only[c.A] })
	f := figure.Rows{Series: make([]string, hostSeries), X: figure.Axis{Name: "ratio to " + p.First.Name,
		Scale: figure.Log}, Reference: &figure.Reference{Value: 1, Label: "same"}}
	several := slices.ContainsFunc(list, func(c *compare.Change) bool { return c.A.Experiment != list[0].A.Experiment })
	var described []string
	for i, c := range list {
		e := c.A.Experiment
		row := p.row(c, in.of[e].Unit)
		if several {
			row.Title = e.Plan.Name + ", " + row.Title
		}
		described = append(described, row.Title)
		if several && (i == 0 || list[i-1].A.Experiment != e) {
			if row.Section = cmp.Or(strings.TrimRight(e.Plan.Description, "."), e.Plan.Name); in.subject == "" {
				row.Section += ": " + in.of[e].Subject()
			}
		}
		f.Rows = append(f.Rows, row)
	}
	f.Head = figure.Head{Title: "Values on " + p.Host.Name + " as ratios to " + p.First.Name,
		Desc: "Cells, one row each: " + strings.Join(described, "; ") + "."}
	return f
}

// row is a cell as a ratio to the first host, with the values of both.
func (p *Pair) row(c *compare.Change, u number.Column) figure.Row {
	row := figure.Row{Name: c.Name(), Series: hostSeries, Value: c.Effect.Number + 1, Lo: math.NaN(), Hi: math.NaN(),
		Published: math.NaN()}
	reading := number.Reading{Value: row.Value, Step: c.Effect.Step}
	if i := c.Effect.Interval; i != nil {
		row.Lo, row.Hi = i.Lo+1, i.Hi+1
		reading.Lo, reading.Hi = row.Lo, row.Hi
		row.Range = c.Effect.Kind == stats.RangeOfTwo
	}
	a, b := wording.ReadingOf(c.ResultA), wording.ReadingOf(c.ResultB)
	row.Label = u.Aligned(a) + " → " + u.Aligned(b)
	decimals := number.Times.Decimals(reading)
	row.Title = fmt.Sprintf("%s: %s on %s, %s on %s; ratio %s", c.Name(), wording.Estimate(c.ResultA, u), p.First.Name,
		wording.Estimate(c.ResultB, u), p.Host.Name, number.Times.Quantity(row.Value, decimals))
	if c.Effect.Interval != nil {
		row.Title += " [" + number.Times.Range(row.Lo, row.Hi, decimals) + "]"
	}
	for _, cell := range []*dataset.Cell{c.A, c.B} {
		if state := cellview.StateOf(cell); state != "" {
			row.Hollow = true
			row.Title += ", " + state + " on " + cell.Records[0].Host
		}
	}
	return row
}

// howTo says how to read the figure.
func (s *Sheet) howTo(which string) []string {
	const interval = "Mark: the value on the other host over that on the first. Box: the 95\u202f% interval of that " +
		"ratio, which covers how repetitions vary on each host, and not what differs between hosts."
	out := []string{interval, "Right: the value on " + s.Hosts[0].Name + " → that on the other host."}
	if len(s.Pairs) == 1 {
		out[1] = "Right: the value on " + s.Hosts[0].Name + " → that on " + s.Hosts[1].Name + "."
	}
	if slices.ContainsFunc(s.Pairs, func(p Pair) bool { return p.Unlike }) {
		out = append(out, "Hosts differ in processor or cores, so absolute values may differ: compare how rows lie to each "+
			"other.")
	}
	if which != "" {
		out = append(out, "Drawn are the "+which+"; the data have all.")
	}
	var cells []*dataset.Cell
	var here, there []string
	for i := range s.Pairs {
		p := &s.Pairs[i]
		for _, c := range p.Cells {
			cells = append(cells, c.A, c.B)
		}
		if p.Here > 0 {
			here = append(here, number.Count(p.Here, "cell")+" of "+p.Host.Name)
		}
		if p.There > 0 {
			there = append(there, number.Count(p.There, "cell")+" of "+p.Host.Name)
		}
	}
	if len(here) > 0 {
		out = append(out, "Not drawn, as they have no value there: "+wording.List(here)+".")
	}
	if len(there) > 0 {
		out = append(out, "Not drawn, as "+s.Hosts[0].Name+" has no value: "+wording.List(there)+".")
	}
	return append(out, cellview.HollowWords(cells)...)
}

// addTo adds the values of both hosts to the data of the figure.
func (p *Pair) addTo(data *datafile.Table) {
	for _, c := range p.Cells {
		row := []any{c.A.Experiment.Plan.Name, c.A.Trial.Name, c.Metric.Name, c.Metric.Unit}
		for _, side := range []struct {
			host, run string
			of        dataset.Result
		}{{p.First.Name, c.A.Run, c.ResultA}, {p.Host.Name, c.B.Run, c.ResultB}} {
			lo, hi := cellview.Ends(side.of)
			row = append(row, side.host, side.run, cellview.Bound(true, side.of.Estimate.Centre), cellview.Bound(true, lo),
				cellview.Bound(true, hi))
		}
		var lo, hi any
		if i := c.Effect.Interval; i != nil {
			lo, hi = cellview.Bound(true, i.Lo+1), cellview.Bound(true, i.Hi+1)
		}
		data.Add(row, c.Effect.Number+1, lo, hi, string(c.Verdict))
	}
}
