package stats

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"benchbook/internal/test/must"
)

// summary writes a grouping as "best:letters … | left out".
func summary(g Grouping) string {
	var words []string
	for _, c := range g.Ranked {
		words = append(words, c.Name+":"+c.Letters)
	}
	if len(g.LeftOut) > 0 {
		words = append(words, "|")
	}
	for _, c := range g.LeftOut {
		words = append(words, c.Name)
	}
	return strings.Join(words, " ")
}

func TestGroups(t *testing.T) {
	a, b, c := values(100, 101, 102), values(97, 99, 101), values(94, 95, 96)
	tests := []struct {
		name      string
		cells     []NamedCell
		direction Direction
		floor     float64
		want      string
	}{
		{"a chain", []NamedCell{{Name: "C", Cell: c}, {Name: "A", Cell: a}, {Name: "B", Cell: b}}, HigherIsBetter, 0,
			"A:a B:ab C:b"},
		{"lower is better", []NamedCell{{Name: "A", Cell: a}, {Name: "B", Cell: b}, {Name: "C", Cell: c}}, LowerIsBetter, 0,
			"C:a B:ab A:b"},
		{"ordered by what is printed", []NamedCell{{Name: "x", Cell: Cell{Values: []float64{1, 1.1, 9}, Centre: 3.7}},
			{Name: "y", Cell: values(2, 2, 2)}}, HigherIsBetter, 0, "x:a y:a"},
		{"within the noise floor", []NamedCell{{Name: "A", Cell: a}, {Name: "B", Cell: b}, {Name: "C", Cell: c}},
			HigherIsBetter, 0.05, "A:a B:a C:a"},
		{"all apart", []NamedCell{{Name: "slow", Cell: values(1, 1.01, 1.02)}, {Name: "fast", Cell: values(3, 3.01, 3.02)},
			{Name: "middle", Cell: values(2, 2.01, 2.02)}}, HigherIsBetter, 0, "fast:a middle:b slow:c"},
		{"equal medians go by name", []NamedCell{{Name: "y", Cell: values(1, 2, 3)}, {Name: "x", Cell: values(1, 2, 3)}},
			HigherIsBetter, 0, "x:a y:a"},
		{"apart at the level, not at half of it", []NamedCell{{Name: "x", Cell: values(1000, 1008, 992)},
			{Name: "y", Cell: values(1020, 1028, 1013)}},
			HigherIsBetter, 0, "y:a x:b"},
		{"one cell", []NamedCell{{Name: "A", Cell: a}}, HigherIsBetter, 0, "A:a"},
		{"none", nil, HigherIsBetter, 0, ""},
		{"left out", []NamedCell{{Name: "few", Cell: values(1, 2)}, {Name: "A", Cell: a},
			{Name: "zero", Cell: values(0, 1, 2)}, {Name: "empty", Cell: Cell{}}},
			HigherIsBetter, 0, "A:a | few zero empty"},
	}
	set := func(name string, xs ...float64) NamedCell {
		return NamedCell{Name: name, Cell: values(xs...), Given: true}
	}
	tests = append(tests, []struct {
		name      string
		cells     []NamedCell
		direction Direction
		floor     float64
		want      string
	}{
		{"given values tell nothing apart", []NamedCell{set("x", 60.67, 60.67, 60.67), set("y", 60.33, 60.33, 60.33)},
			HigherIsBetter, 0, "x:a y:a"},
		{"given values and a measured one", []NamedCell{set("x", 60.67, 60.67, 60.67), {Name: "z", Cell: values(40, 40, 40)},
			set("y", 60.33, 60.33, 60.33)},
			HigherIsBetter, 0, "x:a y:a z:b"},
	}...)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := must.Get(Groups(tt.cells, tt.direction, 0.05, tt.floor))
			if got := summary(g); got != tt.want {
				t.Errorf("groups are %q, want %q", got, tt.want)
			}
		})
	}
}

func TestPairsAreCorrected(t *testing.T) {
	a, b, c := values(100, 101, 102), values(97, 99, 101), values(94, 95, 96)
	alone := must.Get(Ratio(a, c, 0.05))
	offset := func(f float64) string {
		return fmt.Sprint(tTwoSided(alone.D/math.Hypot(alone.SE, f), alone.DF))
	}
	for _, tt := range []struct {
		name  string
		cells []NamedCell
		floor float64
		want  []string // of every two, in order
	}{
		{"three cells", named([]Cell{a, b, c}), 0, []string{"0.22228", "0.0055812", "0.10377"}},
		{"two", named([]Cell{a, c}), 0, []string{fmt.Sprint(alone.P)}},
		{"the noise floor adds to the standard error", named([]Cell{a, c}), 0.05, []string{offset(0.05)}},
		{"a large one", named([]Cell{a, c}), 7, []string{offset(7)}},
		{"two of three given", []NamedCell{{Cell: a, Given: true}, {Cell: b, Given: true}, {Cell: c}}, 0,
			[]string{"0.0037208", "0.051887"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			pairs := compared(tt.cells, tt.floor)
			if len(pairs) != len(tt.want) {
				t.Fatalf("pairs are %+v, want %v", pairs, tt.want)
			}
			for i, p := range pairs {
				wantNumber(t, fmt.Sprint(p.a, "|", p.b), p.p, tt.want[i])
			}
		})
	}
}

