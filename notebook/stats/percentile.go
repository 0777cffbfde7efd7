package stats

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// Percentile is a percentage between 0 and 100, both excluded, in exact decimals: in binary, 99.9 % of 1000 would not
// be 999. Equal numbers, such as 99.9 and 99.90, are equal Percentiles. ParsePercentile makes one.
type Percentile struct {
	units uint64 // of the last of maxDecimals decimals
}

const (
	maxDecimals = 12
	hundred     = 100_000_000_000_000 // 100 % in units; ten times that fits into 64 bits
)

// ParsePercentile parses the percentage in the name of a metric, such as "99.9" in latency.p99.9. It must be a plain
// decimal number between 0 and 100, both excluded, with at most 12 digits after the point.
func ParsePercentile(text string) (Percentile, error) {
	whole, fraction, point := strings.Cut(text, ".")
	isPlain := isDigits(whole) && (isDigits(fraction) || !point)
	if fraction = strings.TrimRight(fraction, "0"); !isPlain || len(fraction) > maxDecimals {
		return Percentile{}, fmt.Errorf("percentile %q is not a decimal number: write one such as 99 or 99.9", text)
	}
	units, err := strconv.ParseUint(whole+fraction+strings.Repeat("0", maxDecimals-len(fraction)), 10, 64)
	if err != nil || units == 0 || units >= hundred {
		return Percentile{}, fmt.Errorf("percentile %q is not between 0 and 100: write one such as 99 or 99.9", text)
	}
	return Percentile{units}, nil
}

func isDigits(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}

// Rank returns which of n values, counted from 1 for the smallest, is the percentile, as in HdrHistogram: min(n, max(1,
// floor(p/100·n + 0.5))). It is 0 for n = 0.
//
// Source: docs/method.md#histogram.
func (p Percentile) Rank(n int64) int64 {
	if n <= 0 {
		return 0
	}
	hi, lo := bits.Mul64(p.units, uint64(n))
	lo, carry := bits.Add64(lo, hundred/2, 0)
	rank, _ := bits.Div64(hi+carry, lo, hundred) // cannot overflow: units < hundred
	return min(n, max(1, int64(rank)))
}

// Need returns the fewest attempts that put ten in the smaller tail: ceil(10 / min(p/100, 1-p/100)). Failures count as
// attempts, above every answer.
//
// Source: docs/method.md#percentiles.
func (p Percentile) Need() int64 {
	tail := min(p.units, hundred-p.units)
	return int64((10*hundred + tail - 1) / tail)
}
