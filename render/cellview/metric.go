package cellview

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
	"benchbook/render/table"
	"benchbook/render/wording"
)

// Quantity is a metric with the unit of an axis.
type Quantity struct {
	record.Metric
	Unit wording.Column
	Axis string // name of the axis
}

// QuantityOf returns a metric with a unit that suits the values of cells.
func QuantityOf(m record.Metric, cells []*dataset.Cell) Quantity {
	results := slice.Map(cells, func(cell *dataset.Cell) dataset.Result { return cell.Metric(m.Name) })
	q := Quantity{Metric: m, Unit: wording.ColumnOf(m, results...)}
	q.Axis = QuantityWords(m, q.Unit.Unit)
	return q
}

// Words writes an estimate with its interval, or why it is missing.
func (q Quantity) Words(r dataset.Result) string {
	if r.Missing != "" {
		return wording.WithUnsure(r)
	}
	return wording.Estimate(r, q.Unit)
}

// QuantityWords names a metric with its unit, for an axis: "requests per second".
func QuantityWords(m record.Metric, u wording.Unit) string {
	switch {
	case u.Symbol == "/s" && m.Name == "throughput.per_core":
		return Per(m) + " per second of processor time"
	case u.Symbol == "/s" && Per(m) != "":
		return Per(m) + " per second"
	case u.Symbol == "/s":
		return wording.Lower(m.Title) + " per second"
	case u.Symbol == "":
		return wording.Lower(m.Title)
	}
	return wording.Lower(m.Title) + ", " + u.Symbol
}

// BuiltIn returns the built-in metric of a name in a slice, which is empty for other names.
func BuiltIn(name string) []record.Metric {
	if m, ok := record.LookupMetric(name); ok {
		return []record.Metric{m}
	}
	return nil
}

func NamesOf(metrics []record.Metric) []string {
	return slice.Map(metrics, func(m record.Metric) string { return m.Name })
}

// MetricOf returns a metric by name, built in or printed by a program. It returns false for parameters and labels.
func MetricOf(name string, cells []*dataset.Cell) (record.Metric, bool) {
	if m, ok := record.LookupMetric(name); ok {
		return m, true
	}
	isSetting := func(cell *dataset.Cell) bool { _, ok := cell.Setting(name); return ok }
	switch {
	case len(cells) == 0:
		return record.Metric{Name: name, Unit: "1", Title: wording.Capital(name)}, true
	case slices.ContainsFunc(cells, isSetting):
		return record.Metric{}, false
	}
	return cells[0].Metric(name).Metric, true
}

// Per returns what a rate counts: "requests" for throughputs, else "".
func Per(m record.Metric) string {
	if strings.HasPrefix(m.Name, "throughput") {
		return "requests"
	}
	return ""
}

// PublishedOf returns the published value of a cell, if ref asks for it.
func PublishedOf(d *dataset.Dataset, cell *dataset.Cell, metric string,
	ref article.PublishedRef) (dataset.PublishedValue, bool) {
	if !ref.Shown {
		return dataset.PublishedValue{}, false
	}
	return d.Published(cell, metric, ref.Name.Value)
}

// HasFailed reports whether the reason of a missing result is a failure.
func HasFailed(missing string) bool { return strings.HasPrefix(missing, "failed") }

// few words the kinds of estimates that have too few runs for an interval.
var few = map[stats.IntervalKind]string{stats.NoInterval: "1\u00a0run", stats.RangeOfTwo: "2\u00a0runs"}

// Estimate converts a result for a table.
func Estimate(r dataset.Result) table.Value {
	v := table.Value{Missing: r.Missing, Unsure: wording.Unsure(r), Published: math.NaN(),
		Figure: wording.Figure{Value: r.Estimate.Centre, Lo: math.NaN(), Hi: math.NaN()}}
	if r.Missing != "" {
		return v
	}
	v.Step, v.Exact, v.Few = r.Step(), r.Estimate.Kind == stats.Exact, few[r.Estimate.Kind]
	switch r.Estimate.Kind {
	case stats.Exact, stats.Given, stats.NoInterval: // a mark says why there is no interval
		return v
	case stats.BySearch: // without an upper end there is only a bound
		if v.AtLeast = math.IsInf(r.Estimate.Interval.Hi, 1); v.AtLeast {
			return v
		}
	}
	v.Lo, v.Hi = r.Estimate.Interval.Lo, r.Estimate.Interval.Hi
	return v
}

// EstimateKinds says which kinds of estimates a table or figure has.
type EstimateKinds struct {
	Intervals, TwoRuns, OneRun bool
	Searched                   bool // found by a search
	Exact                      bool // counted, and the same in all repetitions
	low, high                  int  // repetitions of the estimates with an interval
}

