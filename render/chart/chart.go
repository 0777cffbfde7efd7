// Package chart makes figures of the cells of a dataset: each kind of figure block is a function from the cells of a
// panel to the drawings of package figure, with their captions.
package chart

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"benchbook/notebook/article"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/render/cellview"

	"benchbook/render/figure"

	"benchbook/internal/slice"
	"benchbook/render/wording"
)

// Panel is a figure in the making.
type Panel struct {
	Dataset *dataset.Dataset
	Block   *article.Figure
	Cells   []*dataset.Cell // that it is of
	ID      string
	Auto    string // title, if the author gave none; set by Draw
	Palette *Palette
	Claim   claim.Judgement // that the title states; empty for none

	Plain func(line string) string // a line of Markdown as text

	by string // the parameter or label of the palette that colours go by; empty for none
	account
}

// account collects the texts of a drawing.
type account struct {
	howTo, warnings []string
	described       []string            // each of its parts in words
	notes           []string            // below it: omissions, and why
	data            *cellview.DataTable // of cells, which dataFields distinguish
	dataFields      []string
}

// Drawing is what became of a panel.
type Drawing struct {
	Spec     *figure.Spec        // nil if there is nothing to draw
	Missing  string              // why
	Sub      string              // the quantity, and its unit
	HowTo    []string            // how to read it, in sentences
	Metrics  []record.Metric     // that it shows
	Fields   []string            // by which its parts are named
	Data     *cellview.DataTable // what it shows, where that is more than cells and metrics
	Warnings []string            // for the author
}

// drawers draw the kinds of figures of package figurekind. Each returns why it cannot.
var drawers = map[string]func(*Panel) Drawing{
	"agreement":    (*Panel).agreement,
	"bars":         (*Panel).bars,
	"capacity":     (*Panel).capacity,
	"distribution": (*Panel).distribution,
	"dots":         (*Panel).dots,
	"latency":      (*Panel).latency,
	"lines":        (*Panel).lines,
	"scatter":      (*Panel).scatter,
	"timeline":     (*Panel).timeline,
	"tuning":       (*Panel).tuning,
}

// Draws tells whether there is a drawing for a kind.
func Draws(kind *article.FigureKind) bool { return drawers[kind.Drawn] != nil }

// Draw makes the figure of the panel, whose kind is one that Draws knows.
func (p *Panel) Draw() Drawing {
	p.by = p.Palette.axisOf(p)
	if own := p.Block.Colour.Value; own != "" && p.by == "" {
		p.warnings = append(p.warnings,
			fmt.Sprintf("%s: %q has %d values, and more than %d colours cannot be told apart; all are drawn in one",
				p.Block.Label.Value, own, len(cellview.SeriesOf(p.Cells, own)), figure.MaxSeries))
	}
	d := drawers[p.Block.Is().Drawn](p)
	d.Warnings = p.warnings
	if d.Spec != nil {
		p.sayDisturbed(d)
		d.HowTo, d.Data = p.howTo, p.data
	}
	return d
}

func (a *account) say(words ...string) { a.howTo = append(a.howTo, words...) }

// sayDisturbed names the cells of a drawing whose intervals a disturbance has widened.
func (p *Panel) sayDisturbed(d Drawing) {
	var names []string
	for _, cell := range p.Cells {
		isWide := func(m record.Metric) bool { return slices.Contains(cell.Metric(m.Name).Disturbed(), true) }
		if slices.ContainsFunc(d.Metrics, isWide) {
			names = append(names, dataset.NameOf(cell, p.Cells...))
		}
	}
	if len(names) > 0 {
		p.say("Disturbed, so that intervals reach as far as that can have slowed it: " + wording.List(names) + ".")
	}
}

func (a *account) omit(name, why string) {
	a.notes = append(a.notes, "not drawn: "+name+": "+why)
	a.described = append(a.described, name+": "+why)
}

// description is all parts in words, after what they are.
func (p *Panel) description(what string) string {
	return what + ": " + strings.Join(p.described, "; ") + "."
}

// newData begins the data file of the figure, in which each row has a cell, some columns, and why it has no value.
func (p *Panel) newData(columns ...string) {
	asked := slices.DeleteFunc(article.Texts(p.Block.Y), func(name string) bool { return !hasField(p.Cells, name) })
	p.dataFields = cellview.Naming(p.Cells, asked)
	p.data = cellview.NewDataTable(p.dataFields, append(columns, "missing", "state")...)
}

// addData adds a row. Columns beyond the values have none.
func (a *account) addData(cell *dataset.Cell, missing string, values ...any) {
	row := make([]any, len(a.data.Columns)-len(a.dataFields))
	copy(row, values)
	row[len(row)-2], row[len(row)-1] = missing, cellview.StateOf(cell)
	a.data.Add(cellview.FieldsOf(cell, a.dataFields), row...)
}

// hasField tells whether any cell has a parameter or label.
func hasField(cells []*dataset.Cell, name string) bool {
	return slices.ContainsFunc(cells, func(cell *dataset.Cell) bool { _, ok := cell.Setting(name); return ok })
}

