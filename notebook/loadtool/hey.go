package loadtool

import (
	"math"
	"regexp"

	"benchbook/notebook/spec"
)

// hey is a closed loop of goroutines. Its summary has the status or error of every request.
//
// Its requests are all that ended, in an answer or an error; its times are of answers of any status. Times include
// connecting, and have a step of 0.1 ms. "Total data" has bodies without heads, so it is not bytes.in.
//
// Source: rakyll/hey requester/report.go, print.go.
var hey = Tool{
	Name:  "hey",
	Note:  "times have a step of 0.1 ms",
	Image: debian("hey", "hey"),
	HTTP:  true,
	Flags: []Flag{{"requests", "-n"}, {"duration", "-z"}, {"connections", "-c"}, {"timeout", "-t"}, {"threads", "-cpus"},
		{"keepalive", "-disable-keepalive"}, {"method", "-m"}, {"headers", "-H"}, {"body", "-D"}},
	Seconds: []string{"timeout"},
	Either:  true,
	Even:    true,
	shell:   stampBegin,
	adapt:   adaptHey,
	parse:   parseHey,
}

// heyMost is how many answers hey keeps; beyond that it prints only the rate and the mean.
const heyMost = 1_000_000

const heyStep = 1e-4 // seconds: its times have four digits

var (
	// Percentages have two percent signs since 0.1.5.
	heyForm = regexp.MustCompile(`(?ms)^Summary:
  Total:\t(?P<total>[0-9.]+) secs
  Slowest:\t(?P<max>[0-9.]+) secs
  Fastest:\t[0-9.]+ secs
  Average:\t *(?P<mean>[0-9.]+|NaN) secs
  Requests/sec:\t(?P<rate>[0-9.]+)
.*
Latency distribution:
(?P<table>(?:  \d+%{1,2} in [0-9.]+ secs
)*)
Details .*
Status code distribution:
(?P<statuses>(?:  \[\d+\]\t\d+ responses
)*)
(?:Error distribution:
(?P<errors>(?:  \[\d+\]\t[^\n]+
)*)|
)
`)
	heyStatus = regexp.MustCompile(`\[(\d+)\]\t(\d+) responses`)
	heyError  = regexp.MustCompile(`\[(\d+)\]\t(.+)`)
)

func parseHey(o *Output, printed, _ string) {
	m := o.match(heyForm, printed)
	byStatus := map[string]int64{}
	for _, s := range heyStatus.FindAllStringSubmatch(m["statuses"], -1) {
		byStatus[s[1]] += o.count(s[2])
	}
	answers, right := o.countAnswers(byStatus)
	o.Statuses = byStatus // with any numbers
	all := answers
	o.Failures = map[string]int64{"connect": 0, "reset": 0, "timeout": 0, "closed": 0}
	for _, e := range heyError.FindAllStringSubmatch(m["errors"], -1) {
		n := o.count(e[1])
		all += n
		o.addFailures(e[2], n)
	}
	// The rate counts every request, so it shows whether answers or errors are missing.
	total, rate := o.number(m["total"], "length"), o.number(m["rate"], "rate")
	switch slack := 0.5 + float64(all)*(heyStep/total+heyStep/rate)/2; {
	case answers >= heyMost && rate*total > float64(all)+slack:
		o.fail("hey keeps no more than %d answers, and there were more: measure for a shorter time", heyMost)
	case math.Abs(rate*total-float64(all)) > slack:
		o.fail("its rate is of %.0f requests, and it lists %d", rate*total, all)
	}
	o.Connecting = true
	o.setWindow(all, m["rate"], m["total"]+"s")
	o.setCounts(all, right)
	o.Timed = answers
	if answers > 0 {
		o.addTable(m["table"], bareSecs) // with few answers it prints "0%" for the percentiles it cannot know
		o.addTime("latency.mean", m["mean"], bareSecs)
		o.addTime("latency.max", m["max"], bareSecs)
	}
}

func adaptHey(c *Call, l *spec.Load) {
	if host := takeHeader(l, "Host"); host != "" {
		c.flag("-host", host)
	}
}
