package claim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"benchbook/internal/slowtest"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/recordtest"
	"benchbook/notebook/stats"
)

// draw gives n values around a centre, with normal noise of five per cent.
func draw(random *rand.Rand, centre float64, n int) []float64 {
	values := make([]float64, n)
	for i := range values {
		values[i] = centre * (1 + 0.05*random.NormFloat64())
	}
	return values
}

// draws is how many examples a property is tried on.
func draws() int {
	if testing.Short() {
		return 15
	}
	return 40
}

// verdictOf judges a claim over two trials with the throughputs given.
func verdictOf(t *testing.T, expect string, a, b []float64, records func([]*record.Record)) stats.Verdict {
	bench := newFixture(t, recordtest.Claimed(expect))
	bench.Measure("servers", "a", "1", a)
	bench.Measure("servers", "b", "1", b)
	if records != nil {
		records(bench.Records)
	}
	return JudgeAll(bench.dataset(dataset.Options{})).Claims[0].Verdict
}

// The verdict on a claim is that on the same claim with its sides exchanged, whatever the unit and the order of
// records.
func TestVerdictsHaveSymmetries(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 13))
	scaled := func(values []float64, factor float64) []float64 {
		out := slices.Clone(values)
		for i := range out {
			out[i] *= factor
		}
		return out
	}
	seen := map[stats.Verdict]int{}
	for range draws() {
		n := 3 + random.IntN(6)
		a, b := draw(random, 20000*(0.9+0.25*random.Float64()), n), draw(random, 20000, n)
		forms := [][2]string{
			{`throughput{server="a"} > throughput{server="b"}`, `throughput{server="b"} < throughput{server="a"}`},
			{`throughput{server="a"} >= throughput{server="b"}`, `throughput{server="b"} <= throughput{server="a"}`},
			{`same(throughput{server="a"}, throughput{server="b"})`, `same(throughput{server="b"}, throughput{server="a"})`},
		}
		form := forms[random.IntN(len(forms))]
		verdict := verdictOf(t, form[0], a, b, nil)
		seen[verdict]++
		if got := verdictOf(t, form[1], a, b, nil); got != verdict {
			t.Errorf("%s: %s, but %s: %s, for %v and %v", form[0], verdict, form[1], got, a, b)
		}
		if got := verdictOf(t, strings.NewReplacer(`"a"`, `"b"`, `"b"`, `"a"`).Replace(form[0]), b, a, nil); got != verdict {
			t.Errorf("%s: %s, but %s when the cells change names", form[0], verdict, got)
		}
		if got := verdictOf(t, form[0], scaled(a, 4), scaled(b, 4), nil); got != verdict {
			t.Errorf("%s: %s, but %s of four times as much", form[0], verdict, got)
		}
		shuffle := func(list []*record.Record) {
			random.Shuffle(len(list), func(i, k int) { list[i], list[k] = list[k], list[i] })
		}
		if got := verdictOf(t, form[0], a, b, shuffle); got != verdict {
			t.Errorf("%s: %s, but %s in another order of records", form[0], verdict, got)
		}
	}
	if len(seen) < 3 {
		t.Errorf("the draws give only %v: they show too little", seen)
	}
}

// A larger noise floor widens intervals: what was open stays open, and what was decided is decided alike or open.
func TestWideningDecidesNothing(t *testing.T) {
	slowtest.SkipSequential(t)
	random := rand.New(rand.NewPCG(17, 19))
	const claim = `throughput{server="a"} > throughput{server="b"}`
	opened := 0
	for range draws() {
		a, b := draw(random, 20000*(0.95+0.25*random.Float64()), 5), draw(random, 20000, 5)
		before := stats.Verdict("")
		for _, apart := range []float64{1, 1.01, 1.03, 1.1, 1.3} {
			bench := newFixture(t, strings.Replace(strings.Replace(recordtest.Claimed(claim), "calibrate: false", "", 1),
				"repetitions: 3", "repetitions: 5", 1))
			bench.Measure("servers", "a", "1", a)
			bench.Measure("servers", "b", "1", b)
			twin := slices.Clone(a)
			for i := range twin {
				twin[i] *= apart
			}
			bench.Measure("servers", "again", "1", twin)
			verdict := JudgeAll(bench.dataset(dataset.Options{})).Claims[0].Verdict
			switch {
			case before == stats.Inconclusive && verdict != before, before != "" && verdict != before &&
				verdict != stats.Inconclusive:
				t.Errorf("%s became %s when the noise floor grew to %v, for %v and %v", before, verdict, apart-1, a, b)
			case before != "" && verdict != before:
				opened++
			}
			before = verdict
		}
	}
	if opened == 0 {
		t.Error("no verdict was opened by any noise floor: the draws show too little")
	}
}

// Ten experiments of one and the same cell under three names support no claim of a difference, by any metric:
// docs/method.md#claims-as-regions.
func TestNoDifferenceIsFoundWhereThereIsNone(t *testing.T) {
	claims := []string{`throughput{server="a"} > throughput{server="b"}`,
		`throughput{server="b"} > throughput{server="a"}`,
		`latency.p50{server="a"} < latency.p50{server="c"}`, `latency.p99{server="c"} < latency.p99{server="b"}`,
		`ratio(throughput{server="c"}, throughput{server="a"}) > 1.05`,
		`ratio(latency.p99{server="a"}, latency.p99{server="b"}) < 0.95`}
	var text strings.Builder
	text.WriteString(recordtest.FrontMatter + recordtest.Dockerfile + recordtest.Fence("experiment",
		strings.NewReplacer("calibrate: false", "", "repetitions: 3", "repetitions: 5").Replace(recordtest.Servers)))
	for i, claim := range claims {
		text.WriteString(recordtest.Fence("claim", fmt.Sprintf("{name: c%d, expect: '%s'}", i, claim)))
	}
	judged := 0
	for seed := range uint64(10) {
		random := rand.New(rand.NewPCG(seed, 23))
		bench := newFixture(t, text.String())
		for _, trial := range []string{"a", "b", "c", "again"} {
			bench.Measure("servers", trial, "1", draw(random, 5000, 5), func(r *record.Record) {
				// Answers of every length, with a tail, as a real server has them.
				rate := float64(r.Load.Completed) / r.Load.Window
				const kinds = 500
				var list []recordtest.EqualTimes
				r.Load.Attempted = r.Load.Completed / kinds * kinds
				for range kinds {
					list = append(list, recordtest.Times(10/rate*(0.6+0.4*random.ExpFloat64()), r.Load.Attempted/kinds))
				}
				r.Histograms["latency"] = recordtest.Histogram(t, list...)
				r.Load.InFlight = -1 // these times are not those of so many connections
			})
		}
		d := bench.dataset(dataset.Options{})
		for _, j := range JudgeAll(d).Claims {
			verdicts := []stats.Verdict{j.Verdict}
			if slices.Contains(verdicts, stats.Supported) {
				t.Errorf("experiment %d: %s: %v, of cells that are one", seed, j.Claim.Expect.Text.Value, verdicts)
			}
			if !slices.Contains(verdicts, stats.NotMeasured) {
				judged++
			}
		}
	}
	if want := 10 * len(claims); judged != want {
		t.Errorf("%d claims were judged by all metrics, want %d", judged, want)
	}
}
