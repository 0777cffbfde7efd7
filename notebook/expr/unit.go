package expr

import (
	"math"
	"math/big"
	"strconv"
	"strings"

	"benchbook/internal/slice"
)

// Dimension says what a number counts, and so which numbers can be compared and added. Numbers are kept in its base
// unit.
type Dimension int

// The dimensions, with their base units. Shares are kept as 0 to 1 and are compatible with plain numbers.
const (
	Plain    Dimension = iota // 1
	Share                     // 1, written in %
	Time                      // s
	Size                      // B
	Rate                      // 1/s
	SizeRate                  // B/s
	Cores                     // cores
)

// dimensions describes each dimension: base is the unit of stored values, phrase its name in messages, seconds and
// bytes the exponents of products and quotients.
var dimensions = [...]struct {
	base, phrase   string
	seconds, bytes int
}{
	Plain:    {base: "1", phrase: "plain number"},
	Share:    {base: "1", phrase: "share"},
	Time:     {base: "s", phrase: "time in s", seconds: 1},
	Size:     {base: "B", phrase: "size in B", bytes: 1},
	Rate:     {base: "1/s", phrase: "rate in 1/s", seconds: -1},
	SizeRate: {base: "B/s", phrase: "transfer rate in B/s", seconds: -1, bytes: 1},
	Cores:    {base: "cores", phrase: "number of cores"},
}

// Base returns the unit in which numbers of d are kept: 1, s, B, 1/s, B/s or cores.
func (d Dimension) Base() string { return dimensions[d].base }

// String returns what messages call a number of d, without an article: "rate in 1/s".
func (d Dimension) String() string { return dimensions[d].phrase }

// Like reports whether numbers of d and e can be compared and added.
func (d Dimension) Like(e Dimension) bool {
	return d == e || d.isPure() && e.isPure()
}

// isPure reports whether d is a plain number or a share.
func (d Dimension) isPure() bool { return d == Plain || d == Share }

func (d Dimension) plus(e Dimension) (Dimension, bool) {
	if d.isPure() && e.isPure() && d != e {
		return Share, true // 1 - failed is a share too
	}
	return d, d == e
}

func (d Dimension) times(e Dimension) (Dimension, bool) {
	switch {
	case d == Plain, d == Share && e != Plain:
		return e, true
	case e.isPure():
		return d, true
	case d == Cores || e == Cores:
		// Cores busy for a time have spent CPU time.
		return Time, d == Time || e == Time
	}
	a, b := dimensions[d], dimensions[e]
	return withExponents(a.seconds+b.seconds, a.bytes+b.bytes)
}

func (d Dimension) over(e Dimension) (Dimension, bool) {
	switch {
	case d == e:
		return Plain, true
	case e.isPure():
		return d, true
	case e == Cores:
		return d, true // per core, as throughput.per_core is in 1/s
	case d == Cores:
		return Time, e == Rate // CPU time of a request
	}
	a, b := dimensions[d], dimensions[e]
	return withExponents(a.seconds-b.seconds, a.bytes-b.bytes)
}

func withExponents(seconds, bytes int) (Dimension, bool) {
	if seconds == 0 && bytes == 0 {
		return Plain, true
	}
	for d, entry := range dimensions {
		if (entry.seconds != 0 || entry.bytes != 0) && entry.seconds == seconds && entry.bytes == bytes {
			return Dimension(d), true
		}
	}
	return 0, false
}

// Unit is a way to write numbers of a dimension. The zero Unit is for plain numbers.
type Unit struct {
	Symbol    string // as articles write it: "ms", "MB/s", "/s", "%", or empty
	Dimension Dimension
	num, den  int64 // one Symbol is num/den base units; num or den is 1
}

