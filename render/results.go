package render

import (
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"

	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
	"benchbook/render/number"
	"benchbook/render/table"
)

// exhibit is what tables and figures have in common in the template.
type exhibit struct {
	ID, Number string
	Title      template.HTML
	Sub        string
	Banner     *banner
	Caption    template.HTML
	Stamp      stamp
}

// stamp says what was measured, where, and where the data are.
type stamp struct {
	Cells string
	Where string
	Files []link
}

func (c *composer) stamp(cells []*dataset.Cell, metrics []record.Metric, files []link) stamp {
	o := originOf(cells, namesOf(metrics)...)
	unavailable := 0
	for _, cell := range cells {
		if cell.Trial.Unavailable != "" {
			unavailable++
		}
	}
	words := number.Count(len(cells), "cell")
	if unavailable > 0 {
		words += fmt.Sprintf(", %d unavailable", unavailable)
	}
	switch missing := len(cells) - unavailable - o.measured; {
	case missing == 0:
	case o.measured == 0:
		words += ", none measured"
	default:
		words += fmt.Sprintf(", %d not measured", missing)
	}
	if o.measured > 0 {
		words += ", " + o.repetitions()
	}
	if c.d.Profile != "" && c.d.Profile != "full" && o.measured > 0 {
		words += ", profile\u00a0" + c.d.Profile
	}
	return stamp{words, o.where(), files}
}

func namesOf(metrics []record.Metric) []string {
	var out []string
	for _, m := range metrics {
		out = append(out, m.Name)
	}
	return out
}

// titleCheck says so at the title of a table or figure that states a finding which the data do not bear.
func (c *composer) titleCheck(claim article.Text) *banner {
	if claim.Value == "" {
		return nil
	}
	verdict := c.judgements[claim.Value].Verdict
	if verdict == stats.Supported {
		return nil
	}
	if verdict == "" {
		verdict = stats.NotMeasured
	}
	return &banner{Strong: "The title states a claim that is " + string(verdict) + " here.",
		Link: &link{"#" + claimID + claim.Value, "See the claim"}}
}

// table shows a table block.
func (c *composer) table(t *article.Table) template.HTML {
	e := exhibit{ID: t.Label.Value, Number: c.numbers[t.Label.Value], Banner: c.titleCheck(t.Claim)}
	cells, experiment, err := c.selectCells(t.Experiment.Value, t.Where.Node)
	if err != nil {
		c.warnf("%s: %v", t.Label.Value, err)
	}
	columns := c.tableColumns(t, cells)
	view := columns.table(c, experiment)
	if e.Title, _ = c.inline(t.Title.Value); e.Title == "" {
		words := capital(listWords(columns.heads())) + " by " + listWords(columns.words)
		e.Title = template.HTML(template.HTMLEscapeString(words))
	}
	e.Caption, _ = c.inline(t.Caption.Value)
	layout := view.Layout()
	e.Sub = columns.sub(cells, layout)
	e.Stamp = c.stamp(cells, columns.metrics, c.dataFiles(t.Label.Value, cells, columns.words, columns.metrics, t.Published))
	return c.fill("table", struct {
		exhibit
		Layout table.Layout
	}{e, layout})
}

// columns is what a table block shows of cells.
type columns struct {
	block   *article.Table
	cells   []*dataset.Cell
	words   []string // parameters, labels
	metrics []record.Metric
	main    int // index into metrics; -1
	groups  map[string]string
}

