package loadtool

import (
	"bytes"
	"maps"
	"math"
	"slices"
	"strings"
)

var oha = Tool{
	Name:   "oha",
	Note:   "requests that it gave up at the end are not counted",
	parse:  parseOha,
	shares: inNames,
	Saved:  true,
	wrote:  wroteOha,
	Load:   true,
}

// ohaDeadline is how oha calls requests that it gave up since its time was over. They are no failures of anybody.
const ohaDeadline = "aborted due to deadline"

// oha is a closed loop, or with -q an open one, which its output does not tell. We read what it prints with --output-format json,
// in older versions -j. Its times are those of answers of any status, connecting included. Requests that it gave up at
// the end are not counted here.
//
// Source: hatoo/oha src/printer.rs, src/result_data.rs.
func parseOha(printed []byte) (*Output, error) {
	const tool = "oha"
	var saved struct {
		Summary struct {
			Total, Slowest, Average, RequestsPerSec *float64
		}
		LatencyPercentiles     map[string]*float64
		StatusCodeDistribution map[string]int64
		ErrorDistribution      map[string]int64
	}
	if err := parseJSON(tool, printed, &saved, "save what oha --output-format json prints"); err != nil {
		return nil, err
	}
	if saved.Summary.Total == nil || saved.Summary.RequestsPerSec == nil || saved.StatusCodeDistribution == nil || saved.ErrorDistribution == nil {
		return nil, noSamples(tool, "it has no summary with status codes and errors: save what oha prints with --output-format json")
	}
	o := empty(tool)
	o.Connecting = true
	answers, right, ok := o.answers(saved.StatusCodeDistribution)
	errors, givenUp := int64(0), int64(0)
	o.Failures = map[string]int64{"connect": 0, "reset": 0, "timeout": 0}
	for _, message := range slices.Sorted(maps.Keys(saved.ErrorDistribution)) {
		n := saved.ErrorDistribution[message]
		ok = ok && n >= 0 && n <= maxCount
		if message == ohaDeadline {
			givenUp = n
			continue
		}
		errors += n
		switch kind := ohaKind(message); {
		case o.Failures != nil && kind != "":
			o.Failures[kind] += n
		default:
			o.Failures = nil
		}
	}
	total, rate := *saved.Summary.Total, *saved.Summary.RequestsPerSec
	all := answers + errors + givenUp
	if !ok || !finite(total) || !finite(rate) || math.Abs(total*rate-float64(all)) > 0.5+1e-6*float64(all) {
		return nil, noSamples(tool, "its rate is of %.0f requests, and it lists %d", total*rate, all)
	}
	o.Attempted, o.Completed, o.Failed = answers+errors, right, answers+errors-right
	o.Window = long(total)
	if answers == 0 {
		o.untold = true
		return o.whole()
	}
	o.Timed = answers
	for _, name := range slices.Sorted(maps.Keys(saved.LatencyPercentiles)) {
		share, ok := strings.CutPrefix(name, "p")
		if v := saved.LatencyPercentiles[name]; v != nil && ok {
			o.addPercentile(share, reading{value: *v})
		}
	}
	if saved.Summary.Average != nil && saved.Summary.Slowest != nil {
		o.add("latency.mean", *saved.Summary.Average, 0, "s")
		o.add("latency.max", *saved.Summary.Slowest, 0, "s")
	}
	return o.whole()
}

// ohaKind is what an error of oha says, in our words; empty if we cannot tell.
func ohaKind(message string) string {
	if message == "timeout" {
		return "timeout"
	}
	return errorKind(message)
}

func wroteOha(printed []byte) bool {
	return looksLike(printed, "summary", "latencyPercentiles", "statusCodeDistribution") ||
		bytes.Contains(printed, []byte("Success rate:")) // text, which cannot be read, but whose way out we know
}
