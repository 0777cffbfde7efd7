package table

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"benchbook/render/wording"
)

type Layout struct {
	Heads  []Head
	Rows   [][]Cell
	Notes  []LaidNote
	Series []Series // what colours mean; empty if there is one only
	Scale  string   // the ends of the plots' scale in words; empty without plots
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

// SortsLast is the sort key of a missing value: the script of a page puts it last either way.
const SortsLast = "-1e308"

// Cell is one cell of a Layout. It is filled in exactly one way: name of the row, plot, notes, missing value,
// value, or plain text.
type Cell struct {
	IsName bool
	Text   string // of a name, and of plain text
	More   string // the other words of the row, which follow its name on a telephone

	Class string
	Label string // the text before it on a telephone, which has no heads
	Sort  string // what a script sorts by

	Plot     *Plot
	Why      []Why
	Missing  string
	Unsure   string // a value that is not valid, before Missing
	Before   string // "≥ " before a lower bound
	Strong   string // the estimate
	Interval string
	Marks    *Marks // of notes about a value
}

// Plot is an estimate and its interval on the scale of its column, in per cent of its width.
type Plot struct {
	Lo, Width, X string
	Interval     bool
	AtLeast      bool
	Series       int // from 1
}

// Why links to a note about a row.
type Why struct{ ID, Number, Kind, Words string }

// Marks link to the notes about one value.
type Marks struct{ ID, Numbers string }

func (t Table) Layout() Layout {
	l := layouter{Table: t, rows: t.Rows}
	for i, m := range t.Metrics {
		l.columns = append(l.columns, l.column(i, m))
	}
	if t.Main >= 0 {
		l.scale = l.newScale()
	}
	for _, r := range l.rows {
		l.remarked = l.remarked || slices.ContainsFunc(r.Notes, Note.isOfRow)
	}
	l.heads()
	for i, name := range t.Series {
		if name != "" {
			l.out.Series = append(l.out.Series, Series{i + 1, name})
		}
	}
	for _, r := range t.sorted() {
		l.out.Rows = append(l.out.Rows, l.row(r))
	}
	return l.out
}

type layouter struct {
	Table
	rows     []Row
	columns  []wording.Column
	scale    *scale
	remarked bool // there are notes about whole rows
	out      Layout
}

// column chooses the unit that suits most values of a column, and their digits.
func (l *layouter) column(i int, m Metric) wording.Column {
	var centres []float64
	var readings []wording.Figure
	for _, r := range l.rows {
		if v := r.Values[i]; v.Missing == "" {
			centres, readings = append(centres, v.Centre), append(readings, v.Reading())
		} else if !math.IsNaN(v.Published) {
			centres = append(centres, v.Published)
		}
	}
	u := wording.UnitFor(m.Base, m.Share, centres...)
	if m.Format.Unit != nil {
		u = *m.Format.Unit
	}
	return u.Column(readings...)
}

func (m Metric) decimals(c wording.Column, v Value) int {
	if m.Format.Digits != nil {
		return c.WithEnds(v.Reading(), *m.Format.Digits)
	}
	return c.Decimals(v.Reading())
}

// finest is the smallest step of the scale: where numbers have no digits after the point it has none.
func (m Metric) finest(u wording.Unit) float64 {
	switch {
	case m.Format.Digits != nil:
		return math.Pow10(-*m.Format.Digits)
	case u.Whole:
		return 1
	}
	return 0
}

func (m Metric) inSentence() string { return cmp.Or(m.Named, m.Head) }

func (m Metric) head(u wording.Unit) string {
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
		h := Head{Words: m.Head, Unit: m.head(l.columns[i].Unit), Class: "n"}
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
		}
		if m.Published != "" {
			add(Head{Words: m.Published, Unit: m.head(l.columns[i].Unit), Class: "n"})
		}
	}
	if l.remarked {
		add(Head{Words: "Validity"})
	}
}

func (l *layouter) row(r Row) (out []Cell) {
	add := func(c Cell) { out = append(out, c) }
	for _, n := range r.Notes {
		l.note(r, n)
	}
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
		value := l.value(class, m, l.columns[i], v)
		value.Marks = l.marks(r, i)
		add(value)
		if i == l.Main {
			if l.scale != nil {
				add(l.scale.cell(v, r.Series))
			}
		}
		if m.Published != "" {
			add(l.published(m, l.columns[i].Unit, v))
		}
	}
	if l.remarked {
		why := l.noted(r, Note.isOfRow)
		add(Cell{Class: "why", Sort: strconv.Itoa(len(why)), Why: why})
	}
	return out
}

