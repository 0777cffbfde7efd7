package render

import (
	"cmp"
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"

	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
	"benchbook/render/figure"
	"benchbook/render/number"
)

// figureView is a figure in the template.
type figureView struct {
	exhibit
	Full, Narrow template.HTML
	Missing      string // why there is no drawing
	HowTo        []string
}

// figure shows a figure block.
func (c *composer) figure(f *article.Figure) template.HTML {
	v := figureView{exhibit: exhibit{ID: f.Label.Value, Number: c.numbers[f.Label.Value], Banner: c.titleCheck(f.Claim)}}
	v.Caption, _ = c.inline(f.Caption.Value)
	cells, _, err := c.selectCells(f.Experiment.Value, f.Where.Node)
	metric, known := metricOf(f.X.Value, cells)
	var titleText string
	if v.Title, titleText = c.inline(f.Title.Value); v.Title == "" {
		titleText = metric.Title + " by " + listWords(texts(f.Y))
		v.Title = template.HTML(template.HTMLEscapeString(titleText))
	}
	switch {
	case err != nil:
		v.Missing = sentence(err.Error())
	case f.Kind.Value != "dots":
		v.Missing = fmt.Sprintf("This version does not draw figures of kind %q yet.", f.Kind.Value)
	case !known:
		v.Missing = fmt.Sprintf("%q is a parameter; x of a figure of dots is a metric.", f.X.Value)
	case len(cells) == 0:
		v.Missing = "There are no cells to draw."
	}
	if v.Missing != "" {
		c.warnf("%s: %s", f.Label.Value, v.Missing)
		v.Stamp = c.stamp(cells, nil, nil)
		return c.fill("figure", v)
	}
	d := c.newDots(f, metric, cells)
	d.Title = titleText
	v.Sub = d.sub()
	v.HowTo = d.howTo()
	d.Desc = d.description()
	if f.Alt.Value != "" {
		_, alt := c.inline(f.Alt.Value)
		d.Desc = alt + " " + d.Desc
	}
	full, narrow := c.draw(d.Dots, figure.Full), c.draw(d.Dots, figure.Narrow)
	v.Full, v.Narrow = template.HTML(full), template.HTML(narrow)
	links := c.dataFiles(f.Label.Value, cells, d.fields, []record.Metric{metric}, f.Published)
	if len(full) > 0 {
		path := dataFolder + "/" + f.Label.Value + ".svg"
		c.files = append(c.files, File{path, figure.Standalone(full)})
		links = append(links, link{path, "SVG"})
	}
	v.Stamp = c.stamp(cells, []record.Metric{metric}, links)
	return c.fill("figure", v)
}

// draw draws a figure and looks at what came out.
func (c *composer) draw(d figure.Dots, width figure.Width) []byte {
	svg, err := d.Draw(c.metrics, width)
	if err != nil {
		if c.err == nil {
			c.err = err
		}
		return nil
	}
	for _, finding := range figure.Check(c.metrics, svg) {
		if finding.Kind != figure.MissingGlyph { // a name in any script may be shown
			c.warnf("%s, %d wide: %s", d.ID, int(width), finding.Message)
		}
	}
	return svg
}

// dots is a figure of dots with what the page says about it.
type dots struct {
	figure.Dots
	metric record.Metric
	unit   number.Unit
	fields []string // by which rows are named
	cells  []*dataset.Cell
	kinds  kinds
	pooled bool // shares over all repetitions
}

// newDots makes rows of cells, ordered by value unless the article sorts them by a parameter.
func (c *composer) newDots(f *article.Figure, m record.Metric, cells []*dataset.Cell) *dots {
	d := &dots{metric: m, fields: naming(cells, texts(f.Y)), cells: cells, kinds: kindsOf(cells, m.Name)}
	d.ID = f.Label.Value
	results := map[*dataset.Cell]dataset.Result{}
	var centres []float64
	for _, cell := range cells {
		r := cell.Metric(m.Name)
		if results[cell] = r; r.Missing == "" {
			centres = append(centres, r.Estimate.Centre)
			d.pooled = d.pooled || r.Estimate.Kind == stats.ClopperPearson
		}
	}
	d.unit = number.For(m.Unit, m.Share, centres...)
	d.Axis, d.Unit = quantityWords(m, d.unit), d.unit.Scale
	d.Series = c.series(f, cells)
	order := slices.Clone(cells)
	slices.SortStableFunc(order, func(a, b *dataset.Cell) int { return d.compare(f, results, a, b) })
	for _, cell := range order {
		row := d.row(results[cell], nameBy(cell, d.fields))
		if len(d.Series) > 0 {
			value, _ := field(cell, f.Colour.Value)
			row.Series = 1 + slices.Index(d.Series, value)
		}
		if p, ok := c.d.Published(cell, m.Name, f.Published.Name.Value); ok && f.Published.Shown {
			d.Published = "published"
			row.Published = p.Number
			row.Title += "; published " + d.unit.Exact(p.Number)
		}
		d.Rows = append(d.Rows, row)
	}
	return d
}

