package wording

import (
	"math"
	"testing"

	"benchbook/internal/test/assert"
)

func TestFor(t *testing.T) {
	inf := math.Inf(1)
	for _, test := range []struct {
		name, base string
		share      bool
		values     []float64
		want       string
	}{
		{"seconds stay", "s", false, []float64{2.5}, "s"},
		{"milliseconds", "s", false, []float64{0.0123}, "ms"},
		{"exactly one millisecond", "s", false, []float64{0.001}, "ms"},
		{"microseconds", "s", false, []float64{0.00042}, "µs"},
		{"nanoseconds are the floor", "s", false, []float64{3e-12}, "ns"},
		{"the largest of a column decides", "s", false, []float64{0.012, 0.013, 4}, "s"},
		{"zeros and infinities have no say", "s", false, []float64{0, inf, math.NaN(), 0.02}, "ms"},
		{"nothing to go by", "s", false, nil, "s"},
		{"nothing to go by, bytes", "B", false, []float64{0}, "B"},
		{"memory", "B", false, []float64{64 << 20}, "MiB"},
		{"transfer", "B/s", false, []float64{47_350}, "KiB/s"},
		{"a rate", "1/s", false, []float64{8095}, "/s"},
		{"a share", "1", true, []float64{0.04}, "%"},
		{"a plain number", "1", false, []float64{130}, ""},
		{"cores", "cores", false, []float64{0.9}, "cores"},
		{"a unit nobody knows", "widgets", false, []float64{3}, "widgets"},
	} {
		assert.Equal(t, UnitFor(test.base, test.share, test.values...).Symbol, test.want, test.name)
	}
}

func TestQuantity(t *testing.T) {
	ms, rate, none := Unit{Symbol: "ms", Scale: 1e-3}, Unit{Symbol: "/s", Scale: 1}, math.NaN()
	for _, test := range []struct {
		name                       string
		unit                       Unit
		v, lo, hi                  float64
		quantity, between, inTable string
	}{
		{"the example", ms, 0.0123, 0.0118, 0.0129, "12.3\u00a0ms", "11.8 to 12.9\u00a0ms", "11.8–12.9"},
		{"tens are rounded off", rate, 8095.4, 7968.2, 8204.9, "8,100/s", "7,970 to 8,200/s", "7,970–8,200"},
		{"a share", PercentUnit, 0.17, 0.143, 0.201, "17.0\u202f%", "14.3 to 20.1\u202f%", "14.3–20.1"},
		{"a ratio", Times, 1.3331, 1.284, 1.381, "1.333×", "1.284 to 1.381×", "1.284–1.381"},
		{"a wide interval leaves two digits of the value", ms, 0.00021, 0.00001, 0.012, "0.21\u00a0ms",
			"0.01 to 12.00\u00a0ms", "0.01–12.00"},
		{"no upper end", rate, 8140, 8012, math.Inf(1), "8,140/s", "at least 8,010/s", "≥\u00a08,010"},
		{"no lower end", rate, 8140, math.Inf(-1), 8200, "8,140/s", "at most 8,200/s", "≤\u00a08,200"},
		{"no interval: three digits", ms, 0.0123456, none, none, "12.3\u00a0ms", "unbounded", "unbounded"},
		{"no interval: a whole number", Plain, 65, none, none, "65", "unbounded", "unbounded"},
		{"no interval: nothing before the point is rounded off", rate, 12345.6, none, none, "12,346/s", "unbounded",
			"unbounded"},
		{"below zero", PercentUnit, -0.021, -0.06, 0.02, "−2.1\u202f%", "−6.0 to 2.0\u202f%", "−6.0 to 2.0"},
		{"what rounds to zero has no sign", PercentUnit, -0.00001, -0.05, 0.05, "0\u202f%", "−5 to 5\u202f%", "−5 to 5"},
		{"an end that is almost zero", Unit{Symbol: "s", Scale: 1}, 1, 0.0042, 1.04, "1.000\u00a0s", "0.004 to 1.040\u00a0s",
			"0.004–1.040"},
		{"an end that is almost zero, rounded to tens", rate, 120, 3, 240, "120/s", "3 to 240/s", "3–240"},
		{"counts", UnitFor("1", false, 20, 7), 20, 20, 21, "20", "20 to 21", "20–21"},
		{"counts with ends that are none", UnitFor("1", false, 20, 7), 20, 19.62, 20.4, "20.00", "19.62 to 20.40", "19.62–20.40"},
		{"a count that is zero", UnitFor("1", false, 0), 0, 0, 5.3, "0", "0 to 5.3", "0–5.3"},
		{"counts and halves", UnitFor("1", false, 20.5, 7), 20.5, 20, 21, "20.5", "20.0 to 21.0", "20.0–21.0"},
		{"a ratio", UnitFor("1", false, 1.2), 1.2, 1, 1.4, "1.20", "1.00 to 1.40", "1.00–1.40"},
		{"nothing at all", Plain, 0, 0, 0, "0", "0 to 0", "0–0"},
	} {
		n := test.unit.Decimals(Figure{Value: test.v, Lo: test.lo, Hi: test.hi})
		assert.Equal(t, test.unit.Quantity(test.v, n), test.quantity, test.name)
		assert.Equal(t, test.unit.Between(test.lo, test.hi, n), test.between, test.name)
		assert.Equal(t, test.unit.Range(test.lo, test.hi, n), test.inTable, test.name)
	}
}

