package stats

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// simulations is the number of sessions for each rate; make bench-method asks for 10000.
var simulations = flag.Int("simulations", 100, "simulated sessions for each rate of rates.md")

// A noise draws one session: for each of k cells the factors by which n repetitions miss its true median.
type noise struct {
	name string
	draw func(rng *rand.Rand, k, n int) [][]float64
}

// noises are seven of rates.md, on the logarithmic scale. It gives their sizes; what it does not give, such
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
