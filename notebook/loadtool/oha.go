package loadtool

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"benchbook/notebook/spec"
)

var oha = Tool{
	Name:   "oha",
	Note:   "requests that it gave up at the end are not counted",
	parse:  parseOha,
	shares: inNames,
	Image:  crate("oha", "1.16.0"),
	HTTP:   true,
	Flags: map[string]string{"connections": "-c", "requests": "-n", "duration": "-z", "warmup": "", "timeout": "-t",
		"keepalive": "--disable-keepalive", "method": "-m", "headers": "-H", "body": "-D", "verify": "", "rate": "-q"},
	Either: true,
	Call:   callOha,
}

// ohaDeadline is how oha calls requests that it gave up since its time was over. They are no failures of anybody.
const ohaDeadline = "aborted due to deadline"

// oha is a closed loop, or with -q an open one, which its output does not tell. We read what it prints with
// --output-format json. Its times are those of answers of any status, connecting included.
// Requests that it gave up at the end are not counted here.
//
// Source: hatoo/oha src/printer.rs, src/result_data.rs.
func parseOha(o *Output, printed, _ string) (*Output, error) {
	o.Connecting, o.Due = true, true // with a rate
	var saved struct {
		Summary struct {
			Total, Slowest, Average, RequestsPerSec *float64
		}
		LatencyPercentiles     map[string]*float64
		StatusCodeDistribution map[string]int64
		ErrorDistribution      map[string]int64
	}
	o.parseJSON(printed, &saved)
	summary := saved.Summary
	if summary.Total == nil || summary.RequestsPerSec == nil || saved.StatusCodeDistribution == nil ||
		saved.ErrorDistribution == nil {
		return o.fail("it has no summary with status codes and errors")
	}
	answers, right := o.answers(saved.StatusCodeDistribution)
	errors := o.ohaErrors(saved.ErrorDistribution)
	total, rate := *summary.Total, *summary.RequestsPerSec
	all := answers + errors + saved.ErrorDistribution[ohaDeadline]
	if !finite(total) || !finite(rate) || math.Abs(total*rate-float64(all)) > 0.5+1e-6*float64(all) {
		return o.fail("its rate is of %.0f requests, and it lists %d", total*rate, all)
	}
	o.Attempted, o.Completed, o.Failed = answers+errors, right, answers+errors-right
	o.Window = long(total)
	if o.noTimes = answers == 0; o.noTimes {
		return o.whole()
	}
	o.Timed = answers
	for _, name := range slices.Sorted(maps.Keys(saved.LatencyPercentiles)) {
		if v := saved.LatencyPercentiles[name]; v != nil && strings.HasPrefix(name, "p") {
			o.addPercentileOf(name[1:], *v, 0)
		}
	}
	if summary.Average != nil && summary.Slowest != nil {
		o.add("latency.mean", *summary.Average, 0, "s")
		o.add("latency.max", *summary.Slowest, 0, "s")
	}
	return o.whole()
}

// ohaErrors counts errors, by kind if each of them has one that we know.
func (o *Output) ohaErrors(byMessage map[string]int64) (all int64) {
	o.Failures = map[string]int64{"connect": 0, "reset": 0, "timeout": 0}
	for _, message := range slices.Sorted(maps.Keys(byMessage)) {
		n := byMessage[message]
		if n < 0 || n > maxCount-all {
			o.fail("invalid number of errors %d", n)
			return 0
		}
		if message != ohaDeadline {
			all += n
			o.addFailures(ohaKind(message), n)
		}
	}
	return all
}

// ohaKind is what an error of oha says, in our words; empty if we cannot tell.
func ohaKind(message string) string {
	if message == "timeout" {
		return "timeout"
	}
	return errorKind(message)
}

func callOha(l *spec.Load, cores int) (Call, error) {
	c := Call{Threads: max(1, cores), Shell: stampBegin}
	target, err := withPort(l.Target)
	if err != nil {
		return c, err
	}
	c.flag("--no-tui", "--output-format", "json", "-c", strconv.Itoa(l.Connections))
	c.ends(l, "-n", "-z")
	if l.Rate > 0 {
		c.flag("-q", strconv.FormatFloat(l.Rate, 'f', -1, 64), "--latency-correction")
	}
	c.flag("-t", exact(l.Timeout), "--redirect", "0", "--disable-compression", "--insecure")
	c.request(l, "--disable-keepalive", "-m", "-H", "-D")
	c.operands = []string{target}
	return c, nil
}
