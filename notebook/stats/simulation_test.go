package stats

import (
	"cmp"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"benchbook/slowtest"
)

// simulations is how many sessions stand behind every rate below. make bench-method asks for 20000 of them.
var simulations = flag.Int("simulations", 100, "simulated sessions for each rate of docs/method.md")

// A noise draws one session: for each of k cells the factors by which n repetitions miss its true median.
type noise struct {
	name string
	draw func(rng *rand.Rand, k, n int) [][]float64
}

// noises are the seven of docs/method.md, on the logarithmic scale. It gives their sizes; what it does not give, such
// as the shape of the skew, is ours.
var noises = []noise{
	{"normal", independent(func(rng *rand.Rand) float64 { return 0.02 * rng.NormFloat64() })},
	{"skewed", independent(func(rng *rand.Rand) float64 { return 0.03 * (rng.ExpFloat64() - math.Ln2) })},
	{"outliers", independent(outliers)},
	{"drift", func(rng *rand.Rand, k, n int) [][]float64 {
		return session(rng, k, n, func(_, at int) float64 { return drift(at, k*n) + 0.02*rng.NormFloat64() })
	}},
	{"one noisier", func(rng *rand.Rand, k, n int) [][]float64 {
		return session(rng, k, n, func(cell, _ int) float64 {
			if cell == 0 {
				return 0.1 * rng.NormFloat64()
			}
			return 0.02 * rng.NormFloat64()
		})
	}},
	{"bimodal", independent(func(rng *rand.Rand) float64 {
		// The slower mode has nearly half of the repetitions, and the median is at the upper edge of the faster one.
		if rng.Float64() < 0.49 {
			return 0.1 + 0.01*rng.NormFloat64()
		}
		return 0.01*rng.NormFloat64() - bimodalMedian
	})},
	{"mix", func(rng *rand.Rand, k, n int) [][]float64 {
		// What is between repetitions carries over to the next one, whichever cell it is of.
		carried := 0.0
		return session(rng, k, n, func(_, at int) float64 {
			carried = 0.8*carried + 0.015*rng.NormFloat64()
			return carried + drift(at, k*n)/2 + 0.01*(rng.ExpFloat64()-math.Ln2) + outliers(rng)
		})
	}},
}

// bimodalMedian is the median of the bimodal noise: the value below which half of its repetitions lie.
const bimodalMedian = 0.01 * 2.054 // the quantile 0.5/0.51 of a normal with deviation 0.01

func noiseNamed(name string) noise {
	return noises[slices.IndexFunc(noises, func(n noise) bool { return n.name == name })]
}

// outliers is normal noise of 2 %, and one repetition in ten is slower by about 15 %.
func outliers(rng *rand.Rand) float64 {
	e := 0.02 * rng.NormFloat64()
	if rng.Float64() < 0.1 {
		e += 0.14 + 0.02*rng.NormFloat64()
	}
	return e
}

// drift is 6 % over the session, none in its middle.
func drift(at, of int) float64 { return 0.06 * (float64(at)/float64(max(1, of-1)) - 0.5) }

func independent(draw func(*rand.Rand) float64) func(*rand.Rand, int, int) [][]float64 {
	return func(rng *rand.Rand, k, n int) [][]float64 {
		return session(rng, k, n, func(int, int) float64 { return draw(rng) })
	}
}

// session draws rounds of every cell once, in random order. The logarithm may depend on the cell and the place in the
// session.
func session(rng *rand.Rand, k, n int, log func(cell, at int) float64) [][]float64 {
	out := make([][]float64, k)
	for round := range n {
		for i, cell := range rng.Perm(k) {
			out[cell] = append(out[cell], math.Exp(log(cell, round*k+i)))
		}
	}
	return out
}

// cells are the cells of a session whose true medians are given.
func (n noise) cells(rng *rand.Rand, repetitions int, medians ...float64) []Cell {
	out := make([]Cell, len(medians))
	for i, factors := range n.draw(rng, len(medians), repetitions) {
		for _, f := range factors {
			out[i].Values = append(out[i].Values, medians[i]*f)
		}
	}
	return out
}

// A rate is how often something happens in simulated sessions, and what docs/method.md says of it.
type rate struct {
	section, what string
	stated        float64 // share of the sessions
	bound         bool    // stated is the most that may be, else it is about that
	// beside five standard errors: our noises are not to the last digit those that docs/method.md was simulated with
	slack   float64
	happens func(rng *rand.Rand) (bool, error)
}

