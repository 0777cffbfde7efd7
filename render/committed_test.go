package render_test

import (
	"flag"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
	"benchbook/notebook/stats/ratestest"
	"benchbook/render/rendertest"
)

// What a page prints for two cells never contradicts the ratio beside it, in any article of the project: the ratio is
// the quotient of what is printed of the two cells, before it is rounded, and its interval has it inside.
//
// Source: docs/method.md#ratios.
func TestRatiosAreQuotientsOfWhatIsPrinted(t *testing.T) {
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
	q := j.Effect
	if !j.IsRatio || q == nil || len(q.Cells) != 2 || q.Kind == stats.BySearch || strings.HasPrefix(j.What, "geometric") {
		return count
	}
	for _, m := range q.Cells[0].Experiment.AllMetrics() {
		if !strings.HasPrefix(j.What, m.InWords()+", ") {
			continue
		}
		a, b := q.Cells[0].Metric(m.Name).Estimate.Centre, q.Cells[1].Metric(m.Name).Estimate.Centre
		want := a / b
		if q.Share {
			want--
		}
		if q.Number != want || q.Interval != nil && !q.Interval.Contains(q.Number) {
			t.Errorf("%s: %v %v beside %v and %v", j.What, q.Number, q.Interval, a, b)
		}
		return count + 1
	}
	return count
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
	var cells [][]float64
	articles, err := filepath.Glob(filepath.Join("..", "experiments", "*", "article.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range articles {
		for _, e := range rendertest.Committed(t, "..", filepath.Base(filepath.Dir(file))).Experiments {
			for _, c := range e.Cells {
				for _, metric := range []string{"throughput", "latency.p50", "latency.p99", "time.real"} {
					if r := c.Metric(metric); r.Missing == "" && len(r.Values) >= 10 && r.Estimate.Interval.Lo > 0 {
						cells = append(cells, r.Values)
					}
				}
			}
		}
	}
	if len(cells) < 20 {
		t.Fatalf("only %d cells have ten repetitions", len(cells))
	}
	t.Logf("%d metrics of cells", len(cells))
	drawn := func(rng *rand.Rand, from []float64, n int) stats.Cell {
		c := stats.Cell{Values: make([]float64, n)}
		for i := range c.Values {
			c.Values[i] = from[rng.IntN(len(from))]
		}
		return c
	}
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
	table.Check(t, filepath.Join("..", "docs", "method.md"), *simulations, *update)
}
