package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"benchbook/internal/test/assert"
)

// values makes a cell with the default resolution.
func values(v ...float64) Cell { return Cell{Values: v} }

// wantNumber compares a number with one printed in docs/method.md, to the last digit printed.
func wantNumber(t *testing.T, name string, got float64, want string) {
	t.Helper()
	_, decimals, _ := strings.Cut(want, ".")
	assert.Equal(t, strconv.FormatFloat(got, 'f', len(decimals), 64), want, "%s, %v", name, got)
}

// wantInterval does the same for both ends.
func wantInterval(t *testing.T, got Interval, lo, hi string) {
	t.Helper()
	wantNumber(t, "lower end", got.Lo, lo)
	wantNumber(t, "upper end", got.Hi, hi)
}

// closeTo reports whether two numbers differ only by rounding.
func closeTo(a, b float64) bool {
	return a == b || math.Abs(a-b) <= 1e-9*max(math.Abs(a), math.Abs(b))
}

// lognormal draws a cell around a centre with a coefficient of variation.
func lognormal(rng *rand.Rand, n int, centre, variation float64) Cell {
	c := Cell{Values: make([]float64, n)}
	for i := range c.Values {
		c.Values[i] = centre * math.Exp(variation*rng.NormFloat64())
	}
	return c
}

// spread makes a cell with an even number of values whose logarithms have exactly this mean and standard deviation.
func spread(n int, mean, sd float64) Cell {
	c := Cell{Values: make([]float64, n)}
	step := sd * math.Sqrt(float64(n-1)/float64(n))
	for i := range c.Values {
		c.Values[i] = math.Exp(mean + step)
		step = -step
	}
	return c
}

func shuffled(rng *rand.Rand, v []float64) []float64 {
	w := slices.Clone(v)
	rng.Shuffle(len(w), func(i, j int) { w[i], w[j] = w[j], w[i] })
	return w
}

func TestMedian(t *testing.T) {
	for _, tt := range []struct {
		name   string
		values []float64
		want   float64
	}{
		{"one value", []float64{7}, 7},
		{"two values", []float64{10, 13}, 11.5},
		{"odd number, unsorted", []float64{102, 98, 105}, 102},
		{"even number", []float64{10, 11, 12, 13, 14, 40}, 12.5},
		{"sum out of range", []float64{1.5e308, 1.7e308}, 1.6e308},
	} {
		assert.Equal(t, Median(tt.values), tt.want, "%s: Median(%v)", tt.name, tt.values)
	}
	assert.Equal(t, math.IsNaN(Median(nil)), true, "Median of nothing is NaN")
}

// Every function refuses an impossible cell for the same reason.
func TestRefused(t *testing.T) {
	good := values(10, 11, 12)
	ask := map[string]func(c Cell, alpha float64) error{
		"Summarize": func(c Cell, alpha float64) error { _, err := Summarize(c, alpha); return err },
		"Ratio, first": func(c Cell, alpha float64) error {
			_, err := Ratio(c, good, alpha)
			return err
		},
		"Ratio, second": func(c Cell, alpha float64) error {
			_, err := Ratio(good, c, alpha)
			return err
		},
		"CellNeeded": func(c Cell, alpha float64) error {
			_, err := CellNeeded(c, Below(5), alpha, nil)
			return err
		},
		"NoiseFloor": func(c Cell, alpha float64) error {
			_, err := NoiseFloor([][2]Cell{{good, c}}, alpha, 0.05)
			return err
		},
		"Agree": func(c Cell, alpha float64) error {
			_, err := Agree([]PublishedRow{{"good", 10, good}, {"bad", 20, c}}, alpha, 0.05, 0)
			return err
		},
	}
	tests := []struct {
		name  string
		cell  Cell
		alpha float64
		want  error
	}{
		{"not a number", values(10, math.NaN(), 12), 0.05, ErrNotFinite},
		{"infinite", values(10, 11, math.Inf(1)), 0.05, ErrNotFinite},
		{"negative where the metric cannot be", Cell{Values: []float64{1, -1, 2}, NonNegative: true}, 0.05, ErrNegative},
		{"negative resolution", Cell{Values: []float64{1, 2, 3}, Resolution: -0.001}, 0.05, ErrResolution},
		{"infinite resolution", Cell{Values: []float64{1, 2, 3}, Resolution: math.Inf(1)}, 0.05, ErrResolution},
		{"alpha of zero", good, 0, ErrAlpha},
		{"a confidence of 95 % for alpha", good, 95, ErrAlpha},
		{"alpha that is not a number", good, math.NaN(), ErrAlpha},
	}
	for function, f := range ask {
		for _, tt := range tests {
			assert.Is(t, f(tt.cell, tt.alpha), tt.want, "%s, %s", function, tt.name)
		}
		assert.Is(t, f(good, 0.05), nil, "%s, a good cell", function)
	}
}

// Results do not depend on the order of values, and values are not changed.
func TestOrderOfValues(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for n := 3; n <= 8; n++ {
		a, b, c := lognormal(rng, n, 100, 0.1), lognormal(rng, n, 110, 0.1), lognormal(rng, n, 90, 0.1)
		results := func(a, b, c Cell) []any {
			estimate, _ := Summarize(a, 0.05)
			ratio, _ := Ratio(a, b, 0.05)
			floor, _ := NoiseFloor([][2]Cell{{a, b}}, 0.05, 0.05)
			agreement, _ := Agree([]PublishedRow{{"a", 1, a}, {"b", 2, b}, {"c", 3, c}}, 0.05, 0.05, 0)
			repetitions := Needed(ratio, Greater(0.05), 0.01, 0.05, nil)
			return []any{estimate, ratio, floor, agreement.Factor, agreement.Rows, repetitions}
		}
		before := slices.Concat(a.Values, b.Values, c.Values)
		first := results(a, b, c)
		assert.Slice(t, slices.Concat(a.Values, b.Values, c.Values), before, "n = %d: the values afterwards", n)
		for range 20 {
			second := results(values(shuffled(rng, a.Values)...), values(shuffled(rng, b.Values)...),
				values(shuffled(rng, c.Values)...))
			for i := range first {
				assert.Deep(t, first[i], second[i], "n = %d: result %d in another order of values", n, i)
			}
		}
	}
}