func (c *composer) tableColumns(t *article.Table, cells []*dataset.Cell) *columns {
	out := &columns{block: t, cells: cells, main: -1}
	asked := texts(t.Rows)
	for _, name := range texts(t.Columns) {
		if m, ok := metricOf(name, cells); ok {
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
	out.words = naming(cells, asked)
	return out
}

// metricOf says what a name in a block measures: a metric of ours, or one that a program of the cells prints. It is false
// for parameters and labels.
func metricOf(name string, cells []*dataset.Cell) (record.Metric, bool) {
	if m, ok := record.LookupMetric(name); ok {
		return m, true
	}
	for _, cell := range cells {
		if _, ok := field(cell, name); ok {
			return record.Metric{}, false
		}
	}
	if len(cells) == 0 {
		return record.Metric{Name: name, Unit: "1", Title: capital(name)}, true
	}
	return cells[0].Metric(name).Metric, true
}

func (k *columns) heads() []string {
	var out []string
	for _, m := range k.metrics {
		out = append(out, lower(m.Title))
	}
	return out
}

// listWords joins words as in a sentence.
func listWords(words []string) string {
	if n := len(words); n > 1 {
		return strings.Join(words[:n-1], ", ") + " and " + words[n-1]
	}
	return strings.Join(words, "")
}

// per is what a rate of a metric counts.
func per(m record.Metric) string {
	if strings.HasPrefix(m.Name, "throughput") {
		return "requests"
	}
	return ""
}

func (k *columns) table(c *composer, e *dataset.Experiment) table.Table {
	out := table.Table{ID: k.block.Label.Value, Main: k.main}
	for _, w := range k.words {
		out.Words = append(out.Words, capital(w))
	}
	if k.main >= 0 && e != nil && k.metrics[k.main].Better != "" && len(k.cells) > 1 {
		k.groups = map[string]string{}
		if g, err := c.d.Groups(e.Plan.Name, k.metrics[k.main].Name); err == nil {
			for _, r := range g.Ranked {
				k.groups[r.Name] = r.Letters
			}
		}
	}
	for _, m := range k.metrics {
		col := table.Metric{Head: m.Title, Per: per(m), Base: m.Unit, Share: m.Share, Better: m.Better}
		if k.block.Published.Shown && slices.ContainsFunc(k.cells, func(cell *dataset.Cell) bool {
			_, ok := c.d.Published(cell, m.Name, k.block.Published.Name.Value)
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

func (k *columns) row(c *composer, cell *dataset.Cell) table.Row {
	r := table.Row{Group: k.groups[cell.Trial.Name], Notes: c.cellNotes(cell, k.metrics)}
	for _, w := range k.words {
		v, _ := field(cell, w)
		r.Words = append(r.Words, v)
	}
	for _, m := range k.metrics {
		v := estimate(cell.Metric(m.Name))
		if p, ok := c.d.Published(cell, m.Name, k.block.Published.Name.Value); ok && k.block.Published.Shown {
			v.Published, v.Shift = p.Number, p.Shift
		}
		v.Missing = shortReason(v.Missing)
		r.Values = append(r.Values, v)
	}
	return r
}

// shortReason is a reason up to its colon, for where there is little room; cellNotes tells the rest.
func shortReason(reason string) string {
	short, _, _ := strings.Cut(reason, ":")
	return short
}

// estimate is a result as tables show it.
func estimate(r dataset.Result) table.Value {
	v := table.Value{Missing: r.Missing, Centre: r.Estimate.Centre, Lo: math.NaN(), Hi: math.NaN(),
		Published: math.NaN(), Shift: math.NaN()}
	if r.Missing != "" {
		return v
	}
	switch r.Estimate.Kind {
	case stats.NoInterval:
		v.Few = "1\u00a0run"
	case stats.WithinRun:
		v.Few = "within one run"
		v.Lo, v.Hi = r.Estimate.Interval.Lo, r.Estimate.Interval.Hi
	case stats.RangeOfTwo:
		v.Few = "2\u00a0runs"
		v.Lo, v.Hi = r.Estimate.Interval.Lo, r.Estimate.Interval.Hi
	default:
		v.Lo, v.Hi = r.Estimate.Interval.Lo, r.Estimate.Interval.Hi
	}
	return v
}

// cellNotes says what is not as it should be with a cell: its state, failures, checks, and marks of what is shown of it.
func (c *composer) cellNotes(cell *dataset.Cell, metrics []record.Metric) []table.Note {
	var out []table.Note
	add := func(short, full string) {
		n := table.Note{Short: short, Full: strings.TrimSuffix(full, ".") + "."} // begins with a name, which keeps its case
		if !slices.ContainsFunc(out, func(o table.Note) bool { return o.Full == n.Full }) {
			out = append(out, n)
		}
	}
	name := cell.Trial.Name
	if cell.Trial.InsteadOf != "" {
		add("substitute", name+" is measured instead of "+cell.Trial.InsteadOf)
	}
	if cell.Trial.Unavailable != "" {
		add("unavailable", name+" is unavailable: "+cell.Trial.Unavailable)
		return out
	}
	switch cell.State {
	case dataset.Stale:
		add("older version", name+" was measured with an older version of this experiment")
	case dataset.Partial:
		add("unfinished", "the run of "+name+" is not finished")
	}
	failed := failures(cell)
	for _, f := range failed {
		add("failed", f.Sentence)
	}
	marks := marksOf(cell, metrics)
	for _, check := range cell.Checks() {
		isSaid := check.Name == "run" && len(failed) > 0
		_, finding, _ := strings.Cut(check.Words, ": ")
		for _, m := range marks {
			isSaid = isSaid || finding != "" && strings.Contains(m.words, "not valid") && strings.Contains(m.words, finding)
		}
		if !isSaid && (check.Level == dataset.Warn || check.Level == dataset.Invalid) {
			add(check.Name, name+", "+check.Name+": "+check.Words)
		}
	}
	checked := len(out) > 0
	for _, m := range marks {
		switch {
		case len(m.titles) < len(metrics):
			add(strings.Join(m.titles, ", "), name+", "+strings.Join(m.titles, ", ")+": "+m.words)
		case strings.Contains(m.words, "not valid"):
			add("left out", name+": "+m.words)
		case !checked: // else a check has said it of the whole cell
			add("all metrics", name+": "+m.words)
		}
	}
	for _, m := range metrics {
		r := cell.Metric(m.Name)
		if short := shortReason(r.Missing); short != r.Missing && len(out) == 0 {
			add(short, name+", "+lower(m.Title)+": "+r.Missing)
		}
	}
	return out
}

// marked is what is wrong with some repetitions of a cell, and the titles of the metrics that it is wrong for.
type marked struct {
	words  string
	titles []string
}

// marksOf gathers the marks of a cell's metrics: most of what is wrong with a repetition is wrong for all of them.
func marksOf(cell *dataset.Cell, metrics []record.Metric) []marked {
	var out []marked
	for _, m := range metrics {
		for _, words := range cell.Metric(m.Name).Marks {
			i := slices.IndexFunc(out, func(o marked) bool { return o.words == words })
			if i < 0 {
				i = len(out)
				out = append(out, marked{words: words})
			}
			out[i].titles = append(out[i].titles, lower(m.Title))
		}
	}
	return out
}

// lower begins a title in the middle of a sentence.
func lower(title string) string {
	if len(title) > 1 && title[1] >= 'A' && title[1] <= 'Z' {
		return title // an abbreviation, such as CPU
	}
	for i, r := range title {
		return strings.ToLower(string(r)) + title[i+len(string(r)):]
	}
	return title
}

// kinds are the ways in which estimates were made that stand beside each other, with the repetitions behind those that
// have an interval.
type kinds struct {
	intervals, two, one bool
	within              bool // one run, with the interval within it
	low, high           int
}

func kindsOf(cells []*dataset.Cell, metrics ...string) kinds {
	var k kinds
	for _, cell := range cells {
		for _, m := range metrics {
			r := cell.Metric(m)
			switch {
			case r.Missing != "":
			case r.Estimate.Kind == stats.NoInterval:
				k.one = true
			case r.Estimate.Kind == stats.WithinRun:
				k.one, k.within = true, true
			case r.Estimate.Kind == stats.RangeOfTwo:
				k.two = true
			default:
				if n := r.Estimate.N; !k.intervals || n < k.low {
					k.low = n
				}
				k.intervals, k.high = true, max(k.high, r.Estimate.N)
			}
		}
	}
	return k
}

// words lists every kind that occurs.
func (k kinds) words() string {
	within := ""
	if k.within {
		within = " but that of percentiles within it"
	}
	switch {
	case k.one && !k.two && !k.intervals:
		return "one run, so there are no intervals" + strings.Replace(within, "that", "those", 1)
	case k.two && !k.one && !k.intervals:
		return "mean of two runs, smallest and largest beside it"
	}
	var out []string
	if k.intervals {
		out = append(out, "median of "+k.repetitions()+", 95\u202f% interval beside it")
	}
	if k.two {
		out = append(out, "of two runs their mean, smallest and largest beside it")
	}
	if k.one {
		out = append(out, "of one run its value, without an interval"+within)
	}
	return strings.Join(out, "; ")
}

func (k kinds) repetitions() string {
	return origin{measured: 1, low: k.low, high: k.high}.repetitions()
}

// sub says what the numbers of a table are.
func (k *columns) sub(cells []*dataset.Cell, l table.Layout) string {
	if originOf(cells).measured == 0 {
		return "Not measured yet; every row waits for a run"
	}
	isFailed := func(m string) bool { return m == "failed" }
	text := kindsOf(cells, slices.DeleteFunc(namesOf(k.metrics), isFailed)...).words()
	if slices.ContainsFunc(namesOf(k.metrics), isFailed) {
		if text != "" {
			text += "; "
		}
		text += "failed over all attempts, with 95\u202f% interval"
	}
	if text = capital(text); text == "" {
		text = "No row has a valid repetition"
	}
	grouped := slices.ContainsFunc(l.Heads, func(h table.Head) bool { return h.Words == "Group" })
	if grouped {
		text += "; rows that share a letter are not told apart at 95\u202f%"
		if looks := cells[0].Experiment.Looks().Count(); looks > 1 {
			text += fmt.Sprintf(" over %d looks", looks)
		}
	}
	// Groups and places are among all cells of the experiment.
	if (grouped || l.Shifts) && len(cells) > 0 && !dataset.Together(cells[0].Experiment.Cells) {
		text += "; not measured together: rows are of different runs"
	}
	return text
}
