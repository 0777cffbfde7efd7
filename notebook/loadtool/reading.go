package loadtool

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"benchbook/notebook/record"
)

// A reading is a number that a tool printed, in a base unit, with the size of its last digit.
type reading struct{ value, step float64 }

// units has the sizes of units, in a base unit, by the letters that tools print directly after the number.
type units map[string]float64

var (
	seconds  = units{"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}
	bareSecs = units{"": 1}
	bareMs   = units{"": 1e-3}

	bytes1024 = units{"B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40, "PB": 1 << 50}
)

const millisecond, microsecond, nanosecond = 1e-3, 1e-6, 1e-9 // in seconds

// read reads a number with its unit, such as "12.34ms".
func (u units) read(text string) (reading, error) {
	digits := strings.TrimRight(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZµμ")
	unit, ok := u[text[len(digits):]]
	if !ok {
		return reading{}, fmt.Errorf("%q has an unknown unit", text)
	}
	x, err := number(digits)
	_, decimals, _ := strings.Cut(digits, ".")
	return reading{x * unit, unit * math.Pow10(-len(decimals))}, err
}

// maxCount is the upper bound of counts: no tool counts as far, and sums cannot overflow.
const maxCount = 1 << 53

// isMeasurable reports whether a number can be a measurement. No tool measures anything below zero.
func isMeasurable(x float64) bool { return x >= 0 && record.Measurable(x) }

// number reads a decimal number of zero or more, without sign or exponent.
func number(text string) (float64, error) {
	x, err := strconv.ParseFloat(text, 64)
	if err != nil || strings.Trim(text, "0123456789.") != "" || !isMeasurable(x) {
		return 0, fmt.Errorf("invalid number %q", text)
	}
	return x, nil
}

// duration converts seconds; it is 0 for an impossible time.
func duration(seconds float64) time.Duration {
	if !(seconds > 0 && seconds < math.MaxInt64/1e9) {
		return 0
	}
	return time.Duration(seconds * 1e9)
}

// UnixTime converts a Unix time in seconds; it is the zero time for an impossible one.
func UnixTime(seconds float64) time.Time {
	if d := duration(seconds); d > 0 {
		return time.Unix(0, int64(d))
	}
	return time.Time{}
}

// count reads a whole number; an empty text, from an absent line, is 0.
func (o *Output) count(text string) int64 { return o.wholeNumber(o.number(text, "number of requests")) }

// wholeNumber converts a count in JSON, where it can be any number.
func (o *Output) wholeNumber(x float64) int64 {
	if !isMeasurable(x) || x != math.Trunc(x) || x >= maxCount {
		o.fail("invalid number of requests %v", x)
		return 0
	}
	return int64(x)
}

// number reads a plain number; an empty text, from an absent line, is 0.
func (o *Output) number(text, what string) float64 {
	if text == "" {
		return 0
	}
	x, err := number(text)
	if err != nil {
		o.fail("the %s is %q", what, text)
	}
	return x
}

// match returns the named groups of a match. Text that does not match fails the output.
func (o *Output) match(form *regexp.Regexp, printed string) map[string]string {
	out := map[string]string{}
	m := form.FindStringSubmatch(printed)
	if m == nil {
		o.fail("it is incomplete or in another format; the last line is %q", LastLine(printed))
		return out
	}
	for i, name := range form.SubexpNames() {
		out[name] = m[i]
	}
	return out
}

func (o *Output) parseJSON(printed string, into any) {
	if err := json.Unmarshal([]byte(printed), into); err != nil {
		o.fail("it is not JSON from %s: %w", o.Tool, err)
	}
}

// percentile returns the metric for a percentage such as "99.900"; that is the maximum for 100. It is empty for 0, and
// for text that is not a percentage, which fails the output.
func (o *Output) percentile(share string) string {
	percent, err := number(share)
	switch {
	case err != nil || percent > 100:
		o.fail("invalid percentage %q", share)
	case percent == 100:
		return "latency.max"
	case percent > 0:
		return "latency.p" + strconv.FormatFloat(percent, 'f', -1, 64)
	}
	return ""
}

// highest is the longest time that a histogram holds, in seconds.
const highest = 60

// A distribution collects times of requests, in seconds.
type distribution struct {
	hdr             *hdrhistogram.Histogram
	count, overflow int64
	min, max, sum   float64
}

func newDistribution() *distribution {
	return &distribution{hdr: hdrhistogram.New(1, highest*1e9, 3), min: math.Inf(1)}
}

// add adds n equal times.
func (d *distribution) add(seconds float64, n int64) {
	d.count += n
	d.min, d.max = min(d.min, seconds), max(d.max, seconds)
	d.sum += seconds * float64(n)
	if seconds > highest || d.hdr.RecordValues(max(1, int64(math.Round(seconds*1e9))), n) != nil {
		d.overflow += n
	}
}

// LastLine returns the last line that is not empty, cut to 120 bytes, to show where an output ends.
func LastLine[T string | []byte](printed T) string {
	text := strings.TrimSpace(string(printed))
	line := text[strings.LastIndexByte(text, '\n')+1:]
	const most = 120
	if len(line) > most {
		line = strings.ToValidUTF8(line[:most], "") + " …"
	}
	return line
}
