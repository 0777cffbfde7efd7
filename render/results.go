package render

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"
	"strings"

	"benchbook/notebook/article"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
	"benchbook/notebook/validity"

	"benchbook/render/cellview"

	"benchbook/render/method"

	"benchbook/internal/slice"
	"benchbook/render/table"
	"benchbook/render/wording"
)

// captioned is common to tables and figures in the template.
type captioned struct {
	ID, Number string
	Title      template.HTML
	Sub        string
	Caption    template.HTML
	Provenance provenance
}

// provenance says what was measured and where, and links the data.
type provenance struct {
	Cells string
	Where string
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
	return provenance{Cells: words, Where: o.Where()}
}

type judgements map[string]claim.Judgement

// verdict returns the outcome of a claim.
func (j judgements) verdict(claim string) stats.Verdict {
	return cmp.Or(j[claim].Outcome(), stats.NotMeasured)
}

func (c *composer) table(t *article.Table) template.HTML {
	e := captioned{ID: t.Label.Value, Number: c.numbers[t.Label.Value]}
	cells, experiment, err := c.selectCells(t.Experiment.Value, t.Where.Node)
	if err != nil {
		c.Warnf("%s: %v", t.Label.Value, err)
	}
	columns := c.tableColumns(t, cells)
	if e.Title, _ = c.outcomes.title(t.Title.Value); e.Title == "" {
		e.Title = template.HTML(template.HTMLEscapeString(columns.autoTitle()))
	}
	e.Caption = c.outcomes.caption(t.Caption.Value)
	layout := columns.table(c).Layout()
	e.Sub = c.ofSession(columns.Sub())
	o := cellview.OriginOf(cells, cellview.NamesOf(columns.metrics)...)
	e.Provenance = c.provenance(o)
	e.Provenance.Files = []link{c.addFile(t.Label.Value+".csv", "CSV",
		cellview.DataOf(c.d, cells, columns.words, columns.metrics, t.Published))}
	missing := ""
	switch {
	case experiment == nil:
		missing = wording.Sentence(err.Error())
	case experiment.Plan.Skipped != "":
		missing = wording.Sentence("left out: " + experiment.Plan.Skipped)
	case len(cells) == 0:
		missing = "No cells to show."
	}
	return c.Fill("table", struct {
		captioned
		Layout  table.Layout
		Missing string   // why there are no rows
		Common  []string // what holds of all rows
	}{e, layout, missing, columns.commonWords()})
}

type columns struct {
	block   *article.Table
	cells   []*dataset.Cell
	words   []string // parameters, labels
	metrics []record.Metric
	main    int      // index into metrics; -1
	colour  string   // the parameter that colours tell apart; empty if none
	series  []string // its values
	common  []string // circumstances in which all that is shown was measured
}

