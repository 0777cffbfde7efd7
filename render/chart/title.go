package chart

import (
	"slices"

	"benchbook/internal/slice"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/render/cellview"
	"benchbook/render/wording"
)

// rangeTitle is the title of a figure without one: from the best to the worst value of a metric over all cells. It is
// bare if nothing was measured.
//
// Source: docs/figures.md#figures.
func rangeTitle(all []*dataset.Cell, m record.Metric, fields []string, bare string) string {
	isMeasured := func(cell *dataset.Cell) bool { return cell.Metric(m.Name).Missing == "" }
	cells := slice.Filter(all, isMeasured)
	if len(cells) == 0 {
		return bare
	}
	slices.SortStableFunc(cells, func(a, b *dataset.Cell) int { return byMetric(m, a, b) })
	q := cellview.QuantityOf(m, cells)
	say := func(cell *dataset.Cell) string {
		reading := wording.ReadingOf(cell.Metric(m.Name))
		return q.Unit.Quantity(reading.Value, q.Unit.Decimals(reading))
	}
	first, last := cells[0], cells[len(cells)-1]
	if say(first) == say(last) {
		return m.Title + ": " + say(first)
	}
	fields = cellview.Naming(all, fields)
	return m.Title + ": from " + say(first) + " (" + cellview.Name(first, fields) + ") to " + say(last) + " (" +
		cellview.Name(last, fields) + ")"
}
