package loadtool

import (
	"bytes"
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
	Saved:  true,
	wrote:  wroteAb,
	Load:   true,
	Program: &Program{
		Image: debian("apache2-utils", "ab"),
		HTTP:  true,
		Flags: map[string]string{"connections": "-c", "requests": "-n", "duration": "-t", "warmup": "", "timeout": "-s", "keepalive": "-k",
			"method": "-m", "headers": "-H", "body": "-p", "verify": ""},
		Seconds: []string{"duration", "warmup", "timeout"},
		Call:    callAb,
	},
}

// ab, ApacheBench, is a closed loop of one thread.
//
// Its "Complete requests" hold the failed ones, and so do its rate, its times and its percentiles. "Failed requests" is the sum
// of Connect, Receive, Length and Exceptions: one broken read is in Receive, mostly in Exceptions, and without -l in Length too,
// since the body is shorter than the first was. So the largest of these three is the number of requests that went wrong,
// and connections that could not be made come on top of "Complete requests". Answers other than 2xx are counted apart; one
// that also has another length counts twice here, so that right answers are never overstated.
//
// "Time per request (mean)" is C/throughput and tells nothing of its own; the mean in the table of connection times is one
// of measured times. Times include connecting, and are whole milliseconds. ab has no timeout for single requests.
//
// Source: docs/load.md#other-load-generators; apache/httpd support/ab.c.
func parseAb(printed []byte) (*Output, error) {
	const tool = "ab"
	o := empty(tool)
	o.Connecting = true
	if m := regexp.MustCompile(`(?m)^This is ApacheBench, Version ([0-9.]+)`).FindSubmatch(printed); m != nil {
		o.Version = string(m[1])
	}
	numbers := map[string]int64{}
	for _, name := range []string{"Concurrency Level:", "Complete requests:", "Failed requests:"} {
		text, _ := after(printed, name)
		n, err := count(first(text))
		if err != nil {
			return nil, noSamples(tool, "%q does not stand there; the last line is %q", name, LastLine(printed))
		}
		numbers[name] = n
	}
	complete, failed := numbers["Complete requests:"], numbers["Failed requests:"]
	o.Connections = int(min(numbers["Concurrency Level:"], maxCount))
	var connects, broken int64
	if failed > 0 {
		m := regexp.MustCompile(`\(Connect: (\d+), Receive: (\d+), Length: (\d+), Exceptions: (\d+)\)`).FindSubmatch(printed)
		if m == nil {
			return nil, noSamples(tool, "it does not say how %d requests failed", failed)
		}
		kinds := [4]int64{}
		for i := range kinds {
			n, err := count(string(m[i+1]))
			if err != nil || n > maxCount {
				return nil, noSamples(tool, "%q is no number of failures", m[i+1])
			}
			kinds[i] = n
		}
		connects, broken = kinds[0], max(kinds[1], kinds[2], kinds[3])
	}
	wrong := int64(0)
	if text, ok := after(printed, "Non-2xx responses:"); ok {
		n, err := count(text)
		if err != nil {
			return nil, noSamples(tool, "%q is no number of answers", text)
		}
		wrong = n
	}
	if complete > maxCount || wrong > complete || broken > complete {
		return nil, noSamples(tool, "of %d requests %d were broken and %d had a wrong status", complete, broken, wrong)
	}
	o.Attempted, o.Timed = complete+connects, complete
	o.Failed = connects + min(complete, broken+wrong)
	o.Completed = o.Attempted - o.Failed
	o.Failures = map[string]int64{"connect": connects, "wrong": wrong}
	if err := abTimes(o, printed, complete); err != nil {
		return nil, err
	}
	return o.whole()
}

// maxCount is more than any tool counts, and few enough to be added.
const maxCount = 1 << 53

func abTimes(o *Output, printed []byte, complete int64) error {
	rate, ok := after(printed, "Requests per second:")
	perSecond, err := number(first(rate))
	if !ok || err != nil {
		if complete == 0 {
			return nil // it prints no rate of nothing
		}
		return noSamples(o.Tool, "it does not say how many requests there were per second; the last line is %q", LastLine(printed))
	}
	if perSecond > 0 {
		o.Window = long(float64(complete) / perSecond) // "Time taken" has fewer digits
	}
	for _, flow := range []struct{ name, metric string }{{"Total transferred:", "bytes.in"}, {"Total body sent:", "bytes.out"}} {
		if text, ok := after(printed, flow.name); ok && o.Window > 0 {
			n, err := number(first(text))
			if err != nil {
				return noSamples(o.Tool, "%q is no number of bytes", text)
			}
			o.add(flow.metric, n/o.Window.Seconds(), 0, "B/s")
		}
	}
	if complete < 2 {
		o.untold = true
		return nil // of one request it prints no percentiles
	}
	const millisecond = 1e-3
	_, times, ok := bytes.Cut(printed, []byte("Connection Times (ms)"))
	total, has := after(times, "Total:")
	fields := strings.Fields(total) // min mean sd median max, or with -S min mean max
	if !ok || !has || len(fields) != 5 && len(fields) != 3 {
		return noSamples(o.Tool, "it has no table of connection times; the last line is %q", LastLine(printed))
	}
	mean, err := read(fields[1], millisecond)
	if err != nil {
		return noSamples(o.Tool, "the mean time is %q", fields[1])
	}
	o.addTime("latency.mean", mean)
	_, served, ok := bytes.Cut(times, []byte("Percentage of the requests served within a certain time (ms)\n"))
	for line := range strings.Lines(string(served)) {
		share, rest, isShare := strings.Cut(strings.TrimSpace(line), "%")
		if !isShare || !ok {
			break
		}
		t, err := read(first(rest), millisecond)
		if err != nil {
			return noSamples(o.Tool, "the line %q has no time", strings.TrimSpace(line))
		}
		if share == "100" && (!strings.HasSuffix(line, "\n") || !strings.Contains(rest, "(longest request)")) {
			break
		}
		if !o.addPercentile(share, t) {
			return noSamples(o.Tool, "%q is no percentage", share)
		}
		if share == "100" {
			return nil
		}
	}
	return noSamples(o.Tool, "its table of percentiles has no end; the last line is %q", LastLine(printed))
}

// isPercentage says whether latency.p and a text is a metric.
func isPercentage(text string) bool {
	_, err := number(text)
	return err == nil && percentage.MatchString(text) && strings.Trim(text, "0.") != ""
}

var percentage = regexp.MustCompile(`^\d{1,2}(\.\d{1,6})?$`)

func wroteAb(printed []byte) bool {
	return bytes.Contains(printed, []byte("This is ApacheBench")) ||
		bytes.Contains(printed, []byte("Concurrency Level:")) && bytes.Contains(printed, []byte("Complete requests:"))
}

// abMost is more requests than ab sends in any time; it keeps a place in memory for each, which is not touched before.
const abMost = 10_000_000

func callAb(l *spec.Load, _ int) (Call, error) {
	c := Call{Threads: 1}
	target, err := withPort(l.Target)
	if err != nil {
		return c, err
	}
	if l.Duration > 0 {
		c.flag("-t", wholeSeconds(l.Duration)) // it sets -n to 50,000, so the number comes behind it
	}
	c.flag("-n", strconv.Itoa(cmp.Or(l.Requests, abMost)), "-c", strconv.Itoa(l.Connections), "-s", wholeSeconds(l.Timeout))
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
