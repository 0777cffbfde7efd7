package expr

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Plural counts a noun: "1 cell", "3 cells".
func Plural(n int, noun string) string {
	return fmt.Sprintf("%d %s", n, Verb(n, noun, noun+"s"))
}

// Verb returns one for n = 1, else several: "is" or "are".
func Verb(n int, one, several string) string {
	if n == 1 {
		return one
	}
	return several
}

// Percent writes a share with two digits.
func Percent(share float64) string {
	if x := 100 * share; x >= 10 || x == 0 {
		return fmt.Sprintf("%.0f %%", x)
	}
	return fmt.Sprintf("%.2g %%", 100*share)
}

// PercentBeside writes a share with two digits, or with more, at most seven, to differ from limits it does not equal.
func PercentBeside(share float64, limits ...float64) string {
	words := Percent
	isAlike := func(limit float64) bool { return limit != share && words(limit) == words(share) }
	for digits := 3; digits <= 7 && slices.ContainsFunc(limits, isAlike); digits++ {
		words = func(share float64) string { return fmt.Sprintf("%.*g %%", digits, 100*share) }
	}
	return words(share)
}

// Duration writes seconds with two decimals at most, in a unit from ns to s: "4.29 ms".
func Duration(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	unit, name := time.Nanosecond, "ns"
	switch {
	case d >= time.Second:
		unit, name = time.Second, "s"
	case d >= time.Millisecond:
		unit, name = time.Millisecond, "ms"
	case d >= time.Microsecond:
		unit, name = time.Microsecond, "µs"
	}
	number := strconv.FormatFloat(float64(d)/float64(unit), 'f', 2, 64)
	return strings.TrimSuffix(strings.TrimRight(number, "0"), ".") + " " + name
}
