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
	"benchbook/render/prose"
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
	v.Caption = c.caption(f.Caption.Value)
	cells, missing := c.shownCells(f.Experiment.Value, f.Where.Node)
	p := c.panel(f, cells)
	switch v.Missing = missing; {
	case missing != "":
	case !chart.Draws(f.Is()):
		v.Missing = fmt.Sprintf("Unknown figure kind %q.", f.Kind.Value)
	default:
		c.drawPanel(&v, f, p)
	}
	if v.Title, _ = c.title(f.Title.Value); v.Title == "" {
		v.Title = prose.Escaped(cmp.Or(p.Auto, wording.Capital(f.Kind.Value)+" of "+f.Label.Value))
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
	return &chart.Panel{Dataset: c.d, Block: f, Cells: cells, Palette: c.palette(), Claim: c.judgements[statedBy(f)],
		Plain: func(line string) string { _, words := c.title(line); return words }}
}

// drawPanel draws a figure for both widths of its page, and adds its files.
func (c *composer) drawPanel(v *figureView, f *article.Figure, p *chart.Panel) {
	d := p.Draw()
	for _, w := range d.Warnings {
		c.Warnf("%s", w)
	}
	v.Missing, v.Sub, v.HowTo = wording.Sentence(d.Missing), c.ofSession(d.Sub), d.HowTo
	if d.Spec == nil {
		return
	}
	spec, wide := *d.Spec, figure.Top // with its title, as an index shows it alone
	if !v.AtTop {
		spec.Title, wide = "", figure.Full
	}
	full, err := spec.SVG(wide)
	narrow, narrowErr := spec.SVG(figure.Narrow)
	v.Full, v.Narrow = template.HTML(full), template.HTML(narrow)

	o := cellview.OriginOf(p.Cells, cellview.NamesOf(d.Metrics)...)
	spec.Title, spec.Source = cmp.Or(p.Plain(f.Title.Value), p.Auto), c.sourceLine(o)
	var csv []byte
	if d.Data != nil {
		csv = d.Data.CSV()
	} else {
		csv = cellview.DataOf(c.d, p.Cells, cellview.Naming(p.Cells, d.Fields), d.Metrics, f.Published)
	}
	svg, fileErr := spec.File(c.about(v.ID, spec.Title, statedBy(f), o))
	c.drawn = Drawing{spec.Title, svg}
	v.Provenance = c.provenance(o)
	v.Provenance.Files = []link{c.addFile(v.ID+".csv", "CSV", csv), c.addFile(v.ID+".svg", "SVG", svg)}
	c.err = cmp.Or(c.err, err, narrowErr, fileErr, c.drawCard(v, spec))
}

// drawCard adds a picture of a figure, and of the one at the top as the card of the page, for which links to the page need
// the address of the site.
func (c *composer) drawCard(v *figureView, spec figure.Spec) error {
	isCard := v.AtTop && c.options.Address != ""
	if !isCard && !c.options.PNG {
		return nil
	}
	card, err := spec.Card()
	if isCard {
		c.AddFile(CardFile, card)
	}
	if c.options.PNG {
		v.Provenance.Files = append(v.Provenance.Files, c.addFile(v.ID+".png", "PNG", card))
	}
	return err
}

// CardFile is the picture of a page for links to it, in its folder of data; pages without a figure have none, nor
// have those of a site without an address.
const CardFile = dataFolder + "/card.png"

// dataFolder holds the data of tables and figures, below their page.
const dataFolder = "data"
