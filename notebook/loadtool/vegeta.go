package loadtool

import (
	"bytes"
	"math"
	"regexp"
	"strings"
	"time"
)

var vegeta = Tool{
	Name:   "vegeta",
	Note:   "times begin when requests were sent, not when they were due",
	parse:  parseVegeta,
	shares: inVegeta,
	Saved:  true,
	wrote:  wroteVegeta,
	Load:   true,
}

var (
	vegetaRequests  = regexp.MustCompile(`(?m)^Requests\s+\[total, rate, throughput\]\s+(\d+), [0-9.]+, [0-9.]+$`)
	vegetaDuration  = regexp.MustCompile(`(?m)^Duration\s+\[total, attack, wait\]\s+(\S+), \S+, \S+$`)
	vegetaLatencies = regexp.MustCompile(`(?m)^Latencies\s+\[min, mean, 50, 90, 95, 99, max\]\s+(\S+), (\S+), (\S+), (\S+), (\S+), (\S+), (\S+)$`)
	vegetaStatuses  = regexp.MustCompile(`(?m)^Status Codes\s+\[code:count\]\s+((?:\d+:\d+\s*?)*)  \nError Set:\n`)
)

// vegeta is an open loop; only with -rate 0 is it a closed one, which its report does not tell. We read its report as text or
// as JSON (-type json).
//
// Its times begin when a request is sent, not when it was due, and are those of all requests, connecting included; the failed ones
// among them. A status of 0 is a request without an answer. To vegeta a status of 300 to 399 is a success; here it is a failure, as
// everywhere. Its window lasts until the last answer.
//
// Source: tsenart/vegeta lib/metrics.go, lib/reporters.go, lib/attack.go.
func parseVegeta(printed []byte) (*Output, error) {
	if bytes.HasPrefix(bytes.TrimSpace(printed), []byte("{")) {
		return parseVegetaJSON(printed)
	}
	const tool = "vegeta"
	requests, took := vegetaRequests.FindSubmatch(printed), vegetaDuration.FindSubmatch(printed)
	latencies, statuses := vegetaLatencies.FindSubmatch(printed), vegetaStatuses.FindSubmatch(printed)
	if requests == nil || took == nil || latencies == nil || statuses == nil {
		return nil, noSamples(tool, "it does not go from %q to %q; the last line is %q", "Requests", "Error Set:", LastLine(printed))
	}
	o := empty(tool)
	o.Connecting, o.Paced = true, true
	byStatus := map[string]int64{}
	for _, pair := range strings.Fields(string(statuses[1])) {
		status, text, _ := strings.Cut(pair, ":")
		n, err := count(text)
		if err != nil {
			return nil, noSamples(tool, "%q is no number of answers", pair)
		}
		byStatus[status] += n
	}
	total, err := goDuration(string(took[1]))
	n, errCount := count(string(requests[1]))
	if err != nil || errCount != nil || !o.vegetaCounts(n, byStatus) {
		return nil, noSamples(tool, "%q and %q are not of the same requests", requests[0], statuses[1])
	}
	o.Window = long(total.value)
	if n == 0 {
		o.untold = true
		return o.whole()
	}
	for i, metric := range []string{2: "latency.mean", "latency.p50", "latency.p90", "latency.p95", "latency.p99", "latency.max"} {
		if metric == "" {
			continue
		}
		t, err := goDuration(string(latencies[i]))
		if err != nil {
			return nil, noSamples(tool, "%s is %q", metric, latencies[i])
		}
		o.addTime(metric, t)
	}
	return o.whole()
}

// vegetaCounts counts requests; false if their statuses are those of others.
func (o *Output) vegetaCounts(requests int64, byStatus map[string]int64) bool {
	all, right, ok := o.answers(byStatus)
	o.Attempted, o.Completed, o.Failed, o.Timed = requests, right, requests-right, requests
	return ok && all == requests
}

func parseVegetaJSON(printed []byte) (*Output, error) {
	const tool = "vegeta"
	var saved struct {
		Latencies      map[string]float64
		Earliest       time.Time
		Duration, Wait *float64
		Requests       *float64
		StatusCodes    map[string]int64 `json:"status_codes"`
	}
	if err := parseJSON(tool, printed, &saved, "save what vegeta report -type json prints"); err != nil {
		return nil, err
	}
	if saved.Duration == nil || saved.Wait == nil || saved.Requests == nil || saved.StatusCodes == nil || saved.Latencies == nil {
		return nil, noSamples(tool, "it is no report: save what vegeta report -type json prints")
	}
	o := empty(tool)
	o.Connecting, o.Paced = true, true
	n, ok := whole64(*saved.Requests)
	if !ok || !o.vegetaCounts(n, saved.StatusCodes) {
		return nil, noSamples(tool, "its %v requests are not those of its status codes", *saved.Requests)
	}
	const nanosecond = 1e-9
	o.Window, o.Started = long((*saved.Duration+*saved.Wait)*nanosecond), saved.Earliest
	if n == 0 {
		o.untold = true
		return o.whole()
	}
	for _, t := range []struct{ name, metric string }{{"mean", "latency.mean"}, {"50th", "latency.p50"}, {"90th", "latency.p90"},
		{"95th", "latency.p95"}, {"99th", "latency.p99"}, {"max", "latency.max"}} {
		v, ok := saved.Latencies[t.name]
		if !ok || math.Abs(v) > math.MaxInt64 {
			return nil, noSamples(tool, "it has no time for %s", t.metric)
		}
		o.add(t.metric, v*nanosecond, nanosecond, "s")
	}
	return o.whole()
}

func wroteVegeta(printed []byte) bool {
	return vegetaRequests.Match(printed) || looksLike(printed, "latencies", "status_codes", "bytes_in")
}
