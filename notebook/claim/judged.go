package claim

import (
	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/stats"
)

// AsJudged gives the value of an expression that is the effect of a claim, a ratio of two cells, the interval
// by which that is judged, and returns the noise floor in it: one number has one interval, wherever it stands.
//
// Source: docs/method.md#the-noise-floor.
func AsJudged(d *dataset.Dataset, n expr.Node, q dataset.Quantity) (out dataset.Quantity, floor float64) {
	n, err := d.Expand(n)
	if err != nil || q.Interval == nil || len(q.Cells) != 2 {
		return q, 0
	}
	metrics, ok := ratioIn(n)
	if !ok {
		return q, 0
	}
	for _, j := range Judgements(d) {
		if interval := j.intervalOf(metrics, q.Cells); interval != nil {
			q.Interval = interval
			return q, j.Floor
		}
	}
	return q, 0
}

// ratioIn returns the metrics of two single values whose ratio an expression is.
func ratioIn(n expr.Node) (metrics [2]string, ok bool) {
	var sides []expr.Node
	switch n := n.(type) {
	case *expr.Binary:
		if n.Op == expr.Div {
			sides = []expr.Node{n.X, n.Y}
		}
	case *expr.Call:
		if n.Name == "ratio" {
			sides = n.Args
		}
	}
	for i, side := range sides {
		s, isOne := side.(*expr.Selector)
		if !isOne || len(sides) != len(metrics) {
			return metrics, false
		}
		metrics[i] = s.Name
	}
	return metrics, len(sides) == len(metrics)
}

// intervalOf returns the interval of the ratio that a claim, or a part of one, is about, if it is of these values or
// the reverse.
func (j *Judgement) intervalOf(metrics [2]string, cells []*dataset.Cell) *stats.Interval {
	for i := range j.Parts {
		if interval := j.Parts[i].intervalOf(metrics, cells); interval != nil {
			return interval
		}
	}
	bounds := j.ratioBounds()
	isOfTwo := len(j.Sides) == len(metrics) && !j.Sides[0].Geomean
	if bounds == nil || !isOfTwo {
		return nil
	}
	is := func(i int, s Side) bool { return s.Metric.Name == metrics[i] && s.Cells[0] == cells[i] }
	switch a, b := j.Sides[0], j.Sides[1]; {
	case is(0, a) && is(1, b):
		return bounds
	case is(0, b) && is(1, a) && bounds.Lo > 0:
		return &stats.Interval{Lo: 1 / bounds.Hi, Hi: 1 / bounds.Lo}
	}
	return nil
}

// ratioBounds is the interval of the ratio that a claim is about; nil without one.
func (j *Judgement) ratioBounds() *stats.Interval {
	if !j.IsRatio || j.Effect == nil {
		return nil
	}
	return j.Effect.Interval
}
