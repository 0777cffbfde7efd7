// Package cellview prepares cells for pages: their names, estimates, state and origin.
package cellview

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"benchbook/internal/slice"
	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/record"
	"benchbook/render/wording"
)

// Numeric parses a setting of a cell as a number, in base units.
func Numeric(cell *dataset.Cell, name string) (*expr.Quantity, bool) {
	text, ok := cell.Setting(name)
	q, err := expr.ParseQuantity(text)
	return q, ok && err == nil
}

// Name names a cell by the values of some fields: "uWSGI + Bottle, 1 trip".
func Name(c *dataset.Cell, fields []string) string {
	var words []string
	for _, f := range fields {
		if value, _ := c.Setting(f); value != "" {
			words = append(words, c.Name(f))
		}
	}
	return cmp.Or(strings.Join(words, ", "), c.Name(fields...))
}

// FieldsOf returns the settings of a cell for fields; unknown ones are "".
func FieldsOf(cell *dataset.Cell, fields []string) []any {
	return slice.Map(fields, func(f string) any { v, _ := cell.Setting(f); return v })
}

// Naming returns the fields that name the cells of a table or figure: those the author asks for, and the parameters
// needed to make names unique.
func Naming(cells []*dataset.Cell, asked []string) []string {
	out := slices.DeleteFunc(slice.Add([]string(nil), asked...), func(name string) bool { return name == "experiment" })
	if len(cells) == 0 {
		return out
	}
	for _, p := range cells[0].Experiment.Plan.Parameters {
		if !slices.Contains(out, p) && !implied(cells, out, p) {
			out = append(out, p)
		}
	}
	if len(out) == 0 {
		return slices.Clone(cells[0].Experiment.Plan.Parameters)
	}
	return out
}

// implied reports whether the given fields of a cell determine one more.
func implied(cells []*dataset.Cell, fields []string, more string) bool {
	seen := map[string]any{}
	for _, c := range cells {
		key, value := fmt.Sprintf("%q", FieldsOf(c, fields)), FieldsOf(c, []string{more})[0]
		if before, ok := seen[key]; ok && before != value {
			return false
		}
		seen[key] = value
	}
	return true
}

// SeriesOf returns the values of a parameter or label in the order of the plan.
func SeriesOf(cells []*dataset.Cell, by string) []string {
	values := slice.Map(cells, func(cell *dataset.Cell) string { v, _ := cell.Setting(by); return v })
	return slice.Add([]string(nil), values...)
}

// StateOf returns "older version" or "unfinished", or "" for other cells.
func StateOf(cell *dataset.Cell) string {
	return map[dataset.State]string{dataset.Stale: "older version", dataset.Partial: "unfinished"}[cell.State]
}

// WithState appends the state of a cell to words, if there is one.
func WithState(words string, cell *dataset.Cell) string {
	if state := StateOf(cell); state != "" {
		return words + ", " + state
	}
	return words
}

// Without says why cells have no values of some metrics: not measured, failed, invalid, or without a value.
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

// Origin says where numbers come from.
type Origin struct {
	Cells     []*dataset.Cell
	Measured  int // cells that have records
	Runs      []string
	Hosts     []string
	Revisions []string      // of the measured article; empty if unknown
	Last      time.Time     // when the last repetition ended, in UTC; zero without records
	Took      time.Duration // of all repetitions together
	Low, High int           // the fewest and the most repetitions of a measured cell
	Without   string        // why the metrics have no numbers; empty if they do
	Replacing int           // repetitions that replace disturbed ones
}

// OriginOf returns the origin of cells. With metrics, Low and High count only valid repetitions with their values.
func OriginOf(cells []*dataset.Cell, metrics ...string) Origin {
	o := Origin{Cells: cells}
	var counts []int // of repetitions
	for _, c := range cells {
		if len(c.Records) == 0 {
			continue
		}
		o.Measured++
		if len(metrics) == 0 {
			counts = append(counts, len(c.Records))
		}
		for _, m := range metrics {
			if r := c.Metric(m); r.Missing == "" && r.Estimate.N > 0 {
				counts = append(counts, r.Estimate.N)
			}
		}
	}
	for _, r := range dataset.RecordsOf(cells) {
		o.Runs, o.Hosts = slice.Add(o.Runs, r.Run), slice.Add(o.Hosts, r.Host)
		if revision := r.Facts[record.FactRevision]; revision != "" && !strings.HasPrefix(revision, record.NoRevision) {
			o.Revisions = slice.Add(o.Revisions, revision)
		}
		o.Took += r.Ended.Sub(r.Started)
		if r.Order.Replaces > 0 {
			o.Replacing++
		}
		if r.Ended.After(o.Last) {
			o.Last = r.Ended.UTC()
		}
	}
	if len(counts) > 0 {
		o.Low, o.High = slices.Min(counts), slices.Max(counts)
	} else if o.Measured > 0 {
		o.Without = Without(cells, metrics...)
	}
	o.Runs, o.Hosts, o.Revisions = SortedSet(o.Runs), SortedSet(o.Hosts), SortedSet(o.Revisions)
	return o
}

func SortedSet(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

// Repetitions returns, for example, "3 to 5 repetitions", or why there are none.
func (o Origin) Repetitions() string {
	switch {
	case o.Measured == 0:
		return "not measured"
	case o.Without != "":
		return o.Without
	case o.Low != o.High:
		return fmt.Sprintf("%d to %s", o.Low, wording.Count(o.High, "repetition"))
	}
	return wording.Count(o.High, "repetition")
}

// Where returns host, run, revision and date: "host c16-1a2b, run 20261114T…, revision 5b605583d0d9, 14 Nov 2026";
// empty if nothing was measured.
func (o Origin) Where() string {
	if o.Measured == 0 {
		return ""
	}
	return "host\u00a0" + strings.Join(o.Hosts, ", ") + ", " + o.When()
}

// When is like Where without the host.
func (o Origin) When() string {
	if o.Measured == 0 || len(o.Revisions) == 0 {
		return o.Session()
	}
	return namesOrCount("run", o.Runs) + ", " + namesOrCount("revision", o.Revisions) + ", " + wording.ShortDate(o.Last)
}

// Session is like When without the revision, for numbers in sentences: the page names the revision at its end.
func (o Origin) Session() string {
	if o.Measured == 0 {
		return ""
	}
	return namesOrCount("run", o.Runs) + ", " + wording.ShortDate(o.Last)
}

// namesOrCount returns "run a, b", or "3 runs" for more than two.
func namesOrCount(noun string, names []string) string {
	if len(names) > 2 {
		return wording.Count(len(names), noun)
	}
	return noun + "\u00a0" + strings.Join(names, ", ")
}