func rates() []rate {
	var all []rate
	add := func(section string, stated float64, bound bool, slack float64, happens func(*rand.Rand) (bool, error),
		what string, args ...any) {
		all = append(all, rate{section, fmt.Sprintf(what, args...), stated, bound, slack, happens})
	}

	for _, tt := range []struct {
		noise     string
		rows      int
		undecided [3]float64 // n = 3, 5, 10
	}{{"normal", 4, [3]float64{0.03, 0, 0}}, {"normal", 8, [3]float64{0.03, 0, 0}},
		{"mix", 4, [3]float64{0.31, 0.11, 0.04}}, {"mix", 8, [3]float64{0.31, 0.11, 0.04}}} {
		for i, n := range []int{3, 5, 10} {
			add("6", tt.undecided[i], true, 0.1, func(rng *rand.Rand) (bool, error) {
				order, err := orderOf(rng, noiseNamed(tt.noise), n, tt.rows, 1)
				return order == Inconclusive, err
			}, "the published order, %d rows, is not decided, %s, n = %d", tt.rows, tt.noise, n)
			add("6", 0, true, 0.004, func(rng *rand.Rand) (bool, error) {
				order, err := orderOf(rng, noiseNamed(tt.noise), n, tt.rows, 1)
				return order == Contradicted, err
			}, "the published order, %d rows, is called another, %s, n = %d", tt.rows, tt.noise, n)
			add("6", 0.001, true, 0.004, func(rng *rand.Rand) (bool, error) {
				order, err := orderOf(rng, noiseNamed(tt.noise), n, tt.rows, -1)
				return order == Supported, err
			}, "the reverse order, %d rows, is called the published one, %s, n = %d", tt.rows, tt.noise, n)
		}
	}

	for _, tt := range []struct {
		what        string
		correlation float64
		level       func(second float64) float64
		stated      [2]float64 // 3 and 5 repetitions
		bound       bool
	}{
		{"without a trend, lag-1 correlation 0.5,", 0.5, func(float64) float64 { return 1 }, [2]float64{0.005, 0}, true},
		{"without a trend, lag-1 correlation 0.9,", 0.9, func(float64) float64 { return 1 }, [2]float64{0.08, 0.03}, true},
		{"warming up over 10 s from 60 %", 0.5, func(s float64) float64 { return 1 - 0.4*math.Exp(-s/10) },
			[2]float64{0.97, 0.99}, false},
		{"rising by 10 %", 0.5, func(s float64) float64 { return 1 + 0.1*s/60 }, [2]float64{0.71, 0.75}, false},
	} {
		for i, repetitions := range []int{3, 5} {
			add("7", tt.stated[i], tt.bound, 0.1, func(rng *rand.Rand) (bool, error) {
				trends := make([]Trend, repetitions)
				for r := range trends {
					series, carried := make([]float64, 60), 0.05*rng.NormFloat64()
					for s := range series {
						carried = tt.correlation*carried + 0.05*math.Sqrt(1-tt.correlation*tt.correlation)*rng.NormFloat64()
						series[s] = 1000 * tt.level(float64(s)) * math.Exp(carried)
					}
					d, err := Steadiness(series, DefaultSmallestEffect)
					if err != nil {
						return false, err
					}
					trends[r] = d.Trend
				}
				trend := Unsteady(trends)
				return trend == Rising || trend == Falling, nil
			}, "%s is called unsteady, %d repetitions", tt.what, repetitions)
		}
	}
	return all
}

// centres are the true pseudo-medians of noises by name.
var centres memo[string, float64]

// centreOf is the true pseudo-median of a noise, as a factor.
func centreOf(n noise) float64 {
	return centres.get(n.name, func(string) float64 {
		rng := rand.New(rand.NewPCG(1, 2))
		var all []float64
		for range 4_000 {
			all = append(all, n.draw(rng, 1, 10)[0]...)
		}
		return PseudoMedian(all)
	})
}

func named(cells []Cell) []NamedCell {
	out := make([]NamedCell, len(cells))
	for i, c := range cells {
		out[i] = NamedCell{Name: fmt.Sprint(i), Cell: c}
	}
	return out
}

// orderOf says of rows that are published a quarter apart, and are so here too or, turned, in the reverse order,
// whether four fifths of their pairs agree, or cannot.
func orderOf(rng *rand.Rand, n noise, repetitions, rows, turned int) (Verdict, error) {
	published := make([]PublishedRow, rows)
	medians := make([]float64, rows)
	for i := range rows {
		published[i] = PublishedRow{Name: fmt.Sprint(i), Published: 100 * math.Pow(1.25, float64(i))}
		medians[i] = 40 * math.Pow(1.25, float64(turned*i))
	}
	for i, c := range n.cells(rng, repetitions, medians...) {
		published[i].Cell = c
	}
	a, err := Agree(published, DefaultAlpha, DefaultSmallestEffect, 0)
	if err != nil {
		return "", err
	}
	switch most := 4 * a.Pairs(); {
	case 5*a.Agreeing >= most:
		return Supported, nil
	case 5*(a.Agreeing+a.Undecided) < most:
		return Contradicted, nil
	}
	return Inconclusive, nil
}

// The rules err as often as docs/method.md says. Seeds are fixed; a wrong quantile or wrong degrees of freedom show.
func TestRatesOfMethodForSeries(t *testing.T) {
	slowtest.SkipSequential(t)
	var lines []string
	for i, r := range rates() {
		rng := rand.New(rand.NewPCG(2026, uint64(i)))
		count := 0
		for range *simulations {
			happened, err := r.happens(rng)
			if err != nil {
				t.Fatalf("%s: %v", r.what, err)
			}
			if happened {
				count++
			}
		}
		got := float64(count) / float64(*simulations)
		room := r.slack + 5*math.Sqrt(max(r.stated*(1-r.stated), 0.001)/float64(*simulations))
		word := "about"
		if r.bound {
			word = "at most"
		}
		lines = append(lines, fmt.Sprintf("%-4s %6.2f %%  stated %-7s %5.1f %%  %s", r.section, 100*got, word, 100*r.stated,
			r.what))
		if got > r.stated+room || !r.bound && got < r.stated-room {
			t.Errorf("docs/method.md %s: %s: in %.2f %% of %d sessions, stated %s %.1f %%", r.section, r.what, 100*got,
				*simulations, word, 100*r.stated)
		}
	}
	slices.SortStableFunc(lines, func(a, b string) int { return cmp.Compare(a[:3], b[:3]) })
	for _, line := range lines {
		t.Log(line)
	}
}
