package expr

import (
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

func TestParseQuantity(t *testing.T) {
	for _, tt := range []struct {
		text string
		want float64
		dim  Dimension
	}{
		{"5", 5, Plain},
		{"010", 10, Plain},
		{"-5", -5, Plain},
		{"2.5e-7", 2.5e-7, Plain},
		{"1E3", 1000, Plain},
		{"3ns", 3e-9, Time},
		{"3us", 3e-6, Time},
		{"3µs", 3e-6, Time},
		{"3μs", 3e-6, Time},
		{"1.1ms", 0.0011, Time}, // 1.1/1000 is another float64
		{"2s", 2, Time},
		{"1.5m", 90, Time},
		{"2h", 7200, Time},
		{"1256B", 1256, Size},
		{"1kB", 1000, Size},
		{"1KiB", 1024, Size},
		{"1.5MB", 1.5e6, Size},
		{"2MiB", 2 << 20, Size},
		{"1GB", 1e9, Size},
		{"1GiB", 1 << 30, Size},
		{"10MB/s", 1e7, SizeRate},
		{"1KiB/s", 1024, SizeRate},
		{"529.13/s", 529.13, Rate},
		{"7%", 0.07, Share},
		{"-5 %", -0.05, Share},
		{"2 cores", 2, Cores},
		{"0e999999999", 0, Plain},
	} {
		q := must.Get(ParseQuantity(tt.text))
		assert.Equal(t, [3]any{q.Value, q.Unit.Dimension, q.Text}, [3]any{tt.want, tt.dim, tt.text}, "%q", tt.text)
	}
}

func TestParseUnit(t *testing.T) {
	for _, tt := range []struct {
		symbol     string
		dim        Dimension
		inBase     float64 // what three of them are in base units
		ok         bool
		baseSymbol string
	}{
		{"ms", Time, 0.003, true, "s"},
		{"h", Time, 10800, true, "s"},
		{"KiB/s", SizeRate, 3072, true, "B/s"},
		{"MB", Size, 3e6, true, "B"},
		{"%", Share, 0.03, true, "1"},
		{"cores", Cores, 3, true, "cores"},
		{"/s", Rate, 3, true, "1/s"},
		{"1/s", Rate, 3, true, "1/s"},
		{"1", Plain, 3, true, "1"},
		{"", Plain, 3, true, "1"},
		{"furlongs", Plain, 0, false, ""},
	} {
		u, ok := ParseUnit(tt.symbol)
		assert.Equal(t, ok, tt.ok, "%q: known", tt.symbol)
		if ok {
			assert.Equal(t, [3]any{u.ToBase(3), u.Dimension, u.Dimension.Base()},
				[3]any{tt.inBase, tt.dim, tt.baseSymbol}, "3 %q", tt.symbol)
		}
	}
}

// The products and quotients that have a meaning, and no others.
func TestDimensionRules(t *testing.T) {
	all := []Dimension{Plain, Share, Time, Size, Rate, SizeRate, Cores}
	type pair struct{ a, b Dimension }
	products := map[pair]Dimension{
		{Time, Rate}: Plain, {Rate, Time}: Plain,
		{SizeRate, Time}: Size, {Time, SizeRate}: Size,
		{Size, Rate}: SizeRate, {Rate, Size}: SizeRate,
		{Cores, Time}: Time, {Time, Cores}: Time,
		{Share, Share}: Share,
	}
	quotients := map[pair]Dimension{
		{Plain, Time}: Rate, {Share, Time}: Rate,
		{Plain, Rate}: Time, {Share, Rate}: Time,
		{Size, Time}: SizeRate, {Size, SizeRate}: Time, {SizeRate, Size}: Rate, {SizeRate, Rate}: Size,
		{Cores, Rate}:  Time,
		{Plain, Share}: Plain,
	}
	sums := map[pair]Dimension{{Plain, Share}: Share, {Share, Plain}: Share}
	for _, d := range all {
		sums[pair{d, d}], quotients[pair{d, d}] = d, Plain
		products[pair{Plain, d}], products[pair{d, Plain}], quotients[pair{d, Plain}] = d, d, d
		if d != Plain {
			products[pair{Share, d}], products[pair{d, Share}], quotients[pair{d, Share}] = d, d, d
		}
		if d != Cores {
			quotients[pair{d, Cores}] = d
		}
	}
	quotients[pair{Share, Share}] = Plain
	for _, a := range all {
		for _, b := range all {
			for _, rule := range []struct {
				name string
				got  func(a, b Dimension) (Dimension, bool)
				want map[pair]Dimension
			}{
				{"plus", Dimension.plus, sums},
				{"times", Dimension.times, products},
				{"over", Dimension.over, quotients},
			} {
				want, meant := rule.want[pair{a, b}]
				if got, ok := rule.got(a, b); ok != meant || ok && got != want {
					t.Errorf("%v %s %v is %v, %v; want %v, %v", a, rule.name, b, got, ok, want, meant)
				}
			}
			_, ok := sums[pair{a, b}]
			assert.Equal(t, a.Like(b), ok, "%v is like %v", a, b)
		}
	}
}
