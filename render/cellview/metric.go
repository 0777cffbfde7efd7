package cellview

import (
	"slices"
	"strings"

	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
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
	results := slice.Map(cells, func(cell *dataset.Cell) dataset.Result { return cell.Metric(m.Name) })
	q := Quantity{Metric: m, Unit: wording.ColumnOf(m, results...)}
	q.Axis = QuantityWords(m, q.Unit.Unit)
	return q
}

// Words describes an estimate for a sentence, with its interval.
func (q Quantity) Words(r dataset.Result) string {
	if r.Missing != "" {
		return wording.WithUnsure(r)
	}
	return wording.Estimate(r, q.Unit)
}

// QuantityWords names a quantity with its unit, as an axis does.
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
	return slice.Map(metrics, func(m record.Metric) string { return m.Name })
}

// MetricOf finds a metric by its name, a built-in one or one printed by a program; false for parameters and labels.
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
