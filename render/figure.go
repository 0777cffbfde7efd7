package render

import (
	"cmp"
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"
	"sync"

	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/figurekind"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/render/cellview"
	"benchbook/render/figure"
	"benchbook/render/number"
	"benchbook/render/wording"
)

// figureView is a figure in the template.
type figureView struct {
	exhibit
	Panels    []panelView
	Missing   string // why there is no drawing
	HowTo     []string
	Elsewhere string // cells that are not drawn, since they are of another profile
}

// panelView is one drawing of a figure, in both widths.
type panelView struct {
	Name         string // what it is of, where there are several
	Full, Narrow template.HTML
	Folded       string // what a telephone shows in place of the narrow drawing until it is opened; empty if the drawing is short
	Missing      string
}

// panel is one drawing in the making.
type panel struct {
	*composer
	block *article.Figure
	cells []*dataset.Cell // that it is of
	all   []*dataset.Cell // of all panels of the figure, which share their axes
	id    string
	name  string // as of panelView
	facet string // the value that its cells have in common; empty where there is one panel
	auto  string // title, if the author gave none
}

// drawn is what became of a panel.
type drawn struct {
	figure  figure.Figure   // nil if there is nothing to draw
	missing string          // why
	sub     string          // what is shown, and in which unit
	howTo   []string        // how to read it, in sentences
	metrics []record.Metric // that it shows
	fields  []string        // by which its parts are named
	data    *sheet          // what it shows, where that is more than cells and metrics
	folded  string          // as of panelView
}

// drawers draw the kinds of figures. Each gives why it cannot, where that is so. They are a function, since titles hold values, and
// values the links to figures.
func drawers() map[string]func(*panel) drawn {
	return map[string]func(*panel) drawn{
		"dots":         (*panel).dots,
		"bars":         (*panel).bars,
		"distribution": (*panel).distribution,
		"lines":        (*panel).lines,
		"latency":      (*panel).latency,
		"timeline":     (*panel).timeline,
		"scatter":      (*panel).scatter,
		"agreement":    (*panel).agreement,
		"topology":     (*panel).topology,
		"tuning":       (*panel).tuning,
		"capacity":     (*panel).capacity,
		"multiverse":   (*panel).multiverse,
	}
}

// figure shows a figure block.
func (c *composer) figure(f *article.Figure) template.HTML {
	v := figureView{exhibit: exhibit{ID: f.Label.Value, Number: c.numbers[f.Label.Value]}}
	v.Caption, _ = c.inline(f.Caption.Value)
	cells, experiment, err := c.selectCells(f.Experiment.Value, f.Where.Node)
	if f.Is().Subject == figurekind.Claim {
		cells, experiment, err = nil, nil, nil // it is of a claim, whose cells may be of several experiments
	}
	if states(f) {
		v.Banner = c.titleCheck(f.Claim)
	}
	panels := c.panels(f, cells)
	switch draw := drawers()[f.Kind.Value]; {
	case err != nil:
		v.Missing = wording.Sentence(err.Error())
	case draw == nil:
		v.Missing = fmt.Sprintf("There is no kind of figures %q.", f.Kind.Value)
	case experiment != nil && experiment.Plan.Skipped != "":
		v.Missing = wording.Sentence("left out: " + experiment.Plan.Skipped)
	case experiment != nil && len(cells) == 0:
		v.Missing = "There are no cells to draw."
	default:
		c.drawPanels(&v, f, panels, draw)
	}
	var words string
	if v.Title, words = c.inline(f.Title.Value); v.Title == "" {
		words = cmp.Or(panels[0].auto, wording.Capital(f.Kind.Value)+" of "+f.Label.Value)
		v.Title = template.HTML(template.HTMLEscapeString(words))
	}
	if states(f) {
		words = c.stated(words, f.Claim.Value)
	}
	c.found = append(c.found, Part{FigurePart, v.ID, words})
	if v.Missing != "" {
		c.warnf("%s: %s", f.Label.Value, v.Missing)
		v.Stamp = c.stamp(cells, nil, nil)
	}
	v.Elsewhere = elsewhere(experiment)
	return c.fill("figure", v)
}

// states tells whether the title of a figure may state the claim that the figure names. One of the subject Claim has to name the claim
// that it is about: the title that it has by itself states nothing of it.
func states(f *article.Figure) bool { return f.Is().Subject != figurekind.Claim || f.Title.Value != "" }

// drawPanels draws each panel and puts together what is said of them.
func (c *composer) drawPanels(v *figureView, f *article.Figure, panels []*panel, draw func(*panel) drawn) {
	var files []link
	var data *sheet
	var fields []string // those that tell panels apart first
	if by := f.Facet.Value; by != "" {
		fields = []string{by}
	}
	var metrics []record.Metric
	some := false
	for _, p := range panels {
		d := draw(p)
		view := panelView{Name: p.name, Folded: d.folded, Missing: wording.Sentence(d.missing)}
		if d.figure != nil {
			full, narrow := c.draw(p.id, d.figure)
			view.Full, view.Narrow = template.HTML(full), template.HTML(narrow)
			if len(full) > 0 {
				some = true
				path := dataFolder + "/" + p.id + ".svg"
				c.files = append(c.files, File{path, figure.Standalone(full)})
				files = append(files, link{path, strings.TrimSpace("SVG " + p.name)})
			}
		}
		v.Panels = append(v.Panels, view)
		if v.Sub == "" {
			v.Sub = d.sub
		}
		for _, words := range d.howTo {
			if !slices.Contains(v.HowTo, words) {
				v.HowTo = append(v.HowTo, words)
			}
		}
		for _, m := range d.metrics {
			if !slices.ContainsFunc(metrics, func(o record.Metric) bool { return o.Name == m.Name }) {
				metrics = append(metrics, m)
			}
		}
		fields = append(fields, d.fields...)
		data = data.join(p, d.data)
	}
	if len(panels) == 1 {
		v.Missing = v.Panels[0].Missing
	} else if !some {
		v.Missing = "No part of the figure can be drawn."
		for _, p := range v.Panels {
			v.Missing += " " + wording.Sentence(p.Name+": "+p.Missing)
		}
	}
	if v.Missing != "" {
		return
	}
	cells := panels[0].all
	if data != nil {
		files = append(c.sheetFiles(f.Label.Value, data), files...)
	} else {
		files = append(c.dataFiles(f.Label.Value, cells, cellview.Naming(cells, fields), metrics, f.Published), files...)
	}
	v.Stamp = c.stamp(cells, metrics, files)
}

