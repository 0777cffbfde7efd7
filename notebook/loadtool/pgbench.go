package loadtool

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"

	"benchbook/notebook/spec"
)

var pgbench = Tool{
	Name:  "pgbench",
	Note:  "a request is a transaction; times do not include connecting",
	parse: parsePgbench,
	Image: debian("postgresql-15", "/usr/lib/postgresql/15/bin/pgbench"),
	Flags: map[string]string{"connections": "-c", "threads": "-j", "requests": "-t", "duration": "-T", "warmup": "",
		"keepalive": "-C", "body": "-f"},
	Seconds: []string{"duration", "warmup"},
	Either:  true,
	Even:    true,
	Schemes: []string{"postgres", "postgresql"},
	Call:    callPgbench,
}

var (
	pgbenchHead      = regexp.MustCompile(`(?m)^pgbench \((\S+) `)
	pgbenchClients   = regexp.MustCompile(`(?m)^number of clients: (\d+)$`)
	pgbenchProcessed = regexp.MustCompile(`(?m)^number of transactions actually processed: (\d+)(?:/(\d+))?$`)
	pgbenchFailed    = regexp.MustCompile(`(?m)^number of failed transactions: (\d+) \(`)
	pgbenchRate      = regexp.MustCompile(
		`(?m)^tps = ([0-9.]+) \((?:without initial connection time|including reconnection times)\)\n`)
	pgbenchRow = regexp.MustCompile(`^(\d+) (\d+|failed|skipped)$`)
)

// pgbench is a closed loop of clients that run transactions. A transaction is a request here; one that failed, after
// its retries, is no right answer and is not in "tps".
//
// Without --progress its "latency average" is clients/tps, which tells nothing of its own. With a log of transactions
// (-l, each with its time in microseconds) all times are known. They do not include connecting.
//
// Source: PostgreSQL src/bin/pgbench/pgbench.c, printResults and doLog.
func parsePgbench(o *Output, printed, log string) (*Output, error) {
	if m := pgbenchHead.FindStringSubmatch(printed); m != nil {
		o.Version = m[1]
	}
	processed, clients, rate := pgbenchProcessed.FindStringSubmatch(printed), pgbenchClients.FindStringSubmatch(printed),
		pgbenchRate.FindStringSubmatch(printed)
	failures := pgbenchFailed.FindStringSubmatch(printed)
	if processed == nil || clients == nil || rate == nil || failures == nil {
		return o.fail("it is incomplete: it must run from the number of clients to tps; the last line is %q",
			LastLine(printed))
	}
	o.Connections, o.Counted = int(o.count(clients[1], "clients")), len(processed[2]) > 0
	o.Completed, o.Failed = o.count(processed[1], "transactions"), o.count(failures[1], "transactions")
	o.Attempted = o.Completed + o.Failed
	o.lasted(o.Completed, o.number(rate[1], "rate"))
	times := newDistribution()
	failed := int64(0)
	for line, m := range o.rows(log, pgbenchRow) {
		n := o.count(m[1], "transactions")
		if o.err != nil || n > o.Attempted-times.count-failed {
			return o.fail("invalid log line %q", line)
		}
		if m[2] == "failed" || m[2] == "skipped" {
			failed += n
			continue
		}
		times.add(o.microseconds(m[2]), n)
	}
	if times.count != o.Completed || failed != o.Failed {
		return o.fail("its log has %d transactions that were right and %d that failed, and the summary %d and %d",
			times.count, failed, o.Completed, o.Failed)
	}
	o.Timed = times.count
	return o.addTimes(times, microsecond)
}

// pgbenchShell adds when the first transaction began, and the times of the log, equal ones once with their number.
// Nothing can be taken out of a container that has ended. The log has the moments at which transactions ended.
const pgbenchShell = `"$@" || exit; printf '\n-- log --\n'; cat /tmp/benchbook.* | awk '{ n[$3]++; ` +
	`at = $5 + ($6 - $3) / 1000000; if (NR == 1 || at < began) began = at } ` +
	`END { printf "began %.6f\n", began; for (t in n) print n[t], t }'`

func callPgbench(l *spec.Load, cores int) (Call, error) {
	c := Call{Threads: min(cmp.Or(l.Threads, max(1, cores)), max(1, l.Connections)), Shell: pgbenchShell}
	u, host, port, err := address(l.Target, "5432")
	if err != nil {
		return c, err
	}
	c.flag("-h", host, "-p", port)
	if name := u.User.Username(); name != "" {
		c.flag("-U", name)
	}
	if password, ok := u.User.Password(); ok {
		c.Environment = append(c.Environment, "PGPASSWORD="+password)
	}
	c.flag("-c", strconv.Itoa(l.Connections), "-j", strconv.Itoa(c.Threads))
	if l.Requests > 0 {
		c.flag("-t", strconv.Itoa(share(l)))
	} else {
		c.flag("-T", wholeSeconds(l.Duration))
	}
	if !l.Keepalive {
		c.flag("-C")
	}
	c.flag("-l", "--log-prefix=/tmp/benchbook")
	if l.Body != "" {
		c.flag("-n", "-f", c.body(l.Body)) // there may be no tables of its own to clean
	}
	if database := strings.Trim(u.Path, "/"); database != "" {
		c.operands = []string{database}
	}
	return c, nil
}
