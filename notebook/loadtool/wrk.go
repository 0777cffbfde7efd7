package loadtool

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"benchbook/notebook/spec"
)

var wrk = Tool{
	Name: "wrk",
	Note: "times do not include connecting, leave out answers after the timeout, and have times of requests added that " +
		"were " +
		"never sent",
	parse:  parseWrk,
	shares: inLines,
	Image:  debian("wrk", "wrk"),
	HTTP:   true,
	Flags: map[string]string{"connections": "-c", "threads": "-t", "duration": "-d", "warmup": "", "timeout": "--timeout",
		"keepalive": "", "method": "-s", "headers": "-H", "body": "-s", "verify": "", "script": "-s"},
	Script:      "/benchbook/script.lua",
	ScriptSays:  []string{"method", "body"},
	Seconds:     []string{"duration", "warmup", "timeout"},
	EvenThreads: true,
	Call:        callWrk,
}

var (
	wrkHead    = regexp.MustCompile(`(?m)^Running [0-9.]+[a-z]+ test @ \S+\n\s+(\d+) threads and (\d+) connections$`)
	wrkLatency = regexp.MustCompile(`(?m)^\s+Latency\s+(\S+)\s+\S+\s+(\S+)\s+\S+$`)
	wrkShare   = regexp.MustCompile(`(?m)^[ \t]*(\d+(?:\.\d+)?)%[ \t]+([0-9.]+[a-z]+)[ \t]*$`)
	wrkCount   = regexp.MustCompile(`(?m)^\s+(\d+) requests in ([0-9.]+[a-z]+), ([0-9.]+[A-Z]+) read$`)
	wrkErrors  = regexp.MustCompile(`(?m)^\s+Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)$`)
	wrkStatus  = regexp.MustCompile(`(?m)^\s+Non-2xx or 3xx responses: (\d+)$`)
	wrkRate    = regexp.MustCompile(`(?m)^Requests/sec:\s+([0-9.]+)$`)
	wrkFlow    = regexp.MustCompile(`(?m)^Transfer/sec:\s+([0-9.]+[A-Z]+)\n`)
)

// wrk is a closed loop of one or more threads, for a time.
//
// Its requests are those that had an answer, whichever and however late: answers that came after the timeout, and those
// of status 400 and above, are among them. A connection that broke is none of its requests; we count it as one that was
// attempted and failed. wrk also counts an answer that ends with the connection, as those of HTTP/1.0 do, as broken: of
// such servers it tells too many failures. An answer of status 300 to 399 is right to it. Requests that have no answer
// at the end it does not tell.
//
// Times begin when the request is written, not when its connection is opened. Those above the timeout it leaves out, so
// beside timeouts there are no times of requests. At its end it adds times of requests that it would have sent while
// others were slow (stats_correct), to the mean and to the percentiles: they compare with those of wrk only, and
// Little's law cannot be asked of them. It keeps times in whole microseconds.
//
// Source: docs/load.md#other-load-generators; wg/wrk src/wrk.c, src/stats.c.
func parseWrk(o *Output, printed, _ string) (*Output, error) {
	latency, requests, timeouts := o.wrkCounts(printed)
	// Timed stays 0: the mean is not one of requests that were sent.
	if o.noTimes = requests == 0 || timeouts > 0; o.err == nil && !o.noTimes {
		o.wrkTimes(printed, latency)
	}
	return o.whole()
}

// wrkCounts reads all but the times, and gives the line of latencies.
func (o *Output) wrkCounts(printed string) (latency []string, requests, timeouts int64) {
	head, counts := wrkHead.FindStringSubmatch(printed), wrkCount.FindStringSubmatch(printed)
	rate, flow := wrkRate.FindStringSubmatch(printed), wrkFlow.FindStringSubmatch(printed)
	latency = wrkLatency.FindStringSubmatch(printed)
	if head == nil || counts == nil || rate == nil || flow == nil || latency == nil {
		o.fail("it is incomplete: it must run from %q to %q; the last line is %q", "Running", "Transfer/sec:",
			LastLine(printed))
		return nil, 0, 0
	}
	number := func(text string) int64 { return o.count(text, "requests") }
	if threads, connections := number(head[1]), number(head[2]); threads > 0 {
		o.Connections = int(connections / threads * threads) // it leaves the rest alone
	}
	requests = number(counts[1])
	o.Attempted, o.Failures = requests, map[string]int64{"connect": 0, "wrong": 0}
	if m := wrkErrors.FindStringSubmatch(printed); m != nil {
		o.Failures["connect"], timeouts = number(m[1]), number(m[4])
		o.Attempted += o.Failures["connect"] + number(m[2]) + number(m[3])
	}
	if m := wrkStatus.FindStringSubmatch(printed); m != nil {
		o.Failures["wrong"] = number(m[1])
	}
	o.Failures["timeout"] = timeouts
	// One that is both wrong and late counts twice, so that right answers are never overstated.
	o.Completed = max(0, requests-o.Failures["timeout"]-o.Failures["wrong"])
	o.Failed = o.Attempted - o.Completed
	o.lasted(requests, o.number(rate[1], "rate")) // the length in the text has fewer digits
	received, err := readIn(flow[1], binarySizes)
	if err != nil {
		o.fail("the flow is %q", flow[1])
	}
	o.add("bytes.in", received.value, received.step, "B/s")
	return latency, requests, timeouts
}

func (o *Output) wrkTimes(printed string, latency []string) {
	const least = 1e-6 // it keeps whole microseconds
	read := func(text string) (reading, error) {
		t, err := readIn(strings.TrimSpace(text), seconds)
		t.step = max(t.step, least)
		return t, err
	}
	for _, m := range wrkShare.FindAllStringSubmatch(printed, -1) {
		if metric, ok := percentileMetric(m[1]); ok && metric != "" && metric != "latency.max" { // which the table has
			o.addTime(metric, m[2], read)
		}
	}
	o.addTime("latency.mean", latency[1], read)
	o.addTime("latency.max", latency[2], read)
}

func callWrk(l *spec.Load, cores int) (Call, error) {
	c := Call{Threads: max(1, l.Threads), Shell: stampEnd}
	target, err := withPort(l.Target)
	if err != nil {
		return c, err
	}
	if l.Threads == 0 {
		// It leaves connections alone that cannot be shared out evenly.
		for c.Threads = max(1, min(cores, l.Connections)); l.Connections%c.Threads != 0; c.Threads-- {
		}
	}
	c.flag("-t", strconv.Itoa(c.Threads), "-c", strconv.Itoa(l.Connections), "-d", wholeSeconds(l.Duration)+"s",
		"--timeout", wholeSeconds(l.Timeout)+"s", "--latency")
	for _, h := range headers(l) {
		c.flag("-H", h)
	}
	if !l.Keepalive {
		c.flag("-H", "Connection: close")
	}
	if l.Script != nil {
		c.flag("-s", c.script(l))
	} else if l.Method != "GET" || l.Body != "" {
		script := "wrk.method = " + luaString(l.Method) + "\n"
		if l.Body != "" {
			script += "wrk.body = " + luaString(l.Body) + "\n"
		}
		c.flag("-s", c.file(luaFile, script))
	}
	c.operands = []string{target}
	return c, nil
}

// luaString is a text as Lua writes it, every byte that could mean something by its number.
func luaString(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(text) {
		if c := text[i]; c == ' ' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, `\%03d`, c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