func TestWriting(t *testing.T) {
	for _, test := range []struct{ name, got, want string }{
		{"separators", Plain.Number(1234567, 0), "1,234,567"},
		{"separators stop at the point", Plain.Number(1234.5678, 4), "1,234.5678"},
		{"a minus sign, not a hyphen", Plain.Number(-1000, 0), "−1,000"},
		{"no minus before zero", Plain.Number(-0.04, 1), "0.0"},
		{"no separator inside a sign", Plain.Number(-100, 0), "−100"},
		{"rounded to hundreds", Plain.Number(149, -2), "100"},
		{"beyond what can be read", Plain.Number(1.25e18, 0), "1.25e+18"},
		{"below what can be read", Plain.Number(-1.25e-12, 14), "−1.25e−12"},
		{"not a number", Plain.Number(math.NaN(), 0), "–"},
		{"infinite", Plain.Number(math.Inf(-1), 0), "−∞"},
		{"a sign for what is more", ChangeUnit.Quantity(0.17, 0), "+17\u202f%"},
		{"no sign for zero", ChangeUnit.Quantity(0.0001, 0), "0\u202f%"},
		{"a sign for what is less", ChangeUnit.Quantity(-0.17, 0), "−17\u202f%"},
		{"signs in a range with decimals", ChangeUnit.Between(-0.0003, 0.051, 2), "−0.03 to +5.10\u202f%"},
		{"signs in a range", ChangeUnit.Between(-0.06, 0.02, 0), "−6 to +2\u202f%"},
		{"exact, as published", Unit{Symbol: "/s", Scale: 1}.Exact(529.13), "529.13/s"},
		{"exact in another unit", Unit{Symbol: "ms", Scale: 1e-3}.Exact(0.0121), "12.1\u00a0ms"},
		{"of many digits", Unit{Symbol: "s", Scale: 1}.Exact(1.130632936998154), "1.13063\u00a0s"},
		{"of eight digits", Unit{Symbol: "s", Scale: 1}.Exact(1.1306329), "1.1306329\u00a0s"},
		{"of many digits before the point", Unit{Symbol: "/s", Scale: 1}.Exact(123456789.25), "123,456,789/s"},
		{"exact with thousands", Unit{Symbol: "/s", Scale: 1}.ExactNumber(5780), "5,780"},
		{"the usual confidence", Confidence(0.05), "95\u202f%"},
		{"at the eighth look", Confidence(0.05 / 8), "99.38\u202f%"},
		{"at the seventh look", Confidence(0.05 / 7), "99.29\u202f%"},
		{"one", Count(1, "repetition"), "1\u00a0repetition"},
		{"several", Count(1300, "cell"), "1,300\u00a0cells"},
		{"none", Count(0, "cell"), "0\u00a0cells"},
	} {
		assert.Equal(t, test.got, test.want, test.name)
	}
}

func TestStep(t *testing.T) {
	for _, test := range []struct {
		span  float64
		parts int
		want  float64
	}{
		{6000, 6, 1000}, {6001, 6, 2000}, {0.3, 4, 0.1}, {1, 4, 0.5}, {100, 1, 100}, {101, 1, 200},
	} {
		assert.Near(t, Step(test.span, test.parts), test.want, 1e-12, "Step(%v, %d)", test.span, test.parts)
	}
}

// What searches found is said with where it may lie.
func TestSearched(t *testing.T) {
	rate := UnitFor("1/s", false)
	for _, test := range []struct{ got, want string }{
		{rate.Capacity(702.501, 733.603), "702/s (fails at 734/s)"},
		{rate.Capacity(9.41, 9.83), "9.41/s (fails at 9.83/s)"},
		{rate.Capacity(20_000, math.Inf(1)), "at least 20,000/s"},
		{rate.Capacity(0, 100), "no rate meets it (fails at 100/s)"},
		{Plain.Tuned(5, 5, 8), "5 (5 to 8 are as good)"},
		{Plain.Tuned(5, 5, 5), "5"},
	} {
		assert.Equal(t, test.got, test.want)
	}
}