// units are the units that can follow a number, in the order of docs/expressions.md#grammar.
var units = []Unit{
	{"ns", Time, 1, 1e9},
	{"us", Time, 1, 1e6},
	{"µs", Time, 1, 1e6}, // U+00B5, the micro sign
	{"μs", Time, 1, 1e6}, // U+03BC, the Greek letter
	{"ms", Time, 1, 1e3},
	{"s", Time, 1, 1},
	{"m", Time, 60, 1},
	{"h", Time, 3600, 1},
	{"B", Size, 1, 1},
	{"kB", Size, 1e3, 1},
	{"MB", Size, 1e6, 1},
	{"GB", Size, 1e9, 1},
	{"KiB", Size, 1 << 10, 1},
	{"MiB", Size, 1 << 20, 1},
	{"GiB", Size, 1 << 30, 1},
	{"B/s", SizeRate, 1, 1},
	{"kB/s", SizeRate, 1e3, 1},
	{"MB/s", SizeRate, 1e6, 1},
	{"GB/s", SizeRate, 1e9, 1},
	{"KiB/s", SizeRate, 1 << 10, 1},
	{"MiB/s", SizeRate, 1 << 20, 1},
	{"GiB/s", SizeRate, 1 << 30, 1},
	{"/s", Rate, 1, 1},
	{"%", Share, 1, 100},
	{"cores", Cores, 1, 1},
}

// unitHint lists the units.
const unitHint = "units are ns us µs ms s m h, B kB MB GB KiB MiB GiB (also with /s), /s, % and cores"

// ParseUnit parses a unit alone, as in a filter: one that can follow a number, or "1/s", "1" or "".
func ParseUnit(symbol string) (Unit, bool) {
	if symbol == "" || symbol == "1" {
		return Unit{}, true
	}
	if symbol == "1/s" {
		symbol = "/s"
	}
	return findUnit(symbol)
}

func findUnit(symbol string) (Unit, bool) {
	return slice.Find(units, func(u Unit) bool { return u.Symbol == symbol })
}

func hintUnit(symbol string) string {
	return didYouMean(symbol, slice.Map(units, func(u Unit) string { return u.Symbol }), strconv.Quote, unitHint)
}

// scale returns num and den; 1 and 1 for the zero Unit.
func (u Unit) scale() (num, den int64) { return max(u.num, 1), max(u.den, 1) }

// ToBase converts a number in u to base units.
func (u Unit) ToBase(x float64) float64 {
	num, den := u.scale()
	return x * float64(num) / float64(den)
}

// maxNumberLength bounds the digits of a number, so that exact arithmetic is fast.
const maxNumberLength = 64

// toBaseExactly converts a number in text. It rounds once, so that 1.1ms and 0.0011s are the same number. It is false
// if text is too long or the value exceeds float64.
func (u Unit) toBaseExactly(text string) (float64, bool) {
	if len(text) > maxNumberLength {
		return 0, false
	}
	// An exact number with a huge exponent would take all memory.
	approx, err := strconv.ParseFloat(text, 64)
	if err != nil || approx == 0 {
		return 0, err == nil
	}
	exact, _ := new(big.Rat).SetString(text)
	num, den := u.scale()
	x, _ := exact.Mul(exact, big.NewRat(num, den)).Float64()
	return x, !math.IsInf(x, 0)
}

// ParseQuantity parses a number with or without a unit, and nothing else: the text of a parameter or a published
// number. Unlike in expressions it may be negative.
//
// The error is an *Error whose Span counts from the start of text.
func ParseQuantity(text string) (q *Quantity, err error) {
	defer catch(&err)
	l := lexer{src: text}
	negative := strings.HasPrefix(text, "-")
	if negative {
		l.pos++
	}
	if first := l.peek(); first < '0' || first > '9' {
		fail(Span{0, len(text)}, strconv.Quote(text)+" is not a quantity", "a quantity is a number, such as 5 or 100ms")
	}
	q = l.quantity()
	if l.pos < len(text) {
		fail(Span{l.pos, len(text)}, "unexpected "+strconv.Quote(text[l.pos:])+" after "+q.Text, unitHint)
	}
	if negative {
		q.Value = -q.Value
	}
	q.Span, q.Text = Span{0, len(text)}, text
	return q, nil
}
