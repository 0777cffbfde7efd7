package render

import (
	"cmp"
	"fmt"
	"html/template"
	"net/url"
	"slices"
	"strings"

	"benchbook/internal/phrase"
	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
	"benchbook/notebook/validity"
	"benchbook/render/cellview"
	"benchbook/render/chart"
	"benchbook/render/figure"
	"benchbook/render/method"
	"benchbook/render/prose"
	"benchbook/render/table"
	"benchbook/render/wording"
)

// captioned holds what the templates of tables and figures share.
type captioned struct {
	ID, Number string
	Title      template.HTML
	Sub        string
	Caption    template.HTML
	Provenance provenance
}

// provenance says which cells were measured and when, and links the data.
type provenance struct {
	Cells string
	When  string
	Files []link
}

func (c *composer) provenance(o cellview.Origin) provenance {
	cells, d := o.Cells, c.d
	words := wording.Count(len(cells), "cell")
	switch missing := len(cells) - o.Measured; {
	case missing == 0:
	case o.Measured == 0:
		words += ", none measured"
	default:
		words += fmt.Sprintf(", %d not measured", missing)
	}
	if o.Measured > 0 {
		words += ", " + o.Repetitions()
	}
	if o.Replacing > 0 {
		words += fmt.Sprintf(", %d re-run because of background load", o.Replacing)
	}
	if d.Profile != "" && d.Profile != "full" && o.Measured > 0 {
		words += ", profile\u00a0" + d.Profile
	}
	return provenance{Cells: words, When: o.When()}
}

func (c *composer) verdict(claim string) stats.Verdict {
	return cmp.Or(c.judgements[claim].Outcome(), stats.NotMeasured)
}

// verdicts counts claims by verdict.
func (c *composer) verdicts(claims []*article.Claim) map[stats.Verdict]int {
	counts := map[stats.Verdict]int{}
	for _, block := range claims {
		counts[c.verdict(block.Name.Value)]++
	}
	return counts
}

func (c *composer) table(t *article.Table) template.HTML {
	e := captioned{ID: t.Label.Value, Number: c.numbers[t.Label.Value]}
	cells, missing := c.shownCells(t.Experiment.Value, t.Where.Node)
	columns := c.tableColumns(t, cells)
	if e.Title, _ = c.title(t.Title.Value); e.Title == "" {
		e.Title = prose.Escaped(columns.autoTitle())
	}
	e.Caption = c.caption(t.Caption.Value)
	layout := columns.table(c).Layout()
	e.Sub = c.ofSession(columns.Sub())
	e.Provenance = c.provenance(cellview.OriginOf(cells, cellview.NamesOf(columns.metrics)...))
	e.Provenance.Files = []link{c.addFile(t.Label.Value+".csv", "CSV",
		cellview.DataOf(c.d, cells, columns.words, columns.metrics, t.Published))}
	return c.Fill("table", struct {
		captioned
		Layout  table.Layout
		Missing string   // why there are no rows
		Common  []string // notes on all rows
	}{e, layout, missing, columns.commonWords()})
}

type columns struct {
	block   *article.Table
	cells   []*dataset.Cell
	words   []string // parameters, labels
	metrics []record.Metric
	sorted  int      // index of the metric that sorts the rows, or -1
	colour  string   // the parameter shown by colour; may be empty
	series  []string // the values of colour
	common  []string // circumstances shared by all measured cells
}

func (c *composer) tableColumns(t *article.Table, cells []*dataset.Cell) *columns {
	out := &columns{block: t, cells: cells}
	asked := article.Texts(t.Rows)
	for _, name := range article.Texts(t.Columns) {
		if m, ok := cellview.MetricOf(name, cells); ok {
			out.metrics = append(out.metrics, m)
		} else {
			asked = append(asked, name)
		}
	}
	out.sorted = slices.Index(cellview.NamesOf(out.metrics), t.Sort.Value)
	out.words = cellview.Naming(cells, asked)
	if out.colour = c.palette.Axis(cells); out.colour != "" {
		out.series = c.palette.Names(cellview.SeriesOf(cells, out.colour))
	}
	out.common = commonCircumstances(cells)
	return out
}

