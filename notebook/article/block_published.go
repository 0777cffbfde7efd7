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

// PublishedRef says whether published numbers stand beside ours, and which where there are several.
type PublishedRef struct {
	Shown bool
	Name  source.Text // empty: the only block that fits
}

func (p *PublishedRef) DecodeNode(d source.Decoder, n *source.Node, what string) {
	if !d.Kind(n, what, source.Scalar) {
		return
	}
	if err := parseScalar(n.Text.Value, &p.Shown); err != nil {
		p.Shown, p.Name = true, n.Text
	}
}

// Published is numbers that somebody else published.
type Published struct {
	Name       source.Text    `yaml:"name"`
	Experiment source.Text    `yaml:"experiment"`
	Source     source.Text    `yaml:"source"`
	URL        source.Text    `yaml:"url"`
	Rows       []PublishedRow `yaml:"-"`       // of rows or file, those that where picks, with what with adds
	Written    *source.Node   `yaml:"rows"`    // as they stand in the article
	File       source.Text    `yaml:"file"`    // a CSV or YAML file or listing of the article, instead of rows
	Where      Expression     `yaml:"where"`   // about the columns, before they are renamed
	With       NamedTexts     `yaml:"with"`    // added to every row that does not say otherwise
	Metrics    NamedTexts     `yaml:"metrics"` // of columns, or of words in the column metric: what they are called here
	Pos        source.Pos     `yaml:"-"`
	Tried      source.Tried   `yaml:"-"`
}

// NamedTexts are words with names, in the order written.
type NamedTexts []Named[source.Text]

func (v *NamedTexts) DecodeNode(d source.Decoder, n *source.Node, what string) {
	*v = DecodeNamed[source.Text](d, n, what, "entry")
}

// Map gives the words by their names.
func (v NamedTexts) Map() map[string]string {
	out := map[string]string{}
	for _, t := range v {
		out[t.Name.Value] = t.Value.Value
	}
	return out
}

// PublishedRow carries parameters of a cell and metrics that were published of it.
type PublishedRow struct {
	Fields  []Named[source.Text] // parameters, and notes that are neither parameter nor metric
	Metrics []Named[PublishedAt] // in base units
	Pos     source.Pos

	unread bool // something is wrong with a number of it, which was said
}

// Unread says that a number of the row could not be read, which was said.
func (r *PublishedRow) Unread() bool { return r.unread }

// PublishedAt is one published number in the metric's base unit, with its text.
type PublishedAt struct {
	Number float64
	Text   source.Text
}

// publishedReader reads the rows of published numbers into the document.
type publishedReader struct{ *Document }

// publishedRows reads the rows of a block once all blocks are known: its file may be a listing, and its metrics may be
// those that an experiment adds.
func (doc publishedReader) publishedRows(b *Published) {
	p := &doc.Problems
	rows, ok := doc.writtenRows(b)
	if !ok {
		return
	}
	if len(rows) == 0 {
		p.Add("missing-key", b.Pos, "the block of published numbers has no rows").
			Hint = "add rows with parameters and metrics"
		return
	}
	names := columns(rows)
	readable := true
	for _, m := range b.Metrics {
		readable = doc.publishedMetric(b, m, names, rows) && readable
	}
	picked := 0
	for _, n := range rows {
		if !NewDecoder(p, false).Kind(n, "a row of published numbers", source.Map) {
			continue
		}
		fits, err := doc.picks(b.Where, n, names)
		if err != nil {
			AddExprError(b.Where.Text, err, p)
			return
		}
		if !fits {
			continue
		}
		picked++
		if row, ok := doc.publishedRow(b, n); ok {
			row.unread = row.unread || !readable
			b.Rows = append(b.Rows, row)
		}
	}
	if picked == 0 {
		p.Add("no-row", b.Where.Text.Pos, "where picks none of the rows").
			Hint = "columns are " + strings.Join(names, ", ")
	}
}

