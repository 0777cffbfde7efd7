package render

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/render/number"
)

// origin is where numbers come from, as stamps and slips tell it.
type origin struct {
	cells     []*dataset.Cell
	measured  int // cells that have records
	runs      []string
	hosts     []string
	revisions []string      // of the article, as it was measured; empty if no record tells
	last      time.Time     // when the last repetition ended, in UTC; zero for none
	took      time.Duration // all repetitions together
	low, high int           // the fewest and the most repetitions of a measured cell
	without   string        // why no repetition is behind numbers of the metrics; empty if one is
	again     int           // repetitions in the place of others that the machine disturbed
}

// originOf says where cells of a dataset come from. Repetitions are those that were run or, of metrics, those that are behind numbers: the
// valid ones.
func originOf(d *dataset.Dataset, cells []*dataset.Cell, metrics ...string) origin {
	o := origin{cells: cells}
	count := func(n int) {
		if o.low == 0 || n < o.low {
			o.low = n
		}
		o.high = max(o.high, n)
	}
	for _, c := range cells {
		if len(c.Records) == 0 {
			continue
		}
		o.measured++
		if len(metrics) == 0 {
			count(len(c.Records))
		}
		for _, m := range metrics {
			if r := c.Metric(m); r.Missing == "" {
				count(r.Estimate.N)
			}
		}
		for _, r := range c.Records {
			o.runs, o.hosts = appendNew(o.runs, r.Run), appendNew(o.hosts, r.Host)
			if revision := r.Facts[record.FactRevision]; revision != "" {
				o.revisions = appendNew(o.revisions, revision)
			}
			o.took += r.Ended.Sub(r.Started)
			if r.Order.Replaces > 0 {
				o.again++
			}
			if r.Ended.After(o.last) {
				o.last = r.Ended.UTC()
			}
		}
	}
	if o.measured > 0 && len(metrics) > 0 && o.high == 0 {
		o.without = without(cells, metrics...)
	}
	for i, run := range o.runs {
		o.runs[i] = d.RunName(run)
	}
	o.runs, o.hosts, o.revisions = sortedSet(o.runs), sortedSet(o.hosts), sortedSet(o.revisions)
	return o
}

// appendNew appends a word that is not the last already, as it mostly is of one repetition after the other.
func appendNew(list []string, word string) []string {
	if n := len(list); n > 0 && list[n-1] == word {
		return list
	}
	return append(list, word)
}

func sortedSet(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

// repetitions in words: "5 repetitions", "3 to 5 repetitions", or why there is none behind numbers.
func (o origin) repetitions() string {
	switch {
	case o.measured == 0:
		return "not measured"
	case o.without != "":
		return o.without
	case o.low != o.high:
		return fmt.Sprintf("%d to %s", o.low, number.Count(o.high, "repetition"))
	}
	return number.Count(o.high, "repetition")
}

// where says host, run, revision of the article, if records tell, and date: "host c16-1a2b, run 20261114T…, revision 5b605583d0d9,
// 14 Nov 2026"; empty for nothing measured.
func (o origin) where() string {
	if o.measured == 0 {
		return ""
	}
	run := "run\u00a0" + strings.Join(o.runs, ", ")
	if len(o.runs) > 2 {
		run = number.Count(len(o.runs), "run")
	}
	host := "host\u00a0" + strings.Join(o.hosts, ", ")
	if slices.Contains(o.hosts, record.ImportedHost) {
		host = "imported"
	}
	revision := ""
	switch n := len(o.revisions); {
	case n > 2:
		revision = number.Count(n, "revision") + ", "
	case n > 0:
		revision = "revision\u00a0" + strings.Join(o.revisions, ", ") + ", "
	}
	return host + ", " + run + ", " + revision + shortDate(o.last)
}

// imported says that the page shows what was read from output that somebody saved.
func (c *composer) imported() bool { return c.d.Host == record.ImportedHost }

// importedFrom names the tools that printed such output, with their versions as far as they told.
func (c *composer) importedFrom() []string {
	var out []string
	for _, r := range c.records() {
		if r.Imported != nil {
			out = append(out, strings.TrimSpace(r.Imported.Tool+" "+r.Imported.Version))
		}
	}
	return sortedSet(out)
}

func shortDate(t time.Time) string { return t.UTC().Format("2\u00a0Jan\u00a02006") }

func longDate(t time.Time) string { return t.UTC().Format("2\u00a0January\u00a02006") }

// inWords says how long something took: "4 h 10 min", "48 s".
func inWords(d time.Duration) string {
	d = d.Round(time.Second)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d\u00a0s", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d\u00a0min", (d+30*time.Second)/time.Minute)
	}
	d = d.Round(time.Minute)
	if d%time.Hour == 0 {
		return fmt.Sprintf("%d\u00a0h", d/time.Hour)
	}
	return fmt.Sprintf("%d\u00a0h\u00a0%d\u00a0min", d/time.Hour, d%time.Hour/time.Minute)
}

// field gives the text that a cell has for a parameter or label.
func field(c *dataset.Cell, name string) (string, bool) {
	for _, list := range [][]record.Parameter{c.Trial.Parameters, c.Trial.Labels} {
		for _, p := range list {
			if p.Name == name {
				return p.Value, true
			}
		}
	}
	return "", false
}

// naming gives the fields by which the cells of a table or figure are named: those that the author asks for, and any
// further parameter in which the cells differ, so that no two rows have one name.
func naming(cells []*dataset.Cell, asked []string) []string {
	var out []string
	for _, name := range asked {
		if name != "experiment" && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	if len(cells) == 0 {
		return out
	}
	for _, p := range cells[0].Experiment.Plan.Parameters {
		if slices.Contains(out, p) {
			continue
		}
		first, _ := field(cells[0], p)
		differs := func(c *dataset.Cell) bool { v, _ := field(c, p); return v != first }
		if slices.ContainsFunc(cells, differs) && !implied(cells, out, p) {
			out = append(out, p)
		}
	}
	if len(out) == 0 {
		out = append(out, cells[0].Experiment.Plan.Parameters...)
	}
	return out
}

// implied tells whether the fields already tell cells apart wherever they differ in one more.
func implied(cells []*dataset.Cell, fields []string, more string) bool {
	seen := map[string]string{}
	for _, c := range cells {
		var key strings.Builder
		for _, f := range fields {
			v, _ := field(c, f)
			key.WriteString(v + "\x00")
		}
		v, _ := field(c, more)
		if before, ok := seen[key.String()]; ok && before != v {
			return false
		}
		seen[key.String()] = v
	}
	return true
}

// nameBy is the name of a cell by some of its fields; without any, its own.
func nameBy(c *dataset.Cell, fields []string) string {
	var words []string
	for _, f := range fields {
		if v, ok := field(c, f); ok && v != "" {
			words = append(words, v)
		}
	}
	if len(words) == 0 {
		return c.Trial.Name
	}
	return strings.Join(words, " ")
}
