package dataset

import (
	"math"

	"benchbook/notebook/article"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// WithoutRecords is the dataset of a plan of which nothing was measured.
func WithoutRecords(doc *article.Document, p *plan.Plan) *Dataset { return assemble(doc, p, nil) }

// Copy is the dataset with results of its own, which can be set.
func (d *Dataset) Copy() *Dataset {
	var records []*record.Record
	for _, e := range d.Experiments {
		for _, c := range e.Cells {
			records = append(records, c.Records...)
			for name, r := range c.searches {
				if name != "" && r.Experiment == e.Plan.Name {
					records = append(records, r)
				}
			}
		}
		if e.Calibration != nil {
			records = append(records, e.Calibration.Records...)
		}
	}
	return assemble(d.Doc, d.Plan, records)
}

// SetResult lets a metric of the cell be what it was not measured to be.
func (c *Cell) SetResult(metric string, r Result) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.results[metric] = r
}

// MadeUp is a result of repetitions around a number, of which each is by spread larger than the one before.
func (c *Cell) MadeUp(metric string, number, spread float64) Result {
	if c.Trial.Unavailable != "" {
		return c.measure(metric)
	}
	known, _ := c.Experiment.Metric(metric)
	r := Result{Metric: known}
	if record.IsSearched(metric) {
		r.found(number, stats.Interval{Lo: number / (1 + spread), Hi: number * (1 + spread)})
		return r
	}
	const attempts = 1_000_000
	repetitions := 5
	if record.CountsFailures(metric) {
		repetitions = stats.MinContradicted
	}
	for i := range repetitions {
		v := number * math.Pow(1+spread, float64(i-repetitions/2))
		if known.Share {
			v = min(v, 1)
		}
		r.Values, r.repetitions = append(r.Values, v), append(r.repetitions, i+1)
		if record.CountsFailures(metric) {
			failed := v
			if known.Share {
				failed *= attempts
			}
			r.failed, r.attempted = append(r.failed, int64(min(failed, attempts))), append(r.attempted, attempts)
		}
	}
	r.estimate()
	return r
}