// writtenRows are the rows of a block, from the article or a file; false if there are none to read.
func (doc publishedReader) writtenRows(b *Published) ([]*source.Node, bool) {
	p := &doc.Problems
	switch hasFile := !b.File.IsZero(); {
	case hasFile && b.Written != nil:
		p.Add("contradiction", b.File.Pos, "a block of published numbers has both rows and a file").
			Hint = "keep one of them"
	case hasFile:
		return doc.Rows(b.File, p)
	case b.Written != nil:
		return b.Written.Items, NewDecoder(p, false).Kind(b.Written, "rows", source.List)
	case !b.Tried.Has("rows", "file"):
		p.Add("missing-key", b.Pos, "the block of published numbers has no rows").
			Hint = "add rows: with parameters and metrics, or file: with a CSV or YAML file"
	}
	return nil, false
}

// columns gives the names of all fields of rows, in the order in which they come.
func columns(rows []*source.Node) []string {
	var names []string
	for _, n := range rows {
		for _, f := range n.Fields {
			names = slice.Add(names, f.Key.Value)
		}
	}
	return names
}

// picks evaluates where for a row, whose columns are names there.
func (doc publishedReader) picks(where Expression, n *source.Node, names []string) (bool, error) {
	if where.Node == nil {
		return true, nil
	}
	fits, err := expr.Where(where.Node, func(name string) (string, bool) {
		if v := n.Get(name); v != nil {
			return v.Text.Value, true
		}
		return "", slices.Contains(names, name)
	})
	var e *expr.Error
	if errors.Is(err, expr.ErrUnknownName) && errors.As(err, &e) {
		word := where.Text.Value[e.Span.Start:min(e.Span.End, len(where.Text.Value))]
		err = &expr.Error{Span: e.Span, Msg: `no column "` + word + `" in the rows`, Hint: source.Suggest(word, names)}
	}
	return fits, err
}

// publishedMetric checks one entry of metrics, from a column or a word in the column metric to a metric. It is false
// for one that is wrong.
func (doc publishedReader) publishedMetric(b *Published, m Named[source.Text], names []string,
	rows []*source.Node) (ok bool) {
	known := slices.Clone(names)
	for _, n := range rows {
		if v := n.Get("metric"); v != nil && v.Kind == source.Scalar && !slices.Contains(known, v.Text.Value) {
			known = append(known, v.Text.Value)
		}
	}
	ok = true
	if !slices.Contains(known, m.Name.Value) {
		ok = false
		doc.Problems.Add("unknown-column", m.Name.Pos, "the rows have no column or metric %q", m.Name.Value).
			Hint = source.Suggest(m.Name.Value, known)
	}
	if _, isMetric := doc.metric(b, m.Value.Value); !isMetric {
		ok = false
		doc.Problems.Add("unknown-metric", m.Value.Pos, "unknown metric %q", m.Value.Value).
			Hint = "write the metric's name here, such as throughput or latency.p99"
	}
	return ok
}

// metric says what a name of a metric means, those that experiments of the article add included. The programs of an
// experiment that times commands print metrics of their own: there, any name is one, whose unit is not known.
func (doc publishedReader) metric(b *Published, name string) (record.Metric, bool) {
	if m, ok := record.LookupMetric(name); ok {
		return m, true
	}
	if m, ok := doc.added[name]; ok {
		return m, true
	}
	return record.Metric{Name: name, Title: name}, record.IsMetricName(name) && doc.timesCommands(b.Experiment.Value)
}

// timesCommands says that an experiment, the only one if it has no name, has a command or extends one that has.
func (doc publishedReader) timesCommands(name string) bool {
	for range doc.Experiments { // as far as one can extend another
		i := slices.IndexFunc(doc.Experiments, func(e *ExperimentBlock) bool { return e.Name.Value == name || name == "" })
		if i < 0 {
			return false
		}
		n := doc.Experiments[i].Node
		if n.Get("command") != nil || n.Get("load") != nil || n.Get("extends") == nil {
			return n.Get("command") != nil
		}
		name = n.Get("extends").Text.Value
	}
	return false
}