// panels divides cells by the parameter or label that the author facets by, in the order of the plan.
func (c *composer) panels(f *article.Figure, cells []*dataset.Cell) []*panel {
	whole := &panel{composer: c, block: f, cells: cells, all: cells, id: f.Label.Value}
	by := f.Facet.Value
	if by == "" {
		return []*panel{whole}
	}
	var out []*panel
	for _, cell := range cells {
		value, _ := cellview.Field(cell, by)
		name := by + " " + cmp.Or(value, "–")
		i := slices.IndexFunc(out, func(p *panel) bool { return p.name == name })
		if i < 0 {
			i = len(out)
			out = append(out, &panel{composer: c, block: f, all: cells, name: name, facet: value, id: fmt.Sprintf("%s-%d", f.Label.Value, i+1)})
		}
		out[i].cells = append(out[i].cells, cell)
	}
	if len(out) == 0 {
		return []*panel{whole}
	}
	return out
}

// draw draws a figure in both widths, at the same time: who writes an article waits for all of its figures. It warns of what cannot be
// read in them.
func (c *composer) draw(id string, f figure.Figure) (full, narrow []byte) {
	var narrowFindings []figure.Finding
	var narrowErr error
	var drawing sync.WaitGroup
	drawing.Go(func() { narrow, narrowFindings, narrowErr = c.drawAt(figure.Narrow, f) })
	full, findings, err := c.drawAt(figure.Full, f)
	drawing.Wait()
	if err = cmp.Or(err, narrowErr); err != nil {
		c.err = cmp.Or(c.err, err)
		return nil, nil
	}
	c.warnOfDrawing(id, figure.Full, findings)
	c.warnOfDrawing(id, figure.Narrow, narrowFindings)
	return full, narrow
}

// drawAt draws a figure in one width and looks at what came out.
func (r *Renderer) drawAt(width figure.Width, f figure.Figure) ([]byte, []figure.Finding, error) {
	metrics := r.measures.Get().(*figure.Metrics)
	defer r.measures.Put(metrics)
	svg, err := f.Draw(metrics, width)
	if err != nil {
		return nil, nil, err
	}
	return svg, figure.Check(metrics, svg), nil
}

func (c *composer) warnOfDrawing(id string, width figure.Width, findings []figure.Finding) {
	for _, finding := range findings {
		if finding.Kind != figure.MissingGlyph { // a name in any script may be shown
			c.warnf("%s, %d wide: %s", id, int(width), finding.Message)
			c.unclear = append(c.unclear, c.warnings[len(c.warnings)-1])
		}
	}
}

// elsewhere names the cells that only other profiles have, by profile.
func elsewhere(e *dataset.Experiment) string {
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

// head is what a figure is called: by its author, else automatically; desc is made from its data.
func (p *panel) head(auto, desc string) figure.Head {
	p.auto = auto
	_, title := p.inline(p.block.Title.Value)
	if _, alt := p.inline(p.block.Alt.Value); alt != "" {
		desc = alt + " " + desc
	}
	if profile := p.d.Profile; profile != "" && profile != plan.Full {
		desc += " Profile " + profile + ": not for publication."
	}
	if !p.d.Own && p.d.Host != "" {
		desc += " Measured on host " + p.d.Host + "."
	}
	if title = cmp.Or(title, auto); p.name != "" {
		title += ", " + p.name
	}
	if states(p.block) {
		title = p.stated(title, p.block.Claim.Value)
	}
	return figure.Head{ID: p.id, Title: title, Desc: desc}
}

// log tells whether an axis is to be in equal ratios, which values at zero or below do not allow.
func (p *panel) log(axis article.Axis, values ...float64) (scale figure.Scale, howTo []string) {
	if !slices.ContainsFunc(p.block.Log, func(v article.Value[article.Axis]) bool { return v.V == axis }) {
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
func (p *panel) reference(unit number.Unit, base string, scale figure.Scale) (*figure.Reference, []string) {
	n := p.block.Reference.Node
	if n == nil {
		return nil, nil
	}
	q, err := p.d.Eval(n, p.block.Experiment.Value)
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
func (p *panel) series() []string {
	by := p.block.Colour.Value
	if by == "" {
		return nil
	}
	out := cellview.SeriesOf(p.all, by)
	if len(out) > figure.MaxSeries {
		p.warnf("%s: %q has %d values, and more than %d colours cannot be told apart; all are drawn in one",
			p.block.Label.Value, by, len(out), figure.MaxSeries)
		return nil
	}
	return out
}

// lineFields are those by which lines are told apart: cells that agree in all of them are one line over x.
func (p *panel) lineFields(x string) []string {
	asked := []string{x}
	if by := p.block.Colour.Value; by != "" && by != x {
		asked = append(asked, by)
	}
	return slices.DeleteFunc(cellview.Naming(p.cells, asked), func(name string) bool { return name == x })
}
