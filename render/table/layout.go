package table

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"benchbook/internal/slice"
	"benchbook/render/wording"
)

type Layout struct {
	Heads  []Head
	Rows   [][]Cell
	Notes  []LaidNote
	Series []Series // the legend of colours; empty if there is only one
	Scale  string   // the ends of the plots' scale: "0 to 8,000"; empty without plots
}

// Dense reports whether the table has many columns.
func (l Layout) Dense() bool { return len(l.Heads) > 8 }

type Series struct {
	Number int
	Name   string
}

type Head struct {
	Words, Unit string
	Class       string
	Sort        string   // value of aria-sort for the column that the rows are sorted by
	Axis        []string // the two ends of the scale, for the column of plots
}

type LaidNote struct {
	ID, Number, Kind string
	Found            []Found
}

type Found struct{ Rows, Words string }

// SortsLast is the sort key of a missing value. The page's script sorts it last in both directions.
const SortsLast = "-1e308"

// Cell is one cell of a Layout: either the row's name, a plot, notes, a missing value, a value, or plain text.
type Cell struct {
	IsName bool
	Text   string // the name, or plain text

	Class string
	Label string // replaces the head on narrow screens
	Sort  string // the script's sort key

	Plot     *Plot
	Why      []Why
	Missing  string
	Unsure   string // an invalid value, before Missing
	Before   string // "≥ " before a lower bound
	Strong   string // the estimate
	Interval string
	Marks    *Marks // of notes on the value
}

// Plot is an estimate and its interval on the scale of its column, in per cent of the width.
type Plot struct {
	Lo, Width, X string
	Interval     bool
	AtLeast      bool
	Series       int // from 1
}

// Why links to a note on a row.
type Why struct{ ID, Number, Kind, Words string }

// Marks links to the notes on a value.
type Marks struct{ ID, Numbers string }

func (t Table) Layout() Layout {
	l, rows := layouter{Table: t}, t.sorted()
	for i, name := range t.Series {
		if name != "" {
			l.out.Series = append(l.out.Series, Series{i + 1, name})
		}
	}
	for _, r := range rows {
		for _, n := range r.Notes {
			l.note(r, n)
		}
	}
	columns := l.columns()
	l.out.Heads = slice.Map(columns, func(c column) Head { return c.head })
	for _, r := range rows {
		l.out.Rows = append(l.out.Rows, slice.Map(columns, func(c column) Cell { return c.cell(r) }))
	}
	return l.out
}

type layouter struct {
	Table
	out Layout
}

// A column makes the cells of its rows.
type column struct {
	head Head
	cell func(r Row) Cell
}

// columns returns the columns of words, of numbers, each with its plots and published numbers after it, and of notes.
func (l *layouter) columns() (out []column) {
	add := func(h Head, cell func(r Row) Cell) { out = append(out, column{h, cell}) }
	for i, w := range l.Words {
		h := Head{Words: w}
		if l.Order.Metric == 0 && l.Order.Word == i+1 {
			h.Sort = "ascending"
		}
		if i == 0 {
			add(h, func(r Row) Cell { return Cell{IsName: true, Text: r.Words[0]} })
			continue
		}
		h.Class = "fwc"
		add(h, func(r Row) Cell { return Cell{Class: "fwc", Text: r.Words[i]} })
	}
	for i, m := range l.Metrics {
		u, class := l.unit(i, m), "sub"
		h := Head{Words: m.Head, Unit: m.unitWords(u.Unit), Class: "n"}
		if l.Order.Metric == i+1 {
			h.Sort = "descending"
			if m.Better == "lower" {
				h.Sort = "ascending"
			}
		}
		if i == l.Main {
			class = "rps"
		}
		add(h, func(r Row) Cell {
			c := m.cell(class, u, r.Values[i])
			c.Marks = l.marks(r, i)
			return c
		})
		if i == l.Main {
			if s := l.scale(u.Unit); s != nil {
				ends := []string{s.label(s.lo), s.label(s.hi)}
				l.out.Scale = strings.Join(ends, " to ")
				add(Head{Axis: ends}, func(r Row) Cell { return s.cell(r.Values[i], r.Series) })
			}
		}
		if m.Published {
			h := Head{Words: "Published", Unit: h.Unit, Class: "n"}
			add(h, func(r Row) Cell { return published(u.Unit, r.Values[i]) })
		}
	}
	hasNotes := func(r Row) bool { return slices.ContainsFunc(r.Notes, Note.isOfRow) }
	if slices.ContainsFunc(l.Rows, hasNotes) {
		add(Head{Words: "Validity"}, func(r Row) Cell {
			c := Cell{Class: "why", Why: l.noted(r, Note.isOfRow)}
			if n := len(c.Why); n > 0 { // an empty cell sorts as zero
				c.Sort = strconv.Itoa(n)
			}
			return c
		})
	}
	return out
}

// unit chooses the unit and digits of a column, unless the metric has a unit.
func (l *layouter) unit(i int, m Metric) wording.Column {
	var centres []float64
	var readings []wording.Figure
	for _, r := range l.Rows {
		if v := r.Values[i]; v.Missing == "" {
			centres, readings = append(centres, v.Value), append(readings, v.Figure)
		} else if !math.IsNaN(v.Published) {
			centres = append(centres, v.Published)
		}
	}
	u := wording.UnitFor(m.Base, m.Share, centres...)
	if m.Unit != nil {
		u = *m.Unit
	}
	return u.Column(readings...)
}

func (m Metric) unitWords(u wording.Unit) string {
	if u.Symbol == "/s" && m.Per == "" {
		return "per second"
	}
	return m.Per + u.Symbol
}