// commonCircumstances returns the circumstances that all measured cells share.
func commonCircumstances(cells []*dataset.Cell) []string {
	cells = slices.DeleteFunc(slices.Clone(cells), func(cell *dataset.Cell) bool { return len(cell.Records) == 0 })
	if len(cells) == 0 {
		return nil
	}
	return slices.DeleteFunc(cells[0].Circumstances(), func(words string) bool {
		return slices.ContainsFunc(cells, func(cell *dataset.Cell) bool {
			return !slices.Contains(cell.Circumstances(), words)
		})
	})
}

// commonWords returns sentences below the table about circumstances that all rows share.
func (k *columns) commonWords() []string {
	var out []string
	for _, words := range k.common {
		if circumstance, which, ok := strings.Cut(words, ": "); ok {
			words = circumstance + " (" + which + ")"
		}
		out = append(out, "All rows: "+words+".")
	}
	return out
}

// autoTitle returns the title of a table if the author gave none.
func (k *columns) autoTitle() string {
	title := wording.Capital(phrase.List(slice.Map(k.metrics, func(m record.Metric) string { return wording.Lower(m.Title) })))
	if len(k.words) > 0 {
		title += " by " + phrase.List(k.words)
	}
	return title
}

// main returns the index of the plotted metric: the one that sorts the rows, else the first; -1 without metrics.
func (k *columns) main() int { return min(max(0, k.sorted), len(k.metrics)-1) }

func (k *columns) table(c *composer) table.Table {
	out := table.Table{ID: k.block.Label.Value, Main: k.main(), Series: k.series, Words: slice.Map(k.words, wording.Capital),
		Rows: slice.Map(k.cells, func(cell *dataset.Cell) table.Row { return k.row(c, cell) })}
	for _, m := range k.metrics {
		col := table.Metric{Head: m.Title, Per: cellview.Per(m), Base: m.Unit, Share: m.Share, Better: m.Better}
		format, _ := article.Get(k.block.Format, m.Name)
		col.Unit, col.Digits = wording.UnitOf(format.Filters)
		col.Published = slices.ContainsFunc(k.cells, func(cell *dataset.Cell) bool {
			_, ok := cellview.PublishedOf(c.d, cell, m.Name, k.block.Published)
			return ok
		})
		out.Metrics = append(out.Metrics, col)
	}
	out.Order = table.Order{Metric: k.sorted + 1, Word: slices.Index(k.words, k.block.Sort.Value) + 1}
	return out
}

func (k *columns) row(c *composer, cell *dataset.Cell) table.Row {
	r := table.Row{Notes: cellNotes(cell, k.metrics, k.common), Series: c.palette.Cell(cell, k.colour) - 1,
		Words: slice.Map(k.words, func(w string) string { v, _ := cell.Setting(w); return v })}
	for _, m := range k.metrics {
		v := cellview.Estimate(cell.Metric(m.Name))
		if p, ok := cellview.PublishedOf(c.d, cell, m.Name, k.block.Published); ok {
			v.Published = p.Number
		}
		v.Missing, _, _ = strings.Cut(v.Missing, ":") // cellNotes says the rest
		r.Values = append(r.Values, v)
	}
	return r
}

// cellNotes returns notes on state, failures, validity findings and marks of a cell, except those common to all rows.
func cellNotes(cell *dataset.Cell, metrics []record.Metric, common []string) []table.Note {
	var out []table.Note
	add := func(kind, words string, of ...int) {
		out = append(out, table.Note{Kind: kind, Words: words, Metrics: of})
	}
	switch cell.State {
	case dataset.Stale:
		add(cellview.StateOf(cell), "measured with an older version of this experiment")
	case dataset.Partial:
		add(cellview.StateOf(cell), fmt.Sprintf("%d of %s of its run", len(cell.Records),
			wording.Count(cell.Records[0].Planned, "repetition")))
	}
	failed := method.Failures(cell)
	for _, f := range failed {
		add("failed", f.Which+": "+f.Words)
	}
	marks := marksOf(cell, metrics, common)
	for _, check := range cell.Validity().Checks() {
		isSaid := check.Name == "run" && len(failed) > 0 || saysFinding(marks, check)
		if !isSaid && (check.Level == validity.Warn || check.Level == validity.Invalid) {
			add(check.Name, check.Words)
		}
	}
	out = append(out, notSaid(marks, len(metrics), out)...)
	said := len(out) > 0
	for i, m := range metrics {
		if kind, words, ok := strings.Cut(cell.Metric(m.Name).Missing, ": "); ok && !said {
			add(kind, words, i)
		}
	}
	return out
}

