package loadtool

import (
	"bytes"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
)

var k6 = Tool{
	Name:   "k6",
	Note:   "times do not include connecting, and the window is that of the whole test",
	parse:  parseK6,
	shares: inK6,
	Saved:  true,
	wrote:  wroteK6,
	Load:   true,
}

var (
	k6Mark     = `(?m)^[ \t]+(?:[^\w\s]+ )?` // of a metric that has thresholds
	k6Dots     = `\.*: `
	k6Duration = regexp.MustCompile(k6Mark + `http_req_duration` + k6Dots + `(.+)$`)
	// Before version 1 how many failed and how many did not stand behind two marks.
	k6Failed   = regexp.MustCompile(k6Mark + `http_req_failed` + k6Dots + `\s*[0-9.]+%\s+(?:(\d+) out of (\d+)|\S+ (\d+)\s+\S+ (\d+))\s*$`)
	k6Requests = regexp.MustCompile(k6Mark + `http_reqs` + k6Dots + `\s*(\d+)\s+([0-9.]+)/s\s*$`)
	// A run that is shorter than a second tells nothing of its users.
	k6Short = regexp.MustCompile(`(?m)^\s+iterations` + k6Dots + `.+\n(?:[ \t]*\n|(?:.*\n)*\s+data_sent` + k6Dots + `.+/s\n)`)
	k6Users = regexp.MustCompile(`(?m)^\s+vus_max` + k6Dots + `\s*(\d+)\s+min=(\d+)\s+max=(\d+)\s*\n`)
	k6Tail  = regexp.MustCompile(`(?m)^\s+data_sent` + k6Dots + `.+/s\n`)
)

// k6 runs a script, in a closed or an open loop, which its summary does not tell. We read the summary that it prints at the end,
// or the JSON that --summary-export or a handleSummary of the script saves, which has all digits.
//
// Its times, http_req_duration, are from sending to the last byte, of all requests, the failed ones among them; connecting is
// not included. To k6 a request has failed if it had no answer or one of status 400 and above, unless the script says
// otherwise. The window is that of the whole test.
//
// Source: grafana/k6 internal/js/summary, docs "Built-in metrics".
func parseK6(printed []byte) (*Output, error) {
	if bytes.HasPrefix(bytes.TrimSpace(printed), []byte("{")) {
		return parseK6JSON(printed)
	}
	const tool = "k6"
	requests, failed, times := k6Requests.FindSubmatch(printed), k6Failed.FindSubmatch(printed), k6Duration.FindSubmatch(printed)
	users := k6Users.FindSubmatch(printed)
	if requests == nil || failed == nil || times == nil || users == nil && !k6Short.Match(printed) || !k6Tail.Match(printed) {
		return nil, noSamples(tool, "it has no whole summary of HTTP requests; the last line is %q", LastLine(printed))
	}
	o := empty(tool)
	o.Paced = true // a script may sleep between requests
	n, err := count(string(requests[1]))
	bad, errFailed := count(string(failed[1]))
	of, errOf := count(string(failed[2]))
	if len(failed[3]) > 0 {
		var good int64
		bad, errFailed = count(string(failed[3]))
		good, errOf = count(string(failed[4]))
		of = bad + good
	}
	rate, errRate := number(string(requests[2]))
	if err != nil || errFailed != nil || errOf != nil || errRate != nil || !o.k6Counts(n, of, bad, rate) {
		return nil, noSamples(tool, "%q and %q are not of the same requests", requests[0], failed[0])
	}
	if users != nil {
		if n, err := count(string(users[3])); err == nil && n < maxCount && bytes.Equal(users[2], users[3]) {
			o.Connections = int(n)
		}
	}
	if o.untold = n == 0; o.untold {
		return o.whole()
	}
	for _, field := range strings.Fields(string(times[1])) {
		name, text, _ := strings.Cut(field, "=")
		metric, ok := k6Metric(name)
		if _, have := o.sample(metric); !ok || have { // the median may be there as p(50) too
			continue
		}
		t, err := goDuration(text)
		if err != nil {
			return nil, noSamples(tool, "%s is %q", name, text)
		}
		o.addTime(metric, t)
	}
	return o.whole()
}

