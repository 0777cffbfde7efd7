package loadtool

import (
	"regexp"

	"benchbook/notebook/spec"
)

// ab, ApacheBench, is a closed loop in one thread.
//
// "Complete requests" include failed ones, and so do its rate, times and percentiles. "Failed requests" is the sum of
// Connect, Receive, Length and Exceptions. One broken read counts in Receive, mostly in Exceptions too, and without -l
// in Length, as the body is shorter than the first. So the largest of these three is taken for the number of failed
// requests; failures to connect are not in "Complete requests". Answers other than 2xx are counted apart; one that also
// has another length counts twice here, so that right answers are never overstated.
//
// The first "Time per request (mean)" is connections/throughput; the mean in the table of connection times is measured.
// Times include connecting and are whole milliseconds. ab has no timeout for single requests, and prints no percentiles
// for a single request.
//
// Source: docs/load.md#other-load-generators; apache/httpd support/ab.c.
var ab = Tool{
	Name:  "ab",
	Note:  "times are whole milliseconds",
	Image: debian("apache2-utils", "ab"),
	HTTP:  true,
	Flags: []Flag{{"duration", "-t"}, {"requests", "-n"}, {"connections", "-c"}, {"timeout", "-s"}, {"keepalive", "-k"},
		{"headers", "-H"}, {"body", "-p"}, {"method", "-m"}},
	Seconds: []string{"duration", "warmup", "timeout"},
	shell:   stampBegin,
	adapt:   adaptAb,
	parse:   parseAb,
}

var abForm = regexp.MustCompile(`(?m)^Concurrency Level: +(?P<clients>\d+)
Time taken for tests: +(?P<length>[0-9.]+) seconds
Complete requests: +(?P<complete>\d+)
Failed requests: +(?P<failed>\d+)
(?: +\(Connect: (?P<connect>\d+), Receive: (?P<receive>\d+), Length: (?P<unlike>\d+), Exceptions: (?P<exceptions>\d+)\)
)?(?:Write errors: .*
)?(?:Non-2xx responses: +(?P<wrong>\d+)
)?(?:Keep-Alive requests: .*
)?Total transferred: +(?P<in>\d+) bytes
(?:Total body sent: +(?P<out>\d+)
)?HTML transferred: .*
(?:Requests per second: +(?P<rate>[0-9.]+) .*
(?:[ T].*
)+
Connection Times \(ms\)
(?:[ CPW].*
)+Total: +\d+ +(?P<mean>\d+) +[0-9.]+ +\d+ +\d+
(?:(?:WARNING|ERROR): .*
 .*
)*(?:
Percentage of the requests served within a certain time \(ms\)
(?P<table>(?: +[0-9.]+% +\d+
)+ +100% +\d+ \(longest request\)
))?)?`)

func parseAb(o *Output, printed, _ string) {
	m := o.match(abForm, printed)
	complete, wrong, connect := o.count(m["complete"]), o.count(m["wrong"]),
		o.count(m["connect"])
	broken := max(o.count(m["receive"]), o.count(m["unlike"]), o.count(m["exceptions"]))
	switch {
	case o.count(m["failed"]) > 0 && m["connect"] == "":
		o.fail("it does not say how %s requests failed", m["failed"])
	case wrong > complete || broken > complete:
		o.fail("of %d requests %d were broken and %d had a wrong status", complete, broken, wrong)
	case complete > 0 && m["rate"] == "" || complete > 1 && m["table"] == "":
		o.fail("its tables are incomplete; the last line is %q", LastLine(printed))
	}
	o.Connections, o.Connecting = int(o.count(m["clients"])), true
	o.setCounts(complete+connect, complete-min(complete, broken+wrong))
	o.Timed = complete
	o.Failures = map[string]int64{"connect": connect, "wrong": wrong}
	o.setWindow(complete, m["rate"], m["length"]+"s")
	for _, way := range []string{"in", "out"} {
		if o.Window > 0 && m[way] != "" {
			o.add("bytes."+way, reading{value: o.number(m[way], "number of bytes") / o.Window.Seconds()}, "B/s")
		}
	}
	if m["table"] != "" {
		o.addTime("latency.mean", m["mean"], bareMs)
		o.addTable(m["table"], bareMs)
	}
}

// abMost is more requests than ab sends in any time. It reserves memory for them, which costs nothing until used.
const abMost = 10_000_000

func adaptAb(c *Call, l *spec.Load) {
	c.Threads = 1
	if l.Requests == 0 {
		l.Requests = abMost // -t sets -n to 50,000
	}
	l.Keepalive = !l.Keepalive // -k asks for it
	if l.Body != "" {
		if contentType := takeHeader(l, "Content-Type"); contentType != "" {
			c.flag("-T", contentType) // with -H, ab sends its own as well
		}
		if l.Method == "POST" {
			l.Method = "GET" // -p means POST
		}
	}
	if l.Method == "HEAD" {
		c.flag("-i") // with -m HEAD it waits for a body
		l.Method = "GET"
	}
}
