package stats

import (
	"math"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

// The examples of docs/method.md, to the last digit that it prints.

func TestExamplesOfRatios(t *testing.T) {
	stalled := [2]Cell{values(100, 102, 98, 101, 99, 103, 97, 104, 100, 15),
		values(90, 91, 89, 92, 88, 93, 87, 94, 90, 91)}
	six := [2]Cell{values(10, 11, 12, 13, 14, 15), values(8, 8.5, 9, 9.5, 10, 10.5)}
	coarse := Cell{Values: []float64{40, 40, 40, 40, 40, 40}, Resolution: 0.025}
	for _, tt := range []struct {
		name          string
		a, b          Cell
		alpha         float64
		ratio, lo, hi string
		k             int
		kappa         string
	}{
		{"Welch", cellA(), cellB(), 0.05, "1.2051944", "1.1610455", "1.2546295", 0, "0"},
		{"Welch at four looks", cellA(), cellB(), 0.0125, "1.2051944", "1.1337648", "1.2848184", 0, "0"},
		{"ranks, with a stall", stalled[0], stalled[1], 0.05, "1.1049340", "1.0741534", "1.1344777", 24, "1.0389250"},
		{"the same at four looks", stalled[0], stalled[1], 0.0125, "1.1049340", "1.0622839", "1.1443839", 18, "1.0389250"},
		{"ranks of six", six[0], six[1], 0.05, "1.3460181", "1.0936054", "1.6496068", 6, "1.0813097"},
		{"no rank reaches the level", six[0], six[1], 0.05 / 78, "1.3460181", "0", "+Inf", 0, "1.0813097"},
		{"equal readings", values(5, 5, 5), values(5, 5, 5), 0.05, "1", "0.9993458", "1.0006546", 0, "0"},
		{"equal counts", coarse, coarse, 0.05, "1", "0.9918667", "1.0082000", 6, "1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := must.Get(Ratio(tt.a, tt.b, tt.alpha))
			wantNumber(t, "ratio", c.Ratio, tt.ratio)
			wantInterval(t, c.Interval, tt.lo, tt.hi)
			wantNumber(t, "kappa", c.Kappa, tt.kappa)
			assert.Equal(t, c.K, tt.k, "k")
		})
	}
	// The stall misleads Welch's t, which is why it is not used from six repetitions on.
	c := must.Get(Ratio(stalled[0], stalled[1], 0.05))
	c.byMeans()
	c.Kappa = 0
	ends, _ := c.limits(0.05)
	wantNumber(t, "Welch's ratio", math.Exp(c.D), "0.918")
	wantInterval(t, Interval{math.Exp(ends.Lo), math.Exp(ends.Hi)}, "0.597", "1.412")
}

func TestExamplesOfVerdicts(t *testing.T) {
	stalled := [2]Cell{values(100, 102, 98, 101, 99, 103, 97, 104, 100, 15),
		values(90, 91, 89, 92, 88, 93, 87, 94, 90, 91)}
	six := [2]Cell{values(10, 11, 12, 13, 14, 15), values(8, 8.5, 9, 9.5, 10, 10.5)}
	for _, tt := range []struct {
		name   string
		a, b   Cell
		region Region
		alpha  float64
		want   Verdict
	}{
		{"a > b after 3 of up to 20 rounds", cellA(), cellB(), Greater(0.05), Level(0.05, len(Looks(20))), Supported},
		{"a > b with a stall", stalled[0], stalled[1], Greater(0.05), 0.0125, Supported},
		{"at least 1.1 times, with a stall", stalled[0], stalled[1], Above(1.1), 0.0125, Inconclusive},
		{"one of 78 pairs", six[0], six[1], Greater(0.05), 0.05 / 78, Inconclusive},
	} {
		c := must.Get(Ratio(tt.a, tt.b, tt.alpha))
		assert.Equal(t, Judge(c.Interval, tt.region), tt.want, "%s: %v in %v", tt.name, c.Interval, tt.region)
	}
}

