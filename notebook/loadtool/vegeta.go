package loadtool

import (
	"cmp"
	"math"
	"strconv"
	"time"

	"benchbook/notebook/spec"
)

var vegeta = Tool{
	Name:   "vegeta",
	Note:   "times begin when requests were sent, not when they were due",
	parse:  parseVegeta,
	shares: inRanks,
	Image:  goModule("vegeta", "github.com/tsenart/vegeta/v12", "v12.13.0"),
	HTTP:   true,
	Flags: map[string]string{"connections": "-max-workers", "threads": "-cpus", "duration": "-duration", "warmup": "",
		"timeout": "-timeout", "keepalive": "-keepalive=false", "method": "", "headers": "-header", "body": "-body",
		"verify": "", "rate": "-rate"},
	Call: callVegeta,
}

// vegeta is an open loop; only with -rate 0 is it a closed one, which its report does not tell. We read its report as
// JSON.
//
// Its times begin when a request is sent, not when it was due, and are those of all requests, connecting included;
// the failed ones among them. A status of 0 is a request without an answer. To vegeta a status of 300 to 399 is a
// success; here it is a failure, as everywhere. Its window lasts until the last answer.
//
// Source: tsenart/vegeta lib/metrics.go, lib/reporters.go, lib/attack.go.
func parseVegeta(o *Output, printed, _ string) (*Output, error) {
	o.Connecting, o.Paced = true, true
	var saved struct {
		Latencies      map[string]float64
		Earliest       time.Time
		Duration, Wait *float64
		Requests       *float64
		StatusCodes    map[string]int64 `json:"status_codes"`
	}
	o.parseJSON(printed, &saved)
	if saved.Duration == nil || saved.Wait == nil || saved.Requests == nil || saved.StatusCodes == nil ||
		saved.Latencies == nil {
		return o.fail("it is not a report")
	}
	o.vegetaCounts(o.wholeNumber(*saved.Requests), saved.StatusCodes)
	o.Window, o.Started = long((*saved.Duration+*saved.Wait)*nanosecond), saved.Earliest
	if o.noTimes {
		return o.whole()
	}
	for _, t := range []struct{ name, metric string }{{"mean", "latency.mean"}, {"50th", "latency.p50"},
		{"90th", "latency.p90"}, {"95th", "latency.p95"}, {"99th", "latency.p99"}, {"max", "latency.max"}} {
		v, ok := saved.Latencies[t.name]
		if !ok || math.Abs(v) > math.MaxInt64 {
			return o.fail("it has no time for %s", t.metric)
		}
		o.add(t.metric, v*nanosecond, nanosecond, "s")
	}
	return o.whole()
}

// vegetaCounts counts requests, whose statuses have to be those of as many.
func (o *Output) vegetaCounts(requests int64, byStatus map[string]int64) {
	all, right := o.answers(byStatus)
	o.Attempted, o.Completed, o.Failed, o.Timed = requests, right, requests-right, requests
	if o.noTimes = requests == 0; all != requests {
		o.fail("its %d requests are not those of its status codes", requests)
	}
}

// vegetaShell makes the report once the attack is over, so that it takes no time from it.
const vegetaShell = `"$@" -output /tmp/results || exit; "$1" report -type json /tmp/results`

// callVegeta has as many workers as there are connections, each of which waits for its answer. Bodies of answers are
// read and not kept.
func callVegeta(l *spec.Load, cores int) (Call, error) {
	c := Call{Threads: cmp.Or(l.Threads, max(1, cores)), Shell: vegetaShell}
	target, err := withPort(l.Target)
	if err != nil {
		return c, err
	}
	rate, workers := "0", strconv.Itoa(l.Connections)
	if n, in := perTime(l.Rate); l.Rate > 0 {
		rate = strconv.FormatInt(n, 10) + "/" + exact(in)
	}
	c.flag("-cpus", strconv.Itoa(c.Threads), "attack", "-rate", rate, "-workers", workers, "-max-workers", workers,
		"-connections", workers, "-duration", exact(l.Duration), "-timeout", exact(l.Timeout), "-redirects", "-1",
		"-max-body", "0", "-http2=false", "-insecure")
	c.request(l, "-keepalive=false", "", "-header", "-body") // the method is beside the target
	c.flag("-targets", c.file(targetsFile, l.Method+" "+target+"\n"))
	return c, nil
}