func (m Metric) cell(class string, u wording.Column, v Value) Cell {
	c := Cell{Class: class, Label: strings.TrimSuffix(wording.Lower(m.Head)+", "+m.unitWords(u.Unit), ", ")}
	if v.Missing != "" {
		c.Missing, c.Unsure, c.Sort = v.Missing, v.Unsure, SortsLast
		return c
	}
	decimals := u.Decimals(v.Figure)
	if m.Digits != nil {
		decimals = u.WithEnds(v.Figure, *m.Digits)
	}
	c.Strong = u.Number(v.Value, decimals)
	if v.AtLeast {
		c.Before = "≥\u00a0"
	}
	c.Interval = v.Few
	if v.hasInterval() {
		c.Interval = strings.TrimPrefix(v.Few+": ", ": ") + u.Range(v.Lo, v.Hi, decimals)
	}
	return c
}

func published(u wording.Unit, v Value) Cell {
	c := Cell{Class: "pub", Text: "–", Sort: SortsLast}
	if !math.IsNaN(v.Published) {
		c.Text, c.Sort = u.ExactNumber(v.Published), ""
	}
	return c
}

// noted returns links to the notes of a row for which isAbout is true.
func (l *layouter) noted(r Row, isAbout func(Note) bool) []Why {
	var out []Why
	for i := range l.out.Notes {
		for _, n := range r.Notes {
			if at := l.out.Notes[i]; n.Kind == at.Kind && isAbout(n) {
				out = append(out, Why{at.ID, at.Number, n.Kind, n.Words})
			}
		}
	}
	return out
}

func (l *layouter) marks(r Row, metric int) *Marks {
	notes := l.noted(r, func(n Note) bool { return slices.Contains(n.Metrics, metric) })
	if len(notes) == 0 {
		return nil
	}
	return &Marks{notes[0].ID, strings.Join(slice.Map(notes, func(n Why) string { return n.Number }), ",")}
}

func (n Note) isOfRow() bool { return len(n.Metrics) == 0 }

// note adds a note below the table. Notes of one kind share a number, and rows with the same words one entry.
func (l *layouter) note(r Row, n Note) {
	i := slices.IndexFunc(l.out.Notes, func(o LaidNote) bool { return o.Kind == n.Kind })
	if i < 0 {
		i = len(l.out.Notes)
		no := strconv.Itoa(i + 1)
		l.out.Notes = append(l.out.Notes, LaidNote{ID: l.ID + "-n" + no, Number: no, Kind: n.Kind})
	}
	note, row := &l.out.Notes[i], strings.Join(r.Words, ", ")
	if len(n.Metrics) > 0 && len(n.Metrics) < len(l.Metrics) {
		names := slice.Map(n.Metrics, func(m int) string { return wording.Lower(l.Metrics[m].Head) })
		row += " (" + strings.Join(names, ", ") + ")"
	}
	k := slices.IndexFunc(note.Found, func(f Found) bool { return f.Words == n.Words })
	switch {
	case k < 0:
		note.Found = append(note.Found, Found{row, n.Words})
	case !slices.Contains(strings.Split(note.Found[k].Rows, "; "), row):
		note.Found[k].Rows += "; " + row
	}
}

// scale is the scale of a column of plots. Its round ends enclose all values and intervals.
type scale struct {
	unit   wording.Unit
	lo, hi float64
	digits int
}

// scale returns the scale of the main column; nil without a value.
func (l *layouter) scale(u wording.Unit) *scale {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, r := range l.Rows {
		v := r.Values[l.Main]
		if v.Missing != "" {
			continue
		}
		for _, x := range []float64{v.Value, v.Lo, v.Hi} {
			if !math.IsNaN(x) && !math.IsInf(x, 0) {
				lo, hi = min(lo, x), max(hi, x)
			}
		}
	}
	if lo > hi {
		return nil
	}
	// The scale starts at zero if little of it is lost, or if all values are equal.
	if lo > 0 && (lo < hi/4 || lo == hi) {
		lo = 0
	} else if hi < 0 && (hi > lo/4 || lo == hi) {
		hi = 0
	}
	if lo == hi {
		hi = lo + 1
	}
	const parts = 6
	step := wording.Step((hi-lo)/u.Scale, parts)
	if u.Whole {
		step = max(step, 1)
	}
	digits := max(0, -int(math.Floor(math.Log10(step)+1e-9)))
	step *= u.Scale
	return &scale{u, math.Floor(lo/step+1e-9) * step, math.Ceil(hi/step-1e-9) * step, digits}
}

func (s *scale) label(x float64) string { return s.unit.Number(x, s.digits) }

// at returns the place of x on the scale in per cent of its width, clamped to its ends.
func (s *scale) at(x float64) float64 { return min(100, max(0, 100*(x-s.lo)/(s.hi-s.lo))) }

func (s *scale) cell(v Value, series int) Cell {
	c := Cell{Class: "cellc"}
	if v.Missing != "" {
		return c
	}
	x := percent(s.at(v.Value))
	c.Plot = &Plot{Lo: x, Width: percent(0), X: x, AtLeast: v.AtLeast, Series: series + 1}
	if v.hasInterval() {
		lo, hi := s.at(v.Lo), s.at(v.Hi)
		c.Plot.Lo, c.Plot.Width, c.Plot.Interval = percent(lo), percent(hi-lo), v.Few == ""
	}
	return c
}

func percent(share float64) string { return strconv.FormatFloat(share, 'f', 1, 64) + "%" }