func KindsOf(cells []*dataset.Cell, metrics ...string) EstimateKinds {
	var k EstimateKinds
	for _, cell := range cells {
		for _, m := range metrics {
			r := cell.Metric(m)
			switch {
			case r.Missing != "" || r.Estimate.Kind == stats.Given:
			case r.Estimate.Kind == stats.Exact:
				k.Exact = true
			case r.Estimate.Kind == stats.NoInterval:
				k.OneRun = true
			case r.Estimate.Kind == stats.RangeOfTwo:
				k.TwoRuns = true
			case r.Estimate.Kind == stats.BySearch:
				k.Searched = true
			default:
				if n := r.Estimate.N; !k.Intervals || n < k.low {
					k.low = n
				}
				k.Intervals, k.high = true, max(k.high, r.Estimate.N)
			}
		}
	}
	return k
}

// Sub describes the kinds for a subtitle: "Median with 95 % interval".
func (k EstimateKinds) Sub() string {
	exact := ""
	if k.Exact {
		exact = "; counts that are the same in all repetitions have no interval"
	}
	switch {
	case k.Intervals && (k.TwoRuns || k.OneRun):
		return "Median with 95\u202f% interval, where there are enough runs" + exact
	case k.Intervals:
		return "Median with 95\u202f% interval" + exact
	case k.TwoRuns && k.OneRun:
		return "One or two runs, no intervals"
	case k.TwoRuns:
		return "Centre of two runs, with the smaller and the larger"
	case k.OneRun:
		return "One run, no interval"
	case k.Searched:
		return "Value found by a search, with its range"
	case k.Exact:
		return "The same count in all repetitions"
	}
	return ""
}

// HowTo explains a figure whose marks for estimates and intervals have the given names.
func (k EstimateKinds) HowTo(mark, interval string) (out []string) {
	add := func(occurs bool, words string) {
		if occurs {
			out = append(out, words)
		}
	}
	add(k.Intervals, mark+": median. "+interval+": 95\u202f% interval over "+k.Repetitions()+".")
	add(k.Searched, mark+": value found by a search. "+interval+": its range.")
	add(k.TwoRuns, mark+" of two runs: their centre. Line: from the smaller to the larger.")
	add(k.OneRun, mark+" of a single run: its value; its variation is unknown.")
	return out
}

func (k EstimateKinds) Repetitions() string {
	return Origin{Measured: 1, Low: k.low, High: k.high}.Repetitions()
}

// DataTable is the data of a table or figure, unrounded and in base units.
type DataTable struct {
	Columns []string
	Rows    [][]any // strings, numbers, booleans, and nil for empty
}

// NewDataTable returns an empty table with a column for each field, and more.
func NewDataTable(fields []string, more ...string) *DataTable {
	// Parameters named "run" or "host" have their full name in every file, with such columns or without.
	columns := table.CSVHead(nil, fields, append(slices.Clone(more), "run", "host"))
	return &DataTable{Columns: columns[:len(columns)-2]}
}

// Add adds a row with the values of the fields, and more.
func (t *DataTable) Add(fields []any, more ...any) {
	t.Rows = append(t.Rows, append(slices.Clone(fields), more...))
}

// CSV returns the table as CSV, with empty cells for NaN and infinity.
func (t *DataTable) CSV() []byte {
	rows := slice.Map(t.Rows, func(row []any) []string { return slice.Map(row, csvText) })
	var b bytes.Buffer
	_ = table.WriteCSV(&b, slices.Concat([][]string{t.Columns}, rows)) // a bytes.Buffer never fails
	return b.Bytes()
}

func csvText(v any) string {
	x, isNumber := v.(float64)
	switch {
	case v == nil, isNumber && (math.IsNaN(x) || math.IsInf(x, 0)):
		return ""
	case isNumber:
		return strconv.FormatFloat(x, 'g', -1, 64)
	}
	return fmt.Sprint(v)
}

// DataOf returns CSV with a row for each metric of each cell, which fields name.
func DataOf(d *dataset.Dataset, cells []*dataset.Cell, fields []string, metrics []record.Metric,
	published article.PublishedRef) []byte {
	t := &DataTable{Columns: table.CSVHead([]string{"experiment"}, fields, []string{"metric", "unit", "repetitions", "value",
		"lo", "hi", "interval", "published", "missing", "state", "validity", "limited_by", "run", "host"})}
	for _, cell := range cells {
		host := ""
		if len(cell.Records) > 0 {
			host = cell.Records[0].Host
		}
		for _, m := range metrics {
			r := cell.Metric(m.Name)
			row := []any{m.Name, m.Unit, 0, nil, nil, nil, "", nil, r.Missing, StateOf(cell), r.Level,
				cell.Validity().LimitedBy().By, cell.Run, host}
			if r.Missing == "" {
				e := r.Estimate
				row[2], row[3], row[4], row[5], row[6] = e.N, e.Centre, e.Interval.Lo, e.Interval.Hi, e.Kind
			}
			if p, ok := PublishedOf(d, cell, m.Name, published); ok {
				row[7] = p.Number
			}
			t.Add(append([]any{cell.Experiment.Plan.Name}, FieldsOf(cell, fields)...), row...)
		}
	}
	return t.CSV()
}
