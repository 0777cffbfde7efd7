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
	Program: &Program{
		Image: goModule("k6", "go.k6.io/k6", "v1.8.1"),
		HTTP:  true,
		Flags: map[string]string{"connections": "--vus", "requests": "--iterations", "duration": "--duration", "warmup": "",
			"timeout": "", "keepalive": "--no-connection-reuse", "method": "", "headers": "", "body": "", "verify": "",
			"rate": "", "script": ""},
		Script:     "/benchbook/script.js",
		ScriptSays: []string{"requests", "timeout", "method", "headers", "body", "rate"},
		Call:       callK6,
	},
}

// k6 runs a script, in a closed or an open loop, which its summary does not tell. We read the summary as the JSON that
// handleSummary of our script prints, which has all digits.
//
// Its times, http_req_duration, are from sending to the last byte, of all requests, the failed ones among them;
// connecting is not included. To k6 a request has failed if it had no answer or one of status 400 and above, unless the
// script says otherwise. The window is that of the whole test.
//
// Source: grafana/k6 internal/js/summary, docs "Built-in metrics".
func parseK6(o *Output, printed, _ string) (*Output, error) {
	o.Paced = true // a script may sleep between requests
	var saved struct {
		Metrics map[string]json.RawMessage
	}
	o.parseJSON(printed, &saved)
	var requests struct{ Count, Rate *float64 }
	var failed struct{ Passes, Fails *float64 } // what passes is that a request has failed
	var times map[string]json.RawMessage        // numbers, and the thresholds
	for name, into := range map[string]any{"http_reqs": &requests, "http_req_failed": &failed,
		"http_req_duration": &times} {
		if err := json.Unmarshal(k6Values(saved.Metrics[name]), into); err != nil {
			return o.fail("it has no %s", name)
		}
	}
	if requests.Count == nil || requests.Rate == nil || failed.Passes == nil || failed.Fails == nil ||
		!finite(*requests.Rate) {
		return o.fail("it does not count requests and failures")
	}
	all, bad, good := o.whole64(*requests.Count), o.whole64(*failed.Passes), o.whole64(*failed.Fails)
	o.k6Counts(all, bad+good, bad, *requests.Rate)
	var began struct{ Value float64 } // Unix time in milliseconds, by our script
	if json.Unmarshal(k6Values(saved.Metrics["benchbook_began"]), &began) == nil && began.Value > 0 {
		o.Started = time.UnixMilli(o.whole64(began.Value))
	}
	var users struct{ Min, Max float64 }
	if json.Unmarshal(k6Values(saved.Metrics["vus_max"]), &users) == nil && users.Min == users.Max {
		o.Connections = int(o.whole64(users.Max))
	}
	if o.untold = all == 0; o.untold {
		return o.whole()
	}
	for _, name := range slices.Sorted(maps.Keys(times)) {
		metric, ok := o.k6Metric(name)
		if !ok {
			continue
		}
		var milliseconds float64
		if err := json.Unmarshal(times[name], &milliseconds); err != nil {
			return o.fail("%s is %s", name, times[name])
		}
		o.add(metric, milliseconds*millisecond, 0, "s")
	}
	return o.whole()
}

// k6Counts counts requests.
func (o *Output) k6Counts(requests, of, failed int64, rate float64) {
	o.Attempted, o.Failed, o.Completed, o.Timed = requests, failed, requests-failed, requests
	o.lasted(requests, rate)
	if requests != of || failed > requests {
		o.fail("%d of %d requests failed, and there were %d", failed, of, requests)
	}
}

// k6Metric is the metric that k6 calls avg, med, max or p(99); false for what we have no metric for, or have read: the
// median may be there as p(50) too.
func (o *Output) k6Metric(name string) (metric string, ok bool) {
	metric, ok = map[string]string{"avg": "latency.mean", "med": "latency.p50", "max": "latency.max"}[name]
	if share, isShare := strings.CutPrefix(strings.TrimSuffix(name, ")"), "p("); isShare {
		metric, ok = percentileMetric(share)
	}
	_, have := o.sample(metric)
	return metric, ok && metric != "" && !have
}

// k6Values are the values of a metric, which handleSummary has beside its type.
func k6Values(metric json.RawMessage) json.RawMessage {
	var typed struct{ Values json.RawMessage }
	if json.Unmarshal(metric, &typed) == nil && typed.Values != nil {
		return typed.Values
	}
	return metric
}

// k6Script sends one request in an iteration, and prints the summary as JSON. Only answers with a status of 200 to 299
// are right, as everywhere.
const k6Script = `import http from "k6/http";
import { Gauge } from "k6/metrics";
http.setResponseCallback(http.expectedStatuses({min: 200, max: 299}));
const began = new Gauge("benchbook_began");
export const options = %s;
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
	} else if text, err = k6Requests(l, target); err != nil {
		return c, err
	}
	c.operands = []string{c.file(k6File, text)}
	return c, nil
}

// k6Requests is the script for a load without one.
func k6Requests(l *spec.Load, target string) (string, error) {
	options := map[string]any{}
	if n, in := perTime(l.Rate); l.Rate > 0 {
		options["scenarios"] = map[string]any{"load": map[string]any{"executor": "constant-arrival-rate", "rate": n,
			"timeUnit": exact(in), "duration": exact(l.Duration), "preAllocatedVUs": l.Connections, "maxVUs": l.Connections}}
	}
	request := []any{l.Method, target, nil, map[string]any{"headers": l.Headers, "timeout": exact(l.Timeout),
		"redirects": 0}}
	if l.Body != "" {
		request[2] = l.Body
	}
	var parts []any
	for _, part := range []any{options, request} {
		text, err := json.Marshal(part)
		if err != nil {
			return "", err
		}
		parts = append(parts, text)
	}
	return fmt.Sprintf(k6Script, parts...), nil
}