func (l *layouter) value(class string, m Metric, u wording.Column, v Value) Cell {
	c := Cell{Class: class, Label: m.inSentence()}
	if unit := m.head(u.Unit); unit != "" {
		c.Label += ", " + unit
	}
	if v.Missing != "" {
		// The script of pages knows it, and puts it last either way.
		c.Missing, c.Unsure, c.Sort = v.Missing, v.Unsure, SortsLast
		return c
	}
	decimals := m.decimals(u, v)
	if c.Strong = u.Aligned(v.Reading()); m.Format.Digits != nil {
		c.Strong = u.Number(v.Centre, decimals)
	}
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

func (l *layouter) published(m Metric, u wording.Unit, v Value) Cell {
	c := Cell{Class: "n pub", Label: strings.ToLower(m.Published)}
	if math.IsNaN(v.Published) {
		c.Text, c.Sort = "–", SortsLast
		return c
	}
	c.Text = u.ExactNumber(v.Published)
	return c
}

// noted links the notes of a row that are about something.
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
	var out *Marks
	for _, n := range l.noted(r, func(n Note) bool { return slices.Contains(n.Metrics, metric) }) {
		if out == nil {
			out = &Marks{n.ID, n.Number}
			continue
		}
		out.Numbers += "," + n.Number
	}
	return out
}

func (n Note) isOfRow() bool { return len(n.Metrics) == 0 }

// note adds a note below the table; rows with the same words share it.
func (l *layouter) note(r Row, n Note) {
	i := slices.IndexFunc(l.out.Notes, func(o LaidNote) bool { return o.Kind == n.Kind })
	if i < 0 {
		i = len(l.out.Notes)
		no := strconv.Itoa(i + 1)
		l.out.Notes = append(l.out.Notes, LaidNote{ID: l.ID + "-n" + no, Number: no, Kind: n.Kind})
	}
	note, row := &l.out.Notes[i], strings.Join(r.Words, ", ")
	var columns []string
	for _, m := range n.Metrics {
		columns = append(columns, l.Metrics[m].inSentence())
	}
	if len(columns) > 0 && len(columns) < len(l.Metrics) {
		row += " (" + strings.Join(columns, ", ") + ")"
	}
	k := slices.IndexFunc(note.Found, func(f Found) bool { return f.Words == n.Words })
	switch {
	case k < 0:
		note.Found = append(note.Found, Found{row, n.Words})
	case !slices.Contains(strings.Split(note.Found[k].Rows, "; "), row):
		note.Found[k].Rows += "; " + row
	}
}

// scale is shared by the plots of a column: round ends that enclose every interval.
type scale struct {
	unit   wording.Unit
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
	// A scale that is mostly used anyway starts at zero, and so does the scale of a single value.
	if lo > 0 && (lo < hi/4 || lo == hi) {
		lo = 0
	} else if hi < 0 && (hi > lo/4 || lo == hi) {
		hi = 0
	}
	if lo == hi {
		hi = lo + 1
	}
	u := l.columns[l.Main].Unit
	const parts = 6
	step := max(wording.Step((hi-lo)/u.Scale, parts), l.Metrics[l.Main].finest(u)) * u.Scale
	s := &scale{unit: u, lo: math.Floor(lo/step+1e-9) * step, hi: math.Ceil(hi/step-1e-9) * step}
	s.digits = max(0, -int(math.Floor(math.Log10(step/u.Scale)+1e-9)))
	return s
}

func (s *scale) label(x float64) string { return s.unit.Number(x, s.digits) }

// at places x on the scale, in per cent of its width, clamped to its ends.
func (s *scale) at(x float64) float64 { return min(100, max(0, 100*(x-s.lo)/(s.hi-s.lo))) }

func (s *scale) cell(v Value, series int) Cell {
	c := Cell{Class: "cellc"}
	if v.Missing != "" {
		return c
	}
	x := percent(s.at(v.Centre))
	c.Plot = &Plot{Lo: x, Width: percent(0), X: x, AtLeast: v.AtLeast, Series: series + 1}
	if v.hasInterval() {
		lo, hi := s.at(v.Lo), s.at(v.Hi)
		c.Plot.Lo, c.Plot.Width, c.Plot.Interval = percent(lo), percent(hi-lo), v.Few == ""
	}
	return c
}

func percent(share float64) string { return strconv.FormatFloat(share, 'f', 1, 64) + "%" }
