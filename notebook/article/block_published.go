package article

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"benchbook/internal/slice"
	"benchbook/notebook/expr"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
)

// PublishedRef says whether to show published numbers next to ours, and from which block.
type PublishedRef struct {
	Shown bool
	Name  source.Text // empty: the only block that fits
}

func (p *PublishedRef) DecodeNode(d source.Decoder, n *source.Node, what string) {
	if !d.Kind(n, what, source.Scalar) {
		return
	}
	shown, err := readBool(n.Text.Value)
	if p.Shown = shown || err != nil; err != nil {
		p.Name = n.Text
	}
}

// Published has numbers that somebody else published.
type Published struct {
	Name       source.Text    `yaml:"name"`
	Experiment source.Text    `yaml:"experiment"`
	Source     source.Text    `yaml:"source" need:"add source: with the title of the publication"`
	URL        source.Text    `yaml:"url"`
	Rows       []PublishedRow `yaml:"-"`               // rows from Written or File that match Where
	Written    *source.Node   `yaml:"rows"`            // rows in the article
	File       source.Text    `yaml:"file" not:"rows"` // CSV or YAML file or listing of the article
	Where      Expression     `yaml:"where"`           // on the columns, before they are renamed
	With       NamedTexts     `yaml:"with"`            // added to every row that lacks them
	Metrics    NamedTexts     `yaml:"metrics"`         // metric for each column, or for each word in the column metric
	Pos        source.Pos     `yaml:"-"`

	isUnread bool // rows or file could not be decoded
}

// PublishedRow has the parameters of a cell, and published values of its metrics.
type PublishedRow struct {
	Fields  []Named[source.Text] // parameters, and notes, which are all other columns
	Metrics []Named[PublishedAt] // in base units
	Pos     source.Pos
}

// PublishedAt is one published number, in the metric's base unit, and its text.
type PublishedAt struct {
	Number float64
	Text   source.Text
}

type rowReader struct {
	doc      *Document
	block    *Published
	problems *source.Problems
	rows     []*source.Node
	columns  []string // of all rows
}

// published reads the rows of a block. All blocks must be known: its file may be a listing, and its metrics may be
// added by an experiment.
func (doc *Document) published(b *Published) {
	r := rowReader{doc: doc, block: b, problems: &doc.Problems}
	if !r.find() || !r.checkMetrics() {
		return
	}
	picked := 0
	for _, n := range r.rows {
		fits, err := r.picks(n)
		if err != nil {
			AddExprError(b.Where.Text, err, r.problems)
			return
		}
		if !fits {
			continue
		}
		picked++
		before := r.problems.Found()
		if row, ok := r.read(n); ok && r.problems.Found() == before {
			b.Rows = append(b.Rows, row)
		}
	}
	if picked == 0 {
		r.problems.Add("no-row", b.Where.Text.Pos, "where picks none of the rows").
			Hint = "columns are " + strings.Join(r.columns, ", ")
	}
}

// find collects the rows, from the article or a file, and their columns. It returns false if it finds none.
func (r *rowReader) find() bool {
	b, d, ok := r.block, NewDecoder(r.problems, false), true
	switch {
	case b.isUnread:
		return false
	case !b.File.IsZero():
		r.rows, ok = r.doc.Rows(b.File, r.problems)
	case b.Written != nil:
		r.rows, ok = b.Written.Items, d.Kind(b.Written, "rows", source.List)
	}
	if ok && len(r.rows) == 0 {
		r.problems.Add("missing-key", b.Pos, "the published block has no rows").
			Hint = "add rows: with parameters and metrics, or file: with a CSV or YAML file"
		return false
	}
	for _, n := range r.rows {
		ok = ok && d.Kind(n, "row of published numbers", source.Map)
		for _, f := range n.Fields {
			r.columns = slice.Add(r.columns, f.Key.Value)
		}
	}
	return ok
}

func (r *rowReader) picks(n *source.Node) (bool, error) {
	where := r.block.Where
	if where.Node == nil {
		return true, nil
	}
	fits, err := expr.Where(where.Node, func(name string) (string, bool) {
		if v := n.Get(name); v != nil {
			return v.Text.Value, true
		}
		return "", slices.Contains(r.columns, name)
	})
	var e *expr.Error
	if errors.Is(err, expr.ErrUnknownName) && errors.As(err, &e) {
		word := where.Text.Value[e.Span.Start:min(e.Span.End, len(where.Text.Value))]
		err = &expr.Error{Span: e.Span, Msg: `no column "` + word + `" in the rows`, Hint: source.Suggest(word, r.columns)}
	}
	return fits, err
}

// checkMetrics checks the key metrics, which maps columns, or words in the column metric, to metrics. It returns false
// if an entry is wrong.
func (r *rowReader) checkMetrics() bool {
	known := slices.Clone(r.columns)
	for _, n := range r.rows {
		if v := n.Get("metric"); v != nil && v.Kind == source.Scalar {
			known = slice.Add(known, v.Text.Value)
		}
	}
	before := r.problems.Found()
	for _, m := range r.block.Metrics {
		if !slices.Contains(known, m.Name.Value) {
			r.problems.Add("unknown-column", m.Name.Pos, "the rows have no column or metric %q", m.Name.Value).
				Hint = source.Suggest(m.Name.Value, known)
		}
		if _, ok := r.metric(m.Value.Value); !ok {
			r.problems.Add("unknown-metric", m.Value.Pos, "unknown metric %q", m.Value.Value).
				Hint = "write the metric's name here, such as throughput or latency.p99"
		}
	}
	return r.problems.Found() == before
}

