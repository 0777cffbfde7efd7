package stats

import (
	"math"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

func TestNoiseFloor(t *testing.T) {
	quiet := [2]Cell{values(1000, 1010, 990), values(1012, 1003, 1021)}
	biased := [2]Cell{values(1000, 1001, 999), values(1020, 1021, 1019)}
	far := [2]Cell{values(1000, 1001, 999), values(1100, 1101, 1099)}
	wide := [2]Cell{values(900, 1000, 1100), values(1000, 1100, 1200)}
	// p is 0.03: biased alone, not as one of two pairs.
	border := [2]Cell{values(1000, 1008, 992), values(1020, 1028, 1013)}
	for _, tt := range []struct {
		name            string
		pairs           [][2]Cell
		f               string
		biased, exceeds bool
		used            int
	}{
		{"no pair", nil, "0", false, false, 0},
		{"one pair", [][2]Cell{quiet}, "0.0071088", false, false, 1},
		{"the other way round", [][2]Cell{{quiet[1], quiet[0]}}, "0.0071088", false, false, 1},
		{"a lasting offset", [][2]Cell{quiet, biased}, "0.0160347", true, false, 2},
		{"a large offset", [][2]Cell{far, quiet}, "0.0743320", true, true, 2},
		{"a large difference of noisy cells", [][2]Cell{wide}, "0.0017763", false, false, 1},
		{"told apart alone", [][2]Cell{border}, "0.0156955", true, false, 1},
		{"not told apart among two", [][2]Cell{border, quiet}, "0.0138169", false, false, 2},
		{"two repetitions only", [][2]Cell{{values(1, 2), values(3, 4)}}, "0", false, false, 0},
		{"unusable pairs do not count", [][2]Cell{border, {values(0, 1, 2), values(1, 2, 3)}}, "0.0156955", true, false, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := must.Get(NoiseFloor(tt.pairs, 0.05, 0.05))
			wantNumber(t, "floor", got.F, tt.f)
			assert.Equal(t, [3]any{got.Biased, got.Exceeds, got.Pairs}, [3]any{tt.biased, tt.exceeds, tt.used}, "%+v", got)
			for i, pair := range tt.pairs {
				c, err := Ratio(pair[0], pair[1], 0.05)
				if want := math.Abs(c.D); len(got.Of) != len(tt.pairs) || got.Of[i].D != want || got.Of[i].SE != c.SE {
					t.Errorf("pair %d is %+v, want a difference of %v (%v)", i+1, got.Of, want, err)
				}
			}
		})
	}
}
