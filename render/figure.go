package render

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"sync"

	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/render/cellview"
	"benchbook/render/chart"
	"benchbook/render/datafile"
	"benchbook/render/figure"
	"benchbook/render/typeface"
	"benchbook/render/wording"
)

type figureView struct {
	captioned
	Panels    []panelView
	Missing   string // why there is no drawing
	HowTo     []string
	Elsewhere string // cells that are not drawn, since they are of another profile
	AtTop     bool   // it stands in the answer, where what is beside others opens below it
}

// panelView is one drawing of a figure, in both widths.
type panelView struct {
	Name         string // what it is of, where there are several
	Full, Narrow template.HTML
	// what a telephone shows in place of the narrow drawing until it is opened; empty if the drawing is short
	Folded  string
	Missing string
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
	panels := chart.Panels(c.d, f, cells)
	for _, p := range panels {
		p.Palette = c.palette()
		p.Plain = func(line string) string { _, words := c.outcomes.title(line); return words }
		p.Stated = func(title string) string {
			if isSentence {
				return title
			}
			return c.judgements.withVerdict(title, f.Claim.Value)
		}
	}
	switch {
	case err != nil:
		v.Missing = wording.Sentence(err.Error())
	case !chart.Draws(f.Kind.Value):
		v.Missing = fmt.Sprintf("Unknown figure kind %q.", f.Kind.Value)
	case experiment != nil && experiment.Plan.Skipped != "":
		v.Missing = wording.Sentence("left out: " + experiment.Plan.Skipped)
	case experiment != nil && len(cells) == 0:
		v.Missing = "No cells to draw."
	default:
		c.drawPanels(&v, f, panels)
	}
	if v.Title, _ = c.outcomes.title(f.Title.Value); v.Title == "" {
		v.Title = template.HTML(template.HTMLEscapeString(cmp.Or(panels[0].Auto, wording.Capital(f.Kind.Value)+" of "+
			f.Label.Value)))
	}
	if v.Missing != "" {
		c.Warnf("%s: %s", f.Label.Value, v.Missing)
		v.Provenance = c.provenance(cellview.OriginOf(c.d, cells))
	}
	v.Elsewhere, v.AtTop = otherProfiles(experiment), f == c.headline
	return c.Fill("figure", v)
}

func (c *composer) drawPanels(v *figureView, f *article.Figure, panels []*chart.Panel) {
	var drawings []drawing
	var data *datafile.Table
	var fields []string // those that tell panels apart first
	if by := f.Facet.Value; by != "" {
		fields = []string{by}
	}
	var metrics []record.Metric
	for _, p := range panels {
		d := p.Draw()
		for _, w := range d.Warnings {
			c.Warnf("%s", w)
		}
		view := panelView{Name: p.Name, Folded: d.Folded, Missing: wording.Sentence(d.Missing)}
		if d.Figure != nil {
			full, narrow := c.draw(d.Figure)
			view.Full, view.Narrow = template.HTML(full), template.HTML(narrow)
			if len(full) > 0 {
				drawings = append(drawings, drawing{p.ID, p.Name, full})
			}
		}
		v.Panels = append(v.Panels, view)
		v.Sub = cmp.Or(v.Sub, d.Sub)
		v.HowTo = appendNew(v.HowTo, d.HowTo, func(words string) string { return words })
		metrics = appendNew(metrics, d.Metrics, func(m record.Metric) string { return m.Name })
		fields = append(fields, d.Fields...)
		data = data.Join(f.Facet.Value, p.Facet, d.Data)
	}
	if len(panels) == 1 {
		v.Missing = v.Panels[0].Missing
	} else if len(drawings) == 0 {
		v.Missing = "Nothing in this figure can be drawn."
		for _, p := range v.Panels {
			v.Missing += " " + wording.Sentence(p.Name+": "+p.Missing)
		}
	}
	if v.Missing != "" {
		return
	}
	cells := panels[0].All
	var csv []byte
	if data != nil {
		csv = data.CSV()
	} else {
		csv = datafile.Cells(c.d, cells, cellview.Naming(cells, fields), metrics, f.Published)
	}
	o := cellview.OriginOf(c.d, cells, cellview.NamesOf(metrics)...)
	v.Provenance = c.provenance(o)
	if len(cells) == 0 {
		o = c.origin // that of the claim's cells may be any
	}
	title := cmp.Or(panels[0].Plain(f.Title.Value), panels[0].Auto)
	title = panels[0].Stated(title)
	part := provenancePart{c}
	about := part.about(f.Label.Value, title, statedBy(f.Title, f.Claim), o)
	v.Provenance.Files = part.addFiles(f.Label.Value, about, csv, drawings...)
}

// appendNew appends items whose key is not in the list.
func appendNew[T any](list, more []T, key func(T) string) []T {
	for _, v := range more {
		if !slices.ContainsFunc(list, func(o T) bool { return key(o) == key(v) }) {
			list = append(list, v)
		}
	}
	return list
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
	metrics := r.measures.Get().(*typeface.Metrics)
	defer r.measures.Put(metrics)
	return f.Draw(metrics, width)
}

// otherProfiles names cells that only other profiles have, by profile.
func otherProfiles(e *dataset.Experiment) string {
	if e == nil || len(e.Elsewhere) == 0 {
		return ""
	}
	var profiles []string
	names := map[string][]string{}
	for _, o := range e.Elsewhere {
		if names[o.Profile] == nil {
			profiles = append(profiles, o.Profile)
		}
		names[o.Profile] = append(names[o.Profile], o.Trial)
	}
	var parts []string
	for _, p := range profiles {
		parts = append(parts, "only in profile "+p+", and not drawn: "+strings.Join(names[p], "; "))
	}
	return wording.Sentence(strings.Join(parts, ". "))
}

// dataFolder holds the data of tables and figures, below their page.
const dataFolder = "data"
