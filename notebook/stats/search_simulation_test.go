package stats

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// cores is what the services of the simulated searches have.
const cores = 8

// shapes are how throughput may depend on the number of workers, with eight cores.
var shapes = []struct {
	name string
	at   func(w float64) float64
}{
	{"in proportion, then flat", func(w float64) float64 { return min(w, cores) }},
	{"saturating", func(w float64) float64 { return w / (w + 4) }},
	{"a peak, then decline", func(w float64) float64 { return w / (1 + 0.05*(w-1) + 0.01*w*(w-1)) }},
	{"flat", func(float64) float64 { return 1 }},
	{"one is best", func(w float64) float64 { return 1 / (1 + 0.05*(w-1)) }},
	{"late", func(w float64) float64 { return math.Pow(min(w, 18), 0.7) }},
}

// probed is a probe of a value: noise of some width, and one in ten is slower by about 15 %.
func probed(rng *rand.Rand, value, width float64) float64 {
	e := width * rng.NormFloat64()
	if rng.Float64() < 0.1 {
		e -= 0.15
	}
	return value * math.Exp(e)
}

// The search for a tuned value loses as little, and needs as many probes, as docs/method.md#tuned-values says, and the
// simple search beside it loses as much.
func TestRatesOfMethodForTuning(t *testing.T) {
	all := Tuning{Cores: cores, Effect: DefaultSmallestEffect, Patience: 2, Candidates: []int{1, 2, 3, 5, 8, 12, 18, 24}}
	var byOne []int
	for w := range 24 {
		byOne = append(byOne, w+1)
	}
	simple := Tuning{Candidates: byOne, Effect: DefaultSmallestEffect, Patience: 1}
	worstSimple := 0.0
	for i, shape := range shapes {
		best := 0.0
		for _, w := range byOne {
			best = max(best, shape.at(float64(w)))
		}
		for k, width := range []float64{0.02, 0.05, 0.10} {
			rng := rand.New(rand.NewPCG(2026, uint64(10*i+k)))
			loss := func(rule Tuning, probes int) (mean float64, tried int) {
				for range *simulations {
					values, _ := rule.search(func(w int) float64 {
						counts := make([]float64, probes)
						for p := range counts {
							counts[p] = probed(rng, shape.at(float64(w)), width)
						}
						return Median(counts)
					})
					c, err := rule.Choose(values)
					if err != nil {
						t.Fatal(err)
					}
					mean += 1 - shape.at(float64(c.Chosen))/best
					tried += probes * len(values)
				}
				return mean / float64(*simulations), tried / *simulations
			}
			mean, probes := loss(all, 3)
			single, _ := loss(simple, 1)
			worstSimple = max(worstSimple, single)
			t.Logf("8.1  loses %4.1f %% in %d probes, by one with one probe %4.1f %%: %s, noise %v", 100*mean, probes,
				100*single, shape.name, width)
			if mean > statedLoss+0.02 || probes < 15 || probes > 24 {
				t.Errorf("docs/method.md 8.1: %s, noise %v: loses %.1f %% in %d probes, stated at most %.1f %% in 15 to 24",
					shape.name, width, 100*mean, probes, 100*statedLoss)
			}
		}
	}
	if worstSimple < 0.3 {
		t.Errorf("docs/method.md 8.1: the simple search loses %.0f %% at most, stated up to 49 %%", 100*worstSimple)
	}
}

// statedLoss is the mean loss that docs/method.md#tuned-values states at most. Our shapes are not its own.
const statedLoss = 0.026

// A response is how a latency grows with the rate, relative to its limit, which it meets at the true capacity of 730/s.
type response struct {
	name         string
	slope, noise float64 // of the latency on logarithms
	contains     float64 // stated share of searches whose interval has the capacity in it
	low          float64 // stated share, at most, of those more than a tenth too low
	bare         float64 // stated share, at most, that contains the capacity if the upper bound is not refuted
}

const trueCapacity = 730

func (r response) outcome(rng *rand.Rand) func(float64, Phase) Outcome {
	return func(rate float64, _ Phase) Outcome {
		if math.Pow(rate/trueCapacity, r.slope)*math.Exp(r.noise*rng.NormFloat64()) < 1 {
			return ProbeMet
		}
		return ProbeFailed
	}
}

var responses = []response{
	{"steep", 10, 0.25, 0.97, 0.12, 0.79}, {"even", 5, 0.25, 0.97, 0.12, 0.79}, {"even, with little noise", 5, 0.10, 0.97,
		0.12, 1},
	{"shallow", 2.3, 0.25, 0.90, 0.48, 0.79},
}

// The interval of a search for a capacity contains it as often as docs/method.md#capacities says, the search is too
// high and too low as rarely, and takes as many probes; without refuting the upper bound the interval is far too
// narrow.
func TestRatesOfMethodForCapacity(t *testing.T) {
	for i, r := range responses {
		rng := rand.New(rand.NewPCG(2026, uint64(i)))
		var contains, high, low, probes, unrefuted float64
		n := float64(*simulations)
		for range *simulations {
			outcome := r.outcome(rng)
			rule := CapacityRule{From: 10, To: 20_000, Start: 100, Step: 0.05, Repeats: 3}
			s := NewCapacitySearch(rule)
			_, made := s.search(outcome)
			found, _, known := s.Found()
			if !known {
				t.Fatal("a search without an end")
			}
			probes += float64(made) / n
			contains += share(found.Contains(trueCapacity), n)
			high += share(found.Lo > 1.05*trueCapacity, n)
			low += share(found.Lo < 0.9*trueCapacity, n)
			// The upper bound as it is when the lower one is confirmed.
			bare := NewCapacitySearch(rule)
			for rate, phase, ok := bare.Next(); ok && phase != PhaseRefute; rate, phase, ok = bare.Next() {
				bare.Tell(outcome(rate, phase))
			}
			unrefuted += share(bare.lo <= trueCapacity && trueCapacity <= bare.hi, n)
		}
		t.Logf("8.2  contains %5.1f %%, too high %4.1f %%, too low %4.1f %%, %4.1f probes, contains without refuting %5.1f "+
			"%%: %s, slope %v, noise %v",
			100*contains, 100*high, 100*low, probes, 100*unrefuted, r.name, r.slope, r.noise)
		room := 0.04 + 5*math.Sqrt(r.contains*(1-r.contains)/n)
		for _, wrong := range []struct {
			is   bool
			what string
		}{
			{contains < r.contains-room, fmt.Sprintf("contains the capacity in %.1f %%, stated about %.0f %%", 100*contains,
				100*r.contains)},
			{high > 0.005+0.02, fmt.Sprintf("is too high in %.1f %%, stated under 0.5 %%", 100*high)},
			{low > r.low+room, fmt.Sprintf("is too low in %.1f %%, stated at most %.0f %%", 100*low, 100*r.low)},
			{probes < 13 || probes > 30, fmt.Sprintf("takes %.1f probes, stated 15 to 27", probes)},
			{unrefuted > r.bare+room, fmt.Sprintf("without refuting contains it in %.1f %%, stated 11 to 79 %%", 100*unrefuted)},
		} {
			if wrong.is {
				t.Errorf("docs/method.md 8.2: %s, noise %v: the interval %s", r.name, r.noise, wrong.what)
			}
		}
	}
}

func share(is bool, of float64) float64 {
	if is {
		return 1 / of
	}
	return 0
}
