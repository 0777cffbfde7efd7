// Package phrase writes counts, lists, shares and times in plain text. Package wording typesets numbers of results.
package phrase

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Count returns a number with its noun: "1 cell", "3 searches".
func Count(n int, noun string) string { return strconv.Itoa(n) + " " + Noun(n, noun) }

// Noun returns the singular of a noun for n = 1, else the plural: "cell" or "cells".
func Noun(n int, noun string) string {
	if strings.HasSuffix(noun, "ch") || strings.HasSuffix(noun, "ss") {
		return Verb(n, noun, noun+"es")
	}
	return Verb(n, noun, noun+"s")
}

// Verb returns one for n = 1, else several: "is" or "are".
func Verb(n int, one, several string) string {
	if n == 1 {
		return one
	}
	return several
}

// Are returns a number with its noun and verb: "1 record is", "2 records are".
func Are(n int, noun string) string { return Count(n, noun) + " " + Verb(n, "is", "are") }

// Were is the past of Are: "1 record was", "2 records were".
func Were(n int, noun string) string { return Count(n, noun) + " " + Verb(n, "was", "were") }

// List joins words as in prose: "a, b and c".
func List(words []string) string {
	if n := len(words); n > 1 {
		return strings.Join(words[:n-1], ", ") + " and " + words[n-1]
	}
	return strings.Join(words, "")
}

// Percent writes a share as a percentage with two digits.
func Percent(share float64) string {
	if x := 100 * share; x >= 10 || x == 0 {
		return fmt.Sprintf("%.0f %%", x)
	}
	return fmt.Sprintf("%.2g %%", 100*share)
}

// PercentBeside is like Percent, but uses up to seven digits to tell the share from limits that it does not equal.
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
