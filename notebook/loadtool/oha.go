package loadtool

import (
	"maps"
	"math"
	"slices"
	"strings"

	"benchbook/notebook/spec"
)

// oha is a closed loop or, with -q, an open one; its output does not say which. We read --output-format json.
//
// Its times are of answers of any status, connecting included; with --latency-correction they begin when requests were
// due. Requests that oha gave up at the end are not counted here: they did not fail.
//
// Source: hatoo/oha src/printer.rs, src/result_data.rs.
var oha = Tool{
	Name:  "oha",
	Note:  "requests that it gave up at the end are not counted",
	Image: crate("oha", "1.16.0"),
	HTTP:  true,
	Flags: []Flag{{"", "--no-tui --output-format json"}, {"connections", "-c"}, {"requests", "-n"}, {"duration", "-z"},
		{"rate", "-q"}, {"timeout", "-t"}, {"", "--redirect 0 --disable-compression --insecure"},
		{"keepalive", "--disable-keepalive"}, {"method", "-m"}, {"headers", "-H"}, {"body", "-D"}},
	Either: true,
	shell:  stampBegin,
	adapt: func(c *Call, l *spec.Load) {
		if l.Rate > 0 {
			c.flag("--latency-correction")
		}
	},
	parse: parseOha,
}

// ohaDeadline is the error of requests that oha gave up at the end.
const ohaDeadline = "aborted due to deadline"

func parseOha(o *Output, printed, _ string) {
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
		o.fail("it has no summary with status codes and errors")
		return
	}
	answers, right := o.countAnswers(saved.StatusCodeDistribution)
	errors := o.sum(saved.ErrorDistribution)
	o.Failures = map[string]int64{"connect": 0, "reset": 0, "timeout": 0}
	for _, message := range slices.Sorted(maps.Keys(saved.ErrorDistribution)) {
		if message != ohaDeadline {
			o.addFailures(message, saved.ErrorDistribution[message])
		}
	}
	total, all := *summary.Total, float64(answers+errors)
	errors -= saved.ErrorDistribution[ohaDeadline]
	if sent := total * *summary.RequestsPerSec; !isMeasurable(sent) || math.Abs(sent-all) > 0.5+1e-6*all {
		o.fail("its rate is of %.0f requests, and it lists %.0f", sent, all)
	}
	o.Connecting, o.Due = true, true // Due matters with a rate only
	o.setCounts(answers+errors, right)
	o.Window, o.Timed = duration(total), answers
	for _, name := range slices.Sorted(maps.Keys(saved.LatencyPercentiles)) {
		if v := saved.LatencyPercentiles[name]; v != nil {
			o.addPercentile(strings.TrimPrefix(name, "p"), reading{value: *v})
		}
	}
	if summary.Average != nil && summary.Slowest != nil {
		o.add("latency.mean", reading{value: *summary.Average}, "s")
		o.add("latency.max", reading{value: *summary.Slowest}, "s")
	}
}
