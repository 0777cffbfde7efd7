// Package chart makes figures of the cells of a dataset: each kind of figure block is a function from the cells of a
// panel to the drawings of package figure, with their captions.
package chart

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"benchbook/internal/phrase"
	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/render/cellview"
	"benchbook/render/figure"
	"benchbook/render/wording"
)

// Panel is a figure in the making.
type Panel struct {
	Dataset *dataset.Dataset
	Block   *article.Figure
	Cells   []*dataset.Cell // that it is of
	Palette *Palette
	Claim   claim.Judgement          // that the title states; empty for none
	Plain   func(line string) string // a line of Markdown as text
	Auto    string                   // title, if the author gave none; set by Draw

	drawing    Drawing
	by         string   // the parameter or label of the palette that colours go by; empty for none
	described  []string // each of its parts in words
	notes      []string // below it: omissions, and why
	dataFields []string // that distinguish the cells of the data
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

// drawers draw the kinds of figures of package article. Each returns why there is nothing to draw.
var drawers = map[string]func(*Panel) (missing string){
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
	var warnings []string
	if own := p.Block.Colour.Value; own != "" && p.by == "" {
		warnings = append(warnings,
			fmt.Sprintf("%s: %q has %d values, and more than %d colours cannot be told apart; all are drawn in one",
				p.Block.Label.Value, own, len(cellview.SeriesOf(p.Cells, own)), figure.MaxSeries))
	}
	if missing := drawers[p.Block.Is().Drawn](p); missing != "" {
		return Drawing{Missing: missing, Warnings: warnings}
	}
	p.sayDisturbed()
	p.drawing.Warnings = warnings
	return p.drawing
}

// say adds sentences on how to read the figure.
func (p *Panel) say(words ...string) { p.drawing.HowTo = append(p.drawing.HowTo, words...) }

// sayDisturbed names the cells of a drawing whose intervals a disturbance has widened.
func (p *Panel) sayDisturbed() {
	var names []string
	for _, cell := range p.Cells {
		isWide := func(m record.Metric) bool { return slices.Contains(cell.Metric(m.Name).Disturbed(), true) }
		if slices.ContainsFunc(p.drawing.Metrics, isWide) {
			names = append(names, dataset.NameOf(cell, p.Cells...))
		}
	}
	if len(names) > 0 {
		p.say("Disturbed, so that intervals reach as far as that can have slowed it: " + phrase.List(names) + ".")
	}
}

// newData begins the data file of the figure, in which each row has a cell, some columns, and why it has no value.
func (p *Panel) newData(columns ...string) {
	p.dataFields = cellview.Naming(p.Cells, p.askedFields())
	p.drawing.Data = cellview.NewDataTable(p.dataFields, append(columns, "missing", "state")...)
}

// askedFields are the parameters and labels in y of the block.
func (p *Panel) askedFields() []string {
	return slice.Filter(article.Texts(p.Block.Y), func(name string) bool {
		return slices.ContainsFunc(p.Cells, func(cell *dataset.Cell) bool { _, ok := cell.Setting(name); return ok })
	})
}

// addData adds a row. Columns beyond the values have none.
func (p *Panel) addData(cell *dataset.Cell, missing string, values ...any) {
	data := p.drawing.Data
	row := make([]any, len(data.Columns)-len(p.dataFields))
	copy(row, values)
	row[len(row)-2], row[len(row)-1] = missing, cellview.StateOf(cell)
	data.Add(cellview.FieldsOf(cell, p.dataFields), row...)
}

// draw completes the drawing, which shows metrics of parts that fields name. sub is below its title, and what says what
// its parts are.
func (p *Panel) draw(spec figure.Spec, auto, sub, what string, fields []string, metrics ...record.Metric) {
	desc := what + ": " + strings.Join(p.described, "; ") + "."
	if profile := p.Dataset.Profile; profile != "" && profile != plan.Full {
		desc += " Profile " + profile + ": not for publication."
	}
	if !p.Dataset.Own && p.Dataset.Host != "" {
		desc += " Measured on host " + p.Dataset.Host + "."
	}
	p.Auto = auto
	spec.ID, spec.Title, spec.Sub, spec.Desc = p.Block.Label.Value, cmp.Or(p.Plain(p.Block.Title.Value), auto), sub, desc
	spec.Notes = append(spec.Notes, p.notes...)
	p.drawing.Spec, p.drawing.Sub, p.drawing.Fields, p.drawing.Metrics = &spec, sub, fields, metrics
	p.say(cellview.HollowWords(p.Cells)...)
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
	why := ""
	switch {
	case err != nil:
		why = err.Error()
	case q.Unit != base && q.Unit != "1":
		why = "it is not of the axis's unit"
	case scale == figure.Log && q.Number <= 0:
		why = "it has no place on a log axis"
	}
	if why != "" {
		p.say(wording.Sentence("the reference line is not drawn: " + why))
		return nil
	}
	name := "reference"
	if len(q.Cells) > 0 {
		name = cmp.Or(q.What, name)
	}
	label := unit.Quantity(q.Number, unit.Decimals(wording.Reading(&q)))
	return &figure.Guide{Value: q.Number / unit.Scale, Label: name + ": " + label}
}

// key explains the colours of marks, each by its place in the palette; marks that are named by what colours go by need
// none.
func (p *Panel) key(fields []string) (key []figure.Key) {
	if p.setSeries(fields); p.by == "" || slices.Contains(fields, p.by) {
		return nil
	}
	for i, name := range p.Palette.Names(cellview.SeriesOf(p.Cells, p.by)) {
		if name != "" {
			key = append(key, figure.Key{Name: name, Series: i + 1})
		}
	}
	return key
}

// setSeries lets a figure without a colour go by the first of its fields that has colours.
func (p *Panel) setSeries(fields []string) {
	if p.by == "" {
		if by := p.Palette.Axis(p.Cells); slices.Contains(fields, by) {
			p.by = by
		}
	}
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
		return cellview.Naming(p.Cells, p.askedFields())
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
