package cellview

import (
	"math"
	"strings"

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
	Axis string // as the axis is to be named
}

// QuantityOf chooses a unit that suits the values of the cells.
func QuantityOf(m record.Metric, cells []*dataset.Cell) Quantity {
	var results []dataset.Result
	for _, cell := range cells {
		results = append(results, cell.Metric(m.Name))
	}
	q := Quantity{Metric: m, Unit: wording.ColumnOf(m, results...)}
	q.Axis = QuantityWords(m, q.Unit.Unit)
	return q
}

// Words describes an estimate for a sentence, with its interval.
func (q Quantity) Words(r dataset.Result) string {
	v := Estimate(r)
	if v.Missing != "" {
		return WithUnsure(v)
	}
	decimals := q.Unit.Decimals(v.Reading())
	words := q.Unit.Quantity(v.Centre, decimals)
	switch {
	case v.Few != "" && !math.IsNaN(v.Lo):
		return words + ", " + v.Few + ", " + q.Unit.Between(v.Lo, v.Hi, decimals)
	case v.Few != "":
		return words + ", " + v.Few
	case r.Estimate.Kind == stats.Given:
		return words
	case r.Estimate.Kind == stats.Exact:
		return words + ", the same in " + wording.Count(r.Estimate.N, "repetition")
	case r.Estimate.Kind == stats.BySearch:
		return words + ", found by a search, between " + q.Unit.Between(v.Lo, v.Hi, decimals)
	}
	return words + " [" + q.Unit.Between(v.Lo, v.Hi, decimals) + "]"
}

// WithUnsure returns why there is no value, after a value that is not valid.
func WithUnsure(v table.Value) string {
	if v.Unsure == "" {
		return v.Missing
	}
	why, more, _ := strings.Cut(v.Missing, "; ")
	if more != "" { // tables have all of it
		why += "; and more"
	}
	return v.Unsure + ", " + why
}

// QuantityWords names a quantity with its unit, as an axis does.
func QuantityWords(m record.Metric, u wording.Unit) string {
	switch {
	case u.Symbol == "/s" && Per(m) != "":
		return Per(m) + " per second"
	case u.Symbol == "/s":
		return wording.Lower(m.Title) + " per second"
	case u.Symbol == "":
		return wording.Lower(m.Title)
	}
	return wording.Lower(m.Title) + ", " + u.Symbol
}

// Subject names the metric of a figure, with its unit unless the name has it.
func (q Quantity) Subject() string {
	words := wording.Lower(q.Title)
	if q.Axis != words {
		words += ", " + strings.TrimPrefix(q.Axis, words+", ")
	}
	return words
}

func MetricsNamed(names ...string) []record.Metric {
	var out []record.Metric
	for _, name := range names {
		if m, ok := record.LookupMetric(name); ok {
			out = append(out, m)
		}
	}
	return out
}

func NamesOf(metrics []record.Metric) []string {
	var out []string
	for _, m := range metrics {
		out = append(out, m.Name)
	}
	return out
}

// MetricOf finds a metric by its name, a built-in one or one printed by a program; false for parameters and labels.
func MetricOf(name string, cells []*dataset.Cell) (record.Metric, bool) {
	if m, ok := record.LookupMetric(name); ok {
		return m, true
	}
	for _, cell := range cells {
		if _, ok := Field(cell, name); ok {
			return record.Metric{}, false
		}
	}
	if len(cells) == 0 {
		return record.Metric{Name: name, Unit: "1", Title: wording.Capital(name)}, true
	}
	return cells[0].Metric(name).Metric, true
}

// Per names what a rate counts.
func Per(m record.Metric) string {
	if strings.HasPrefix(m.Name, "throughput") {
		return "requests"
	}
	return ""
}

// PublishedOf returns the published value of a cell, if the block asks for one.
func PublishedOf(d *dataset.Dataset, cell *dataset.Cell, metric string,
	ref article.PublishedRef) (dataset.PublishedValue, bool) {
	if !ref.Shown {
		return dataset.PublishedValue{}, false
	}
	return d.Published(cell, metric, ref.Name.Value)
}