func TestExamplesOfTheNoiseFloor(t *testing.T) {
	for _, tt := range []struct {
		name  string
		pairs []PairOfAA
		f     string
	}{
		{"three pairs that are apart", []PairOfAA{{D: 0.03, SE: 0.005}, {D: -0.02, SE: 0.006}, {D: 0.025, SE: 0.004}},
			"0.0235869"},
		{"pairs known ever less", []PairOfAA{{D: 0.012, SE: 0.010}, {D: -0.004, SE: 0.006}, {D: 0.03, SE: 0.02},
			{D: 0.002, SE: 0.15}}, "0.0042746"},
		{"none", nil, "0"},
		{"one that knows nothing", []PairOfAA{{D: 0.3, SE: 0.15}}, "0.0022991"},
	} {
		t.Run(tt.name, func(t *testing.T) { wantNumber(t, "f", offsets(tt.pairs), tt.f) })
	}
	floor := must.Get(NoiseFloor([][2]Cell{{values(1000, 1010, 990), values(1012, 1003, 1021)}}, 0.05, 0.05))
	wantNumber(t, "d", floor.Of[0].D, "0.0119355")
	wantNumber(t, "standard error", floor.Of[0].SE, "0.0077266")
	wantNumber(t, "f of the pair", floor.F, "0.0071088")

	c := must.Get(Ratio(cellA(), cellB(), 0.05))
	wantInterval(t, c.Widen(0.0235869, 0.05), "1.1356754", "1.2813368")
}

func TestExamplesOfNeeded(t *testing.T) {
	c := Comparison{Ratio: 1.12, SE: 0.04, NA: 5, NB: 5}
	half := func(n int, f float64) float64 {
		return math.Hypot(tCritical(0.0125, float64(2*n-2))*c.SE*math.Sqrt(5/float64(n)), zCritical(0.0125)*f)
	}
	wantNumber(t, "half width at 10", half(10, 0), "0.0784755")
	wantNumber(t, "half width at 20", half(20, 0), "0.0524440")
	wantNumber(t, "half width at 20 with f 0.015", half(20, 0.015), "0.0644519")
	wantNumber(t, "distance", math.Log(1.12)-math.Log(1.05), "0.0645385")
	for _, tt := range []struct {
		f    float64
		want int
	}{{0, 20}, {0.015, 20}, {0.03, 0}} {
		assert.Equal(t, Needed(c, Greater(0.05), tt.f, 0.0125, Looks(20)), tt.want, "repetitions needed with f %v", tt.f)
	}
}

func TestExamplesOfFewer(t *testing.T) {
	each := func(failed ...int64) FailureCounts {
		c := FailureCounts{Failed: failed}
		for range failed {
			c.Attempted = append(c.Attempted, 1000)
		}
		return c
	}
	for _, tt := range []struct {
		name      string
		a, b      FailureCounts
		by        float64
		d, lo, hi string
		want      Verdict
	}{
		{"no failures of 30,000", each(make([]int64, 30)...), each(make([]int64, 30)...), 0.001,
			"0", "-0.00012296", "0.00012296", Contradicted},
		{"no failures in five repetitions", each(make([]int64, 5)...), each(make([]int64, 5)...), 0.001,
			"0", "-0.00073750", "0.00073750", Inconclusive},
		{"failures in most repetitions", each(make([]int64, 10)...), each(4, 0, 7, 2, 5, 3, 0, 6, 4, 2), 0.001,
			"0.0033", "0.0016122", "0.0049878", Supported},
		{"one burst", each(make([]int64, 10)...), each(0, 0, 0, 0, 30, 0, 0, 0, 0, 0), 0.001,
			"0.003", "-0.0037865", "0.0097865", Inconclusive},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := must.Get(Fewer(tt.a, tt.b, tt.by, 0.05))
			wantNumber(t, "d", got.D, tt.d)
			wantInterval(t, got.Interval, tt.lo, tt.hi)
			assert.Equal(t, got.Verdict, tt.want, "verdict")
		})
	}
}
