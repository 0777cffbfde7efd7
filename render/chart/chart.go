// Package chart makes figures of the cells of a dataset: each kind of figure block is a function from the cells of a panel to what
// package figure draws, with the words beside it.
package chart

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/figurekind"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/render/cellview"
	"benchbook/render/datafile"
	"benchbook/render/figure"
	"benchbook/render/number"
	"benchbook/render/wording"
)

// Panel is one drawing of a figure: the whole, or the part of it that has one value of what the figure is faceted by.
type Panel struct {
	Dataset *dataset.Dataset
	Block   *article.Figure
	Cells   []*dataset.Cell // that it is of
	All     []*dataset.Cell // of all panels of the figure, which share their axes
	ID      string
	Name    string // what it is of, where there are several
	Facet   string // the value that its cells have in common; empty where there is one panel
	Auto    string // title, if the author gave none; set by Draw

	Plain  func(line string) string  // a line of Markdown as text
	Stated func(title string) string // a title as it stands where its page does not, see its claim

	warnings []string
}

// Drawing is what became of a panel.
type Drawing struct {
	Figure   figure.Figure   // nil if there is nothing to draw
	Missing  string          // why
	Sub      string          // what is shown, and in which unit
	HowTo    []string        // how to read it, in sentences
	Metrics  []record.Metric // that it shows
	Fields   []string        // by which its parts are named
	Data     *datafile.Table // what it shows, where that is more than cells and metrics
	Folded   string          // what a telephone shows in place of the narrow drawing until it is opened; empty if the drawing is short
	Warnings []string        // for the author
}

// drawers draw the kinds of figures, those of package figurekind. Each gives why it cannot, where that is so.
var drawers = map[string]func(*Panel) Drawing{
	"agreement":    (*Panel).agreement,
	"bars":         (*Panel).bars,
	"capacity":     (*Panel).capacity,
	"distribution": (*Panel).distribution,
	"dots":         (*Panel).dots,
	"latency":      (*Panel).latency,
	"lines":        (*Panel).lines,
	"multiverse":   (*Panel).multiverse,
	"scatter":      (*Panel).scatter,
	"timeline":     (*Panel).timeline,
	"topology":     (*Panel).topology,
	"tuning":       (*Panel).tuning,
}

// Draws tells whether there is a kind of this name.
func Draws(kind string) bool { return drawers[kind] != nil }

// Draw makes the figure of the panel, whose kind is one that Draws knows.
func (p *Panel) Draw() Drawing {
	d := drawers[p.Block.Kind.Value](p)
	d.Warnings = p.warnings
	return d
}

// States tells whether the title of a figure may state the claim that the figure names. One of the subject Claim has to name the claim
// that it is about: the title that it has by itself states nothing of it.
func States(f *article.Figure) bool { return f.Is().Subject != figurekind.Claim || f.Title.Value != "" }

// Panels divides cells by the parameter or label that the author facets by, in the order of the plan.
func Panels(d *dataset.Dataset, f *article.Figure, cells []*dataset.Cell) []*Panel {
	whole := &Panel{Dataset: d, Block: f, Cells: cells, All: cells, ID: f.Label.Value}
	by := f.Facet.Value
	if by == "" {
		return []*Panel{whole}
	}
	var out []*Panel
	for _, cell := range cells {
		value, _ := cellview.Field(cell, by)
		name := by + " " + cmp.Or(value, "–")
		i := slices.IndexFunc(out, func(p *Panel) bool { return p.Name == name })
		if i < 0 {
			i = len(out)
			out = append(out, &Panel{Dataset: d, Block: f, All: cells, Name: name, Facet: value, ID: fmt.Sprintf("%s-%d", f.Label.Value, i+1)})
		}
		out[i].Cells = append(out[i].Cells, cell)
	}
	if len(out) == 0 {
		return []*Panel{whole}
	}
	return out
}

// head is what a figure is called: by its author, else automatically; desc is made from its data.
func (p *Panel) head(auto, desc string) figure.Head {
	p.Auto = auto
	title := p.Plain(p.Block.Title.Value)
	if alt := p.Plain(p.Block.Alt.Value); alt != "" {
		desc = alt + " " + desc
	}
	if profile := p.Dataset.Profile; profile != "" && profile != plan.Full {
		desc += " Profile " + profile + ": not for publication."
	}
	if !p.Dataset.Own && p.Dataset.Host != "" {
		desc += " Measured on host " + p.Dataset.Host + "."
	}
	if title = cmp.Or(title, auto); p.Name != "" {
		title += ", " + p.Name
	}
	if States(p.Block) {
		title = p.Stated(title)
	}
	return figure.Head{ID: p.ID, Title: title, Desc: desc}
}

// log tells whether an axis is to be in equal ratios, which values at zero or below do not allow.
func (p *Panel) log(axis article.Axis, values ...float64) (scale figure.Scale, howTo []string) {
	if !slices.ContainsFunc(p.Block.Log, func(v article.Value[article.Axis]) bool { return v.V == axis }) {
		return figure.Linear, nil
	}
	for _, v := range values {
		if v <= 0 {
			return figure.Linear, []string{fmt.Sprintf("The %s axis is not logarithmic, as the article asks: a value on it is %s.", axis, number.Plain.Exact(v))}
		}
	}
	return figure.Log, nil
}

// reference is the value that the author compares with, in the unit of the axis; nil if there is none, with the reason.
func (p *Panel) reference(unit number.Unit, base string, scale figure.Scale) (*figure.Reference, []string) {
	n := p.Block.Reference.Node
	if n == nil {
		return nil, nil
	}
	q, err := p.Dataset.Eval(n, p.Block.Experiment.Value)
	switch {
	case err != nil:
		return nil, []string{wording.Sentence("the reference line is not drawn: " + err.Error())}
	case q.Text != "" || q.Unit != base && q.Unit != "1":
		return nil, []string{"The reference line is not drawn: it is not of the axis's unit."}
	case scale == figure.Log && q.Number <= 0:
		return nil, []string{"The reference line is not drawn: it has no place on a log axis."}
	}
	lo, hi := math.NaN(), math.NaN()
	if q.Interval != nil {
		lo, hi = q.Interval.Lo, q.Interval.Hi
	}
	label := unit.Quantity(q.Number, unit.Decimals(q.Number, lo, hi))
	if q.What != "" && len(q.Cells) > 0 {
		label = q.What + ": " + label
	}
	return &figure.Reference{Value: q.Number, Label: label}, nil
}

// series are the values of the parameter that gives colours, in the order of the plan; none if they are too many.
func (p *Panel) series() []string {
	by := p.Block.Colour.Value
	if by == "" {
		return nil
	}
	out := cellview.SeriesOf(p.All, by)
	if len(out) > figure.MaxSeries {
		p.warnings = append(p.warnings, fmt.Sprintf("%s: %q has %d values, and more than %d colours cannot be told apart; all are drawn in one",
			p.Block.Label.Value, by, len(out), figure.MaxSeries))
		return nil
	}
	return out
}

// lineFields are those by which lines are told apart: cells that agree in all of them are one line over x.
func (p *Panel) lineFields(x string) []string {
	asked := []string{x}
	if by := p.Block.Colour.Value; by != "" && by != x {
		asked = append(asked, by)
	}
	return slices.DeleteFunc(cellview.Naming(p.Cells, asked), func(name string) bool { return name == x })
}
