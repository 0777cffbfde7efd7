package cellview

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"benchbook/notebook/dataset"
	"benchbook/render/number"
	"benchbook/render/wording"
)

// StateOf says in a few words that a cell was measured otherwise than the article has it now, or not to the end; empty if neither is so.
func StateOf(cell *dataset.Cell) string {
	switch cell.State {
	case dataset.Stale:
		return "older version"
	case dataset.Partial:
		return "unfinished"
	}
	return ""
}

// WithState is a text with the state of its cell behind it.
func WithState(words string, cell *dataset.Cell) string {
	if state := StateOf(cell); state != "" {
		return words + ", " + state
	}
	return words
}

// HollowWords say what open marks are, where there are some.
func HollowWords(cells []*dataset.Cell) []string {
	if slices.ContainsFunc(cells, func(cell *dataset.Cell) bool { return StateOf(cell) != "" }) {
		return []string{"Open mark, or words behind a name: measured with an older version of the experiment, or not finished."}
	}
	return nil
}

// Without says why there is nothing to show of some metrics of cells that are there: nothing was run, nothing could be run, nothing is
// valid, or what was run has no value of them.
func Without(cells []*dataset.Cell, metrics ...string) string {
	switch {
	case len(cells) > 0 && !slices.ContainsFunc(cells, func(cell *dataset.Cell) bool { return cell.Trial.Unavailable == "" }):
		return "every cell is unavailable"
	case NoneMeasured(cells):
		return "not measured yet"
	}
	var failed, invalid, lacking bool
	var reasons []string
	what := "repetition"
	for _, cell := range cells {
		if len(cell.Records) == 0 {
			continue
		}
		if cell.Trial.Capacity != nil {
			what = "search"
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
			if missing != "" && !slices.Contains(reasons, missing) {
				reasons = append(reasons, missing)
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
	words := "no " + what + " has a value of any metric shown"
	if len(metrics) == 1 {
		m, _ := MetricOf(metrics[0], cells)
		words = "no " + what + " has a value of " + wording.Lower(cmp.Or(m.Title, metrics[0]))
	}
	const most = 2
	if more := len(reasons) - most; more > 0 {
		reasons = append(reasons[:most], fmt.Sprintf("and %s more", number.Count(more, "reason")))
	}
	if len(reasons) > 0 {
		words += ": " + strings.Join(reasons, "; ")
	}
	return words
}

func NoneMeasured(cells []*dataset.Cell) bool {
	return !slices.ContainsFunc(cells, func(cell *dataset.Cell) bool { return len(cell.Records) > 0 })
}
