package cellview

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"benchbook/internal/slice"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"

	"benchbook/render/wording"
)

// Origin says where numbers come from.
type Origin struct {
	Cells     []*dataset.Cell
	Measured  int // cells that have records
	Runs      []string
	Hosts     []string
	Revisions []string      // of the article, as it was measured; empty if no record tells
	Last      time.Time     // when the last repetition ended, in UTC; zero for none
	Took      time.Duration // all repetitions together
	Low, High int           // the fewest and the most repetitions of a measured cell
	Without   string        // why no repetition is behind numbers of the metrics; empty if one is
	Replacing int           // repetitions that replace disturbed ones
}

// OriginOf returns the origin of cells. With metrics it counts only the valid repetitions behind their numbers.
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
		o.addRecord(r)
	}
	if len(counts) > 0 {
		o.Low, o.High = slices.Min(counts), slices.Max(counts)
	} else if o.Measured > 0 {
		o.Without = Without(cells, metrics...)
	}
	o.Runs, o.Hosts, o.Revisions = SortedSet(o.Runs), SortedSet(o.Hosts), SortedSet(o.Revisions)
	return o
}

func (o *Origin) addRecord(r *record.Record) {
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

func SortedSet(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

// Repetitions returns words such as "3 to 5 repetitions", or why there are none.
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
	parts := []string{"host\u00a0" + strings.Join(o.Hosts, ", "), namesOrCount("run", o.Runs)}
	if len(o.Revisions) > 0 {
		parts = append(parts, namesOrCount("revision", o.Revisions))
	}
	return strings.Join(append(parts, wording.ShortDate(o.Last)), ", ")
}

// namesOrCount is "run a, b", or "3 runs" of more than two.
func namesOrCount(noun string, names []string) string {
	if len(names) > 2 {
		return wording.Count(len(names), noun)
	}
	return noun + "\u00a0" + strings.Join(names, ", ")
}
