package stats

import (
	"fmt"
	"strings"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

func TestParsePercentile(t *testing.T) {
	for _, tt := range []struct {
		name, text, want string // want is the percentile as written, or part of the error
	}{
		{"whole", "99", "99"},
		{"one decimal", "99.9", "99.9"},
		{"trailing zeros", "99.900", "99.9"},
		{"trailing zeros only", "50.0", "50"},
		{"leading zero", "05", "5"},
		{"below one", "0.5", "0.5"},
		{"far below one", "0.005", "0.005"},
		{"as many decimals as there may be", "99.999999999999", "99.999999999999"},
		{"too many decimals", "99.9999999999999", "not a decimal number"},
		{"nothing", "", "not a decimal number"},
		{"letter of the metric", "p99", "not a decimal number"},
		{"sign", "-1", "not a decimal number"},
		{"exponent", "1e1", "not a decimal number"},
		{"two points", "99.9.9", "not a decimal number"},
		{"no digit before the point", ".5", "not a decimal number"},
		{"no digit after the point", "99.", "not a decimal number"},
		{"zero", "0", "not between 0 and 100"},
		{"zero in decimals", "00.00", "not between 0 and 100"},
		{"a hundred", "100", "not between 0 and 100"},
		{"the point forgotten", "999", "not between 0 and 100"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := ParsePercentile(tt.text)
			got := text(p)
			if err != nil {
				got = err.Error()
			}
			if got != tt.want && (err == nil || !strings.Contains(got, tt.want)) {
				t.Errorf("ParsePercentile(%q) is %s, want %s", tt.text, got, tt.want)
			}
		})
	}
}

// text formats a percentage in the shortest way.
func text(p Percentile) string {
	digits := fmt.Sprintf("%0*d", maxDecimals+1, p.units)
	point := len(digits) - maxDecimals
	return strings.TrimSuffix(digits[:point]+"."+strings.TrimRight(digits[point:], "0"), ".")
}

func TestRank(t *testing.T) {
	for _, tt := range []struct {
		name    string
		p       string
		n, want int64
	}{
		{"half of ten", "50", 10, 5},
		{"half of eleven", "50", 11, 6},
		{"p99 of 1234", "99", 1234, 1222},
		{"p50 of one", "50", 1, 1},
		{"p99.9 of one", "99.9", 1, 1},
		{"low percentile of few", "1", 10, 1},
		{"high percentile of few", "99.9", 10, 10},
		{"half way in decimals, below it in binary", "99.9", 500, 500},
		{"none", "50", 0, 0},
		{"more than 64 bits on the way", "99.999999999999", 1e18, 999999999999990000},
	} {
		assert.Equal(t, percentile(tt.p).Rank(tt.n), tt.want, "%s: rank of p%s of %d values", tt.name, tt.p, tt.n)
	}
}

func TestNeed(t *testing.T) {
	for _, tt := range []struct {
		p    string
		want int64
	}{
		{"50", 20}, {"90", 100}, {"99", 1000}, {"99.9", 10000}, {"99.99", 100000},
		{"10", 100}, {"0.1", 10000}, {"97", 334}, {"75", 40}, {"70", 34},
		{"99.999999999999", 1e15},
	} {
		assert.Equal(t, percentile(tt.p).Need(), tt.want, "answers that p%s needs", tt.p)
	}
}

func percentile(text string) Percentile {
	return must.Get(ParsePercentile(text))
}
