package claim

import (
	"math"
	"slices"
	"strings"

	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
	"benchbook/slice"
)

// speedMetrics are those by which claims about speed are judged beside their own.
//
// Source: docs/claims.md#other-metrics.
var speedMetrics = []string{"latency.p50", "latency.p99", "throughput", "throughput.per_core"}

// Sensitivity is whether what a claim says depends on the metric that it names.
type Sensitivity struct {
	Is       stats.Sensitivity
	ByMetric []MetricVerdict // the metric of the claim first; it alone where no other measures the same
}

// MetricVerdict is what the records say about a claim when it is judged by one metric.
type MetricVerdict struct {
	Metric    record.Metric
	Judgement Judgement
}

// SensitivityOf judges a claim by p50, p99, throughput and throughput per core in place of the metric that it names,
// each with its own direction: that a is 1.2 times as fast is a ratio of 1.2 of throughputs, and of 1/1.2 of
// latencies.
//
// That can be asked of comparisons by throughput or by latency. Limits are in the unit of their metric, and what is
// claimed of memory or failures is not said of speed: such claims have one metric, and so have those that name
// several. A claim that is itself mistaken has none.
//
// Source: docs/claims.md#other-metrics.
func SensitivityOf(d *dataset.Dataset, c *article.Claim) Sensitivity {
	one := Sensitivity{Is: stats.OneMetric}
	t, err := newTest(d, c)
	if err != nil {
		return one
	}
	own, ok := speedOf(t)
	if !ok {
		return one
	}
	s := Sensitivity{ByMetric: []MetricVerdict{{own, Judge(d, c)}}}
	for _, m := range otherSpeedMetrics(t, own) {
		j := judgeAtLevel(byMetric(t, m))
		j.setClaim(c)
		s.ByMetric = append(s.ByMetric, MetricVerdict{m, j})
	}
	verdicts := slice.Map(s.ByMetric, func(v MetricVerdict) stats.Verdict { return v.Judgement.Verdict })
	s.Is = stats.Sensitive(verdicts)
	return s
}

// speedOf is the metric that all comparisons of a test are by; false if they are by several, or by one that is about
// something else than speed, and for tests that are no comparisons.
func speedOf(t test) (m record.Metric, ok bool) {
	sides := sidesOf(t)
	isOther := func(part test) bool { _, isRatio := ratioRegion(part); return !isRatio }
	if len(sides) == 0 || slices.ContainsFunc(leaves(t), isOther) {
		return m, false
	}
	m = sides[0].metric
	isSpeed := m.Name == "throughput" || m.Name == "throughput.per_core" || strings.HasPrefix(m.Name, "latency.") ||
		strings.HasPrefix(m.Name, "service.p")
	return m, isSpeed && !slices.ContainsFunc(sides, func(s side) bool { return s.metric.Name != m.Name })
}

// otherSpeedMetrics are those by which a test of which speedOf is own can be judged too.
func otherSpeedMetrics(t test, own record.Metric) (out []record.Metric) {
	for _, name := range speedMetrics {
		if m, _ := record.LookupMetric(name); name != own.Name && !dataset.RateGivesAll(cellsOf(t), name) {
			out = append(out, m)
		}
	}
	return out
}

// byMetric is a test of which speedOf is true, by another metric.
func byMetric(t test, m record.Metric) test {
	switch t := t.(type) {
	case ratioTest:
		if t.a.metric.Better != m.Better {
			t.region = inverse(t.region)
		}
		t.change = t.change && t.a.metric.Better == m.Better
		t.a.metric, t.b.metric = m, m
		return t
	case ratiosTest:
		if t.over.a.metric.Better != m.Better {
			t.region = inverse(t.region)
		}
		t.over, t.under = byMetric(t.over, m).(ratioTest), byMetric(t.under, m).(ratioTest)
		return t
	case groupTest:
		t.parts = slices.Clone(t.parts)
		for i, part := range t.parts {
			t.parts[i] = byMetric(part, m)
		}
		t.what = ""
		return t
	}
	return t
}

