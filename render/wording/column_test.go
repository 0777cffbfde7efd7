package wording

import (
	"math"
	"strings"
	"testing"

	"benchbook/internal/test/assert"
)

func TestColumn(t *testing.T) {
	// of measured with the usual resolution
	of := func(v, lo, hi float64) Figure { return Figure{v, lo, hi, v * 0.001, false} }
	none := math.NaN()
	for _, test := range []struct {
		name string
		unit Unit
		in   []Figure
		want string
	}{
		{"the decimals of most, in all", Plain,
			[]Figure{of(490, 485, 495), of(486.7, 484.1, 487.9), of(486.67, 486.2, 487.1), of(20, 19.993, 20.007), of(0, 0, 0)},
			"490.0 [485.0–495.0] 486.7 [484.1–487.9] 486.7 [486.2–487.1] 20.0 [20.0–20.0] 0 [0–0]"},
		{"the middle of two, rounded to fewer", Plain, []Figure{of(1.3, 0.6, 2.3), of(771.4, 452, 1451)},
			"1.3 [0.6–2.3] 771 [452–1,451]"},
		{"very different magnitudes", Unit{Symbol: "s", Scale: 1},
			[]Figure{of(0.02, 0.0195, 0.0206), of(12000, 11800, 12230)}, "0.020 [0.019–0.021] 12,000 [11,800–12,230]"},
		{"an interval that would vanish", Unit{Symbol: "ms", Scale: 1e-3},
			[]Figure{of(0.012, 0.0118, 0.0123), of(0.03, 0.029, 0.031), of(2.5, 2.4, 2.6)},
			"12.0 [11.8–12.3] 30 [29–31] 2,500 [2,400–2,600]"},
		{"no more digits than the resolution allows", Plain,
			[]Figure{of(9.918, 9.9113, 9.92), of(11.707, 11.7003, 11.709)}, "9.92 [9.91–9.92] 11.71 [11.70–11.71]"},
		{"a coarse one among fine ones", Plain, []Figure{{2.0123, 1.95, 2.07, 0.2, false}, of(486.67, 484.1, 487.9)},
			"2.0 [1.9–2.1] 486.7 [484.1–487.9]"},
		{"a very coarse one among fine ones", Plain, []Figure{of(391.2, 389.4, 393.1), of(388.7, 386, 391.2),
			{58.3, 54.4, 61, 9, false}}, "391.2 [389.4–393.1] 388.7 [386.0–391.2] 60 [50–60]"},
		{"coarse ones", Plain, []Figure{{994.7, 967, 1021, 200, false}}, "990 [970–1,020]"},
		{"a coarse one alone", Plain, []Figure{{2.0123, 1.9986, 2.0214, 0.05, false}}, "2.01 [2.00–2.02]"},
		{"ends that the resolution would make alike", Plain, []Figure{{107.5, 105.2, 109.8, 2.6875, false}},
			"108 [105–110]"},
		{"an end of few digits", Plain, []Figure{of(311.4, 38.2, 1594)}, "310 [40–1,590]"},
		{"an end that would vanish", Plain, []Figure{of(1.9, 0.28, 12.4)}, "1.9 [0.3–12.4]"},
		{"an end that would vanish soon", Plain, []Figure{of(5, 0.002, 9)}, "5.000 [0.002–9.000]"},
		{"an upper end that would vanish beside others", PercentUnit, []Figure{of(0, 0, 0.00016), of(0.31, 0.28, 0.34),
			of(0.52, 0.48, 0.55)}, "0 [0–0.02] 31.0 [28.0–34.0] 52.0 [48.0–55.0]"},
		{"counts that differ", UnitFor("1", false, 20, 7), []Figure{of(20, 19.62, 20.4), of(7, 7, 8)},
			"20.0 [19.6–20.4] 7.0 [7.0–8.0]"},
		{"counts with whole ends", UnitFor("1", false, 20, 7), []Figure{of(20, 19, 21), of(7, 7, 8)}, "20 [19–21] 7 [7–8]"},
		{"hundreds that are known to hundreds", Plain, []Figure{of(19130, 17200, 20800), of(14870, 12100, 16800)},
			"19,100 [17,200–20,800] 14,900 [12,100–16,800]"},
		{"what is exact is bare, and others do without it", UnitFor("1", false, 20, 2989.5),
			[]Figure{{Value: 20, Exact: true}, of(2989.5, 2794, 3137)}, "20 2,990 [2,790–3,140]"},
		{"a size that is exact, in a unit that is not", Unit{Symbol: "KiB", Scale: 1024},
			[]Figure{{Value: 1234, Exact: true}}, "1.21"},
		{"zeros alone", PercentUnit, []Figure{of(0, 0, 0.000016), of(0, 0, 0.00004)}, "0 [0–0.0016] 0 [0–0.0040]"},
		{"zeros have no say", PercentUnit, []Figure{of(0, 0, 0.000016), of(0, 0, 0.00004), of(0.000995, 0.0007, 0.00137)},
			"0 [0–0.002] 0 [0–0.004] 0.100 [0.070–0.137]"},
		{"a zero among others", PercentUnit, []Figure{of(0, 0, 0.00052), of(1, 0.976, 1)}, "0 [0–0.1] 100.0 [97.6–100.0]"},
		{"no intervals", Plain, []Figure{of(3.456, none, none), of(31.77, none, none)}, "3.5 31.8"},
		{"nothing", Plain, nil, ""},
	} {
		c := test.unit.Column(test.in...)
		var words []string
		for _, r := range test.in {
			words = append(words, c.Number(r.Value, c.Decimals(r)))
			if !r.Exact && !math.IsNaN(r.Lo) {
				words = append(words, "["+c.Range(r.Lo, r.Hi, c.Decimals(r))+"]")
			}
		}
		assert.Equal(t, strings.Join(words, " "), test.want, test.name)
	}
}
