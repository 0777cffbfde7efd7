package stats

import (
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"benchbook/internal/test/assert"
)

// The tables of docs/method.md#one-cell and docs/method.md#ratios.
func TestTablesOfRanks(t *testing.T) {
	for n, want := range map[int]int{5: 0, 6: 1, 7: 3, 8: 4, 9: 6, 10: 9, 12: 14, 15: 26, 20: 53, 30: 138} {
		assert.Equal(t, signedRank(n, 0.05).k, want, "signed rank of %d values at 0.05", n)
	}
	for n, want := range map[int][2]int{6: {6, 3}, 8: {14, 9}, 10: {24, 18}, 12: {38, 30}, 15: {65, 53}, 20: {128, 109},
		24: {193, 168}, 30: {318, 282}, 40: {597, 542}} {
		for i, alpha := range []float64{0.05, 0.0125} {
			assert.Equal(t, rankSum(n, n, alpha).k, want[i], "rank sum of %d values on both sides at %v", n, alpha)
		}
	}
	assert.Equal(t, rankSum(6, 6, 0.05/78).k, 0, "rank sum of six values on both sides at 0.05/78")
}

// Exact distributions agree with integer counts, up to the largest exact ones.
func TestRanksAreExact(t *testing.T) {
	alphas := []float64{0.3, 0.05, 0.0125, 0.05 / 400, 1e-9}
	for _, of := range [][2]int{{6, 6}, {6, 20}, {20, 6}, {10, 10}, {31, 17}, {60, 60}, {6, 394}, {150, 250}} {
		if testing.Short() && of[0]*of[1] > 5000 {
			continue
		}
		counts := sumsOfRanks(of[0], of[1])
		for _, alpha := range alphas {
			assert.Equal(t, rankSum(of[0], of[1], alpha).k, lowerCount(counts, alpha/2), "rank sum of %v at %v", of, alpha)
		}
	}
	for _, n := range []int{6, 7, 10, 25, 60, 200} {
		counts := []*big.Int{big.NewInt(1)}
		for i := 1; i <= n; i++ {
			next := make([]*big.Int, len(counts)+i)
			for w := range next {
				next[w] = new(big.Int)
				if w < len(counts) {
					next[w].Add(next[w], counts[w])
				}
				if w >= i {
					next[w].Add(next[w], counts[w-i])
				}
			}
			counts = next
		}
		for _, alpha := range alphas {
			assert.Equal(t, signedRank(n, alpha).k, lowerCount(counts, alpha/2), "signed rank of %d at %v", n, alpha)
		}
	}
}

// sumsOfRanks returns, for each number of pairs in the other order, how many orders of a and b values have it.
func sumsOfRanks(a, b int) []*big.Int {
	counts := make([]*big.Int, a*b+1)
	for u := range counts {
		counts[u] = new(big.Int)
	}
	counts[0].SetInt64(1)
	for i := 1; i <= a; i++ {
		for u := len(counts) - 1; u >= b+i; u-- {
			counts[u].Sub(counts[u], counts[u-b-i])
		}
		for u := i; u < len(counts); u++ {
			counts[u].Add(counts[u], counts[u-i])
		}
	}
	return counts
}

// lowerCount is lowerRank for counts.
func lowerCount(counts []*big.Int, tail float64) int {
	all, sum := new(big.Int), new(big.Int)
	for _, c := range counts {
		all.Add(all, c)
	}
	limit := new(big.Rat).Mul(new(big.Rat).SetFloat64(tail), new(big.Rat).SetInt(all))
	for k, c := range counts {
		if sum.Add(sum, c); new(big.Rat).SetInt(sum).Cmp(limit) > 0 {
			return k
		}
	}
	return len(counts)
}

// Where the exact distributions end, the normal ones give nearly the same rank.
func TestRanksOfMany(t *testing.T) {
	for _, alpha := range []float64{0.05, 0.0125, 0.05 / 400} {
		for _, of := range [][2]int{{mostExact / 2, mostExact / 2}, {mostExact / 2, mostExact/2 + 1}} {
			// From one to the other only the distribution changes: the rank grows by about half the values of one side.
			k := rankSum(of[0], of[1], alpha).k
			product := float64(of[0] * of[1])
			want := normalRank(product/2, math.Sqrt(product*float64(of[0]+of[1]+1)/12), alpha/2).k
			assert.Near(t, float64(k), float64(want), 0.005*float64(want), "rank sum of %v at %v, by a normal one", of, alpha)
		}
		for _, n := range []int{mostExact, mostExact + 1} {
			values := float64(n)
			k := signedRank(n, alpha).k
			want := normalRank(values*(values+1)/4, math.Sqrt(values*(values+1)*(2*values+1)/24), alpha/2).k
			assert.Near(t, float64(k), float64(want), 0.005*float64(want), "signed rank of %d at %v, by a normal one", n, alpha)
		}
	}
}

// The k-th smallest, found without a list, is the one in the list.
func TestSmallest(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	for run := range 300 {
		draw := func() []float64 {
			v := make([]float64, 1+rng.IntN(9))
			for i := range v {
				switch run % 3 {
				case 0:
					v[i] = rng.NormFloat64()
				case 1:
					v[i] = float64(rng.IntN(4)) // with ties
				default:
					v[i] = math.Exp(100 * rng.NormFloat64())
				}
			}
			slices.Sort(v)
			return v
		}
		a, b := draw(), draw()
		var means, differences []float64
		for i, x := range a {
			for _, y := range a[i:] {
				means = append(means, x/2+y/2)
			}
			for _, y := range b {
				differences = append(differences, x-y)
			}
		}
		slices.Sort(means)
		slices.Sort(differences)
		for k, want := range means {
			assert.Equal(t, sample{y: a}.mean(k+1), want, "mean %d of %v", k+1, a)
		}
		for k, want := range differences {
			assert.Equal(t, difference(k+1, a, b), want, "difference %d of %v and %v", k+1, a, b)
		}
	}
}

func TestPseudoMedian(t *testing.T) {
	for _, tt := range []struct {
		name   string
		values []float64
		want   float64
	}{
		{"one value", []float64{12.3}, 12.3},
		{"the geometric mean of two", []float64{9, 4}, 6},
		{"the mean of two, one of them zero", []float64{0, 3}, 1.5},
		{"below zero", []float64{-4, -2, -1}, -2.25},
		{"equal values", []float64{0.1, 0.1, 0.1, 0.1}, 0.1},
		{"a sum out of range", []float64{1.5e308, 1.7e308, -1}, 1.175e308},
		{"one far off", []float64{100, 100, 100, 100, 1e9}, 100},
	} {
		assert.Near(t, PseudoMedian(tt.values), tt.want, 1e-9*math.Abs(tt.want), "%s: pseudo-median", tt.name)
	}
	// Measured values are returned unchanged.
	for _, v := range []float64{7, 0.1, 12345.678, 1e-300} {
		assert.Equal(t, PseudoMedian([]float64{v, v, v}), v, "PseudoMedian of three times %v", v)
	}
	assert.Equal(t, math.IsNaN(PseudoMedian(nil)), true, "PseudoMedian of nothing is NaN")
}
