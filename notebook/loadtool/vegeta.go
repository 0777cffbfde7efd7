package loadtool

import (
	"math"
	"strconv"
	"strings"
	"time"

	"benchbook/notebook/spec"
)

// vegeta is an open loop or, with -rate 0, a closed one; its report does not say which. We read its report as JSON.
//
// Its times begin when a request is sent, not when it was due. They are of all requests, failed ones and connecting
// included. A status of 0 is a request without an answer. A status of 300 to 399 is a success to vegeta, but a failure
// here. Its window lasts until the last answer.
//
// Source: tsenart/vegeta lib/metrics.go, lib/reporters.go, lib/attack.go.
var vegeta = Tool{
	Name:  "vegeta",
	Note:  "times begin when requests were sent, not when they were due",
	Image: goModule("vegeta", "github.com/tsenart/vegeta/v12", "v12.13.0"),
	HTTP:  true,
	// Each worker waits for its answer. Bodies of answers are read but not kept.
	Flags: []Flag{{"threads", "-cpus"}, {"", "attack"}, {"rate", "-rate"}, {"connections", "-workers"},
		{"connections", "-max-workers"}, {"connections", "-connections"}, {"duration", "-duration"}, {"timeout", "-timeout"},
		{"", "-redirects -1 -max-body 0 -http2=false -insecure"}, {"keepalive", "-keepalive=false"}, {"headers", "-header"},
		{"body", "-body"}, {"method", ""}},
	// The report is made after the attack, so that it takes no time from it.
	shell: `"$@" -output /tmp/results || exit; "$1" report -type json /tmp/results`,
	adapt: adaptVegeta,
	parse: parseVegeta,
}

func parseVegeta(o *Output, printed, _ string) {
	var saved struct {
		Latencies                map[string]float64
		Earliest                 time.Time
		Duration, Wait, Requests *float64
		StatusCodes              map[string]int64 `json:"status_codes"`
	}
	o.parseJSON(printed, &saved)
	if saved.Duration == nil || saved.Wait == nil || saved.Requests == nil || saved.StatusCodes == nil {
		o.fail("it is not a report")
		return
	}
	requests := o.wholeNumber(*saved.Requests)
	all, right := o.countAnswers(saved.StatusCodes)
	if all != requests {
		o.fail("it has %d requests and %d status codes", requests, all)
	}
	o.Connecting, o.Paced = true, true
	o.setCounts(requests, right)
	o.Timed = requests
	o.Window, o.Started = duration((*saved.Duration+*saved.Wait)*nanosecond), saved.Earliest
	for _, name := range []string{"mean", "50th", "90th", "95th", "99th", "max"} {
		v, ok := saved.Latencies[name]
		if !ok || math.Abs(v) > math.MaxInt64 {
			o.fail("it has no latency %s", name)
		}
		if share, isShare := strings.CutSuffix(name, "th"); isShare {
			name = "p" + share
		}
		o.add("latency."+name, reading{v * nanosecond, nanosecond}, "s")
	}
}

func adaptVegeta(c *Call, l *spec.Load) {
	rate := "0"
	if l.Rate > 0 {
		n, in := wholeRate(l.Rate)
		rate = strconv.FormatInt(n, 10) + "/" + in
	}
	l.Rate = 0
	c.flag("-rate", rate, "-targets", c.file(targetsFile, l.Method+" "+c.target.String()+"\n"))
	l.Method, c.operands = "GET", nil
}

// wholeRate returns a rate per second as a whole number of requests in a time, such as 1250 in 1000s.
func wholeRate(rate float64) (requests int64, in string) {
	if rate == math.Trunc(rate) {
		return int64(rate), "1s"
	}
	return max(1, int64(math.Round(rate*1000))), "1000s"
}