// notSaid returns the marks that the notes of a cell do not repeat. If there are notes, it also drops the marks common
// to all metrics, except those of invalid repetitions.
func notSaid(marks []table.Note, metrics int, notes []table.Note) (out []table.Note) {
	for _, mark := range marks {
		isSaid := slices.ContainsFunc(notes, func(n table.Note) bool { return n.Words == mark.Words })
		if len(mark.Metrics) == metrics {
			mark.Metrics, isSaid = nil, isSaid || mark.Kind != leftOutMark && len(notes) > 0
		}
		if !isSaid {
			out = append(out, mark)
		}
	}
	return out
}

// marksOf groups the marks of a cell by words, as most affect all its metrics. It skips those common to all rows.
func marksOf(cell *dataset.Cell, metrics []record.Metric, common []string) (out []table.Note) {
	for at, m := range metrics {
		for _, words := range cell.Metric(m.Name).Marks {
			if slices.Contains(common, words) {
				continue
			}
			note := slice.FindOrAdd(&out, func(n table.Note) bool { return n.Words == words },
				table.Note{Kind: kindOfMark(words), Words: words})
			note.Metrics = append(note.Metrics, at)
		}
	}
	return out
}

// saysFinding reports whether a mark repeats the finding of a check.
func saysFinding(marks []table.Note, check validity.CheckResult) bool {
	_, finding, _ := strings.Cut(check.Words, ": ")
	return finding != "" && slices.ContainsFunc(marks, func(n table.Note) bool {
		return n.Kind == leftOutMark && strings.Contains(n.Words, finding)
	})
}

// leftOutMark is the kind of marks about invalid repetitions.
const leftOutMark = "left out"

func kindOfMark(words string) string {
	for _, k := range []struct{ part, kind string }{
		{"not valid", leftOutMark}, {" disturbed (", "disturbed"}, {"outlier", "outlier"}, {"% apart", "wide"},
		{"in the tail", "tail"}, {"on shared services", "shared"},
	} {
		if strings.Contains(words, k.part) {
			return k.kind
		}
	}
	return "incomplete"
}

// Sub returns the subtitle of a table: the kind of its numbers.
func (k *columns) Sub() string {
	switch cells := k.cells; {
	case len(cells) == 0:
		return ""
	case cellview.NoneMeasured(cells):
		return wording.Capital(cellview.Without(cells)) + "; no row has been measured"
	}
	isFailed := func(m string) bool { return m == "failed" }
	text := cellview.KindsOf(k.cells, slices.DeleteFunc(cellview.NamesOf(k.metrics), isFailed)...).Sub()
	if slices.ContainsFunc(cellview.NamesOf(k.metrics), isFailed) {
		text = wording.Capital(strings.TrimPrefix(text+"; share of failed attempts, with 95\u202f% interval", "; "))
	}
	if text == "" {
		text = wording.Capital(cellview.Without(k.cells, cellview.NamesOf(k.metrics)...))
	}
	given := slice.Count(k.cells, func(cell *dataset.Cell) bool {
		return len(k.metrics) > 0 && cell.IsGivenByRate(k.metrics[k.main()].Name)
	})
	if given > 1 {
		text += "; " + dataset.NotRanked
	}
	if !dataset.Together(k.cells[0].Experiment.Cells) {
		text += "; not measured together: the rows are from different runs"
	}
	return text
}