// metric returns the metric with a name, including metrics that the article adds. In an article with commands any valid
// name is a metric without a known unit, because programs print metrics of their own.
func (r *rowReader) metric(name string) (record.Metric, bool) {
	if m, ok := record.LookupMetric(name); ok {
		return m, true
	}
	if m, ok := r.doc.added[name]; ok {
		return m, true
	}
	timesCommand := func(e *ExperimentBlock) bool { return e.Node.Get("command") != nil }
	return record.Metric{Name: name, Title: name}, record.IsMetricName(name) &&
		slices.ContainsFunc(r.doc.Experiments, timesCommand)
}

// read decodes one row. With a column metric, the row has that metric only, with its number and unit in the columns
// value and unit. Otherwise every column with the name of a metric is one. It returns false if the block does not take
// the metric.
func (r *rowReader) read(n *source.Node) (PublishedRow, bool) {
	row := PublishedRow{Pos: n.Text.Pos}
	name := n.Get("metric")
	if name != nil && n.Get("value") == nil {
		r.problems.Add("missing-key", row.Pos, "this row names a metric and has no value").
			Hint = "add value:, and unit: if it has one"
	}
	d, isTaken := NewDecoder(r.problems, false), true
	for _, f := range n.Fields {
		switch key, cell := f.Key.Value, f.Value.Text; {
		case f.Value.Kind == source.Null || !d.Kind(f.Value, key, source.Scalar) || cell.Value == "":
		case name != nil && key == "value":
			isTaken = r.addNumber(&row, name.Text, cell, n)
		case name != nil && slices.Contains([]string{"metric", "unit"}, key):
		case name != nil || !r.addNumber(&row, f.Key, cell, nil):
			row.Fields = append(row.Fields, Named[source.Text]{f.Key, cell})
		}
	}
	isLacking := func(f Named[source.Text]) bool { return n.Get(f.Name.Value) == nil }
	row.Fields = append(row.Fields, slice.Filter(r.block.With, isLacking)...)
	return row, isTaken
}

// addNumber adds a number to the metrics of a row. It returns false if the block does not take the metric; such a
// column may be a note. naming is the row if it has a column metric; it may have the unit.
func (r *rowReader) addNumber(row *PublishedRow, key, written source.Text, naming *source.Node) bool {
	renamed, isTaken := Get(r.block.Metrics, key.Value)
	metric, isMetric := r.metric(cmp.Or(renamed.Value, key.Value))
	switch {
	case !isTaken && (len(r.block.Metrics) > 0 || naming == nil && metric.Unit == ""):
		return false
	case !isMetric && naming != nil:
		r.problems.Add("unknown-metric", key.Pos, "unknown metric %q", key.Value).
			Hint = "add metrics: with {" + key.Value + ": METRIC}, which also leaves out all others"
	}
	if !isMetric {
		return false
	}
	unit := ""
	if u := naming.Get("unit"); u != nil {
		unit = u.Text.Value
	}
	if number, ok := r.number(written, unit, metric); ok {
		row.Metrics = append(row.Metrics, Named[PublishedAt]{source.Text{Value: metric.Name, Pos: key.Pos},
			PublishedAt{number, written}})
	}
	return true
}

// number returns a number in the metric's base unit. The unit follows the number, or is given separately.
func (r *rowReader) number(t source.Text, unit string, m record.Metric) (float64, bool) {
	q, err := expr.ParseQuantity(t.Value)
	if err == nil && unit != "" && q.Unit.Symbol == "" {
		u, ok := expr.ParseUnit(unit)
		if !ok {
			r.problems.Add("unknown-unit", t.Pos, "no unit %q", unit).
				Hint = "write it as in expressions, such as s, ms, 1/s or MiB"
			return 0, false
		}
		q.Value, q.Unit = u.ToBase(q.Value), u
	}
	wanted := m.Unit
	if wanted == "" && err == nil {
		wanted = q.Unit.Dimension.Base() // the units of metrics that programs print are known from records only
	}
	switch {
	case err != nil || q.Unit.Dimension.Base() != wanted:
		r.problems.Add("wrong-unit", t.Pos, "%s is measured in %s, and %q is not", m.Name,
			cmp.Or(unitNames[wanted].words, wanted), t.Value+unit).
			Hint = "write the number with its unit, such as " + cmp.Or(unitNames[wanted].example, "130")
		return 0, false
	case q.Value < 0 || q.Value == 0 && m.Better == "higher":
		r.problems.Add("wrong-value", t.Pos, "a published %s must be more than 0", m.Name)
		return 0, false
	}
	return q.Value, true
}

// unitNames has words and an example for each base unit, for messages.
var unitNames = map[string]struct{ words, example string }{
	"1": {"plain numbers", ""}, "1/s": {"times per second (/s)", "529.13/s"}, "s": {"time", "12.5ms"},
	"B": {"bytes", "64MiB"}, "B/s": {"B/s", "47.35kB/s"}, "cores": {"cores", "1.5cores"},
}
