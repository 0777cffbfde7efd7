package cellview

import (
	"cmp"
	"slices"
	"strings"

	"benchbook/internal/slice"
	"benchbook/notebook/dataset"

	"benchbook/render/wording"
)

// StateOf says that a cell is stale or unfinished; otherwise it is empty.
func StateOf(cell *dataset.Cell) string {
	switch cell.State {
	case dataset.Stale:
		return "older version"
	case dataset.Partial:
		return "unfinished"
	}
	return ""
}

// WithState appends the state of a cell to a text.
func WithState(words string, cell *dataset.Cell) string {
	if state := StateOf(cell); state != "" {
		return words + ", " + state
	}
	return words
}

// HollowWords explains open marks, if there are any.
func HollowWords(cells []*dataset.Cell) []string {
	if slices.ContainsFunc(cells, func(cell *dataset.Cell) bool { return StateOf(cell) != "" }) {
		return []string{"Open mark, or a note after a name: measured with an older version of the experiment, or unfinished."}
	}
	return nil
}

// Without says why there are no values of some metrics: not run, not valid, or without a value.
func Without(cells []*dataset.Cell, metrics ...string) string {
	if NoneMeasured(cells) {
		return "not measured yet"
	}
	what := "repetition"
	if slices.ContainsFunc(cells, func(c *dataset.Cell) bool { return len(c.Records) > 0 && c.Trial.Capacity != nil }) {
		what = "search"
	}
	failed, invalid, lacking, reasons := whyMissing(cells, metrics)
	switch {
	case !lacking && !invalid:
		return "every " + what + " failed"
	case !lacking:
		return "no valid " + what
	case failed || invalid:
		what = "valid " + what
	}
	words := "no " + what + " has a value for any metric shown"
	if len(metrics) == 1 {
		m, _ := MetricOf(metrics[0], cells)
		words = "no " + what + " has a value for " + wording.Lower(cmp.Or(m.Title, metrics[0]))
	}
	if len(reasons) > 0 {
		words += ": " + wording.Some(reasons)
	}
	return words
}

// whyMissing tells whether cells that were run failed or are invalid, and why the others have no values of metrics.
func whyMissing(cells []*dataset.Cell, metrics []string) (failed, invalid, lacking bool, reasons []string) {
	for _, cell := range cells {
		if len(cell.Records) == 0 {
			continue
		}
		for _, m := range metrics {
			missing := cell.Metric(m).Missing
			switch kind, why, _ := strings.Cut(missing, ": "); {
			case kind == "failed":
				failed = true
				continue
			case kind == "invalid":
				invalid = true
				continue
			case kind == wording.NotMeasured:
				missing = why
			}
			lacking = true
			if missing != "" {
				reasons = slice.Add(reasons, missing)
			}
		}
	}
	return failed, invalid, lacking, reasons
}

func NoneMeasured(cells []*dataset.Cell) bool {
	return !slices.ContainsFunc(cells, func(cell *dataset.Cell) bool { return len(cell.Records) > 0 })
}
