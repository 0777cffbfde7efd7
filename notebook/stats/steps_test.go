package stats

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// level makes a series of levels: for each the number of values and the level itself, with so much noise on
// logarithms.
func level(random *rand.Rand, noise float64, levels ...float64) []float64 {
	var out []float64
	for i := 0; i < len(levels); i += 2 {
		for range int(levels[i]) {
			out = append(out, levels[i+1]*math.Exp(noise*random.NormFloat64()))
		}
	}
	return out
}

func places(steps []Step) []int {
	out := []int{}
	for _, s := range steps {
		out = append(out, s.At)
	}
	return out
}

func TestSteps(t *testing.T) {
	odd := []float64{10, 10.1, 9.9, 10, 25, 10.1, 9.9, 10, 10.1, 9.9, 10, 10.1}
	for _, test := range []struct {
		name   string
		values []float64
		want   []int
	}{
		{"none", []float64{10, 10.1, 9.9, 10, 10.1, 9.9, 10, 10.2, 9.9, 10.1}, []int{}},
		{"up", []float64{10, 10.1, 9.9, 10, 10.1, 12, 12.1, 11.9, 12}, []int{5}},
		{"up and back", []float64{10, 10.1, 9.9, 10, 12, 12.1, 11.9, 12.2, 10.1, 9.9, 10, 10.1}, []int{4, 8}},
		{"a single odd value", odd, []int{}},
		{"the last three", []float64{10, 10.1, 9.9, 10, 10.1, 9.9, 10, 10.1, 13, 13.1, 12.9}, []int{8}},
		{"all the same", slices.Repeat([]float64{10}, 20), []int{}},
		{"the same until it changes", slices.Concat(slices.Repeat([]float64{10}, 8), slices.Repeat([]float64{11}, 8)),
			[]int{8}},
		{"too few", []float64{10, 10, 10, 20, 20}, []int{}},
		{"nothing", nil, []int{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			steps, err := Steps(test.values, 0.001)
			if got := places(steps); err != nil || !slices.Equal(got, test.want) {
				t.Fatalf("steps are at %d, %v; want %d", got, err, test.want)
			}
			for _, s := range steps {
				if s.From > s.At || s.To < s.At || !s.Interval.Contains(s.Ratio) {
					t.Errorf("%+v contradicts itself", s)
				}
			}
		})
	}
	for _, values := range [][]float64{{1, 2, 3, 4, 5, 0}, {1, -1}, {1, math.NaN()}, {1, math.Inf(1)}} {
		if _, err := Steps(values, 0.05); !errors.Is(err, ErrSeries) {
			t.Errorf("%v: got %v", values, err)
		}
	}
}

// Five steps of at least three standard deviations are all found in two hundred values, with hardly a false one,
// also where the noise is heavy-tailed; and where there is no step hardly any is found.
func TestStepsOfSimulations(t *testing.T) {
	const series = 200
	random := rand.New(rand.NewPCG(1, 2))
	heavy := func(values []float64) []float64 {
		for i := range values {
			if random.IntN(20) == 0 { // an odd run
				values[i] *= math.Exp(0.15 * random.NormFloat64())
			}
		}
		return values
	}
	for _, test := range []struct {
		name   string
		make   func() []float64
		wanted []int
	}{
		{"five", func() []float64 {
			return level(random, 0.02, 40, 100, 30, 107, 35, 99, 25, 92, 40, 100, 30, 108)
		}, []int{40, 70, 105, 130, 170}},
		{"five, beside odd runs", func() []float64 {
			return heavy(level(random, 0.02, 40, 100, 30, 107, 35, 99, 25, 92, 40, 100, 30, 108))
		}, []int{40, 70, 105, 130, 170}},
		{"none", func() []float64 { return level(random, 0.02, 200, 100) }, nil},
		{"none, beside odd runs", func() []float64 { return heavy(level(random, 0.02, 200, 100)) }, nil},
	} {
		found, wrong, covered := 0, 0, 0
		for range series {
			steps, err := Steps(test.make(), 0.001)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range steps {
				i := slices.IndexFunc(test.wanted, func(at int) bool { return s.At-at <= 3 && at-s.At <= 3 })
				if i < 0 {
					wrong++
					continue
				}
				found++
				if s.From <= test.wanted[i] && test.wanted[i] <= s.To {
					covered++
				}
			}
		}
		words := fmt.Sprintf("%s: of %d steps %d are found, %d of them within their places; %d others in %d series",
			test.name, series*len(test.wanted), found, covered, wrong, series)
		t.Log(words)
		if found < series*len(test.wanted)*99/100 || wrong > series/10 || covered < found*93/100 {
			t.Error(words)
		}
	}
}