// series are the values of the parameter that gives colours, in the order of the plan; none if they are too many.
func (c *composer) series(f *article.Figure, cells []*dataset.Cell) []string {
	const most = 6
	if f.Colour.Value == "" {
		return nil
	}
	var out []string
	for _, cell := range cells {
		if v, _ := field(cell, f.Colour.Value); !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	if len(out) > most {
		c.warnf("%s: %q has %d values, and more than %d colours cannot be told apart; all rows are drawn in one",
			f.Label.Value, f.Colour.Value, len(out), most)
		return nil
	}
	return out
}

// compare orders rows: by the parameter the author sorts by, else by value, the better first and missing ones last.
func (d *dots) compare(f *article.Figure, results map[*dataset.Cell]dataset.Result, a, b *dataset.Cell) int {
	if by := f.Sort.Value; by != "" && by != d.metric.Name {
		return 0 // cells stand in the order of the article's axes
	}
	x, y := results[a], results[b]
	switch {
	case x.Missing != "" && y.Missing != "":
		return 0
	case x.Missing != "":
		return 1
	case y.Missing != "":
		return -1
	case d.metric.Better == "lower":
		return cmp.Compare(x.Estimate.Centre, y.Estimate.Centre)
	}
	return cmp.Compare(y.Estimate.Centre, x.Estimate.Centre)
}

// row is a result as a figure draws it.
func (d *dots) row(r dataset.Result, name string) figure.Row {
	v := estimate(r)
	row := figure.Row{Name: name, Series: 1, Value: v.Centre, Lo: v.Lo, Hi: v.Hi, Range: r.Estimate.Kind == stats.RangeOfTwo,
		Missing: v.Missing, Published: math.NaN()}
	if v.Missing != "" {
		row.Title = name + ": " + v.Missing
		return row
	}
	if row.Range = row.Range || r.Estimate.Kind == stats.WithinRun; math.IsInf(v.Lo, 0) || math.IsInf(v.Hi, 0) {
		row.Lo, row.Hi = math.NaN(), math.NaN() // a line without an end is none; the words say what is known
	}
	decimals := d.unit.Decimals(v.Centre, v.Lo, v.Hi)
	row.Label = d.unit.Number(v.Centre, decimals)
	if v.Few != "" {
		row.Label += ", " + v.Few
	}
	row.Title = name + ": " + d.unit.Quantity(v.Centre, decimals)
	switch {
	case v.Few != "" && !math.IsNaN(v.Lo):
		row.Title += ", " + v.Few + ", " + d.unit.Between(v.Lo, v.Hi, decimals)
	case v.Few != "":
		row.Title += ", " + v.Few
	default:
		row.Title += ", 95\u202f% interval " + d.unit.Between(v.Lo, v.Hi, decimals) + ", " +
			number.Count(r.Estimate.N, "repetition")
	}
	return row
}

// quantityWords names a quantity with its unit, as an axis does.
func quantityWords(m record.Metric, u number.Unit) string {
	switch {
	case u.Symbol == "/s" && per(m) != "":
		return per(m) + " per second"
	case u.Symbol == "/s":
		return lower(m.Title) + " per second"
	case u.Symbol == "":
		return lower(m.Title)
	}
	return lower(m.Title) + ", " + u.Symbol
}

func (d *dots) measured() bool {
	return slices.ContainsFunc(d.Rows, func(r figure.Row) bool { return r.Missing == "" })
}

// sub says what the marks are, and in which unit.
func (d *dots) sub() string {
	words := lower(d.metric.Title)
	if axis := d.Axis; axis != words {
		words = strings.TrimPrefix(axis, words+", ")
		words = lower(d.metric.Title) + ", " + words
	}
	switch {
	case !d.measured():
		return capital(words) + "; not measured yet"
	case d.pooled:
		return "Share over all repetitions with 95\u202f% interval: " + words
	case d.kinds.intervals && (d.kinds.two || d.kinds.one):
		return "Median with 95\u202f% interval, where there are enough runs: " + words
	case d.kinds.intervals:
		return "Median with 95\u202f% interval: " + words
	case d.kinds.two && d.kinds.one:
		return "One or two runs, no intervals: " + words
	case d.kinds.two:
		return "Mean of two runs: " + words
	}
	return "One run, no interval: " + words
}

// howTo says how to read the figure.
func (d *dots) howTo() []string {
	var out []string
	switch {
	case !d.measured():
		out = append(out, "There is a row for every cell of the experiment; none was measured yet.")
	case d.pooled:
		out = append(out, "Dot: failed of attempted over "+d.kinds.repetitions()+
			". Box: 95\u202f% interval, widened to the smallest and largest share of one repetition.")
	case d.kinds.intervals:
		out = append(out, "Dot: median. Box: 95\u202f% interval of the median over "+d.kinds.repetitions()+".")
	}
	if d.kinds.two {
		out = append(out, d.few("Dot: mean of two runs. Line: the smaller and the larger.", "Of two runs the dot is the mean, the line the smaller and the larger."))
	}
	if d.kinds.one {
		out = append(out, d.few("Dot: the value of a single run; nothing is known of how much it varies.",
			"Of a single run the dot is its value; nothing is known of how much it varies."))
		if d.kinds.within {
			out = append(out, "Line of a single run: 95\u202f% interval within it, as if its requests were independent.")
		}
	}
	if d.Published != "" {
		out = append(out, "Grey tick: published value, measured elsewhere; compare the order, not the distance.")
	}
	if d.measured() && slices.ContainsFunc(d.Rows, func(r figure.Row) bool { return r.Missing != "" }) {
		out = append(out, "A row without a mark says in words why it has none.")
	}
	return out
}

// few chooses words for a kind that is alone in the figure, or beside others.
func (d *dots) few(alone, beside string) string {
	if d.kinds.intervals || d.kinds.two && d.kinds.one {
		return beside
	}
	return alone
}

// description is the figure in words, with every value.
func (d *dots) description() string {
	var rows []string
	for _, r := range d.Rows {
		rows = append(rows, r.Title)
	}
	return "Dots, one row each, in this order: " + strings.Join(rows, "; ") + "."
}
