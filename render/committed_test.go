package render_test

import (
	"flag"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/stat"

	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
	"benchbook/notebook/stats/ratestest"
	"benchbook/render/rendertest"
	"benchbook/slice"
	"benchbook/slowtest"
)

// What a page prints for two cells never contradicts the ratio beside it, in any article of the project: the ratio is
// the quotient of what is printed of the two cells, before it is rounded, and its interval has it inside.
//
// Source: docs/method.md#ratios.
func TestRatiosAreQuotientsOfWhatIsPrinted(t *testing.T) {
	slowtest.SkipSequential(t)
	articles, err := filepath.Glob(filepath.Join("..", "experiments", "*", "article.md"))
	if err != nil || len(articles) == 0 {
		t.Fatal(articles, err)
	}
	claimed, compared := 0, 0
	for _, file := range articles {
		slug := filepath.Base(filepath.Dir(file))
		t.Run(slug, func(t *testing.T) {
			d := rendertest.Committed(t, "..", slug)
			for _, j := range claim.Judgements(d) {
				claimed += checkEffects(t, j)
			}
			for _, e := range d.Experiments {
				for _, m := range e.AllMetrics() {
					if !record.IsSearched(m.Name) {
						compared += checkPairs(t, e, m.Name)
					}
				}
			}
		})
	}
	if claimed < 50 || compared < 500 {
		t.Errorf("only %d ratios of claims and %d of pairs were found", claimed, compared)
	}
	t.Logf("%d ratios of claims and %d of pairs", claimed, compared)
}

// checkEffects compares the ratios of a claim and its parts with the cells that they are of, and counts them.
func checkEffects(t *testing.T, j claim.Judgement) int {
	count := 0
	for _, part := range j.Parts {
		count += checkEffects(t, part)
	}
	if a, b, ok := comparedBy(j); ok {
		count++
		q, want := j.Effect, a.Estimate.Centre/b.Estimate.Centre
		if q.Share {
			want--
		}
		if q.Number != want || q.Interval != nil && !q.Interval.Contains(q.Number) {
			t.Errorf("%s: %v %v beside %v and %v", j.What, q.Number, q.Interval, a.Estimate.Centre, b.Estimate.Centre)
		}
	}
	return count
}

// comparedBy returns the results whose ratio a claim is about; false for claims about something else.
func comparedBy(j claim.Judgement) (a, b dataset.Result, ok bool) {
	q := j.Effect
	if !j.IsRatio || q == nil || len(q.Cells) != 2 || q.Kind == stats.BySearch || strings.HasPrefix(j.What, "geometric") {
		return a, b, false
	}
	metrics := q.Cells[0].Experiment.AllMetrics()
	k := slices.IndexFunc(metrics, func(m record.Metric) bool { return strings.HasPrefix(j.What, m.InWords()+", ") })
	if k < 0 {
		return a, b, false
	}
	return q.Cells[0].Metric(metrics[k].Name), q.Cells[1].Metric(metrics[k].Name), true
}

// checkPairs compares all pairs of cells of an experiment by a metric, and counts them.
func checkPairs(t *testing.T, e *dataset.Experiment, metric string) int {
	count := 0
	for i, a := range e.Cells {
		for _, b := range e.Cells[:i] {
			ra, rb := a.Metric(metric), b.Metric(metric)
			if ra.Missing != "" || rb.Missing != "" {
				continue
			}
			c, err := stats.Ratio(ra.Cell(), rb.Cell(), stats.DefaultAlpha)
			if c.Ratio == 0 {
				continue // a value of zero: there is no ratio
			}
			count++
			if want := ra.Estimate.Centre / rb.Estimate.Centre; c.Ratio != want || !c.Interval.Contains(want) {
				t.Errorf("%s of %s over %s: %v %v beside %v and %v (%v)", metric, a.Trial.Name, b.Trial.Name, c.Ratio,
					c.Interval, ra.Estimate.Centre, rb.Estimate.Centre, err)
			}
		}
	}
	return count
}

var simulations = flag.Int("simulations", 200, "simulated sessions for each rate of docs/method.md")