// inverse is the region in which 1/x lies if x lies in r, both above 0.
func inverse(r stats.Region) stats.Region {
	out := stats.Region{Lo: math.Inf(-1), Hi: math.Inf(1)}
	if !math.IsInf(r.Hi, 1) {
		out.Lo = 1 / r.Hi
	}
	if r.Lo > 0 {
		out.Hi = 1 / r.Lo
	}
	return out
}

// Orders is how far the cells of an experiment come in the same order by one metric as by another.
type Orders struct {
	Metrics []record.Metric // by which two cells or more were measured
	// tau-b between the orders by two metrics, by row and column as Metrics; nil where a metric is the same for all, and
	// with itself
	Tau [][]*stats.Tau

	Smallest      *stats.Tau // of two metrics; nil if there is none
	A, B          int        // whose it is, in Metrics
	WinnerDepends bool       // by some two metrics no cell is best, or tied with the best, by both
}

// OrdersOf compares the orders of an experiment's cells by p50, p99, throughput and throughput per core, over the
// cells that were measured by both. It has no metrics if the experiment is unknown, or two of its cells are measured
// by none.
//
// Source: docs/claims.md#other-metrics.
func OrdersOf(d *dataset.Dataset, experiment string) Orders {
	var out Orders
	e, ok := d.Experiment(experiment)
	if !ok {
		return out
	}
	var orders []order
	for _, name := range speedMetrics {
		if o, ok := orderBy(d, e, name); ok {
			out.Metrics, orders = append(out.Metrics, o.metric), append(orders, o)
		}
	}
	out.Tau = make([][]*stats.Tau, len(orders))
	for i := range orders {
		out.Tau[i] = make([]*stats.Tau, len(orders))
	}
	for i, a := range orders {
		for k, b := range orders[:i] {
			t := b.agreesWith(a, e.Cells)
			out.Tau[i][k], out.Tau[k][i] = t, t
			out.WinnerDepends = out.WinnerDepends || b.isWonByOthers(a)
		}
	}
	for i := range orders {
		for k := i + 1; k < len(orders); k++ {
			if t := out.Tau[i][k]; t != nil && (out.Smallest == nil || t.Value < out.Smallest.Value) {
				out.Smallest, out.A, out.B = t, i, k
			}
		}
	}
	return out
}

// An order is that of an experiment's cells by one metric.
type order struct {
	metric  record.Metric
	centres map[*dataset.Cell]float64
	best    []string // cells that are best, or tied with the best
}

// orderBy is the order by a metric; false if it tells no two cells apart.
func orderBy(d *dataset.Dataset, e *dataset.Experiment, name string) (order, bool) {
	m, ok := e.Metric(name)
	if !ok {
		return order{}, false
	}
	o := order{metric: m, centres: map[*dataset.Cell]float64{}}
	given := math.NaN() // one place for all whose rate gave them the value
	told := false
	for _, c := range e.Cells {
		r := c.Metric(name)
		if r.Missing != "" {
			continue
		}
		o.centres[c] = r.Estimate.Centre
		if !c.RateGives(name) {
			told = true
			continue
		}
		if math.IsNaN(given) {
			given = r.Estimate.Centre
		}
		o.centres[c] = given
	}
	if g, err := d.Groups(e.Plan.Name, name); err == nil {
		for _, r := range g.Ranked {
			if r.TiedWithBest {
				o.best = append(o.best, r.Name)
			}
		}
	}
	return o, told && len(o.centres) >= 2
}

// agreesWith is how far two orders agree, over the cells that both have.
func (o order) agreesWith(other order, cells []*dataset.Cell) *stats.Tau {
	var a, b []float64
	for _, c := range cells {
		x, okX := o.centres[c]
		y, okY := other.centres[c]
		if okX && okY {
			a, b = append(a, x), append(b, y)
		}
	}
	return stats.OrderAgreement(a, stats.Direction(o.metric.Better), b, stats.Direction(other.metric.Better))
}

// isWonByOthers reports whether none of the best cells of two orders is among the best of both.
func (o order) isWonByOthers(other order) bool {
	isBest := func(name string) bool { return slices.Contains(other.best, name) }
	return len(o.best) > 0 && len(other.best) > 0 && !slices.ContainsFunc(o.best, isBest)
}