// publishedRow reads one row. With a column metric, that names the only metric of the row, whose number and unit stand
// in value and unit; without one, every column that is called like a metric is one. The result is false for a row whose
// metric the block does not take.
func (doc publishedReader) publishedRow(b *Published, n *source.Node) (PublishedRow, bool) {
	d := NewDecoder(&doc.Problems, false)
	row := PublishedRow{Pos: n.Text.Pos}
	name := n.Get("metric")
	for _, f := range n.Fields {
		if f.Value.Kind == source.Null || !d.Kind(f.Value, f.Key.Value, source.Scalar) || f.Value.Text.Value == "" {
			continue
		}
		switch key := f.Key.Value; {
		case name == nil && doc.addNumber(b, &row, f.Key, f.Value.Text, nil):
		case name != nil && key == "value":
			if !doc.addNumber(b, &row, name.Text, f.Value.Text, n) {
				return row, false
			}
		case name == nil || key != "metric" && key != "unit":
			row.Fields = append(row.Fields, Named[source.Text]{f.Key, f.Value.Text})
		}
	}
	if name != nil && n.Get("value") == nil {
		doc.Problems.Add("missing-key", row.Pos,
			"this row names a metric and has no value").Hint = "add value:, and unit: if it has one"
	}
	row.Fields = append(row.Fields, slices.DeleteFunc(slices.Clone(b.With),
		func(f Named[source.Text]) bool { return n.Get(f.Name.Value) != nil })...)
	return row, true
}

// addNumber adds a number to the metrics of a row. It is false if the block takes no such metric: what is not named as
// one may be a note. Where a row names it, the unit may stand there too.
func (doc publishedReader) addNumber(b *Published, row *PublishedRow, key, written source.Text,
	naming *source.Node) bool {
	called, isTaken := Get(b.Metrics, key.Value)
	if !isTaken {
		called = key
	}
	metric, isMetric := doc.metric(b, called.Value)
	switch {
	case !isTaken && (len(b.Metrics) > 0 || naming == nil && metric.Unit == ""):
		return false
	case !isMetric && naming != nil:
		doc.Problems.Add("unknown-metric", key.Pos, "unknown metric %q", key.Value).
			Hint = "add metrics: with {" + key.Value + ": METRIC}, which also leaves out all others"
	}
	if !isMetric {
		return false
	}
	unit := ""
	if u := naming.Get("unit"); u != nil {
		unit = u.Text.Value
	}
	number, ok := doc.publishedNumber(written, unit, metric)
	if row.unread = row.unread || !ok; ok {
		row.Metrics = append(row.Metrics, Named[PublishedAt]{source.Text{Value: metric.Name, Pos: key.Pos},
			PublishedAt{number, written}})
	}
	return true
}

// publishedNumber reads a number in the metric's base unit. The unit stands behind the number, or in a column of its
// own.
func (doc publishedReader) publishedNumber(t source.Text, unit string, m record.Metric) (float64, bool) {
	p := &doc.Problems
	q, err := expr.ParseQuantity(t.Value)
	var value float64
	var base string
	if err == nil {
		value, base = q.Value, q.Unit.Dimension.Base()
	}
	if err == nil && unit != "" && q.Unit.Symbol == "" {
		u, ok := expr.ParseUnit(unit)
		if !ok {
			p.Add("unknown-unit", t.Pos, "no unit %q", unit).
				Hint = "write it as in expressions, such as s, ms, 1/s or MiB"
			return 0, false
		}
		value, base = u.ToBase(q.Value), u.Dimension.Base()
	}
	if m.Unit == "" && err == nil {
		m.Unit = base // what the program prints only records know
	}
	if err != nil || base != m.Unit {
		p.Add("wrong-unit", t.Pos, "%s is measured in %s, and %q is not", m.Name, cmp.Or(unitNames[m.Unit].words, m.Unit),
			t.Value+unit).
			Hint = "write the number with its unit, such as " + cmp.Or(unitNames[m.Unit].example, "130")
		return 0, false
	}
	if value < 0 || value == 0 && m.Better == "higher" {
		p.Add("wrong-value", t.Pos, "a published %s must be more than 0", m.Name)
		return 0, false
	}
	return value, true
}

// unitNames are what numbers in them are called in messages, with an example.
var unitNames = map[string]struct{ words, example string }{
	"1": {"plain numbers", ""}, "1/s": {"times per second (/s)", "529.13/s"}, "s": {"time", "12.5ms"},
	"B":   {"bytes", "64MiB"},
	"B/s": {"B/s", "47.35kB/s"}, "cores": {"cores", "1.5cores"},
}
