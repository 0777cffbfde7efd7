package loadtool

import (
	"regexp"
	"strings"

	"benchbook/notebook/spec"
)

// pgbench is a closed loop of clients that run transactions. A transaction is a request here; one that failed, after
// its retries, is not a right answer and is not in "tps".
//
// "latency average" is clients/tps. All times are in the log of transactions (-l), in microseconds, without connecting.
//
// Source: PostgreSQL src/bin/pgbench/pgbench.c, printResults and doLog.
var pgbench = Tool{
	Name:    "pgbench",
	Note:    "a request is a transaction; times do not include connecting",
	Image:   debian("postgresql-15", "/usr/lib/postgresql/15/bin/pgbench"),
	Schemes: []string{"postgres", "postgresql"},
	Flags: []Flag{{"connections", "-c"}, {"threads", "-j"}, {"requests", "-t"}, {"duration", "-T"}, {"keepalive", "-C"},
		{"", "-l --log-prefix=/tmp/benchbook"}, {"body", "-f"}},
	Seconds: []string{"duration", "warmup"},
	Either:  true,
	Even:    true,
	// The shell prints the log after the summary: when the first transaction began, and how often each time occurred. The
	// log itself has the moments at which transactions ended.
	shell: `rm -f /tmp/benchbook.*; "$@" || exit; printf '\n-- log --\n'; cat /tmp/benchbook.* | awk '{ n[$3 ~ /[0-9]/ ? "ok " $3 : $3 " 0"]++; ` +
		`at = $5 + ($6 - $3) / 1000000; if (NR == 1 || at < began) began = at } ` +
		`END { printf "began %.6f\n", began; for (t in n) print n[t], t }'`,
	adapt: adaptPgbench,
	parse: parsePgbench,
}

var pgbenchForm = regexp.MustCompile(`(?ms)^number of clients: (?P<clients>\d+)$
.*^number of transactions actually processed: (?P<processed>\d+)(?:/\d+)?
number of failed transactions: (?P<failed>\d+) \(.*
tps = (?P<rate>[0-9.]+) \((?:without initial connection time|including reconnection times)\)
`)

func parsePgbench(o *Output, printed, rows string) {
	m := o.match(pgbenchForm, printed)
	o.Connections = int(o.count(m["clients"]))
	o.Completed, o.Failed = o.count(m["processed"]), o.count(m["failed"])
	o.Attempted = o.Completed + o.Failed
	o.setWindow(o.Completed, m["rate"], "0s")
	n := o.addLog(rows, func(status string) bool { return status == "ok" })
	if n["ok"] != o.Completed || n["failed"]+n["skipped"] != o.Failed {
		o.fail("its log has %v transactions, and the summary %d right and %d failed", n, o.Completed, o.Failed)
	}
	o.Timed = o.Completed
}

func adaptPgbench(c *Call, l *spec.Load) {
	host, port := c.addPort("5432")
	c.flag("-h", host, "-p", port)
	if name := c.target.User.Username(); name != "" {
		c.flag("-U", name)
	}
	if password, ok := c.target.User.Password(); ok {
		c.Environment = append(c.Environment, "PGPASSWORD="+password)
	}
	c.Threads = min(c.Threads, max(1, l.Connections))
	if l.Requests > 0 { // -t is per connection
		l.Requests = max(1, l.Requests/max(1, l.Connections))
	}
	if l.Body != "" {
		c.flag("-n") // the database may have no tables of pgbench to clean
	}
	c.operands = nil
	if database := strings.Trim(c.target.Path, "/"); database != "" {
		c.operands = []string{database}
	}
}