func TestGroupsGivesReasons(t *testing.T) {
	cells := []NamedCell{{Name: "few", Cell: values(1, 2)}, {Name: "zero", Cell: values(0, 1, 2)},
		{Name: "empty", Cell: Cell{}}}
	g := must.Get(Groups(cells, LowerIsBetter, 0.05, 0))
	for i, want := range []error{ErrTooFew, ErrNotPositive, ErrNoValues} {
		if got := g.LeftOut[i]; !errors.Is(got.Reason, want) {
			t.Errorf("%s is left out for %v, want %v", got.Name, got.Reason, want)
		}
	}
	if _, err := Groups(nil, "best", 0.05, 0); err == nil || !strings.Contains(err.Error(), `"best"`) {
		t.Errorf("unknown direction: error is %v", err)
	}
}

// Beyond the alphabet no cell has a letter.
func TestGroupsBeyondTheAlphabet(t *testing.T) {
	var cells []NamedCell
	for i := range 27 {
		centre := math.Pow(2, float64(i))
		cells = append(cells, NamedCell{Name: fmt.Sprint(i), Cell: values(centre, 1.001*centre, 1.002*centre)})
	}
	g, err := Groups(cells[:26], LowerIsBetter, 0.05, 0)
	if err != nil || g.Ranked[25].Letters != "z" {
		t.Errorf("26 groups: the last is %+v, %v, want z", g.Ranked[25], err)
	}
	g = must.Get(Groups(cells, LowerIsBetter, 0.05, 0))
	for _, c := range g.Ranked {
		if c.Letters != "" {
			t.Errorf("27 groups: %+v", c)
		}
	}
}

func TestHolm(t *testing.T) {
	for _, tt := range []struct {
		name     string
		ps, want []float64
	}{
		{"in order", []float64{0.25, 0.5}, []float64{0.5, 0.5}},
		{"out of order, with a running maximum", []float64{0.5, 0.125, 0.25}, []float64{0.5, 0.375, 0.5}},
		{"at most one", []float64{0.75, 0.75}, []float64{1, 1}},
		{"none", []float64{}, []float64{}},
	} {
		if got := holm(tt.ps); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v becomes %v, want %v", tt.name, tt.ps, got, tt.want)
		}
	}
}

// The sets found are those found by trying every subset.
func TestMaximalSets(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for range 300 {
		k := rng.IntN(8)
		share := rng.Float64()
		apart := make([][]bool, k)
		for i := range apart {
			apart[i] = make([]bool, k)
		}
		for i := range k {
			for j := range i {
				far := rng.Float64() < share
				apart[i][j], apart[j][i] = far, far
			}
		}
		together := func(set uint) bool {
			for i := range k {
				for j := range i {
					if (set>>i)&(set>>j)&1 == 1 && apart[i][j] {
						return false
					}
				}
			}
			return true
		}
		var want [][]int
		for set := uint(1); set < 1<<k; set++ {
			maximal := together(set)
			for i := range k {
				if set>>i&1 == 0 && together(set|(1<<i)) {
					maximal = false
				}
			}
			if maximal {
				members := make([]int, 0, bits.OnesCount(set))
				for i := range k {
					if set>>i&1 == 1 {
						members = append(members, i)
					}
				}
				want = append(want, members)
			}
		}
		slices.SortFunc(want, slices.Compare)
		if got := maximalSets(apart, 1000); !slices.EqualFunc(got, want, slices.Equal) {
			t.Fatalf("apart %v: sets are %v, want %v", apart, got, want)
		}
	}
}

// Many cells with an exponential number of sets are given up soon, not searched through.
func TestMaximalSetsGivesUp(t *testing.T) {
	const k = 60
	apart := make([][]bool, k)
	for i := range apart {
		apart[i] = make([]bool, k)
		for j := range apart[i] {
			apart[i][j] = i != j && i/3 == j/3 // 3^20 maximal sets
		}
	}
	if got := len(maximalSets(apart, 26)); got <= 26 || got > 100 {
		t.Errorf("%d sets, want a few more than 26", got)
	}
}

func TestNoiseFloor(t *testing.T) {
	quiet := [2]Cell{values(1000, 1010, 990), values(1012, 1003, 1021)}
	biased := [2]Cell{values(1000, 1001, 999), values(1020, 1021, 1019)}
	far := [2]Cell{values(1000, 1001, 999), values(1100, 1101, 1099)}
	wide := [2]Cell{values(900, 1000, 1100), values(1000, 1100, 1200)}
	// p is 0.03: told apart alone, not among two pairs.
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
			if got.Biased != tt.biased || got.Exceeds != tt.exceeds || got.Pairs != tt.used {
				t.Errorf("floor is %+v, want biased %v, exceeds %v, pairs %d", got, tt.biased, tt.exceeds, tt.used)
			}
			for i, pair := range tt.pairs {
				c, err := Ratio(pair[0], pair[1], 0.05)
				if want := math.Abs(c.D); len(got.Of) != len(tt.pairs) || got.Of[i].D != want || got.Of[i].SE != c.SE {
					t.Errorf("pair %d is %+v, want a difference of %v (%v)", i+1, got.Of, want, err)
				}
			}
		})
	}
}
