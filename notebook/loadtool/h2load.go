package loadtool

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"

	"benchbook/notebook/spec"
)

var h2load = Tool{
	Name:  "h2load",
	Note:  "times do not include connecting",
	parse: parseH2load,
	Image: debian("nghttp2-client", "h2load"),
	HTTP:  true,
	Flags: map[string]string{"connections": "-c", "threads": "-t", "requests": "-n", "duration": "-D", "warmup": "",
		"method": "-H", "headers": "-H", "body": "-d", "verify": ""},
	Either: true,
	Call:   callH2load,
}

var (
	h2loadEnd  = regexp.MustCompile(`(?m)^finished in (\S+), ([0-9.]+) req/s, \S+$`)
	h2loadSums = regexp.MustCompile(
		`(?m)^requests: \d+ total, \d+ started, (\d+) done, \d+ succeeded, \d+ failed, (\d+) errored, \d+ timeout$`)
	h2loadStatus = regexp.MustCompile(`(?m)^status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx$`)
	h2loadTail   = regexp.MustCompile(`(?m)^req/s +: .*%\n`)
	h2loadUsers  = regexp.MustCompile(`(?m)^spawning thread #\d+: (\d+) total client\(s\)`)
	h2loadRow    = regexp.MustCompile(`^(\d+) ([1-5]\d\d) (\d+)$`)
)

// h2load is a closed loop of clients of HTTP/1.1 or HTTP/2, the latter with several requests at a time.
//
// Its "done" are whole answers, and its rate is theirs; "failed" are those of them with a status of 400 and above, and
// the "errored", which had none. A client that loses its connection gives up, and with -n what was left for it is
// errored too. Status codes count heads of answers, also of those that the end of a run for a time cut off. What was
// under way then is in nothing else. Times begin when the request is put together, on an open connection, and are those
// of all whole answers. The summary has their mean and ends; a log (--log-file) has status and microseconds of each.
//
// Connections are always kept: of a server that closes them h2load 1.52 never comes to an end with -D, and it fails all
// but the first request of each client with -n.
//
// Source: nghttp2 src/h2load.cc, process_time_stats and Client::on_stream_close; src/h2load_http1_session.cc; outputs.
func parseH2load(o *Output, printed, log string) (*Output, error) {
	end, sums := h2loadEnd.FindStringSubmatch(printed), h2loadSums.FindStringSubmatch(printed)
	status := h2loadStatus.FindStringSubmatch(printed)
	if end == nil || sums == nil || status == nil || !h2loadTail.MatchString(printed) {
		return o.fail("it is incomplete: it must run from %q to %q; the last line is %q", "finished in", "req/s",
			LastLine(printed))
	}
	done, errored := o.count(sums[1], "requests"), o.count(sums[2], "requests")
	o.Attempted = done + errored
	o.Paced = !strings.Contains(printed, "\nApplication protocol: http/1.1\n") // else several requests at a time
	for _, m := range h2loadUsers.FindAllStringSubmatch(printed, -1) {
		o.Connections += int(o.count(m[1], "clients"))
	}
	if rate := o.number(end[2], "rate"); rate > 0 {
		o.lasted(done, rate)
	} else if length, err := readIn(end[1], seconds); err == nil {
		o.Window = long(length.value)
	}
	times, all := newDistribution(), int64(0)
	o.Statuses = map[string]int64{}
	for line, m := range o.rows(log, h2loadRow) {
		n, took := o.count(m[1], "requests"), o.microseconds(m[3])
		if o.err != nil || n > done-all {
			return o.fail("invalid log line %q", line)
		}
		all += n
		o.Statuses[m[2]] += n
		if isRight(m[2]) {
			times.add(took, n)
		}
	}
	if all != done {
		o.fail("its log has %d answers, and the summary %d", all, done)
	}
	o.Completed = times.count
	if o.Failed = o.Attempted - o.Completed; o.Failed == 0 {
		o.Timed = times.count
	}
	return o.addTimes(times, microsecond)
}

// h2loadShell adds when the first request was sent, and the times of the log, equal ones once with their number.
const h2loadShell = `"$@" --log-file=/tmp/log || exit; printf '\n-- log --\n'; awk '{ n[$2 " " $3]++; ` +
	`if (NR == 1 || $1 < began) began = $1 } ` +
	`END { printf "began %.6f\n", began / 1000000; for (t in n) print n[t], t }' /tmp/log`

func callH2load(l *spec.Load, cores int) (Call, error) {
	c := Call{Threads: min(cmp.Or(l.Threads, max(1, cores)), max(1, l.Connections)), Shell: h2loadShell}
	target, err := withPort(l.Target)
	if err != nil {
		return c, err
	}
	c.flag("--h1", "-c", strconv.Itoa(l.Connections), "-t", strconv.Itoa(c.Threads))
	c.ends(l, "-n", "-D")
	if l.Body != "" {
		c.flag("-d", c.body(l.Body))
	}
	if usual := map[bool]string{false: "GET", true: "POST"}[l.Body != ""]; l.Method != usual {
		c.flag("-H", ":method: "+l.Method)
	}
	for _, h := range headers(l) {
		c.flag("-H", h)
	}
	c.operands = []string{target}
	return c, nil
}
