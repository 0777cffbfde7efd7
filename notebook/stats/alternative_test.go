package stats

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
)

func TestRatioByRound(t *testing.T) {
	// The logarithms of the ratios are ln 1.2, ln 1.2 and ln 1.25: by hand, with t(0.975, 2) = 4.302653.
	got, err := RatioByRound(Cell{Values: []float64{120, 240, 100}}, Cell{Values: []float64{100, 200, 80}}, 0.05)
	if err != nil {
		t.Fatal(err)
	}
	wantNumber(t, "ratio", got.Ratio, "1.216440")
	wantInterval(t, got.Interval, "1.147265", "1.289786")
	wantNumber(t, "df", got.DF, "2")

	// A drift that both cells share widens the interval of Ratio, and not this one.
	drifting := []float64{100, 120, 144, 173, 207}
	var twice []float64
	for _, v := range drifting {
		twice = append(twice, 2*v)
	}
	paired, _ := RatioByRound(Cell{Values: twice}, Cell{Values: drifting}, 0.05)
	apart, _ := Ratio(Cell{Values: twice}, Cell{Values: drifting}, 0.05)
	if width := func(i Interval) float64 { return i.Hi / i.Lo }; width(paired.Interval) > 1.01 ||
		width(apart.Interval) < 1.5 {
		t.Errorf("by round %v, apart %v", paired.Interval, apart.Interval)
	}
	if paired.Interval.Lo == paired.Interval.Hi {
		t.Error("equal ratios look certain")
	}
}

func TestRatioOfMedians(t *testing.T) {
	a, b := Cell{Values: []float64{1200, 1230, 1185}}, Cell{Values: []float64{1000, 1010, 985}}
	got, err := RatioOfMedians(a, b, 0.05)
	if err != nil {
		t.Fatal(err)
	}
	wantNumber(t, "ratio", got.Ratio, "1.2")
	x, _ := Summarize(a, 0.025)
	y, _ := Summarize(b, 0.025)
	if want := (Interval{x.Interval.Lo / y.Interval.Hi, x.Interval.Hi / y.Interval.Lo}); !closeTo(got.Interval.Lo,
		want.Lo) || !closeTo(got.Interval.Hi, want.Hi) {
		t.Errorf("interval %v, want %v", got.Interval, want)
	}

	// Six values have no interval of their median at half of alpha, and so there is none of the ratio.
	six := Cell{Values: []float64{1, 2, 3, 4, 5, 6}}
	if got, err := RatioOfMedians(six, six, 0.05); err != nil || got.Interval != (Interval{0, math.Inf(1)}) ||
		got.Ratio != 1 {
		t.Errorf("of six values: %+v, %v", got, err)
	}
}

func TestAlternativesRefuseWhatRatioRefuses(t *testing.T) {
	fine := Cell{Values: []float64{1, 2, 3}}
	for _, tt := range []struct {
		name string
		a, b Cell
		want error
	}{
		{"no values", Cell{}, fine, ErrNoValues},
		{"two values", Cell{Values: []float64{1, 2}}, fine, ErrTooFew},
		{"a zero", fine, Cell{Values: []float64{1, 0, 2}}, ErrNotPositive},
		{"not a number", Cell{Values: []float64{1, math.NaN(), 2}}, fine, ErrNotFinite},
	} {
		for how, compare := range map[string]func(a, b Cell, alpha float64) (Comparison, error){"by round": RatioByRound,
			"of medians": RatioOfMedians} {
			c, err := compare(tt.a, tt.b, 0.05)
			if !errors.Is(err, tt.want) || c.Interval != (Interval{0, math.Inf(1)}) {
				t.Errorf("%s, %s: %+v, %v; want %v", tt.name, how, c, err, tt.want)
			}
		}
	}
	if _, err := RatioByRound(fine, Cell{Values: []float64{1, 2, 3, 4}}, 0.05); err == nil {
		t.Error("rounds of one cell alone were compared")
	}
}

// Of equal cells the alternatives exclude a ratio of 1 no more often than alpha says.
func TestAlternativesKeepTheirLevel(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 5))
	const runs = 4000
	for _, n := range []int{3, 5, 10} {
		wrong := map[string]int{}
		for range runs {
			var a, b Cell
			for range n {
				round := 0.03 * random.NormFloat64() // shared by both
				a.Values = append(a.Values, math.Exp(round+0.02*random.NormFloat64()))
				b.Values = append(b.Values, math.Exp(round+0.02*random.NormFloat64()))
			}
			for how, compare := range map[string]func(a, b Cell, alpha float64) (Comparison, error){"by round": RatioByRound,
				"of medians": RatioOfMedians} {
				c, err := compare(a, b, 0.05)
				if err != nil {
					t.Fatal(err)
				}
				if !c.Interval.Contains(1) {
					wrong[how]++
				}
			}
		}
		for how, count := range wrong {
			if rate := float64(count) / runs; rate > 0.062 {
				t.Errorf("n = %d, %s: %.1f %% of equal cells are told apart", n, how, 100*rate)
			}
		}
	}
}
