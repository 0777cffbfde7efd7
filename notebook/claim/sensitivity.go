package claim

import (
	"math"
	"slices"

	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
	"benchbook/slice"
)

// speedMetrics are those by which the order of cells is looked at.
//
// Source: docs/claims.md#other-metrics.
var speedMetrics = []string{"latency.p50", "latency.p99", "throughput", "throughput.per_core"}

// Sensitivity is whether what a claim says depends on the form of the quantity that it names, or on repetitions for
// which a check warns.
type Sensitivity struct {
	Is       stats.Sensitivity
	ByMetric []MetricVerdict // the claim as it is judged first; none for a claim that names several metrics
}

// MetricVerdict is what the records say about a claim when it is judged by one metric.
type MetricVerdict struct {
	Metric        record.Metric
	WithoutWarned bool // by the repetitions alone for which no check warns
	Judgement     Judgement
}

// SensitivityOf judges a claim by other forms of the quantity that it names, such as other percentiles of the same
// times, and by its own metric without the repetitions for which a check warns.
//
// A claim about something else than times of requests has one form, and so have limits, which are about the metric
// that they name, and claims that name several. What another quantity says, such as throughput per core where
// throughput is claimed, is another claim. A claim that is itself mistaken has nothing.
//
// Source: docs/claims.md#other-metrics.
func SensitivityOf(d *dataset.Dataset, c *article.Claim) Sensitivity {
	type key struct{ claim string }
	return dataset.Once(d, key{c.Name.Value}, func() Sensitivity { return sensitivityOf(d, c) })
}

func sensitivityOf(d *dataset.Dataset, c *article.Claim) Sensitivity {
	t, err := newTest(d, c)
	if err != nil {
		return Sensitivity{Is: stats.OneMetric}
	}
	forms := formsOf(t)
	if len(forms) == 0 {
		return Sensitivity{Is: stats.OneMetric}
	}
	own := Judge(d, c)
	s := Sensitivity{ByMetric: []MetricVerdict{{Metric: forms[0], Judgement: own}}}
	add := func(v MetricVerdict, t test) {
		v.Judgement = judgeClaim(d, c, t)
		s.ByMetric = append(s.ByMetric, v)
	}
	clean := analysis{clean: true}
	if other, err := newTestBy(d, c, clean); err == nil && clean.changes(t, other, &own) {
		add(MetricVerdict{Metric: forms[0], WithoutWarned: true}, other)
	}
	for _, m := range forms[1:] {
		add(MetricVerdict{Metric: m}, byMetric(t, m))
	}
	s.Is = stats.Sensitive(slice.Map(s.ByMetric, func(v MetricVerdict) stats.Verdict { return v.Judgement.Verdict }))
	return s
}

// formsOf are the metrics by which a test can be judged: its own, and if it is about ratios alone the other forms of
// that quantity. They are none for a test that names several metrics.
func formsOf(t test) []record.Metric {
	sides := sidesOf(t)
	if len(sides) == 0 || slices.ContainsFunc(sides, func(s side) bool { return s.metric.Name != sides[0].metric.Name }) {
		return nil
	}
	own := sides[0].metric
	out := []record.Metric{own}
	if isOther := func(part test) bool { _, isRatio := ratioRegion(part); return !isRatio }; slices.ContainsFunc(leaves(t),
		isOther) {
		return out
	}
	for _, name := range record.Forms(own.Name) {
		if m, _ := record.LookupMetric(name); name != own.Name {
			out = append(out, m)
		}
	}
	return out
}

// byMetric is a test by another of its formsOf.
func byMetric(t test, m record.Metric) test {
	switch t := t.(type) {
	case ratioTest:
		t.a.metric, t.b.metric = m, m
		return t
	case ratiosTest:
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
