package loadtool

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"benchbook/notebook/spec"
)

var k6 = Tool{
	Name:   "k6",
	Note:   "times do not include connecting, and the window is that of the whole test",
	parse:  parseK6,
	shares: inNames,
	Image:  goModule("k6", "go.k6.io/k6", "v1.8.1"),
	HTTP:   true,
	Flags: map[string]string{"connections": "--vus", "requests": "--iterations", "duration": "--duration", "warmup": "",
		"timeout": "", "keepalive": "--no-connection-reuse", "method": "", "headers": "", "body": "", "verify": "",
		"rate": "", "script": ""},
	Script:     "/benchbook/script.js",
	ScriptSays: []string{"requests", "timeout", "method", "headers", "body", "rate"},
	Call:       callK6,
}

// k6 runs a script: the author's, or one of ours that sends the requests of a load. We read the summary as the JSON that
// handleSummary prints.
//
// Its times, http_req_duration, are from sending to the last byte, of all requests, the failed ones among them;
// connecting is not included. To k6 a request has failed if it had no answer or one of status 400 and above, unless the
// script says otherwise, as ours does. The window is that of the whole test, setup and teardown included.
//
// Source: grafana/k6 internal/js/summary, docs "Built-in metrics".
func parseK6(o *Output, printed, _ string) (*Output, error) {
	o.Paced = true // a script may sleep between requests
	var summary struct {
		Metrics struct {
			Requests k6Metric `json:"http_reqs"`
			Failed   k6Metric `json:"http_req_failed"` // "passes" are the failed ones
			Times    k6Metric `json:"http_req_duration"`
			Users    k6Metric `json:"vus_max"`
			Began    k6Metric `json:"benchbook_began"` // Unix time in milliseconds, by our script
		}
	}
	o.parseJSON(printed, &summary)
	m := summary.Metrics
	if !m.Requests.has("count", "rate") || !m.Failed.has("passes", "fails") {
		return o.fail("it does not count requests and failures")
	}
	all, bad, good := o.wholeNumber(m.Requests.Values["count"]), o.wholeNumber(m.Failed.Values["passes"]),
		o.wholeNumber(m.Failed.Values["fails"])
	if all != bad+good {
		o.fail("%d of %d requests failed, and there were %d", bad, bad+good, all)
	}
	o.Attempted, o.Failed, o.Completed, o.Timed = all, bad, all-bad, all
	o.lasted(all, m.Requests.Values["rate"])
	if m.Began.has("value") {
		o.Started = time.UnixMilli(o.wholeNumber(m.Began.Values["value"]))
	}
	if m.Users.has("min", "max") && m.Users.Values["min"] == m.Users.Values["max"] {
		o.Connections = int(o.wholeNumber(m.Users.Values["max"]))
	}
	if o.noTimes = all == 0; o.noTimes {
		return o.whole()
	}
	for _, name := range slices.Sorted(maps.Keys(m.Times.Values)) {
		metric, ok := map[string]string{"avg": "latency.mean", "max": "latency.max"}[name], true
		if share, isShare := strings.CutPrefix(strings.TrimSuffix(name, ")"), "p("); isShare {
			metric, ok = percentileMetric(share)
		}
		if ok && metric != "" {
			o.add(metric, m.Times.Values[name]*millisecond, 0, "s")
		}
	}
	return o.whole()
}

// k6Metric is one metric of a summary.
type k6Metric struct{ Values map[string]float64 }

// has reports whether a metric has all of these values.
func (m k6Metric) has(names ...string) bool {
	for _, name := range names {
		if x, ok := m.Values[name]; !ok || !finite(x) {
			return false
		}
	}
	return true
}

// k6Script sends one request in an iteration, and prints the summary as JSON. Only answers with a status of 200 to 299
// are right, as everywhere.
const k6Script = `import http from "k6/http";
import { Gauge } from "k6/metrics";
http.setResponseCallback(http.expectedStatuses({min: 200, max: 299}));
const began = new Gauge("benchbook_began");
export const options = JSON.parse(__ENV.OPTIONS || "{}");
export const setup = () => { began.add(Date.now()); };
const [method, url, body, params] = %s;
export default () => { http.request(method, url, body, params); };
export const handleSummary = (data) => ({stdout: JSON.stringify(data)});
`

// k6Wrapper runs a script of the author. It has all that the script exports, but the summary is ours, and setup notes
// when the window began.
const k6Wrapper = `import { Gauge } from "k6/metrics";
import * as script from "./script.js";
export * from "./script.js";
export default script.default;
const began = new Gauge("benchbook_began");
export const setup = () => { began.add(Date.now()); return script.setup ? script.setup() : undefined; };
export const handleSummary = (data) => ({stdout: JSON.stringify(data)});
`

// callK6 runs the author's script, or makes one: k6 takes requests and rates from nowhere else. With a rate there are as
// many users as connections, from the beginning; it drops a request if none of them is free when it is due.
func callK6(l *spec.Load, cores int) (Call, error) {
	c := Call{Threads: max(1, cores)}
	target, err := withPort(l.Target)
	if err != nil {
		return c, err
	}
	c.flag("run", "--quiet", "--no-usage-report", "--summary-trend-stats", "avg,max,p(50),p(75),p(90),p(95),p(99),p(99.9)")
	if l.Script == nil { // else it may read them
		c.flag("--discard-response-bodies")
	}
	c.flag("--insecure-skip-tls-verify")
	if strings.HasPrefix(target, "https:") {
		c.Environment = []string{"GODEBUG=http2client=0"}
	}
	if l.Rate == 0 {
		c.flag("--vus", strconv.Itoa(l.Connections))
		if l.Requests > 0 {
			c.flag("--iterations", strconv.Itoa(l.Requests))
		}
		c.flag("--duration", exact(cmp.Or(l.Duration, 24*time.Hour)))
	}
	if !l.Keepalive {
		c.flag("--no-connection-reuse")
	}
	text := k6Wrapper
	if l.Script != nil {
		c.flag("-e", "TARGET="+target)
		c.script(l)
	} else if text, err = c.k6Requests(l, target); err != nil {
		return c, err
	}
	c.operands = []string{c.file(k6File, text)}
	return c, nil
}

// k6Requests returns the script for a load without one. What differs between a warm-up and the run after it is in flags,
// because both have the same files.
func (c *Call) k6Requests(l *spec.Load, target string) (string, error) {
	if n, in := perTime(l.Rate); l.Rate > 0 {
		options, err := json.Marshal(map[string]any{"scenarios": map[string]any{"load": map[string]any{
			"executor": "constant-arrival-rate", "rate": n, "timeUnit": exact(in), "duration": exact(l.Duration),
			"preAllocatedVUs": l.Connections, "maxVUs": l.Connections}}})
		if err != nil {
			return "", err
		}
		c.flag("-e", "OPTIONS="+string(options))
	}
	request := []any{l.Method, target, nil, map[string]any{"headers": l.Headers, "timeout": exact(l.Timeout),
		"redirects": 0}}
	if l.Body != "" {
		request[2] = l.Body
	}
	text, err := json.Marshal(request)
	return fmt.Sprintf(k6Script, text), err
}
