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
	var failed, invalid, lacking bool
	var reasons []string
	for _, cell := range cells {
		if len(cell.Records) == 0 {
			continue
		}
		if cell.Trial.Capacity != nil {
			what = "search"
		}
		for _, m := range metrics {
			switch reason := cell.Metric(m).Missing; {
			case strings.HasPrefix(reason, "failed"):
				failed = true
			case strings.HasPrefix(reason, "invalid"):
				invalid = true
			default:
				lacking = true
				reasons = slice.Add(reasons, strings.TrimPrefix(strings.TrimPrefix(reason, wording.NotMeasured), ": "))
			}
		}
	}
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
	reasons = slices.DeleteFunc(reasons, func(reason string) bool { return reason == "" })
	if len(reasons) > 0 {
		words += ": " + wording.Some(reasons)
	}
	return words
}

func NoneMeasured(cells []*dataset.Cell) bool {
	return !slices.ContainsFunc(cells, func(cell *dataset.Cell) bool { return len(cell.Records) > 0 })
}
