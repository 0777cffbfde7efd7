package dataset

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
	"benchbook/notebook/validity"
)

// Search is what the search for a value of the cell tried and found, by the name of the value; "" is that for its
// capacity. A value that is taken over from another experiment has that one's search. It is nil where no such search
// is recorded.
func (c *Cell) Search(name string) *record.Search {
	if r := c.searches[name]; r != nil {
		return r.Search
	}
	return nil
}

// pickSearches finds the searches for the values of a trial among the records of its set, and those of the profile
// full that stand in for them: the newest of each value, of the definition that the cell was measured with before
// that of the article as it is now. They come with the profile full before others, as runs take them.
func (c *Cell) pickSearches(records []*record.Record) {
	for _, r := range records {
		if r.Search == nil || r.Search.Kind != record.SearchTune || r.Experiment != c.Experiment.Plan.Name ||
			r.Trial != c.Trial.Name {
			continue
		}
		known, rank := c.searches[r.Search.Name], c.searchRank(r)
		if rank > 0 && (known == nil || cmp.Or(cmp.Compare(rank, c.searchRank(known)), cmp.Compare(r.Run, known.Run),
			cmp.Compare(r.Search.Attempt, known.Search.Attempt)) > 0) {
			c.searches[r.Search.Name] = r
		}
	}
	if c.Trial.Capacity != nil && len(c.Records) > 0 {
		c.searches[""] = c.Records[0]
	}
}

// searchRank is more for searches that come before others; 0 for those of another definition.
func (c *Cell) searchRank(r *record.Record) int {
	measured := c.Trial.Key
	if len(c.Records) > 0 {
		measured = c.Records[0].Key
	}
	switch {
	case measured == c.Trial.Key && c.Trial.FullKey != "" && r.Profile == plan.Full && r.Key == c.Trial.FullKey:
		return 3
	case r.Key == measured:
		return 2
	case r.Key == c.Trial.Key:
		return 1
	}
	return 0
}

// takeOver gives cells the searches of other experiments whose values they take over.
func (d *Dataset) takeOver() {
	for _, e := range d.Experiments {
		for _, c := range e.AllCells() {
			for _, s := range c.Trial.Tune {
				by, t, own, err := d.Plan.TunedBy(e.Plan, c.Trial, s)
				if err != nil || c.searches == nil {
					continue // the article says so, or a profile leaves it out
				}
				if other, ok := d.Experiment(by.Name); ok && t != c.Trial {
					for _, o := range other.Cells {
						if r := o.searches[own.Name]; o.Trial == t && r != nil {
							c.searches[s.Name] = r
						}
					}
				}
			}
		}
	}
}

// newCapacityCell is the cell of a trial whose capacity is searched for: its record is that of the newest search with
// the present key, else of the newest one. Searches that could not be finished as the machine was busy come after all
// others of the same key: they say nothing of the capacity, and a run does not search again where another one has
// found it.
func newCapacityCell(e *Experiment, t *plan.Trial, records []*record.Record) *Cell {
	c := emptyCell(e, t)
	for _, r := range records {
		if r.Search == nil || r.Search.Kind != record.SearchCapacity || r.Experiment != e.Plan.Name || r.Trial != t.Name {
			continue
		}
		state := Stale
		if r.Key == t.Key {
			state = Fresh
		}
		if c.State == Missing || state < c.State || state == c.State &&
			cmp.Or(cmp.Compare(boolean(c.Records[0].Search.Busy), boolean(r.Search.Busy)), cmp.Compare(r.Run, c.Run),
				cmp.Compare(r.Search.Attempt, c.Records[0].Search.Attempt)) > 0 {
			c.State, c.Run, c.Records = state, r.Run, []*record.Record{r}
		}
	}
	return c
}

// measureSearched gives what a search has found. Whether the repetitions are valid does not matter to it.
//
// Source: docs/method.md#claims-as-regions, docs/method.md#tuned-values and docs/method.md#capacities.
func (c *Cell) measureSearched(r Result) Result {
	switch {
	case len(c.Records) == 0:
		r.Missing, r.Level = c.notMeasured(), validity.NotChecked
	case r.Metric.Name == "capacity.rate":
		c.measureCapacity(&r)
	default:
		c.measureTune(&r, strings.TrimPrefix(r.Metric.Name, "tune."))
	}
	return r
}

func (c *Cell) measureCapacity(r *Result) {
	s := c.Search("")
	switch {
	case s == nil:
		r.Missing = "not measured"
	case s.Reason != "":
		r.Missing = "not measured: " + s.Reason
	default:
		found := stats.Interval{Lo: s.Lo, Hi: s.Hi}
		if s.Hi == 0 {
			found.Hi = math.Inf(1)
		}
		r.found(s.Lo, found)
	}
}

func (c *Cell) measureTune(r *Result, name string) {
	i := slices.IndexFunc(c.Records, func(rec *record.Record) bool { _, ok := rec.Sample(r.Metric.Name); return ok })
	if i < 0 {
		r.Missing = "not measured"
		if c.Records[0].Failure != "" {
			r.Missing = "failed: " + c.Records[0].Failure
		}
		return
	}
	value, _ := c.Records[i].Sample(r.Metric.Name)
	r.found(value.Value, stats.Interval{Lo: value.Value, Hi: value.Value})
	switch s := c.Search(name); {
	case s == nil || float64(s.Chosen) != value.Value:
		r.Estimate.Kind = stats.Given
		r.Marks = append(r.Marks, "the search that chose it is not among these records")
	case s.Stop == record.StopOnly:
		r.Estimate.Kind = stats.Given
		r.Marks = append(r.Marks, "no search: only one value was allowed")
	default:
		r.Estimate.Interval = stats.Interval{Lo: s.Lo, Hi: s.Hi}
	}
}

// found fills in what a search came to. It has one value, however many probes there were: they are no repetitions.
func (r *Result) found(value float64, interval stats.Interval) {
	r.Values, r.repetitions = []float64{value}, []int{0}
	r.Estimate = stats.Estimate{N: 1, Centre: value, Interval: interval, Kind: stats.BySearch}
}
