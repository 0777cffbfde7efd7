package table

import (
	"math"
	"strconv"
	"strings"

	"benchbook/render/number"
)

// Layout is a table as a template prints it.
type Layout struct {
	Heads  []Head
	Rows   []LaidRow
	Notes  []LaidNote
	Scale  string // the ends of the plots' scale in words; empty without plots
	Shifts bool   // some row has moved against the published order, or kept its place
}

// Head is the head of a column.
type Head struct {
	Words, Unit string
	Class       string
	Sort        string   // value of aria-sort for the column that the rows are sorted by
	Axis        []string // the two ends of the scale, for the column of plots
}

// LaidRow is a row of a Layout.
type LaidRow struct {
	ID    string
	Cells []Cell
}

// LaidNote is a note below the table.
type LaidNote struct{ ID, Number, Text string }

// Cell is one cell of a Layout. Exactly one of the ways to fill it is used: the name of the row, a plot, a group, notes, a
// missing value, a value, or plain text.
type Cell struct {
	IsName bool
	Text   string // of a name, and of plain text
	More   string // the other words of the row, which follow its name on a telephone

	Class string
	Label string // what stands before the text on a telephone, where there are no heads
	Sort  string // what a script sorts by

	Plot     *Plot
	Group    string
	Why      []Why
	Missing  string
	Before   string // "≥ " before a lower bound
	Strong   string // the estimate
	Interval string
	Shift    *Shift
}

// Plot is an estimate and its interval on the scale of its column, in per cent of its width.
type Plot struct {
	Lo, Hi, X string
	Interval  bool
	AtLeast   bool
}

// Why is a note in short, leading to the whole of it.
type Why struct{ ID, Short, Full string }

// Shift is how far a row moved against the published order.
type Shift struct{ Text, Class, Title string }

// Layout lays the table out.
func (t Table) Layout() Layout {
	l := layouter{Table: t, rows: t.sorted()}
	for i, m := range t.Metrics {
		l.units = append(l.units, l.unit(i, m))
	}
	if t.Main >= 0 {
		l.scale = l.newScale()
	}
	for _, r := range l.rows {
		l.noted = l.noted || len(r.Notes) > 0
		l.grouped = l.grouped || r.Group != ""
	}
	l.heads()
	for i, r := range l.rows {
		l.row(t.ID+"-r"+strconv.Itoa(i+1), r)
	}
	return l.out
}

type layouter struct {
	Table
	rows    []Row
	units   []number.Unit
	scale   *scale
	noted   bool
	grouped bool
	out     Layout
}

// unit chooses one for a column: that in which most of its values are best read.
func (l *layouter) unit(i int, m Metric) number.Unit {
	var centres []float64
	for _, r := range l.rows {
		if v := r.Values[i]; v.Missing == "" {
			centres = append(centres, v.Centre)
		} else if !math.IsNaN(v.Published) {
			centres = append(centres, v.Published)
		}
	}
	return number.For(m.Base, m.Share, centres...)
}

// head names the unit of a column.
func (m Metric) head(u number.Unit) string {
	if u.Symbol == "/s" && m.Per == "" {
		return "per second"
	}
	return m.Per + u.Symbol
}

func (l *layouter) heads() {
	add := func(h Head) { l.out.Heads = append(l.out.Heads, h) }
	for i, w := range l.Words {
		h := Head{Words: w}
		if i > 0 {
			h.Class = "fwc"
		}
		if l.Order.Metric == 0 && l.Order.Word == i+1 {
			h.Sort = "ascending"
		}
		add(h)
	}
	for i, m := range l.Metrics {
		h := Head{Words: m.Head, Unit: m.head(l.units[i]), Class: "n"}
		if l.Order.Metric == i+1 {
			h.Sort = "descending"
			if m.Better == "lower" {
				h.Sort = "ascending"
			}
		}
		add(h)
		if i == l.Main {
			if l.scale != nil {
				add(Head{Axis: []string{l.scale.label(l.scale.lo), l.scale.label(l.scale.hi)}})
				l.out.Scale = l.scale.label(l.scale.lo) + " to " + l.scale.label(l.scale.hi)
			}
			if l.grouped {
				add(Head{Words: "Group"})
			}
		}
		if m.Published != "" {
			add(Head{Words: m.Published, Unit: m.head(l.units[i]), Class: "n"})
		}
	}
	if l.noted {
		add(Head{Words: "Validity"})
	}
}

func (l *layouter) row(id string, r Row) {
	out := LaidRow{ID: id}
	add := func(c Cell) { out.Cells = append(out.Cells, c) }
	for i, w := range r.Words {
		if i == 0 {
			add(Cell{IsName: true, Text: w, More: strings.Join(r.Words[1:], " ")})
			continue
		}
		add(Cell{Class: "fwc", Text: w})
	}
	for i, m := range l.Metrics {
		v := r.Values[i]
		class := "n sub"
		if i == l.Main {
			class = "n rps"
		}
		add(l.value(class, m, l.units[i], v))
		if i == l.Main {
			if l.scale != nil {
				add(l.scale.cell(v))
			}
			if l.grouped {
				add(Cell{Class: "grpc", Label: "group", Group: r.Group})
			}
		}
		if m.Published != "" {
			add(l.published(m, l.units[i], v))
		}
	}
	if l.noted {
		add(Cell{Class: "why", Sort: strconv.Itoa(len(r.Notes)), Why: l.notes(r)})
	}
	l.out.Rows = append(l.out.Rows, out)
}