// k6Counts counts requests; false if they contradict each other.
func (o *Output) k6Counts(requests, of, failed int64, rate float64) bool {
	o.Attempted, o.Failed, o.Completed, o.Timed = requests, failed, requests-failed, requests
	if rate > 0 {
		o.Window = long(float64(requests) / rate)
	}
	return requests == of && failed <= requests && requests < maxCount
}

// k6Metric is the metric that k6 calls avg, med, max or p(99); false for what we have no metric for.
func k6Metric(name string) (string, bool) {
	switch name {
	case "avg":
		return "latency.mean", true
	case "med":
		return "latency.p50", true
	case "max":
		return "latency.max", true
	}
	share, ok := strings.CutPrefix(strings.TrimSuffix(name, ")"), "p(")
	metric, isShare := percentileMetric(share)
	return metric, ok && isShare && metric != ""
}

func parseK6JSON(printed []byte) (*Output, error) {
	const tool = "k6"
	var saved struct {
		Metrics map[string]json.RawMessage
	}
	if err := parseJSON(tool, printed, &saved, "save what k6 run --summary-export FILE writes"); err != nil {
		return nil, err
	}
	var requests struct{ Count, Rate *float64 }
	var failed struct{ Passes, Fails *float64 }
	var times map[string]json.RawMessage // numbers, and the thresholds
	for name, into := range map[string]any{"http_reqs": &requests, "http_req_failed": &failed, "http_req_duration": &times} {
		if err := json.Unmarshal(k6Values(saved.Metrics[name]), into); err != nil {
			return nil, noSamples(tool, "it has no %s: save what k6 run --summary-export saves, or all that handleSummary gets", name)
		}
	}
	if requests.Count == nil || requests.Rate == nil || failed.Passes == nil || failed.Fails == nil {
		return nil, noSamples(tool, "it does not count requests and failures")
	}
	o := empty(tool)
	o.Paced = true
	n, ok := whole64(*requests.Count)
	bad, okFailed := whole64(*failed.Passes) // what passes is that a request has failed
	good, okRight := whole64(*failed.Fails)
	if !ok || !okFailed || !okRight || !finite(*requests.Rate) || !o.k6Counts(n, bad+good, bad, *requests.Rate) {
		return nil, noSamples(tool, "%v requests, %v failed and %v right", *requests.Count, *failed.Passes, *failed.Fails)
	}
	var users struct{ Min, Max float64 }
	if json.Unmarshal(k6Values(saved.Metrics["vus_max"]), &users) == nil && users.Min == users.Max {
		if n, ok := whole64(users.Max); ok {
			o.Connections = int(n)
		}
	}
	if o.untold = n == 0; o.untold {
		return o.whole()
	}
	for _, name := range slices.Sorted(maps.Keys(times)) {
		metric, ok := k6Metric(name)
		if _, have := o.sample(metric); !ok || have {
			continue
		}
		var milliseconds float64
		if err := json.Unmarshal(times[name], &milliseconds); err != nil {
			return nil, noSamples(tool, "%s is %s", name, times[name])
		}
		o.add(metric, milliseconds*1e-3, 0, "s")
	}
	return o.whole()
}

// k6Values are the values of a metric, which handleSummary has beside its type.
func k6Values(metric json.RawMessage) json.RawMessage {
	var typed struct{ Values json.RawMessage }
	if json.Unmarshal(metric, &typed) == nil && typed.Values != nil {
		return typed.Values
	}
	return metric
}

func wroteK6(printed []byte) bool {
	return k6Duration.Match(printed) && k6Requests.Match(printed) ||
		looksLike(printed, "metrics") && bytes.Contains(printed, []byte(`"http_req_duration"`))
}