// metric is the one that a key of the block names; missing says why it is unknown.
func (p *Panel) metric(key, name string) (m record.Metric, missing string) {
	m, known := cellview.MetricOf(name, p.Cells)
	if !known {
		missing = fmt.Sprintf("%q is a parameter; %s of a figure of kind %s must be a metric", name, key, p.Block.Kind.Value)
	}
	return m, missing
}

// NewPanel is the panel of a figure with cells.
func NewPanel(d *dataset.Dataset, f *article.Figure, cells []*dataset.Cell) *Panel {
	return &Panel{Dataset: d, Block: f, Cells: cells, ID: f.Label.Value}
}

// drawing completes a drawing: the figure has the title of its author, or else an automatic one, and desc in words.
func (p *Panel) drawing(spec figure.Spec, auto, desc string, d Drawing) Drawing {
	p.Auto = auto
	if profile := p.Dataset.Profile; profile != "" && profile != plan.Full {
		desc += " Profile " + profile + ": not for publication."
	}
	if !p.Dataset.Own && p.Dataset.Host != "" {
		desc += " Measured on host " + p.Dataset.Host + "."
	}
	spec.ID, spec.Title, spec.Sub, spec.Desc = p.ID, cmp.Or(p.Plain(p.Block.Title.Value), auto), d.Sub, desc
	spec.Notes = append(spec.Notes, p.notes...)
	d.Spec = &spec
	return d
}

// axisOf is an axis in a unit. Where a log axis shows times or sizes, each tick has the unit that suits it.
func axisOf(u wording.Unit, base string, scale figure.Scale) figure.Axis {
	a := figure.Axis{Scale: scale}
	if scale == figure.Log && (base == "s" || base == "B") {
		a.Label = func(v float64) string {
			v *= u.Scale * (1 + 1e-12)
			return wording.UnitFor(base, false, v).Exact(v)
		}
	}
	return a
}

// scale is the scale of an axis: in equal ratios if the author asks for it and all values are above zero.
func (p *Panel) scale(axis string, values []float64) figure.Scale {
	if !slices.Contains(p.Block.Log, axis) {
		return figure.Linear
	}
	for _, v := range values {
		if v <= 0 {
			p.say(fmt.Sprintf("The %s axis is not logarithmic, as the article asks: a value on it is %s.",
				axis, wording.Plain.Exact(v)))
			return figure.Linear
		}
	}
	return figure.Log
}

// reference is the value that the author compares with, in the unit of the axis; nil without one, with the reason.
func (p *Panel) reference(unit wording.Unit, base string, scale figure.Scale) *figure.Guide {
	n := p.Block.Reference.Node
	if n == nil {
		return nil
	}
	q, err := p.Dataset.Eval(n, p.Block.Experiment.Value)
	switch {
	case err != nil:
		p.say(wording.Sentence("the reference line is not drawn: " + err.Error()))
		return nil
	case q.Unit != base && q.Unit != "1":
		p.say("The reference line is not drawn: it is not of the axis's unit.")
		return nil
	case scale == figure.Log && q.Number <= 0:
		p.say("The reference line is not drawn: it has no place on a log axis.")
		return nil
	}
	label := unit.Quantity(q.Number, unit.Decimals(wording.Reading(&q)))
	name := "reference"
	if len(q.Cells) > 0 {
		name = cmp.Or(q.What, name)
	}
	return &figure.Guide{Value: q.Number / unit.Scale, Label: name + ": " + label}
}

// series are the names of the colours that marks have, each at its place in the palette: empty for those that marks do
// not have, and for all where the names of marks say it.
func (p *Panel) series(fields []string) []string {
	p.setSeries(fields)
	if p.by == "" || slices.Contains(fields, p.by) {
		return nil
	}
	return p.Palette.Names(cellview.SeriesOf(p.Cells, p.by))
}

// setSeries lets a figure without a colour go by the first of its fields that has colours.
func (p *Panel) setSeries(fields []string) {
	if p.by == "" {
		if by := p.Palette.Axis(p.Cells); slices.Contains(fields, by) {
			p.by = by
		}
	}
}

// keyOf explains the colours that have a name.
func keyOf(series []string) (key []figure.Key) {
	for i, name := range series {
		if name != "" {
			key = append(key, figure.Key{Name: name, Series: i + 1})
		}
	}
	return key
}

// lineFields are the fields that distinguish the lines of the figure; nil in figures of other kinds.
func (p *Panel) lineFields() []string {
	switch p.Block.Is().Drawn {
	case "lines":
		x := p.Block.X.Value
		asked := []string{x}
		if by := p.Block.Colour.Value; by != "" && by != x {
			asked = append(asked, by)
		}
		// Cells that agree in all others are one line over x.
		return slices.DeleteFunc(cellview.Naming(p.Cells, asked), func(name string) bool { return name == x })
	case "latency", "timeline", "tuning":
		asked := slices.DeleteFunc(article.Texts(p.Block.Y), func(name string) bool { return !hasField(p.Cells, name) })
		return cellview.Naming(p.Cells, asked)
	}
	return nil
}

// lineNames are the names of the lines that cells are on; none in figures of other kinds.
func (p *Panel) lineNames() []string {
	fields := p.lineFields()
	if len(fields) == 0 {
		return nil
	}
	return slice.Map(p.Cells, func(cell *dataset.Cell) string { return cellview.Name(cell, fields) })
}
