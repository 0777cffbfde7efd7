package dataset

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"benchbook/internal/slice"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// Search returns the recorded search for a tuned value of the cell; for its capacity if name is "". A value taken over
// from another experiment has that experiment's search. Without a recorded search it is nil.
func (c *Cell) Search(name string) *record.Search {
	if r := c.searches[name]; r != nil {
		return r.Search
	}
	return nil
}

// pickSearches picks the newest search for each value of the trial, preferring the key that the cell was measured with
// to the present one.
func (c *Cell) pickSearches(records []*record.Record) {
	measured := c.Trial.Key
	if len(c.Records) > 0 {
		measured = c.Records[0].Key
	}
	for _, r := range records {
		if r.Search == nil || r.Search.Kind != record.SearchTune || r.Key != measured && r.Key != c.Trial.Key {
			continue
		}
		known := c.searches[r.Search.Name]
		if known == nil || cmp.Or(boolean(r.Key == measured)-boolean(known.Key == measured), cmp.Compare(r.Run, known.Run),
			cmp.Compare(r.Search.Attempt, known.Search.Attempt)) > 0 {
			c.searches[r.Search.Name] = r
		}
	}
	if c.Trial.Capacity != nil && len(c.Records) > 0 {
		c.searches[""] = c.Records[0]
	}
}

// takeOver gives cells the searches of other experiments whose values they take over.
func (d *Dataset) takeOver() {
	for _, e := range d.Experiments {
		for _, c := range e.AllCells() {
			for _, s := range c.Trial.Tune {
				by, t, own, err := d.Plan.TunedBy(e.Plan, c.Planned, s)
				if err != nil || t == c.Planned {
					continue // the article says so, or a profile leaves it out
				}
				if other, ok := d.Experiment(by.Name); ok {
					from, ok := slice.Find(other.Cells, func(o *Cell) bool { return o.Planned == t })
					if ok && from.searches[own.Name] != nil {
						c.searches[s.Name] = from.searches[own.Name]
					}
				}
			}
		}
	}
}

// chooseCapacity picks the newest search with the present key, else the newest one. Searches that a busy machine cut
// short come last among either: they say nothing about the capacity.
func chooseCapacity(t *plan.Trial, records []*record.Record) choice {
	searches := slice.Filter(records, func(r *record.Record) bool {
		return r.Search != nil && r.Search.Kind == record.SearchCapacity
	})
	if len(searches) == 0 {
		return choice{state: Missing}
	}
	best := slices.MaxFunc(searches, func(a, b *record.Record) int {
		return cmp.Or(boolean(a.Key == t.Key)-boolean(b.Key == t.Key), boolean(b.Search.Busy)-boolean(a.Search.Busy),
			cmp.Compare(a.Run, b.Run), cmp.Compare(a.Search.Attempt, b.Search.Attempt))
	})
	state := Stale
	if best.Key == t.Key {
		state = Fresh
	}
	return choice{state, best.Run, []*record.Record{best}}
}

// measureSearched fills in what a search found, whether or not repetitions are valid.
//
// Source: docs/method.md#claims-as-regions, docs/method.md#tuned-values and docs/method.md#capacities.
func (c *Cell) measureSearched(r *Result) {
	if name, isTuned := strings.CutPrefix(r.Metric.Name, "tune."); isTuned {
		c.measureTune(r, name)
		return
	}
	switch s := c.Search(""); {
	case s == nil:
		r.Missing = "not measured"
	case s.Reason != "":
		r.Missing = notMeasured + s.Reason
	default:
		found := stats.Interval{Lo: s.Lo, Hi: s.Hi}
		if s.Hi == 0 {
			found.Hi = math.Inf(1)
		}
		r.setFound(s.Lo, found)
	}
}

func (c *Cell) measureTune(r *Result, name string) {
	for _, rec := range c.Records {
		sample, ok := rec.Sample(r.Metric.Name)
		if !ok {
			continue
		}
		r.setFound(sample.Value, stats.Interval{Lo: sample.Value, Hi: sample.Value})
		switch s := c.Search(name); {
		case s == nil || float64(s.Chosen) != sample.Value:
			r.Estimate.Kind = stats.Given
			r.Marks = append(r.Marks, "the search that chose it is not among these records")
		case s.Stop == record.StopOnly:
			r.Estimate.Kind = stats.Given
			r.Marks = append(r.Marks, "no search: only one value was allowed")
		default:
			r.Estimate.Interval = stats.Interval{Lo: s.Lo, Hi: s.Hi}
		}
		return
	}
	r.Missing = "not measured"
	if c.Records[0].Failure != "" {
		r.Missing = "failed: " + c.Records[0].Failure
	}
}

// setFound fills in the value that a search found. Probes do not count as repetitions.
func (r *Result) setFound(value float64, interval stats.Interval) {
	r.Values, r.Repetitions = []float64{value}, []int{0}
	r.Estimate = stats.Estimate{N: 1, Centre: value, Interval: interval, Kind: stats.BySearch}
}
