package loadtool

import (
	"regexp"

	"benchbook/notebook/spec"
)

// h2load is a closed loop of clients. It speaks HTTP/1.1 here.
//
// "done" are complete answers, which its rate counts; "failed" includes answers with a status of 400 and above;
// "errored" requests had no answer. A client that loses its connection gives up: with -n the rest of its share is
// errored too, with -D one request that it never sent. Requests under way when the time of -D ends are not counted at
// all. Times begin when the request is put together, on an open connection. A log (--log-file) has the status and
// microseconds of each complete answer.
//
// It always keeps connections. With servers that close them, h2load 1.52 never ends with -D, and with -n all but the
// first request of each client fail.
//
// Source: nghttp2 src/h2load.cc, process_time_stats and Client::on_stream_close; src/h2load_http1_session.cc; outputs.
var h2load = Tool{
	Name:  "h2load",
	Note:  "times do not include connecting",
	Image: debian("nghttp2-client", "h2load"),
	HTTP:  true,
	Flags: []Flag{{"", "--h1"}, {"connections", "-c"}, {"threads", "-t"}, {"requests", "-n"}, {"duration", "-D"},
		{"body", "-d"}, {"method", "-H"}, {"headers", "-H"}},
	Either: true,
	// The shell prints the log, to which h2load appends, after the summary: when the first request was sent, and how
	// often each time and status occurred.
	shell: `rm -f /tmp/log; "$@" --log-file=/tmp/log || exit; printf '\n-- log --\n'; awk '{ n[$2 " " $3]++; ` +
		`if (NR == 1 || $1 < began) began = $1 } ` +
		`END { printf "began %.6f\n", began / 1000000; for (t in n) print n[t], t }' /tmp/log`,
	adapt: adaptH2load,
	parse: parseH2load,
}

var (
	h2loadClients = regexp.MustCompile(`(?m)^spawning thread #\d+: (\d+) total client\(s\)`)
	h2loadForm    = regexp.MustCompile(`(?m)^finished in (?P<length>[0-9.]+[a-z]+), (?P<rate>[0-9.]+) req/s, \S+
requests: \d+ total, \d+ started, (?P<done>\d+) done, \d+ succeeded, \d+ failed, (?P<errored>\d+) errored, \d+ timeout
(?:.*
){6}req/s .*%
`)
)

func parseH2load(o *Output, printed, rows string) {
	m := o.match(h2loadForm, printed)
	done := o.count(m["done"])
	o.Attempted = done + o.count(m["errored"])
	for _, m := range h2loadClients.FindAllStringSubmatch(printed, -1) {
		o.Connections += int(o.count(m[1]))
	}
	o.setWindow(done, m["rate"], m["length"])
	all, right := o.countAnswers(o.addLog(rows, isRight))
	if all != done {
		o.fail("its log has %d answers, and the summary %d", all, done)
	}
	if o.setCounts(o.Attempted, right); o.Failed == 0 {
		o.Timed = right
	}
}

func adaptH2load(c *Call, l *spec.Load) {
	c.Threads = min(c.Threads, max(1, l.Connections))
	if usual := map[bool]string{false: "GET", true: "POST"}[l.Body != ""]; l.Method != usual {
		addHeader(l, ":method", l.Method)
	}
	if host := takeHeader(l, "Host"); host != "" {
		addHeader(l, ":authority", host) // else it sends two hosts
	}
	l.Method = "GET"
}
