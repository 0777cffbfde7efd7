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
	Cells   []*dataset.Cell // that it shows
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

// Drawing is a panel when it has been drawn.
type Drawing struct {
	Spec    *figure.Spec        // nil if there is nothing to draw
	Missing string              // why
	Sub     string              // the quantity, and its unit
	HowTo   []string            // how to read it, in sentences
	Metrics []record.Metric     // that it shows
	Fields  []string            // by which its parts are named
	Data    *cellview.DataTable // what it shows, where that is more than cells and metrics
	Warning string              // for the author; empty for none
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

// Draw makes the figure of the panel.
func (p *Panel) Draw() Drawing {
	p.by = p.Palette.axisOf(p)
	if own := p.Block.Colour.Value; own != "" && p.by == "" {
		p.drawing.Warning = fmt.Sprintf("%s: %q has %d values, and more than %d colours cannot be told apart; all are "+
			"drawn in one", p.Block.Label.Value, own, len(cellview.SeriesOf(p.Cells, own)), figure.MaxSeries)
	}
	if missing := drawers[p.Block.Is().Drawn](p); missing != "" {
		return Drawing{Missing: missing, Warning: p.drawing.Warning}
	}
	p.sayDisturbed()
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
	if slices.ContainsFunc(p.Cells, func(cell *dataset.Cell) bool { return cellview.StateOf(cell) != "" }) {
		p.say("Open mark, or a note after a name: measured with an older version of the experiment, or unfinished.")
	}
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

// rangeTitle is the title of a figure without one: from the best to the worst value of a metric over all cells. It is
// bare if nothing was measured.
//
// Source: docs/figures.md#figures.
func rangeTitle(all []*dataset.Cell, m record.Metric, fields []string, bare string) string {
	isMeasured := func(cell *dataset.Cell) bool { return cell.Metric(m.Name).Missing == "" }
	cells := slice.Filter(all, isMeasured)
	if len(cells) == 0 {
		return bare
	}
	slices.SortStableFunc(cells, func(a, b *dataset.Cell) int { return byMetric(m, a, b) })
	q := cellview.QuantityOf(m, cells)
	say := func(cell *dataset.Cell) string {
		reading := wording.ReadingOf(cell.Metric(m.Name))
		return q.Unit.Quantity(reading.Value, q.Unit.Decimals(reading))
	}
	first, last := cells[0], cells[len(cells)-1]
	if say(first) == say(last) {
		return m.Title + ": " + say(first)
	}
	fields = cellview.Naming(all, fields)
	return m.Title + ": from " + say(first) + " (" + cellview.Name(first, fields) + ") to " + say(last) + " (" +
		cellview.Name(last, fields) + ")"
}

// Palette is which colour and form the values of parameters and labels have, the same in all figures and tables of an
// article: those that its front matter lists first, then those that its figures show in colours. A value whose cells all
// have one listed value, such as a server whose kind is listed, has the colour of that.
//
// Source: docs/figures.md#colours.
type Palette struct {
	axes   []string       // parameters and labels that colours go by
	of     map[string]int // by value, from 1; 0 is grey, where all colours are taken
	listed []string       // by the front matter
	all    []*dataset.Cell
}

// NewPalette gives values their colours, for the cells of a figure.
func NewPalette(d *dataset.Dataset, cells func(f *article.Figure) []*dataset.Cell) *Palette {
	p := &Palette{of: map[string]int{}, listed: article.Texts(d.Doc.Front.Colours)}
	for i, value := range p.listed {
		p.of[value] = i + 1
	}
	for _, e := range d.Experiments {
		p.all = append(p.all, e.Cells...)
		p.axes = slice.Add(p.axes, slice.Filter(e.Settings(), func(by string) bool { return p.hasAll(e.Cells, by) })...)
	}
	var sets [][]string // of values that stand in one figure
	for _, f := range d.Doc.Figures {
		panel := &Panel{Dataset: d, Block: f, Cells: cells(f), Palette: p}
		var set []string
		if by := p.axisOf(panel); by != "" {
			set = cellview.SeriesOf(panel.Cells, by)
			p.axes = slice.Add(p.axes, by)
		} else if fields := panel.lineFields(); len(fields) > 0 {
			if panel.setSeries(fields); panel.by == "" { // each line has a colour of its own
				name := func(cell *dataset.Cell) string { return cellview.Name(cell, fields) }
				set = slice.Add(set, slice.Map(panel.Cells, name)...)
			}
		}
		if len(set) <= figure.MaxSeries {
			sets = append(sets, set)
		}
	}
	for _, set := range sets {
		for _, value := range set {
			if _, ok := p.of[value]; !ok {
				p.of[value] = cmp.Or(p.family(value), p.free(value, sets))
			}
		}
	}
	return p
}

// family is the colour of the one listed value that all cells with a value have; 0 without one.
func (p *Palette) family(value string) (colour int) {
	for _, cell := range p.all {
		settings := slices.Concat(cell.Trial.Parameters, cell.Trial.Labels)
		values := slice.Map(settings, func(s record.Parameter) string { return s.Value })
		if !slices.Contains(values, value) {
			continue
		}
		own := 1 + slices.IndexFunc(p.listed, func(listed string) bool { return slices.Contains(values, listed) })
		if own == 0 || colour != 0 && own != colour {
			return 0
		}
		colour = own
	}
	return colour
}

// free is the first colour that no other value has, or else that none in the same figure has.
func (p *Palette) free(value string, sets [][]string) int {
	all, near := slices.Clone(p.listed), []string{}
	for _, set := range sets {
		all = append(all, set...)
		if slices.Contains(set, value) {
			near = append(near, set...)
		}
	}
	for _, others := range [][]string{all, near} {
		for colour := 1; colour <= figure.MaxSeries; colour++ {
			if !slices.ContainsFunc(others, func(other string) bool { return p.of[other] == colour }) {
				return colour
			}
		}
	}
	return 0
}

// axisOf is the parameter or label that the author has a figure coloured by; empty if there is none, or if it has more
// values than there are colours.
func (p *Palette) axisOf(panel *Panel) string {
	if own := panel.Block.Colour.Value; len(cellview.SeriesOf(panel.Cells, own)) <= figure.MaxSeries {
		return own
	}
	return ""
}

// hasAll tells whether all cells have a value of a parameter or label that has a colour.
func (p *Palette) hasAll(cells []*dataset.Cell, by string) bool {
	return !slices.ContainsFunc(cellview.SeriesOf(cells, by), func(v string) bool { return p.of[v] == 0 })
}

// Axis is the first parameter or label that colours go by of which all cells have a value with a colour; empty if there
// is none.
func (p *Palette) Axis(cells []*dataset.Cell) string {
	by, _ := slice.Find(p.axes, func(axis string) bool { return p.hasAll(cells, axis) })
	return by
}

// Of is the colour of a value, from 1; 0 is grey.
func (p *Palette) Of(value string) int { return p.of[value] }

// Cell is the colour of a cell by a parameter or label; grey without one.
func (p *Palette) Cell(cell *dataset.Cell, by string) int {
	value, _ := cell.Setting(by)
	return p.of[value]
}

// Names are values, each at the place of its colour.
func (p *Palette) Names(values []string) []string {
	out := make([]string, figure.MaxSeries)
	for _, v := range values {
		if colour := p.of[v]; colour > len(p.listed) {
			out[colour-1] = v
		} else if colour > 0 {
			out[colour-1] = v // a colour that a listed value has elsewhere, or the family of one
			if listed := p.listed[colour-1]; v == listed || p.family(v) == colour {
				out[colour-1] = listed
			}
		}
	}
	return out
}
