package figure

import (
	"bytes"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/golden"
	"benchbook/internal/test/must"
)

var nan, inf = math.NaN(), math.Inf(1)

// between returns a mark with intervals in X and Y.
func between(m Mark, xLo, xHi, yLo, yHi float64) Mark {
	m.XLo, m.XHi, m.YLo, m.YHi = xLo, xHi, yLo, yHi
	return m
}

func published(x, y float64) Mark {
	m := At(x, y)
	m.Shape = Published
	return m
}

func series(n int, shape Shape, m Mark) Mark {
	m.Series, m.Shape, m.Title = n, shape, "a mark"
	return m
}

// curve is a line of a function of some points.
func curve(name string, series int, f func(x float64) float64, xs ...float64) Line {
	l := Line{Name: name, Series: series}
	for _, x := range xs {
		l.Points = append(l.Points, between(At(x, f(x)), nan, nan, .9*f(x), 1.2*f(x)))
	}
	return l
}

// figures has one figure of each kind.
var figures = map[string]Spec{
	"dots": {
		X: Axis{}, Key: []Key{{Name: "sync", Series: 1}, {Name: "async", Series: 2}, {Name: "published", Shape: Published},
			{Name: "within 5 % of sync", Band: true}},
		Level: &Guide{Value: 900, Label: "reference"}, Notes: []string{"A note below the figure."},
		Rows: []Row{{Name: "async", Value: "1,204", Title: "async: 1,204/s"},
			{Name: "sync with a name that is so long that it needs a second line", Value: "894", Band: &Band{850, 940}},
			{Name: "at least", Value: "≥ 980"}, {Name: "two runs", Value: "700, 2 runs"}, {Name: "not there", Missing: "not measured"},
			{Name: "broken", Missing: "failed: connection refused on port 8001 in 3 of 3 repetitions, after 12 s", Failed: true}},
		Marks: []Mark{series(2, Dot, between(At(1204, 0), 1180, 1231, nan, nan)), published(705, 0),
			series(1, Dot, between(At(894, 1), 871, 910, nan, nan)), {X: 980, Y: 2, XLo: nan, XHi: nan, YLo: nan, YHi: nan, AtLeast: true},
			{X: 700, Y: 3, XLo: 650, XHi: 750, YLo: nan, YHi: nan, Thin: true, Hollow: true}, published(750, 5)},
	},
	"bars": {
		X: Axis{Zero: true}, Rows: []Row{{Name: "new", Value: "12"}, {Name: "old", Value: "7"}},
		Marks: []Mark{series(1, Bar, between(At(12, 0), 11, 14, nan, nan)), series(3, Bar, At(7, 1))},
	},
	"distribution": {
		Rows: []Row{{Name: "only", Value: "5.1"}},
		Marks: []Mark{series(4, Centre, between(At(5.1, 0), 4.9, 5.6, nan, nan)), series(4, Small, At(5, 0)),
			series(4, Small, At(5.01, 0)), series(4, Small, At(5.5, 0))},
	},
	"lines": {
		X: Axis{Name: "workers", Scale: Log, Ticks: []float64{1, 2, 4}}, Level: &Guide{Value: 2, Label: "reference: 2"},
		Lines: []Line{curve("up", 1, math.Sqrt, 1, 2, 4), curve("down", 2, func(x float64) float64 { return 3 / x }, 1, 2, 4),
			{Name: "gap", Series: 3, Dash: true, Points: []Mark{At(1, 1), {X: 2, Gap: true, Failed: true, Title: "failed"}, At(3, 1.1), At(4, 1.2)}}},
	},
	"latency": {
		X: Axis{Name: "percentile", Ticks: []float64{0, 1, 2, 3}, Label: func(v float64) string { return strconv.Itoa(int(v)) + " nines" }}, Y: Axis{Scale: Log, Label: func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) + " ms" }},
		Drops: []Guide{{Value: .3, Label: "median"}, {Value: 2, Label: "p99"}},
		Lines: []Line{func() Line {
			l := curve("all", 1, func(x float64) float64 { return .1 * math.Pow(10, x) }, .05, .3, 1, 2, 3)
			l.Plain = true
			return l
		}()},
	},
	"timeline": {
		X: Axis{Name: "second"},
		Lines: []Line{{Name: "server", Series: 5, Plain: true, Points: []Mark{At(1, 10), At(2, 12), At(3, 11)},
			Traces: [][]Mark{{At(1, 9), At(2, 13), At(3, 11)}, {At(1, 11), At(2, 11), At(3, 12)}}}},
	},
	"scatter": {
		X: Axis{Name: "published", Scale: Log}, Y: Axis{Name: "measured", Scale: Log}, Key: []Key{{Name: "one", Series: 1}},
		Slopes: []Guide{{Value: 1, Label: "as published"}, {Value: 2, Label: "2×", Dash: true}},
		Marks: []Mark{{X: 10, Y: 19, XLo: nan, XHi: nan, YLo: 17, YHi: inf, Series: 1, Name: "first", Title: "first: 19"},
			{X: 40, Y: 85, XLo: 30, XHi: 50, YLo: 80, YHi: 90, Series: 6, Name: "second", Hollow: true}},
	},
	"search": {
		X: Axis{Name: "workers"}, Lines: func() (lines []Line) {
			for i := range 7 {
				l := curve("server "+string(rune('A'+i)), 0, func(x float64) float64 { return x * (9 - x) }, 1, 2, 4, 8)
				l.Panel, l.Chosen = l.Name, 3
				lines = append(lines, l)
			}
			return lines
		}(),
	},
}

