package loadtool

import (
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"benchbook/notebook/record"
)

// A reading is a number as a tool prints it, in a base unit, with the size of its last digit: the tool's own step.
type reading struct{ value, step float64 }

// Seconds in the units of time that tools print.
var seconds = map[string]float64{
	"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1, "secs": 1, "m": 60, "h": 3600,
}

const millisecond, microsecond, nanosecond = 1e-3, 1e-6, 1e-9 // seconds

// Bytes in the units of size that wrk prints.
var binarySizes = map[string]float64{"B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40, "PB": 1 << 50}

// maxCount is more than any tool counts, and few enough to be added.
const maxCount = 1 << 53

// finite reports whether a number can be a measurement. Tools measure nothing below zero.
func finite(x float64) bool { return x >= 0 && record.Measurable(x) }

// number reads a plain decimal number of zero or more.
func number(text string) (float64, error) {
	if strings.Trim(text, "0123456789.") != "" {
		return 0, fmt.Errorf("invalid number %q", text)
	}
	x, err := strconv.ParseFloat(text, 64)
	if err == nil && !finite(x) {
		err = fmt.Errorf("%q is not a number that can be measured", text)
	}
	return x, err
}

// count reads a whole number of zero or more.
func count(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err == nil && (n < 0 || text[0] == '+') {
		err = fmt.Errorf("invalid number of requests %q", text)
	}
	return n, err
}

// inUnit reads numbers in a unit of so many base units.
func inUnit(unit float64) func(text string) (reading, error) {
	return func(text string) (reading, error) { return read(text, unit) }
}

// read reads a number in a unit of so many base units.
func read(text string, unit float64) (reading, error) {
	x, err := number(text)
	if err != nil {
		return reading{}, err
	}
	_, decimals, _ := strings.Cut(text, ".")
	r := reading{x * unit, unit * math.Pow10(-len(decimals))}
	if !finite(r.value) {
		return reading{}, fmt.Errorf("%q is not a number that can be measured", text)
	}
	return r, nil
}

// readIn reads a number with its unit right behind it: "12.34ms", "5.81MB".
func readIn(text string, units map[string]float64) (reading, error) {
	digits := strings.TrimRight(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZµμ")
	unit, ok := units[text[len(digits):]]
	if !ok {
		return reading{}, fmt.Errorf("%q has an unknown unit", text)
	}
	return read(digits, unit)
}

// long is a window of so many seconds; 0 for what is no time.
func long(seconds float64) time.Duration {
	if !(seconds > 0 && seconds < math.MaxInt64/1e9) {
		return 0
	}
	return time.Duration(seconds * 1e9)
}

// highest is the longest time that a histogram holds.
const highest = 60 * time.Second

// A distribution gathers times of requests, each as the tool told it.
type distribution struct {
	hdr                 *hdrhistogram.Histogram
	count, overflow     int64
	least, longest, sum time.Duration
}

func newDistribution() *distribution {
	return &distribution{hdr: hdrhistogram.New(1, int64(highest), 3)}
}

// add adds n equal times.
func (d *distribution) add(t time.Duration, n int64) {
	if d.count == 0 || t < d.least {
		d.least = t
	}
	d.longest = max(d.longest, t)
	d.sum += t * time.Duration(n)
	d.count += n
	if t > highest || d.hdr.RecordValues(max(1, int64(t)), n) != nil {
		d.overflow += n
	}
}

// addTimes adds the histogram of all times of right answers, if there are any; step is the size of the tool's last
// digit, in seconds.
func (o *Output) addTimes(d *distribution, step float64) (*Output, error) {
	encoded, err := d.hdr.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		return nil, fmt.Errorf("encoding the times of requests: %w", err)
	}
	if d.count > 0 {
		o.Histograms = map[string]record.Histogram{"latency": {HDR: string(encoded), Count: d.count, Overflow: d.overflow,
			Step: step, Min: d.least.Seconds(), Max: d.longest.Seconds(), Sum: d.sum.Seconds()}}
	}
	return o.whole()
}

// rows returns the lines of a log with their groups in a pattern. A line that does not match fails the output and is the
// last.
func (o *Output) rows(log string, pattern *regexp.Regexp) iter.Seq2[string, []string] {
	return func(yield func(string, []string) bool) {
		for line := range strings.Lines(log) {
			text, isWhole := strings.CutSuffix(line, "\n")
			m := pattern.FindStringSubmatch(text)
			if m == nil || !isWhole {
				o.fail("invalid log line %q", line)
			}
			if o.err != nil || !yield(line, m) {
				return
			}
		}
	}
}

// microseconds is a time in a log.
func (o *Output) microseconds(text string) time.Duration {
	n, err := count(text)
	if err != nil || n > int64(time.Hour/time.Microsecond) {
		o.fail("invalid time %q", text)
		return 0
	}
	return time.Duration(n) * time.Microsecond
}

// after returns the rest of the first line that begins with a prefix, white space aside. It is false if there is none, or
// if that line has no end and may have been cut.
func after(printed, prefix string) (string, bool) {
	for line := range strings.Lines(printed) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), prefix); ok {
			return strings.TrimSpace(rest), strings.HasSuffix(line, "\n")
		}
	}
	return "", false
}

// first is the first word of a text.
func first(text string) string {
	word, _, _ := strings.Cut(strings.TrimSpace(text), " ")
	return word
}

// LastLine is the last line with something in it, to say where an output ends.
func LastLine[T string | []byte](printed T) string {
	text := strings.TrimSpace(string(printed))
	line := text[strings.LastIndexByte(text, '\n')+1:]
	const most = 120
	if len(line) > most {
		line = strings.ToValidUTF8(line[:most], "") + " …"
	}
	return line
}

// parseJSON reads a document that has to be whole.
func (o *Output) parseJSON(printed string, into any) {
	if err := json.Unmarshal([]byte(printed), into); err != nil {
		o.fail("it is not JSON from %s: %w", o.Tool, err)
	}
}

// wholeNumber is a count, which stands in JSON as any number may.
func (o *Output) wholeNumber(x float64) int64 {
	if !finite(x) || x != math.Trunc(x) || x >= maxCount {
		o.fail("invalid number of requests %v", x)
		return 0
	}
	return int64(x)
}

// answers counts by status, and takes a distribution over.
func (o *Output) answers(byStatus map[string]int64) (all, right int64) {
	o.Statuses = map[string]int64{}
	for _, status := range slices.Sorted(maps.Keys(byStatus)) {
		n := byStatus[status]
		if n < 0 || n > maxCount-all {
			o.fail("invalid number of answers %d", n)
			return 0, 0
		}
		all += n
		if isRight(status) {
			right += n
		}
		if len(status) == 3 && status[0] >= '1' && status[0] <= '9' {
			o.Statuses[status] = n // others stand for requests without an answer
		}
	}
	return all, right
}
