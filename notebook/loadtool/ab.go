package loadtool

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"

	"benchbook/notebook/spec"
)

var ab = Tool{
	Name:   "ab",
	Note:   "times are whole milliseconds",
	parse:  parseAb,
	shares: inLines,
	Image:  debian("apache2-utils", "ab"),
	HTTP:   true,
	Flags: map[string]string{"connections": "-c", "requests": "-n", "duration": "-t", "warmup": "", "timeout": "-s",
		"keepalive": "-k", "method": "-m", "headers": "-H", "body": "-p", "verify": ""},
	Seconds: []string{"duration", "warmup", "timeout"},
	Call:    callAb,
}

// ab, ApacheBench, is a closed loop of one thread.
//
// Its "Complete requests" hold the failed ones, and so do its rate, its times and its percentiles. "Failed requests" is
// the sum of Connect, Receive, Length and Exceptions: one broken read is in Receive, mostly in Exceptions, and without
// -l in Length too, since the body is shorter than the first was. So the largest of these three is the number of
// requests that went wrong, and connections that could not be made come on top of "Complete requests". Answers other
// than 2xx are counted apart; one that also has another length counts twice here, so that right answers are never
// overstated.
//
// "Time per request (mean)" is C/throughput and tells nothing of its own; the mean in the table of connection times is
// one of measured times. Times include connecting, and are whole milliseconds. ab has no timeout for single requests.
//
// Source: docs/load.md#other-load-generators; apache/httpd support/ab.c.
func parseAb(o *Output, printed, _ string) (*Output, error) {
	o.Connecting = true
	if m := abVersion.FindStringSubmatch(printed); m != nil {
		o.Version = m[1]
	}
	line := func(name string) int64 {
		text, _ := after(printed, name)
		n, err := count(first(text))
		if err != nil {
			o.fail("%q is missing; the last line is %q", name, LastLine(printed))
		}
		return n
	}
	clients, complete, failed := line("Concurrency Level:"), line("Complete requests:"), line("Failed requests:")
	o.Connections = int(min(clients, maxCount))
	var connects, broken, wrong int64
	if m := abFailures.FindStringSubmatch(printed); failed > 0 && m != nil {
		connects = o.count(m[1], "failures")
		for _, kind := range m[2:] {
			broken = max(broken, o.count(kind, "failures"))
		}
	} else if failed > 0 {
		return o.fail("it does not say how %d requests failed", failed)
	}
	if text, ok := after(printed, "Non-2xx responses:"); ok {
		wrong = o.count(text, "answers")
	}
	if complete > maxCount || wrong > complete || broken > complete {
		return o.fail("of %d requests %d were broken and %d had a wrong status", complete, broken, wrong)
	}
	o.Attempted, o.Timed = complete+connects, complete
	o.Failed = connects + min(complete, broken+wrong)
	o.Completed = o.Attempted - o.Failed
	o.Failures = map[string]int64{"connect": connects, "wrong": wrong}
	rate, ok := after(printed, "Requests per second:")
	if perSecond, err := number(first(rate)); ok && err == nil {
		o.lasted(complete, perSecond) // "Time taken" has fewer digits
		o.abTimes(printed, complete)
	} else if complete > 0 { // it prints no rate of nothing
		o.fail("it does not say how many requests there were per second; the last line is %q", LastLine(printed))
	}
	return o.whole()
}

// abTimes reads what ab tells by second, the mean time of requests, and their percentiles.
func (o *Output) abTimes(printed string, complete int64) {
	for _, flow := range []struct{ name, metric string }{{"Total transferred:", "bytes.in"},
		{"Total body sent:", "bytes.out"}} {
		if text, ok := after(printed, flow.name); ok && o.Window > 0 {
			o.add(flow.metric, o.number(first(text), "number of bytes")/o.Window.Seconds(), 0, "B/s")
		}
	}
	if o.noTimes = complete < 2; o.noTimes {
		return // of one request it prints no percentiles
	}
	_, times, ok := strings.Cut(printed, "Connection Times (ms)")
	total, isThere := after(times, "Total:")
	fields := strings.Fields(total) // min mean sd median max, or with -S min mean max
	if !ok || !isThere || len(fields) != 5 && len(fields) != 3 {
		o.fail("it has no table of connection times; the last line is %q", LastLine(printed))
		return
	}
	o.addTime("latency.mean", fields[1], inUnit(millisecond))
	_, served, _ := strings.Cut(times, "Percentage of the requests served within a certain time (ms)\n")
	for line := range strings.Lines(served) {
		share, rest, isShare := strings.Cut(strings.TrimSpace(line), "%")
		isLast := share == "100"
		if !isShare || isLast && (!strings.HasSuffix(line, "\n") || !strings.Contains(rest, "(longest request)")) {
			break
		}
		if o.addPercentile(share, first(rest), inUnit(millisecond)); isLast {
			return
		}
	}
	o.fail("its table of percentiles is incomplete; the last line is %q", LastLine(printed))
}

var (
	abVersion  = regexp.MustCompile(`(?m)^This is ApacheBench, Version ([0-9.]+)`)
	abFailures = regexp.MustCompile(`\(Connect: (\d+), Receive: (\d+), Length: (\d+), Exceptions: (\d+)\)`)
)

// isPercentage says whether latency.p and a text is a metric.
func isPercentage(text string) bool {
	_, err := number(text)
	return err == nil && percentage.MatchString(text) && strings.Trim(text, "0.") != ""
}

var percentage = regexp.MustCompile(`^\d{1,2}(\.\d{1,6})?$`)

// abMost is more requests than ab sends in any time; it keeps a place in memory for each, which is not touched before.
const abMost = 10_000_000

func callAb(l *spec.Load, _ int) (Call, error) {
	c := Call{Threads: 1, Shell: stampBegin}
	target, err := withPort(l.Target)
	if err != nil {
		return c, err
	}
	if l.Duration > 0 {
		c.flag("-t", wholeSeconds(l.Duration)) // it sets -n to 50,000, so the number comes behind it
	}
	c.flag("-n", strconv.Itoa(cmp.Or(l.Requests, abMost)), "-c", strconv.Itoa(l.Connections), "-s",
		wholeSeconds(l.Timeout))
	if l.Keepalive {
		c.flag("-k")
	}
	contentType := ""
	for _, h := range headers(l) {
		if name, value, _ := strings.Cut(h, ": "); l.Body != "" && strings.EqualFold(name, "Content-Type") {
			contentType = value // it sends its own beside one given with -H
			continue
		}
		c.flag("-H", h)
	}
	switch {
	case l.Body != "":
		c.flag("-p", c.body(l.Body))
		if contentType != "" {
			c.flag("-T", contentType)
		}
		if l.Method != "POST" {
			c.flag("-m", l.Method)
		}
	case l.Method == "HEAD":
		c.flag("-i") // with -m it waits for a body
	case l.Method != "GET":
		c.flag("-m", l.Method)
	}
	c.operands = []string{target}
	return c, nil
}
