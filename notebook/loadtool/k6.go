package loadtool

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"benchbook/notebook/spec"
)

// k6 runs a script: the author's, or one of ours that sends the requests of a load. We read the JSON that handleSummary
// prints.
//
// Its times, http_req_duration, are from sending to the last byte, without connecting, of all requests, failed ones
// included. To k6, a request has failed if it had no answer or one of status 400 and above, unless the script says
// otherwise, as ours does. The window is the whole test, with setup and teardown. A script may sleep between requests.
//
// With a rate there are as many users as connections from the beginning; k6 drops a request if none of them is free
// when it is due.
//
// Source: grafana/k6 internal/js/summary, docs "Built-in metrics".
var k6 = Tool{
	Name:  "k6",
	Note:  "times do not include connecting, and the window is that of the whole test",
	Image: goModule("k6", "go.k6.io/k6", "v1.8.1"),
	HTTP:  true,
	Flags: []Flag{{"", "run --quiet --no-usage-report --insecure-skip-tls-verify --summary-trend-stats " +
		"avg,max,p(50),p(75),p(90),p(95),p(99),p(99.9)"}, {"connections", "--vus"}, {"requests", "--iterations"},
		{"duration", "--duration"}, {"keepalive", "--no-connection-reuse"}, {"timeout", ""}, {"method", ""}, {"headers", ""},
		{"body", ""}, {"rate", ""}, {"script", ""}},
	Script:     "/benchbook/script.js",
	ScriptSays: []string{"requests", "timeout", "method", "headers", "body", "rate"},
	adapt:      adaptK6,
	parse:      parseK6,
}

// k6Metric is one metric of a summary.
type k6Metric struct{ Values map[string]float64 }

func parseK6(o *Output, printed, _ string) {
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
	value := func(metric k6Metric, name string) float64 {
		x, ok := metric.Values[name]
		if !ok || !isMeasurable(x) {
			o.fail("it does not count requests and failures")
		}
		return x
	}
	all, bad, good := o.wholeNumber(value(m.Requests, "count")), o.wholeNumber(value(m.Failed, "passes")),
		o.wholeNumber(value(m.Failed, "fails"))
	if all != bad+good {
		o.fail("it counts %d requests, and of %d whether they failed", all, bad+good)
	}
	o.Paced = true
	o.setCounts(all, good)
	o.Timed = all
	if rate := value(m.Requests, "rate"); rate > 0 {
		o.Window = duration(float64(all) / rate)
	}
	if at := o.wholeNumber(m.Began.Values["value"]); at > 0 {
		o.Started = time.UnixMilli(at)
	}
	if users := m.Users.Values; users["min"] == users["max"] {
		o.Connections = int(o.wholeNumber(users["max"]))
	}
	for _, name := range slices.Sorted(maps.Keys(m.Times.Values)) {
		r := reading{value: m.Times.Values[name] * millisecond}
		if share, ok := strings.CutPrefix(strings.TrimSuffix(name, ")"), "p("); ok {
			o.addPercentile(share, r)
		} else if metric := map[string]string{"avg": "latency.mean", "max": "latency.max"}[name]; metric != "" {
			o.add(metric, r, "s")
		}
	}
}

// k6Script sends one request per iteration, and prints the summary as JSON. Only answers with a status of 200 to 299
// are right.
const k6Script = `import http from "k6/http";
import { Gauge } from "k6/metrics";
http.setResponseCallback(http.expectedStatuses({min: 200, max: 299}));
const began = new Gauge("benchbook_began");
export const options = JSON.parse(__ENV.OPTIONS || "{}");
const request = %s;
export const setup = () => { began.add(Date.now()); };
export default () => { http.request(...request); };
export const handleSummary = (data) => ({stdout: JSON.stringify(data)});
`

// k6Wrapper runs a script of the author. It exports all that the script exports, but replaces handleSummary, and its
// setup records the start of the window.
const k6Wrapper = `import { Gauge } from "k6/metrics";
import * as script from "./script.js";
export * from "./script.js";
export default script.default;
const began = new Gauge("benchbook_began");
export const setup = () => { began.add(Date.now()); return script.setup ? script.setup() : undefined; };
export const handleSummary = (data) => ({stdout: JSON.stringify(data)});
`

func adaptK6(c *Call, l *spec.Load) {
	if c.isTLS() {
		c.Environment = []string{"GODEBUG=http2client=0"}
	}
	text := k6Wrapper
	if l.Script != nil {
		c.Files = append(c.Files, *l.Script)
		c.flag("-e", "TARGET="+c.target.String())
	} else {
		c.flag("--discard-response-bodies")
		text = c.k6Requests(l, c.target.String())
	}
	l.Duration = cmp.Or(l.Duration, 24*time.Hour) // or the default of 10 minutes ends a number of requests
	if l.Rate > 0 {
		l.Connections, l.Requests, l.Duration = 0, 0, 0 // these flags would replace the script's scenario
	}
	c.operands = []string{c.file(k6File, text)}
}

// k6Requests returns our script for a load without one. What differs between warm-up and run goes into flags, because
// both have the same files.
func (c *Call) k6Requests(l *spec.Load, target string) string {
	times := Tool{}
	if l.Rate > 0 {
		n, in := wholeRate(l.Rate)
		options, _ := json.Marshal(map[string]any{"scenarios": map[string]any{"load": map[string]any{
			"executor": "constant-arrival-rate", "rate": n, "timeUnit": in, "duration": times.time("", l.Duration),
			"preAllocatedVUs": l.Connections, "maxVUs": l.Connections}}})
		c.flag("-e", "OPTIONS="+string(options))
	}
	var body any
	if l.Body != "" {
		body = l.Body
	}
	text, _ := json.Marshal([]any{l.Method, target, body,
		map[string]any{"headers": l.Headers, "timeout": times.time("", l.Timeout), "redirects": 0}})
	return fmt.Sprintf(k6Script, text)
}
