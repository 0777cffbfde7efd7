package expr

import (
	"strconv"
	"strings"

	"benchbook/internal/slice"
)

// Kind says what a Value is.
type Kind int

// The kinds of values.
const (
	KindAny    Kind = iota // in Check, a text that may read as anything
	KindNumber             // Number and Dimension
	KindString             // Text
	KindBool               // Truth
	KindList               // List
)

// Value is the result of an expression. NumberOf, TextOf, TruthOf and ListOf make one.
type Value struct {
	Kind      Kind
	Number    float64 // in the base unit of Dimension
	Dimension Dimension
	Text      string
	Truth     bool
	List      []Value
	Unknown   bool // in Check: the type is known, Number is not
}

// NumberOf returns x, in the base unit of d, as a Value.
func NumberOf(x float64, d Dimension) Value {
	return Value{Kind: KindNumber, Number: x, Dimension: d}
}

// TextOf returns a text, such as the value of a parameter, as a Value.
func TextOf(text string) Value { return Value{Kind: KindString, Text: text} }

// TruthOf returns a truth value as a Value.
func TruthOf(truth bool) Value { return Value{Kind: KindBool, Truth: truth} }

// ListOf returns the values of several cells as one Value.
func ListOf(values ...Value) Value { return Value{Kind: KindList, List: values} }

// String returns v as in a text: a number in its base unit with all its digits (5, 0.1s, 7%).
func (v Value) String() string {
	switch {
	case v.Kind == KindBool:
		return strconv.FormatBool(v.Truth)
	case v.Kind == KindList:
		return strings.Join(slice.Map(v.List, Value.String), ", ")
	case v.Kind != KindNumber:
		return v.Text
	case v.Dimension == Plain:
		return formatNumber(v.Number)
	case v.Dimension == Share:
		return formatPercent(v.Number) + "%"
	case v.Dimension == Rate:
		return formatNumber(v.Number) + "/s"
	}
	return formatNumber(v.Number) + v.Dimension.Base()
}

// literal returns v as written in an expression; false for a list, and for a text that cannot be written.
func (v Value) literal() (string, bool) {
	text := v.String()
	if q, err := ParseQuantity(text); err == nil && q.Value >= 0 || v.Kind == KindBool {
		return text, true
	}
	for _, quote := range []string{`'`, `"`} {
		if v.Kind == KindString && !strings.ContainsAny(text, quote+"\n") && !strings.Contains(text, templateOpen) {
			return quote + text + quote, true
		}
	}
	return "", false
}

// formatNumber formats x without an exponent unless there would be too many digits to read.
func formatNumber(x float64) string {
	if x != 0 && (x < 1e-6 && x > -1e-6 || x >= 1e15 || x <= -1e15) {
		return strconv.FormatFloat(x, 'g', -1, 64)
	}
	return strconv.FormatFloat(x, 'f', -1, 64)
}

// formatPercent formats a hundred times x. It changes the exponent in the text, because a product would be rounded and
// print 7% as 7.000000000000001%.
func formatPercent(x float64) string {
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(x, 'e', -1, 64), "e")
	n, _ := strconv.Atoi(exponent)
	percent, _ := strconv.ParseFloat(mantissa+"e"+strconv.Itoa(n+2), 64)
	return formatNumber(percent)
}

// kindOf returns the kind of v for messages, with an article.
func (v Value) kindOf() string {
	switch v.Kind {
	case KindNumber:
		return "a " + v.Dimension.String()
	case KindBool:
		return "a truth value"
	case KindList:
		return "a list of " + strconv.Itoa(len(v.List))
	}
	return "the text " + strconv.Quote(v.Text)
}

// asNumber returns v as a number: a text that reads as a quantity counts as one.
func (v Value) asNumber() (Value, bool) {
	if v.Kind != KindString {
		return v, v.Kind == KindNumber || v.Kind == KindAny
	}
	// Most texts are words, and an error about one is slow to make.
	if first := strings.TrimPrefix(v.Text, "-"); first == "" || !isDigit(rune(first[0])) {
		return v, false
	}
	q, err := ParseQuantity(v.Text)
	if err != nil {
		return v, false
	}
	return NumberOf(q.Value, q.Unit.Dimension), true
}

// asTruth returns v as a truth value; the texts true and false count as one.
func (v Value) asTruth() (Value, bool) {
	switch {
	case v.Kind == KindString && (v.Text == "true" || v.Text == "false"):
		return TruthOf(v.Text == "true"), true
	case v.Kind == KindAny:
		return boolType.unknown(), true
	}
	return v, v.Kind == KindBool
}