// How often the method errs with real noise: cells of the committed records with ten repetitions and more are drawn
// from again and again, as if their repetitions were all that there is.
//
// Source: docs/method.md#ratios.
func TestRatesOfMethodOnRecords(t *testing.T) {
	slowtest.SkipSequential(t)
	var cells [][]float64 // the values of metrics of cells
	var claimed []comparison
	articles, err := filepath.Glob(filepath.Join("..", "experiments", "*", "article.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range articles {
		d := rendertest.Committed(t, "..", filepath.Base(filepath.Dir(file)))
		for _, j := range claim.Judgements(d) {
			claimed = append(claimed, comparisonsOf(j)...)
		}
		for _, e := range d.Experiments {
			for _, c := range e.Cells {
				for _, metric := range []string{"throughput", "latency.p50", "latency.p99", "time.real"} {
					if r := c.Metric(metric); r.Missing == "" && len(r.Values) >= 10 && r.Estimate.Interval.Lo > 0 {
						cells = append(cells, r.Values)
					}
				}
			}
		}
	}
	if len(cells) < 20 || len(claimed) < 50 {
		t.Fatalf("only %d cells have ten repetitions, and %d comparisons are claimed", len(cells), len(claimed))
	}
	t.Logf("%d metrics of cells, %d comparisons", len(cells), len(claimed))
	for name, table := range map[string]ratestest.Table{"cells": cellsTable(cells), "looks": recordedLooksTable(cells),
		"halves": halvesTable(cells), "claims": claimedTable(claimed, residualsOf(cells))} {
		t.Run(name, func(t *testing.T) { table.Check(t, filepath.Join("..", "docs", "method.md"), *simulations, *update) })
	}
}

// drawn returns values of a cell, each as often as chance has it.
func drawn(rng *rand.Rand, from []float64, n int) stats.Cell {
	c := stats.Cell{Values: make([]float64, n)}
	for i := range c.Values {
		c.Values[i] = from[rng.IntN(len(from))]
	}
	return c
}

func cellsTable(cells [][]float64) ratestest.Table {
	table := ratestest.Table{Head: []string{"cells of the committed records, %", "n = 3", "n = 5", "n = 6", "n = 10",
		"n = 20"}, Rows: []ratestest.Row{
		{Label: "the interval contains the pseudo-median", Spec: []string{"91", "93", "96", "96", "95"}},
		{Label: "equal cells called different", Spec: []string{"", "", "", "4.7 (worst)", ""}}}}
	for _, n := range []int{3, 5, 6, 10, 20} {
		table.Rows[0].Cells = append(table.Rows[0].Cells, ratestest.Cell{ratestest.One(func(rng *rand.Rand) (bool, error) {
			from := cells[rng.IntN(len(cells))]
			e, err := stats.Summarize(drawn(rng, from, n), stats.DefaultAlpha)
			return e.Interval.Contains(stats.PseudoMedian(from)), err
		})})
		table.Rows[1].Cells = append(table.Rows[1].Cells, ratestest.Cell{ratestest.One(func(rng *rand.Rand) (bool, error) {
			from := cells[rng.IntN(len(cells))]
			c, err := stats.Ratio(drawn(rng, from, n), drawn(rng, from, n), stats.DefaultAlpha)
			return !c.Interval.Contains(1), err
		})})
	}
	return table
}

// plans are sequences of looks.
var plans = []struct {
	name  string
	looks []int
}{
	{"5", []int{5}}, {"10", []int{10}}, {"20", []int{20}}, {"3 5 10", stats.Looks(10)}, {"3 5 10 20", stats.Looks(20)},
	{"5 10 20", []int{5, 10, 20}}, {"3 6 12 24", []int{3, 6, 12, 24}},
}

// atLooks judges the ratio of two cells after each look until it is decided, and returns how many repetitions that
// took.
func atLooks(a, b stats.Cell, looks []int, region stats.Region) (v stats.Verdict, n int, err error) {
	for _, n = range looks {
		c, err := stats.Ratio(stats.Cell{Values: a.Values[:n]}, stats.Cell{Values: b.Values[:n]},
			stats.Level(stats.DefaultAlpha, len(looks), 1))
		if err != nil {
			return "", n, err
		}
		if v = stats.Judge(c.Interval, region); v != stats.Inconclusive {
			break
		}
	}
	return v, n, nil
}

// Looks at cells whose ratio is on the limit.
func recordedLooksTable(cells [][]float64) ratestest.Table {
	table := ratestest.Table{Head: []string{"cells of the committed records, with the truth on the limit"}}
	row := ratestest.Row{Label: "decided, %"}
	for _, plan := range plans {
		table.Head = append(table.Head, plan.name)
		row.Cells = append(row.Cells, ratestest.Cell{{Sides: true, Draw: func(rng *rand.Rand) (bool, bool, error) {
			from, most := cells[rng.IntN(len(cells))], slices.Max(plan.looks)
			a, b := drawn(rng, from, most), drawn(rng, from, most)
			for i := range a.Values {
				a.Values[i] *= 1 + stats.DefaultSmallestEffect
			}
			v, _, err := atLooks(a, b, plan.looks, stats.Greater(stats.DefaultSmallestEffect))
			return v == stats.Supported, v == stats.Contradicted, err
		}}})
	}
	table.Rows = []ratestest.Row{row}
	return table
}

// Two halves of what was measured of one cell, which are told apart at some look.
func halvesTable(cells [][]float64) ratestest.Table {
	table := ratestest.Table{Head: []string{"halves of the committed records"}}
	row := ratestest.Row{Label: "told apart at some look, %", Spec: []string{"", "", "2.4"}}
	for _, plan := range plans {
		most := slices.Max(plan.looks)
		enough := slice.Filter(cells, func(values []float64) bool { return len(values) >= 2*most })
		if len(enough) == 0 {
			continue
		}
		table.Head = append(table.Head, plan.name)
		row.Cells = append(row.Cells, ratestest.Cell{ratestest.One(func(rng *rand.Rand) (bool, error) {
			values := slices.Clone(enough[rng.IntN(len(enough))])
			rng.Shuffle(len(values), func(i, k int) { values[i], values[k] = values[k], values[i] })
			a, b := stats.Cell{Values: values[:most]}, stats.Cell{Values: values[most:]}
			// The halves are equal within this region, and no interval lies in it.
			v, _, err := atLooks(a, b, plan.looks, stats.Region{Lo: 1, Hi: 1})
			return v == stats.Contradicted, err
		})})
	}
	table.Rows = []ratestest.Row{row}
	return table
}

// A comparison is one that an article claims something about.
type comparison struct {
	centres, spreads [2]float64 // the latter on logarithms
	region           stats.Region
	lost             float64 // what a repetition is multiplied by that lost a second
}

func comparisonsOf(j claim.Judgement) []comparison {
	var out []comparison
	for _, part := range j.Parts {
		out = append(out, comparisonsOf(part)...)
	}
	a, b, ok := comparedBy(j)
	if !ok || j.Effect.Share || j.Region == (stats.Region{}) {
		return out
	}
	c := comparison{region: j.Region, lost: 0.15}
	if a.Metric.Better == string(stats.LowerIsBetter) {
		c.lost = 1 / c.lost
	}
	for i, r := range []dataset.Result{a, b} {
		logs := slice.Map(r.Values, math.Log)
		if c.centres[i] = r.Estimate.Centre; len(logs) < 3 || !(slices.Min(r.Values) > 0) {
			return out
		}
		c.spreads[i] = stat.StdDev(logs, nil)
	}
	return append(out, c)
}

// residualsOf returns how far repetitions are from the centres of their cells, in standard deviations.
func residualsOf(cells [][]float64) []float64 {
	var out []float64
	for _, values := range cells {
		logs := slice.Map(values, math.Log)
		deviation, centre := stat.StdDev(logs, nil), math.Log(stats.PseudoMedian(values))
		for _, y := range logs {
			if deviation > 0 {
				out = append(out, (y-centre)/deviation)
			}
		}
	}
	return out
}

// What is decided of the claims of the articles if the truth is what was measured.
func claimedTable(claimed []comparison, residuals []float64) ratestest.Table {
	table := ratestest.Table{Head: []string{"comparisons that articles claim"}, Rows: []ratestest.Row{
		{Label: "decided, %", Spec: []string{"78", "84", "", "82", "87", "87", "88"}},
		{Label: "wrongly, %", Spec: []string{"0.07", "0.05", "", "0.05", "0.09", "0.07", "0.09"}},
		{Label: "repetitions of a cell", Spec: []string{"5", "10", "20", "6.2", "8.9", "9.6", "10.1"}},
		{Label: "contaminated: decided, %", Spec: []string{"43", "79", "", "72", "85", "85", "87"}},
		{Label: "contaminated: wrongly, %", Spec: []string{"", "", "", "0.09", "0.05", "0.05", "0.07"}},
		{Label: "contaminated: repetitions of a cell", Spec: []string{"5", "10", "20", "7.6", "12.1", "12.6", "12.7"}}}}
	for _, plan := range plans {
		table.Head = append(table.Head, plan.name)
		for i, share := range []float64{0, 0.07} {
			draw := func(rng *rand.Rand) (truth, v stats.Verdict, n int, err error) {
				c := claimed[rng.IntN(len(claimed))]
				var cells [2]stats.Cell
				for k := range cells {
					cells[k] = drawn(rng, residuals, slices.Max(plan.looks))
					for r, y := range cells[k].Values {
						if cells[k].Values[r] = c.centres[k] * math.Exp(c.spreads[k]*y); rng.Float64() < share {
							cells[k].Values[r] *= c.lost
						}
					}
				}
				exactly := c.centres[0] / c.centres[1]
				v, n, err = atLooks(cells[0], cells[1], plan.looks, c.region)
				return stats.Judge(stats.Interval{Lo: exactly, Hi: exactly}, c.region), v, n, err
			}
			rates := []ratestest.Rate{
				ratestest.One(func(rng *rand.Rand) (bool, error) {
					_, v, _, err := draw(rng)
					return v != stats.Inconclusive, err
				}),
				ratestest.One(func(rng *rand.Rand) (bool, error) {
					truth, v, _, err := draw(rng)
					return v != stats.Inconclusive && v != truth, err
				}),
				{Mean: func(rng *rand.Rand) (float64, error) {
					_, _, n, err := draw(rng)
					return float64(n), err
				}},
			}
			for k, rate := range rates {
				row := &table.Rows[3*i+k]
				row.Cells = append(row.Cells, ratestest.Cell{rate})
			}
		}
	}
	return table
}
