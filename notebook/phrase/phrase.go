// Package phrase writes numbers inside the sentences of findings and results.
package phrase

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Plural counts a noun: "1 cell", "3 cells".
func Plural(n int, noun string) string {
	return fmt.Sprintf("%d %s", n, Verb(n, noun, noun+"s"))
}

// Verb is the form of a verb that goes with a number: "is" or "are".
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

// PercentBeside writes a share with two digits, and with as many more as tell it from limits that it is not on.
func PercentBeside(share float64, limits ...float64) string {
	for _, limit := range limits {
		if share == limit || Percent(share) != Percent(limit) {
			continue
		}
		const most = 7
		for digits := 3; ; digits++ {
			if words := significant(share, digits); digits == most || words != significant(limit, digits) {
				return words
			}
		}
	}
	return Percent(share)
}

func significant(share float64, digits int) string { return fmt.Sprintf("%.*g %%", digits, 100*share) }

// Duration writes a time with two decimals at most: "4.29 ms".
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