type figureView struct {
	captioned
	Full, Narrow template.HTML // the drawing in two widths
	Missing      string        // why there is no drawing
	HowTo        []string
	AtTop        bool // it is the headline figure, which unfolds its notes
}

func (c *composer) figure(f *article.Figure) template.HTML {
	v := figureView{captioned: captioned{ID: f.Label.Value, Number: c.numbers[f.Label.Value]}, AtTop: f == c.headline}
	v.Caption = c.caption(f.Caption.Value)
	cells, missing := c.shownCells(f.Experiment.Value, f.Where.Node)
	p := c.panel(f, cells)
	if v.Missing = missing; missing == "" {
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

// panel returns a figure's input for drawing.
func (c *composer) panel(f *article.Figure, cells []*dataset.Cell) *chart.Panel {
	return &chart.Panel{Dataset: c.d, Block: f, Cells: cells, Palette: c.palette, Claim: c.judgements[statedBy(f)],
		Plain: func(line string) string { _, words := c.title(line); return words }}
}

// drawPanel draws a figure in both widths and adds its files.
func (c *composer) drawPanel(v *figureView, f *article.Figure, p *chart.Panel) {
	d := p.Draw()
	if d.Warning != "" {
		c.Warnf("%s", d.Warning)
	}
	v.Missing, v.Sub, v.HowTo = wording.Sentence(d.Missing), c.ofSession(d.Sub), d.HowTo
	if d.Spec == nil {
		return
	}
	spec, wide := *d.Spec, figure.Top // the drawing keeps its title, since an index shows it alone
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

// drawCard adds the PNG of a figure, if the options ask for it. The headline figure becomes the card of the page, too,
// if the site's address is known: links to the card must be absolute.
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

// CardFile is the preview image for links to a page. Pages without a headline figure and sites without an address have
// none.
const CardFile = dataFolder + "/card.png"

// dataFolder holds the data of tables and figures, below the page's folder.
const dataFolder = "data"

// about returns the metadata of a figure's SVG file. The claim is the one that its title states; may be empty.
//
// Source: docs/results.md#provenance-of-files.
func (c *composer) about(label, title, claim string, o cellview.Origin) [][2]string {
	finding := ""
	if claim != "" {
		finding = c.Finding(claim)
	}
	_, source := c.prose.Inline(c.doc.Front.Title.Value)
	return [][2]string{{"title", title}, {"finding", finding}, {"source", source},
		{"run", strings.Join(o.Runs, ", ")}, {"host", strings.Join(o.Hosts, ", ")},
		{"revision", strings.Join(o.Revisions, ", ")}, {"address", c.address() + "#" + label},
		{"licence", c.options.Licence}}
}

// sourceLine returns the line below a figure in its own file.
func (c *composer) sourceLine(o cellview.Origin) string {
	_, title := c.prose.Inline(c.doc.Front.Title.Value)
	measured := "not measured"
	if o.Measured > 0 {
		measured = "measured " + wording.ShortDate(o.Last)
	}
	parts := slices.DeleteFunc([]string{title, measured, c.options.Licence}, func(s string) bool { return s == "" })
	line := "Source: " + strings.Join(parts, ", ")
	if c.options.Address != "" {
		line += ", " + c.address()
	}
	return line
}

// statedBy returns the claim that the title of a figure states, or "".
func statedBy(f *article.Figure) string {
	if name, ok := article.SentenceOf(f.Title.Value); ok {
		return name
	}
	return ""
}

// address returns the URL of the page, relative to the site if the site's address is unknown.
func (c *composer) address() string {
	slug := url.PathEscape(c.doc.Slug)
	if c.options.Address == "" {
		return slug + "/index.html"
	}
	return strings.TrimSuffix(c.options.Address, "/") + "/" + slug + "/"
}

// addFile adds a data file of a table or figure and returns a link to it.
func (c *composer) addFile(name, words string, data []byte) link {
	c.AddFile(dataFolder+"/"+name, data)
	return link{dataFolder + "/" + name, words}
}
