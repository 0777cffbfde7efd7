package chart

import (
	"cmp"
	"slices"

	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/render/cellview"
	"benchbook/render/figure"
)

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
		} else if panel.setSeries(panel.lineFields()); panel.by == "" {
			set = slice.Add(set, panel.lineNames()...)
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
