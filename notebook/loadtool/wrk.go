package loadtool

import (
	"fmt"
	"regexp"
	"strings"

	"benchbook/notebook/spec"
)

// wrk is a closed loop of one or more threads, for a time.
//
// Its requests are those that had any answer, however late: answers after the timeout and answers of status 400 and
// above are included. A connection that broke is not among them; here it counts as attempted and failed. wrk also
// counts an answer that ends with its connection, as in HTTP/1.0, as broken: with such servers it reports too many
// failures. It counts status 300 to 399 as right, and requests without an answer at the end not at all.
//
// Times begin when the request is written, not when its connection is opened. wrk leaves out times above the timeout,
// so with timeouts there are no times here. At its end it adds times of requests that it would have sent while others
// were slow (stats_correct) to the mean and the percentiles. So these compare only with wrk's own, and Little's law
// does not hold for them: Timed stays 0. It keeps times in whole microseconds.
//
// Source: docs/load.md#other-load-generators; wg/wrk src/wrk.c, src/stats.c.
var wrk = Tool{
	Name: "wrk",
	Note: "times do not include connecting, leave out answers after the timeout, and have times of requests added that " +
		"were never sent",
	Image: debian("wrk", "wrk"),
	HTTP:  true,
	Flags: []Flag{{"threads", "-t"}, {"connections", "-c"}, {"duration", "-d"}, {"timeout", "--timeout"},
		{"", "--latency"}, {"headers", "-H"}, {"method", "-s"}, {"body", "-s"}, {"script", "-s"}, {"keepalive", ""}},
	Script:     "/benchbook/script.lua",
	ScriptSays: []string{"method", "body"},
	Seconds:    []string{"duration", "warmup", "timeout"},
	shell:      stampEnd,
	adapt:      adaptWrk,
	parse:      parseWrk,
}

var wrkForm = regexp.MustCompile(`(?m)^Running \S+ test @ \S+
 +(?P<threads>\d+) threads and (?P<connections>\d+) connections
 +Thread Stats .*
 +Latency +(?P<mean>\S+) +\S+ +(?P<max>\S+) +\S+
 +Req/Sec .*
 +Latency Distribution
(?P<table>(?: +[0-9.]+% +[0-9.]+[a-z]+ ?
)+) +(?P<requests>\d+) requests in (?P<length>[0-9.]+[a-z]+), \S+ read
(?: +Socket errors: connect (?P<connect>\d+), read (?P<read>\d+), write (?P<write>\d+), timeout (?P<timeout>\d+)
)?(?: +Non-2xx or 3xx responses: (?P<wrong>\d+)
)?Requests/sec: +(?P<rate>[0-9.]+)
Transfer/sec: +(?P<in>[0-9.]+[A-Z]+)
`)

func parseWrk(o *Output, printed, _ string) {
	m := o.match(wrkForm, printed)
	count := func(name string) int64 { return o.count(m[name]) }
	if threads := count("threads"); threads > 0 {
		o.Connections = int(count("connections") / threads * threads) // it ignores the remainder
	}
	requests := count("requests")
	o.Failures = map[string]int64{"connect": count("connect"), "wrong": count("wrong"), "timeout": count("timeout")}
	// An answer that is both wrong and late counts twice, so that right answers are never overstated.
	o.setCounts(requests+count("connect")+count("read")+count("write"), max(0, requests-count("timeout")-count("wrong")))
	o.setWindow(requests, m["rate"], m["length"])
	received, err := bytes1024.read(m["in"])
	if err != nil {
		o.fail("the flow is %q", m["in"])
	}
	o.add("bytes.in", received, "B/s")
	if requests > 0 && count("timeout") == 0 {
		o.addTable(m["table"], seconds)
		o.addTime("latency.mean", m["mean"], seconds)
		o.addTime("latency.max", m["max"], seconds)
	}
	for i := range o.Samples {
		o.Samples[i].Step = max(o.Samples[i].Step, microsecond)
	}
}

func adaptWrk(c *Call, l *spec.Load) {
	if l.Threads == 0 {
		// It ignores connections that cannot be divided evenly.
		for c.Threads = max(1, min(c.Threads, l.Connections)); l.Connections%c.Threads != 0; c.Threads-- {
		}
	}
	if !l.Keepalive {
		addHeader(l, "Connection", "close")
	}
	if l.Script == nil && (l.Method != "GET" || l.Body != "") {
		script := "wrk.method = " + luaString(l.Method) + "\n"
		if l.Body != "" {
			script += "wrk.body = " + luaString(l.Body) + "\n"
		}
		l.Script = &spec.File{Path: luaFile, Data: []byte(script)}
	}
	l.Method, l.Body = "GET", ""
}

// luaString returns text as a Lua string, with every byte as its number.
func luaString(text string) string {
	var b strings.Builder
	for i := range len(text) {
		fmt.Fprintf(&b, `\%03d`, text[i])
	}
	return `"` + b.String() + `"`
}