func (l *layouter) value(class string, m Metric, u number.Unit, v Value) Cell {
	c := Cell{Class: class, Label: strings.ToLower(m.Head)}
	if unit := m.head(u); unit != "" {
		c.Label += ", " + unit
	}
	if v.Missing != "" {
		// Sorts below every number, whichever way.
		c.Missing, c.Sort = v.Missing, "-1e308"
		return c
	}
	c.Sort = strconv.FormatFloat(v.Centre, 'g', -1, 64)
	decimals := u.Decimals(v.Centre, v.Lo, v.Hi)
	c.Strong = u.Number(v.Centre, decimals)
	if v.AtLeast {
		c.Before = "≥\u00a0"
	}
	switch {
	case v.hasInterval() && v.Few != "":
		c.Interval = v.Few + ": " + u.Range(v.Lo, v.Hi, decimals)
	case v.hasInterval():
		c.Interval = u.Range(v.Lo, v.Hi, decimals)
	default:
		c.Interval = v.Few
	}
	return c
}

func (l *layouter) published(m Metric, u number.Unit, v Value) Cell {
	c := Cell{Class: "n pub", Label: strings.ToLower(m.Published)}
	if math.IsNaN(v.Published) {
		c.Text, c.Sort = "–", "-1e308"
		return c
	}
	c.Text, c.Sort = u.ExactNumber(v.Published), strconv.FormatFloat(v.Published, 'g', -1, 64)
	if math.IsNaN(v.Shift) {
		return c
	}
	l.out.Shifts = true
	places := strconv.FormatFloat(math.Abs(v.Shift), 'f', -1, 64)
	switch {
	case v.Shift > 0:
		c.Shift = &Shift{"▲" + places, "up", "up against the published order by " + places}
	case v.Shift < 0:
		c.Shift = &Shift{"▼" + places, "down", "down against the published order by " + places}
	default:
		c.Shift = &Shift{"=", "", "same rank as published"}
	}
	return c
}

// notes puts a row's notes below the table; rows that have the same share one.
func (l *layouter) notes(r Row) []Why {
	var out []Why
	for _, n := range r.Notes {
		var at *LaidNote
		for i := range l.out.Notes {
			if l.out.Notes[i].Text == n.Full {
				at = &l.out.Notes[i]
			}
		}
		if at == nil {
			no := strconv.Itoa(len(l.out.Notes) + 1)
			l.out.Notes = append(l.out.Notes, LaidNote{l.ID + "-n" + no, no, n.Full})
			at = &l.out.Notes[len(l.out.Notes)-1]
		}
		out = append(out, Why{at.ID, n.Short, n.Full})
	}
	return out
}

// scale is what the plots of a column share: round ends that enclose every interval.
type scale struct {
	unit   number.Unit
	lo, hi float64
	digits int
}

func (l *layouter) newScale() *scale {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, r := range l.rows {
		v := r.Values[l.Main]
		if v.Missing != "" {
			continue
		}
		for _, x := range []float64{v.Centre, v.Lo, v.Hi} {
			if !math.IsNaN(x) && !math.IsInf(x, 0) {
				lo, hi = min(lo, x), max(hi, x)
			}
		}
	}
	if lo > hi {
		return nil
	}
	// A scale that is mostly used anyway starts at zero, and so does that of a single value.
	if lo > 0 && (lo < hi/4 || lo == hi) {
		lo = 0
	} else if hi < 0 && (hi > lo/4 || lo == hi) {
		hi = 0
	}
	if lo == hi {
		hi = lo + 1
	}
	u := l.units[l.Main]
	const parts = 6
	step := number.Step((hi-lo)/u.Scale, parts) * u.Scale
	s := &scale{unit: u, lo: math.Floor(lo/step+1e-9) * step, hi: math.Ceil(hi/step-1e-9) * step}
	s.digits = max(0, -int(math.Floor(math.Log10(step/u.Scale)+1e-9)))
	return s
}

func (s *scale) label(x float64) string { return s.unit.Number(x, s.digits) }

// at places x on the scale; an end that is unbounded lies at the scale's own.
func (s *scale) at(x float64) string {
	share := 100 * (x - s.lo) / (s.hi - s.lo)
	return strconv.FormatFloat(min(100, max(0, share)), 'f', 1, 64)
}

func (s *scale) cell(v Value) Cell {
	c := Cell{Class: "cellc"}
	if v.Missing != "" {
		return c
	}
	p := &Plot{Lo: s.at(v.Centre), Hi: s.at(v.Centre), X: s.at(v.Centre), AtLeast: v.AtLeast}
	if v.hasInterval() {
		p.Lo, p.Hi, p.Interval = s.at(v.Lo), s.at(v.Hi), v.Few == ""
	}
	c.Plot = p
	return c
}