func (c *composer) tableColumns(t *article.Table, cells []*dataset.Cell) *columns {
	out := &columns{block: t, cells: cells, main: -1}
	asked := article.Texts(t.Rows)
	for _, name := range article.Texts(t.Columns) {
		if m, ok := cellview.MetricOf(name, cells); ok {
			if t.Sort.Value == name || out.main < 0 && t.Sort.Value == "" {
				out.main = len(out.metrics)
			}
			out.metrics = append(out.metrics, m)
		} else if !slices.Contains(asked, name) {
			asked = append(asked, name)
		}
	}
	if out.main < 0 && len(out.metrics) > 0 {
		out.main = 0
	}
	out.words = cellview.Naming(cells, asked)
	if out.colour = c.palette().Axis(cells); out.colour != "" {
		out.series = c.palette().Names(cellview.SeriesOf(cells, out.colour))
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

// commonWords are sentences below the table instead of a note at every number.
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

func (k *columns) heads() []string {
	return slice.Map(k.metrics, func(m record.Metric) string { return wording.Lower(m.Title) })
}

// autoTitle is the title of a table that has none of its author.
func (k *columns) autoTitle() string {
	return wording.By(wording.Capital(wording.List(k.heads())), k.words)
}

func (k *columns) table(c *composer) table.Table {
	out := table.Table{ID: k.block.Label.Value, Main: k.main, Series: k.series}
	for _, w := range k.words {
		out.Words = append(out.Words, wording.Capital(w))
	}
	for _, m := range k.metrics {
		col := table.Metric{Head: m.Title, Named: wording.Lower(m.Title), Per: cellview.Per(m), Base: m.Unit, Share: m.Share,
			Better: m.Better, Format: k.format(m.Name)}
		if slices.ContainsFunc(k.cells, func(cell *dataset.Cell) bool {
			_, ok := cellview.PublishedOf(c.d, cell, m.Name, k.block.Published)
			return ok
		}) {
			col.Published = "Published"
		}
		out.Metrics = append(out.Metrics, col)
	}
	if sort := k.block.Sort.Value; sort != "" {
		if i := slices.IndexFunc(k.metrics, func(m record.Metric) bool { return m.Name == sort }); i >= 0 {
			out.Order.Metric = i + 1
		} else {
			out.Order.Word = slices.Index(k.words, sort) + 1
		}
	}
	for _, cell := range k.cells {
		out.Rows = append(out.Rows, k.row(c, cell))
	}
	return out
}

// format returns how the author wants a column written. Intervals are always shown.
func (k *columns) format(column string) table.Format {
	var out table.Format
	for _, f := range k.block.Format {
		if f.Name.Value == column {
			unit, digits := wording.UnitOf(f.Value.Filters)
			out = table.Format{Unit: unit, Digits: digits}
		}
	}
	return out
}

func (k *columns) row(c *composer, cell *dataset.Cell) table.Row {
	r := table.Row{Notes: cellNotes(cell, k.metrics, k.common)}
	r.Series = c.palette().Cell(cell, k.colour) - 1
	for _, w := range k.words {
		v, _ := cellview.Field(cell, w)
		r.Words = append(r.Words, v)
	}
	for _, m := range k.metrics {
		v := cellview.Estimate(cell.Metric(m.Name))
		if p, ok := cellview.PublishedOf(c.d, cell, m.Name, k.block.Published); ok {
			v.Published = p.Number
		}
		v.Missing = shortReason(v.Missing)
		r.Values = append(r.Values, v)
	}
	return r
}

// shortReason cuts a reason at its colon; cellNotes has the rest.
func shortReason(reason string) string {
	short, _, _ := strings.Cut(reason, ":")
	return short
}

// cellNotes lists state, failures, findings and marks of a cell, except those common to all rows.
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
	marks := slices.DeleteFunc(marksOf(cell, metrics), func(m marked) bool { return slices.Contains(common, m.words) })
	for _, check := range cell.Validity().Checks() {
		isSaid := check.Name == "run" && len(failed) > 0 || saysFinding(marks, check)
		if !isSaid && (check.Level == validity.Warn || check.Level == validity.Invalid) {
			add(check.Name, check.Words)
		}
	}
	out = append(out, markNotes(marks, len(metrics), out)...)
	said := len(out) > 0
	for i, m := range metrics {
		if kind, words, ok := strings.Cut(cell.Metric(m.Name).Missing, ": "); ok && !said {
			add(kind, words, i)
		}
	}
	return out
}

// markNotes turns marks into notes, after the existing ones. If a check reported on the whole cell, marks of all
// metrics are left out.
func markNotes(marks []marked, metrics int, beside []table.Note) []table.Note {
	var out []table.Note
	isSaid := func(m marked) bool {
		return slices.ContainsFunc(beside, func(n table.Note) bool { return n.Words == m.words })
	}
	for _, m := range marks {
		switch isOfSome := len(m.metrics) < metrics; {
		case isSaid(m):
		case isOfSome:
			out = append(out, table.Note{Kind: m.kind(), Words: m.words, Metrics: m.metrics})
		case m.isLeftOut() || len(beside) == 0:
			out = append(out, table.Note{Kind: m.kind(), Words: m.words})
		}
	}
	return out
}

// marked is a problem of some repetitions of a cell, and the metrics that it affects.
type marked struct {
	words   string
	metrics []int
}

func (m marked) isLeftOut() bool { return strings.Contains(m.words, "not valid") }

// saysFinding reports whether a mark repeats the finding of a check.
func saysFinding(marks []marked, check validity.CheckResult) bool {
	_, finding, _ := strings.Cut(check.Words, ": ")
	return finding != "" && slices.ContainsFunc(marks, func(m marked) bool {
		return m.isLeftOut() && strings.Contains(m.words, finding)
	})
}

func (m marked) kind() string {
	for _, k := range []struct{ part, kind string }{
		{"not valid", "left out"}, {" disturbed (", "disturbed"}, {"outlier", "outlier"}, {"% apart", "wide"},
		{"in the tail", "tail"}, {"on shared services", "shared"}, {"share a start", "one start"},
	} {
		if strings.Contains(m.words, k.part) {
			return k.kind
		}
	}
	return "incomplete"
}

// marksOf groups marks by words, since most affect all metrics of a cell.
func marksOf(cell *dataset.Cell, metrics []record.Metric) []marked {
	var out []marked
	for at, m := range metrics {
		for _, words := range cell.Metric(m.Name).Marks {
			i := slices.IndexFunc(out, func(o marked) bool { return o.words == words })
			if i < 0 {
				i = len(out)
				out = append(out, marked{words: words})
			}
			out[i].metrics = append(out[i].metrics, at)
		}
	}
	return out
}

// Sub describes the numbers of a table.
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
	given := slice.Count(k.cells, func(cell *dataset.Cell) bool { return k.main >= 0 && cell.IsGivenByRate(k.metrics[k.main].Name) })
	if given > 1 {
		text += "; " + dataset.NotRanked
	}
	if !dataset.Together(k.cells[0].Experiment.Cells) {
		text += "; not measured together: the rows are from different runs"
	}
	return text
}
