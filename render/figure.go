package render

import (
	"cmp"
	"fmt"
	"html/template"
	"sync"

	"benchbook/notebook/article"
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
	AtTop        bool // it stands in the answer, where what is beside others opens below it
}

func (c *composer) figure(f *article.Figure) template.HTML {
	v := figureView{captioned: captioned{ID: f.Label.Value, Number: c.numbers[f.Label.Value]}}
	v.Caption = c.outcomes.caption(f.Caption.Value)
	cells, experiment, err := c.selectCells(f.Experiment.Value, f.Where.Node)
	_, isSentence := article.SentenceOf(f.Title.Value)
	states := !isSentence
	if states {
		v.Banner = c.judgements.titleCheck(f.Claim)
	}
	p := chart.NewPanel(c.d, f, cells)
	p.Palette = c.palette()
	p.Plain = func(line string) string { _, words := c.outcomes.title(line); return words }
	p.Stated = func(title string) string {
		if isSentence {
			return title
		}
		return c.judgements.withVerdict(title, f.Claim.Value)
	}
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
	if v.AtTop = f == c.headline; v.AtTop {
		c.picture = c.pictureOf(f.Label.Value, v.Full)
	}
	return c.Fill("figure", v)
}

func (c *composer) drawPanel(v *figureView, f *article.Figure, p *chart.Panel) {
	d := p.Draw()
	for _, w := range d.Warnings {
		c.Warnf("%s", w)
	}
	v.Missing, v.Sub, v.HowTo = wording.Sentence(d.Missing), d.Sub, d.HowTo
	var full []byte
	if d.Figure != nil {
		var narrow []byte
		full, narrow = c.draw(d.Figure)
		v.Full, v.Narrow = template.HTML(full), template.HTML(narrow)
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
	title := p.Stated(cmp.Or(p.Plain(f.Title.Value), p.Auto))
	about := provenancePart{c}.about(f.Label.Value, title, statedBy(f), o)
	v.Provenance.Files = []link{c.addFile(f.Label.Value+".csv", "CSV", csv)}
	if len(full) > 0 {
		v.Provenance.Files = append(v.Provenance.Files,
			c.addFile(f.Label.Value+".svg", "SVG", figure.Standalone(full, about)))
	}
}

// draw draws a figure in both widths in parallel, since authors wait for it.
func (c *composer) draw(f figure.Figure) (full, narrow []byte) {
	var narrowErr error
	var drawing sync.WaitGroup
	drawing.Go(func() { narrow, narrowErr = c.drawAt(figure.Narrow, f) })
	full, err := c.drawAt(figure.Full, f)
	drawing.Wait()
	if err = cmp.Or(err, narrowErr); err != nil {
		c.err = cmp.Or(c.err, err)
		return nil, nil
	}
	return full, narrow
}

func (r *Renderer) drawAt(width figure.Width, f figure.Figure) ([]byte, error) {
	metrics := r.measures.Get().(*figure.Metrics)
	defer r.measures.Put(metrics)
	return f.Draw(metrics, width)
}

// dataFolder holds the data of tables and figures, below their page.
const dataFolder = "data"
