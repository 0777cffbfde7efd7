package render

import (
	"cmp"
	"fmt"
	"html/template"

	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/render/cellview"
	"benchbook/render/chart"

	"benchbook/render/figure"

	"benchbook/render/wording"
)

type figureView struct {
	captioned
	Full, Narrow template.HTML // the drawing in both widths
	Missing      string        // why there is no drawing
	HowTo        []string
	AtTop        bool // it is part of the answer, where its notes open below it
}

func (c *composer) figure(f *article.Figure) template.HTML {
	v := figureView{captioned: captioned{ID: f.Label.Value, Number: c.numbers[f.Label.Value]}, AtTop: f == c.headline}
	v.Caption = c.outcomes.caption(f.Caption.Value)
	cells, experiment, err := c.selectCells(f.Experiment.Value, f.Where.Node)
	p := c.panel(f, cells)
	switch {
	case err != nil:
		v.Missing = wording.Sentence(err.Error())
	case !chart.Draws(f.Is()):
		v.Missing = fmt.Sprintf("Unknown figure kind %q.", f.Kind.Value)
	case experiment != nil && experiment.Plan.Skipped != "":
		v.Missing = wording.Sentence("left out: " + experiment.Plan.Skipped)
	case experiment != nil && len(cells) == 0:
		v.Missing = "No cells to draw."
	default:
		c.drawPanel(&v, f, p)
	}
	if v.Title, _ = c.outcomes.title(f.Title.Value); v.Title == "" {
		v.Title = template.HTML(template.HTMLEscapeString(cmp.Or(p.Auto, wording.Capital(f.Kind.Value)+" of "+
			f.Label.Value)))
	}
	if v.Missing != "" {
		c.Warnf("%s: %s", f.Label.Value, v.Missing)
		v.Provenance = c.provenance(cellview.OriginOf(cells))
	}
	if v.AtTop {
		c.picture = c.pictureOf(f.Label.Value, v.Full)
	}
	return c.Fill("figure", v)
}

// panel is a figure of cells in the making.
func (c *composer) panel(f *article.Figure, cells []*dataset.Cell) *chart.Panel {
	p := chart.NewPanel(c.d, f, cells)
	p.Palette, p.Claim = c.palette(), c.judgements[statedBy(f)]
	p.Plain = func(line string) string { _, words := c.outcomes.title(line); return words }
	return p
}

func (c *composer) drawPanel(v *figureView, f *article.Figure, p *chart.Panel) {
	d := p.Draw()
	for _, w := range d.Warnings {
		c.Warnf("%s", w)
	}
	v.Missing, v.Sub, v.HowTo = wording.Sentence(d.Missing), c.ofSession(d.Sub), d.HowTo
	if d.Spec != nil {
		c.draw(v, *d.Spec)
	}
	if v.Missing != "" {
		return
	}
	cells := p.Cells
	var csv []byte
	if d.Data != nil {
		csv = d.Data.CSV()
	} else {
		csv = cellview.DataOf(c.d, cells, cellview.Naming(cells, d.Fields), d.Metrics, f.Published)
	}
	o := cellview.OriginOf(cells, cellview.NamesOf(d.Metrics)...)
	v.Provenance = c.provenance(o)
	if len(cells) == 0 {
		o = c.origin // that of the claim's cells may be any
	}
	title := cmp.Or(p.Plain(f.Title.Value), p.Auto)
	about := c.about(f.Label.Value, title, statedBy(f), o)
	v.Provenance.Files = []link{c.addFile(f.Label.Value+".csv", "CSV", csv)}
	if d.Spec != nil {
		spec := *d.Spec
		spec.Title, spec.Source, c.drawn = title, c.sourceLine(o), title
		c.drawFile(v, spec, about)
	}
}

// draw draws a figure for both widths of its page.
func (c *composer) draw(v *figureView, spec figure.Spec) {
	wide := figure.Full
	if v.AtTop {
		wide = figure.Top
	}
	full, err := spec.SVG(wide)
	narrow, narrowErr := spec.SVG(figure.Narrow)
	c.err = cmp.Or(c.err, err, narrowErr)
	v.Full, v.Narrow = template.HTML(full), template.HTML(narrow)
}

// drawFile adds a figure as a file, and that at the top of the page as its card too, for which links to the page need
// the address of the site.
func (c *composer) drawFile(v *figureView, spec figure.Spec, about [][2]string) {
	svg, err := spec.File(about)
	if err != nil {
		c.err = cmp.Or(c.err, err)
		return
	}
	v.Provenance.Files = append(v.Provenance.Files, c.addFile(v.ID+".svg", "SVG", svg))
	isCard := v.AtTop && c.options.Address != ""
	if !isCard && !c.options.PNG {
		return
	}
	card, err := spec.Card()
	c.err = cmp.Or(c.err, err)
	if isCard {
		c.files = append(c.files, File{CardFile, card})
	}
	if c.options.PNG {
		v.Provenance.Files = append(v.Provenance.Files, c.addFile(v.ID+".png", "PNG", card))
	}
}

// CardFile is the picture of a page for links to it, in its folder of data; pages without a figure have none, nor
// have those of a site without an address.
const CardFile = dataFolder + "/card.png"

// dataFolder holds the data of tables and figures, below their page.
const dataFolder = "data"
