package show

import (
	"benchbook/lab/terminal"
	"benchbook/notebook/dataset"
)

// The formats of show and compare.
const (
	FormatText     = "text"
	FormatMarkdown = "md"
	FormatCSV      = "csv"
	FormatJSON     = "json"
	FormatBenchfmt = "benchfmt" // of Go's benchmarks, for benchstat
)

// measuredJSON is one metric of a cell as show and compare print it with --json.
type measuredJSON struct {
	Repetitions int       `json:"repetitions"`
	Value       *float64  `json:"value"`
	Lo          *float64  `json:"lo"`
	Hi          *float64  `json:"hi"`
	Interval    string    `json:"interval,omitempty"` // how it was made
	Missing     string    `json:"missing,omitempty"`
	Values      []float64 `json:"values"` // one per valid repetition
}

func measuredData(r dataset.Result) measuredJSON {
	out := measuredJSON{Missing: r.Missing, Values: append([]float64{}, r.Values...)}
	if e := r.Estimate; r.Missing == "" {
		out.Repetitions, out.Interval, out.Value = e.N, string(e.Kind), terminal.Finite(e.Centre)
		out.Lo, out.Hi = terminal.Finite(e.Interval.Lo), terminal.Finite(e.Interval.Hi)
	}
	return out
}