func complete(name string) Spec {
	s := figures[name]
	s.ID, s.Title, s.Sub, s.Desc, s.Source = "fig-"+name, "What was found", "Quantity, unit", "Every value.", "Source: an article"
	return s
}

// Drawings of each kind, wide and narrow, match their golden files. Look at the files before you accept a change.
func TestGolden(t *testing.T) {
	for name := range figures {
		for _, w := range []Width{Full, Narrow} {
			golden.Equal(t, filepath.Join("testdata", "golden", name+"-"+w.class()+".svg"), string(must.Get(complete(name).SVG(w))))
		}
	}
}

// A file has a title, a source, a style for light and dark and the facts, whatever these contain.
func TestFile(t *testing.T) {
	svg := must.Get(complete("bars").File([][2]string{{"title", "A < B"}, {"run", "r1"}, {"licence", ""}}))
	assert.Contains(t, string(svg), "<metadata>\ntitle: A &lt; B\nrun: r1\n</metadata>", ">What was found</text>", ">Quantity, unit</text>",
		">Source: an article</text>", "<style>svg { background: #ffffff; }", "@media (prefers-color-scheme:dark){svg { background: #14171a; }",
		"svg .f1, svg.f1 { fill: #0067a5; }", "svg .band { fill-opacity: .22; stroke: none; }")
	assert.Lacks(t, string(svg), "var(", "/*") // of the style sheet
}

// A card is a picture of the size that links ask for, with the colours of the figure.
func TestCard(t *testing.T) {
	picture := must.Get(png.Decode(bytes.NewReader(must.Get(complete("dots").Card()))))
	size := picture.Bounds().Size()
	assert.Equal(t, [2]int{size.X, size.Y}, [2]int{CardWidth, CardHeight}, "pixels of the card")
	seen := map[any]bool{}
	for x := range CardWidth {
		for y := range CardHeight {
			seen[picture.At(x, y)] = true
		}
	}
	assert.Equal(t, len(seen) >= 20, true, "the card has colours, %d", len(seen))
}

// A card has the dashes of the style sheet, 5 on and 4 off, at any resolution.
func TestDashesOfCard(t *testing.T) {
	coloured := func(dash bool) (n float64) {
		l := Line{Series: 1, Plain: true, Dash: dash, Points: []Mark{At(0, 1), At(1, 1)}}
		spec := Spec{ID: "f", Lines: []Line{l, {Series: 2, Points: []Mark{At(0, 0), At(1, 2)}}}}
		picture := must.Get(png.Decode(bytes.NewReader(must.Get(spec.Card()))))
		want := light("var(--c1)", 1)
		for x := range CardWidth {
			for y := range CardHeight {
				if color.NRGBAModel.Convert(picture.At(x, y)) == want {
					n++
				}
			}
		}
		return n
	}
	assert.Near(t, coloured(true)/coloured(false), 5./9, 0.1, "share of a dashed line that is drawn")
}

func TestSVGRefuses(t *testing.T) {
	row := func(m Mark) Spec { return Spec{ID: "f", Rows: []Row{{Name: "sync"}}, Marks: []Mark{m}} }
	for _, test := range []struct {
		name string
		spec Spec
		want string
	}{
		{"nothing", Spec{ID: "f"}, "nothing to draw"},
		{"lines of gaps", Spec{ID: "f", Lines: []Line{{Points: []Mark{{Gap: true}}}}}, "nothing to draw"},
		{"a value that is not a number", row(At(nan, 0)), "x = NaN"},
		{"an infinite value", row(At(inf, 0)), "x = +Inf"},
		{"a value beyond what can be scaled", row(At(1e200, 0)), "x = 1e+200"},
		{"zero on a log axis", Spec{ID: "f", X: Axis{Scale: Log}, Marks: []Mark{At(0, 1)}}, "x = 0"},
		{"a reference that is not a number", Spec{ID: "f", Rows: []Row{{}}, Level: &Guide{Value: nan}}, "reference NaN"},
	} {
		if _, err := test.spec.SVG(Full); err == nil || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "figure ") {
			t.Errorf("%s: error %v, want one of the figure with %q", test.name, err, test.want)
		}
	}
}

// The labels of an axis's own ticks show no rounding errors.
func TestOwnTicks(t *testing.T) {
	unit := 1e-6
	sets := Axis{Ticks: []float64{0.00025 / unit, 0.0005 / unit}}.ownTicks(0, 600)
	assert.Equal(t, sets[0].ticks[0].Label+" "+sets[0].ticks[1].Label, "250 500", "labels")
}

// Whatever the range, ticks ascend, enclose it, and differ in their labels.
func TestLinearTicks(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		span := math.Pow(10, 40*r.Float64()-20)
		lo := span * r.NormFloat64() * math.Pow(10, 5*r.Float64())
		hi := lo + span
		for _, set := range (Axis{}).tickSets(lo, hi) {
			n := len(set.ticks)
			slack := (set.ticks[1].Value - set.ticks[0].Value) * 1e-8
			if n < 2 || n > 9 || set.lo > lo+slack || set.hi < hi-slack || set.ticks[0].Value != set.lo || set.ticks[n-1].Value != set.hi {
				t.Fatalf("%v to %v: ticks %v", lo, hi, set)
			}
			for i := range n - 1 {
				a, b := set.ticks[i], set.ticks[i+1]
				if a.Value >= b.Value || a.Label == b.Label {
					t.Fatalf("%v to %v: ticks %v and %v", lo, hi, a, b)
				}
			}
		}
	}
}
