package loadtool

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"benchbook/notebook/spec"
)

var wrk = Tool{
	Name: "wrk",
	Note: "times do not include connecting, leave out answers after the timeout, and have times of requests added that were " +
		"never sent",
	parse:  parseWrk,
	shares: inLines,
	Saved:  true,
	wrote:  wroteWrk,
	Load:   true,
	Program: &Program{
		Image: debian("wrk", "wrk"),
		HTTP:  true,
		Flags: map[string]string{"connections": "-c", "threads": "-t", "duration": "-d", "warmup": "", "timeout": "--timeout", "keepalive": "",
			"method": "-s", "headers": "-H", "body": "-s", "verify": ""},
		Seconds:     []string{"duration", "warmup", "timeout"},
		EvenThreads: true,
		Call:        callWrk,
	},
}

var wrk2 = Tool{
	Name:   "wrk2",
	Note:   "times begin when requests were due, and those of the first ten seconds are left out",
	parse:  parseWrk2,
	shares: inLines,
	Saved:  true,
	wrote:  wroteWrk2,
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
// of status 400 and above, are among them. A connection that broke is none of its requests; we count it as one that was attempted and
// failed. wrk also counts an answer that ends with the connection, as those of HTTP/1.0 do, as broken: of such servers it tells
// too many failures. An answer of status 300 to 399 is right to it. Requests that have no answer at the end it does not tell.
//
// Times begin when the request is written, not when its connection is opened. Those above the timeout it leaves out, so
// beside timeouts there are no times of requests. At its end it adds times of requests that it would have sent while others
// were slow (stats_correct), to the mean and to the percentiles: they compare with those of wrk only, and Little's law
// cannot be asked of them. It keeps times in whole microseconds.
//
// Source: docs/load.md#other-load-generators; wg/wrk src/wrk.c, src/stats.c.
func parseWrk(printed []byte) (*Output, error) { return parseWrkBy("wrk", printed, wrkTimes) }

// wrk2 is an open loop: wrk with a rate. It prints what wrk does, with more percentiles where it was called with -L, and with -U a second
// time from when requests were sent, which is not read here.
//
// Its times begin when requests were due. It forgets those of the first ten seconds and what its connections take to open, counts all the
// same, and leaves none out for its timeout, which it counts over and over. It keeps three digits of a time.
//
// Source: giltene/wrk2 src/wrk.c, print_hdr_latency and calibrate.
func parseWrk2(printed []byte) (*Output, error) {
	o, err := parseWrkBy("wrk2", printed, wrk2Times)
	if err != nil {
		return nil, err
	}
	o.Paced, o.Due = true, true
	return o, nil
}

// parseWrkBy reads what wrk and wrk2 have in common, and times by a function of theirs.
func parseWrkBy(tool string, printed []byte, times func(o *Output, printed []byte, requests, timeout int64, latency [][]byte) error) (*Output, error) {
	head, counts := wrkHead.FindSubmatch(printed), wrkCount.FindSubmatch(printed)
	rate, flow, latency := wrkRate.FindSubmatch(printed), wrkFlow.FindSubmatch(printed), wrkLatency.FindSubmatch(printed)
	if head == nil || counts == nil || rate == nil || flow == nil || latency == nil {
		return nil, noSamples(tool, "it does not go from %q to %q; the last line is %q", "Running", "Transfer/sec:", LastLine(printed))
	}
	o := empty(tool)
	numbers := []int64{}
	texts := append([][]byte{head[1], head[2], counts[1]}, []byte("0"), []byte("0"), []byte("0"), []byte("0"), []byte("0"))
	if m := wrkErrors.FindSubmatch(printed); m != nil {
		copy(texts[3:], m[1:])
	}
	if m := wrkStatus.FindSubmatch(printed); m != nil {
		texts[7] = m[1]
	}
	for _, text := range texts {
		n, err := count(string(text))
		if err != nil || n > maxCount {
			return nil, noSamples(tool, "%q is no number of requests", text)
		}
		numbers = append(numbers, n)
	}
	threads, connections, requests := numbers[0], numbers[1], numbers[2]
	connect, readErrors, writeErrors, timeout, status := numbers[3], numbers[4], numbers[5], numbers[6], numbers[7]
	if threads > 0 {
		o.Connections = int(connections / threads * threads) // it leaves the rest alone
	}
	o.Attempted = requests + connect + readErrors + writeErrors
	o.Failures = map[string]int64{"connect": connect, "wrong": status}
	if tool == "wrk" {
		o.Failures["timeout"] = timeout
	}
	o.Completed = max(0, requests-o.Failures["timeout"]-status) // one that is both counts twice, so that right answers are never overstated
	o.Failed = o.Attempted - o.Completed
	perSecond, err := number(string(rate[1]))
	if err != nil {
		return nil, noSamples(tool, "the rate is %q", rate[1])
	}
	if perSecond > 0 {
		o.Window = long(float64(requests) / perSecond) // the length in the text has fewer digits
	}
	in, err := readIn(string(flow[1]), binarySizes)
	if err != nil {
		return nil, noSamples(tool, "the flow is %q", flow[1])
	}
	o.add("bytes.in", in.value, in.step, "B/s")
	// Timed stays 0: of wrk the mean is not one of requests that were sent, and of wrk2 not one of all of them.
	if err := times(o, printed, requests, timeout, latency); err != nil {
		return nil, err
	}
	return o.whole()
}

func wrkTimes(o *Output, printed []byte, requests, timeout int64, latency [][]byte) error {
	if o.untold = requests == 0 || timeout > 0; o.untold {
		return nil
	}
	return o.wrkTimes(printed, latency, 0)
}

func wrk2Times(o *Output, printed []byte, requests, _ int64, latency [][]byte) error {
	// It has no times if it ended before those of the first ten seconds were forgotten, and no others had come.
	if o.untold = requests == 0 || bytes.Contains(latency[1], []byte("nan")); o.untold {
		return nil
	}
	recorded, _, _ := bytes.Cut(printed, []byte("(HdrHistogram - Uncorrected Latency"))
	return o.wrkTimes(recorded, latency, 1e-3)
}

// wrkTimes reads times. Share is the part of a time that the tool's own step may be.
func (o *Output) wrkTimes(printed []byte, latency [][]byte, share float64) error {
	const least = 1e-6 // it keeps whole microseconds
	add := func(metric, text string) error {
		t, err := readIn(strings.TrimSpace(text), seconds)
		if err != nil {
			return noSamples(o.Tool, "%s is %q", metric, text)
		}
		t.step = max(t.step, least, share*t.value)
		o.addTime(metric, t)
		return nil
	}
	for _, m := range wrkShare.FindAllSubmatch(printed, -1) {
		if metric, ok := percentileMetric(string(m[1])); ok && metric != "" && metric != "latency.max" { // which the table has
			if err := add(metric, string(m[2])); err != nil {
				return err
			}
		}
	}
	if err := add("latency.mean", string(latency[1])); err != nil {
		return err
	}
	return add("latency.max", string(latency[2]))
}

func wroteWrk(printed []byte) bool { return wrkHead.Match(printed) && !wroteWrk2(printed) }

func wroteWrk2(printed []byte) bool {
	return wrkHead.Match(printed) && (bytes.Contains(printed, []byte("  Thread calibration: ")) || bytes.Contains(printed, []byte("(HdrHistogram - ")))
}

func callWrk(l *spec.Load, cores int) (Call, error) {
	c := Call{Threads: max(1, l.Threads)}
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
	if l.Method != "GET" || l.Body != "" {
		script := "wrk.method = " + luaString(l.Method) + "\n"
		if l.Body != "" {
			script += "wrk.body = " + luaString(l.Body) + "\n"
		}
		c.Files = append(c.Files, spec.File{Path: scriptFile, Data: []byte(script)})
		c.flag("-s", scriptFile)
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
