package claim

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

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

// A claim has the same verdict with its sides exchanged, in any unit, and with its records in any order.
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
