package cellview

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

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
	if slices.ContainsFunc(cells, func(cell *dataset.Cell) bool {
		return len(cell.Records) > 0 &&
			cell.Trial.Capacity != nil
	}) {
		what = "search"
	}
	lack := lackOf(cells, metrics)
	switch {
	case !lack.lacking && !lack.invalid:
		return "every " + what + " failed"
	case !lack.lacking:
		return "no valid " + what
	case lack.failed || lack.invalid:
		what = "valid " + what
	}
	words := "no " + what + " has a value for any metric shown"
	if len(metrics) == 1 {
		m, _ := MetricOf(metrics[0], cells)
		words = "no " + what + " has a value for " + wording.Lower(cmp.Or(m.Title, metrics[0]))
	}
	reasons := lack.reasons
	const most = 2
	if more := len(reasons) - most; more > 0 {
		reasons = append(reasons[:most], fmt.Sprintf("and %s more", wording.Count(more, "reason")))
	}
	if len(reasons) > 0 {
		words += ": " + strings.Join(reasons, "; ")
	}
	return words
}

// lack is why cells that were run have no values of metrics.
type lack struct {
	failed, invalid, lacking bool     // some did, some are, and some have none though they did not and are not
	reasons                  []string // of the latter
}

func lackOf(cells []*dataset.Cell, metrics []string) lack {
	var l lack
	for _, cell := range cells {
		if len(cell.Records) == 0 {
			continue
		}
		for _, m := range metrics {
			missing := cell.Metric(m).Missing
			switch kind, why, _ := strings.Cut(missing, ": "); {
			case kind == "failed":
				l.failed = true
				continue
			case kind == "invalid":
				l.invalid = true
				continue
			case kind == wording.NotMeasured:
				missing = why
			}
			l.lacking = true
			if missing != "" && !slices.Contains(l.reasons, missing) {
				l.reasons = append(l.reasons, missing)
			}
		}
	}
	return l
}

func NoneMeasured(cells []*dataset.Cell) bool {
	return !slices.ContainsFunc(cells, func(cell *dataset.Cell) bool { return len(cell.Records) > 0 })
}
