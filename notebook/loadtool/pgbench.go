package loadtool

import (
	"bytes"
	"cmp"
	"regexp"
	"strconv"
	"strings"
	"time"

	"benchbook/notebook/spec"
)

var pgbench = Tool{
	Name:  "pgbench",
	Note:  "a request is a transaction; times do not include connecting",
	parse: parsePgbench,
	Load:  true,
	Program: &Program{
		Image: debian("postgresql-15", "/usr/lib/postgresql/15/bin/pgbench"),
		Flags: map[string]string{"connections": "-c", "threads": "-j", "requests": "-t", "duration": "-T", "warmup": "", "keepalive": "-C",
			"body": "-f"},
		Seconds:  []string{"duration", "warmup"},
		Either:   true,
		Even:     true,
		Schemes:  []string{"postgres", "postgresql"},
		Call:     callPgbench,
		Complete: completePgbench,
	},
}

var (
	pgbenchHead      = regexp.MustCompile(`(?m)^pgbench \((\S+) `)
	pgbenchClients   = regexp.MustCompile(`(?m)^number of clients: (\d+)$`)
	pgbenchProcessed = regexp.MustCompile(`(?m)^number of transactions actually processed: (\d+)(?:/(\d+))?$`)
	pgbenchFailed    = regexp.MustCompile(`(?m)^number of failed transactions: (\d+) \(`)
	pgbenchMean      = regexp.MustCompile(`(?m)^latency average = ([0-9.]+) ms$`)
	pgbenchSpread    = regexp.MustCompile(`(?m)^latency stddev = `)
	pgbenchRate      = regexp.MustCompile(`(?m)^tps = ([0-9.]+) \((?:without initial connection time|including reconnection times)\)\n`)
	pgbenchRow       = regexp.MustCompile(`^(\d+) (\d+) (\d+|failed|skipped) (\d+) (\d+) (\d+)(?: \d+)*$`)
)

// pgbenchLog is the line between the summary of pgbench and its log of transactions, where a Driver has both printed.
const pgbenchLog = "-- log of transactions --"

// pgbench is a closed loop of clients that run transactions. A transaction is a request here; one that failed, after
// its retries, is no right answer and is not in "tps".
//
// Without --progress its "latency average" is clients/tps, which tells nothing of its own. With a log of transactions
// (-l, each with its time in microseconds) all times are known. They do not include connecting.
//
// Source: PostgreSQL src/bin/pgbench/pgbench.c, printResults and doLog.
func parsePgbench(printed []byte) (*Output, error) {
	const tool = "pgbench"
	o := empty(tool)
	summary, log, logged := bytes.Cut(printed, []byte("\n"+pgbenchLog+"\n"))
	if logged {
		summary = append(bytes.Clone(summary), '\n')
	}
	if m := pgbenchHead.FindSubmatch(summary); m != nil {
		o.Version = string(m[1])
	}
	processed, clients, rate := pgbenchProcessed.FindSubmatch(summary), pgbenchClients.FindSubmatch(summary), pgbenchRate.FindSubmatch(summary)
	if processed == nil || clients == nil || rate == nil {
		return nil, noSamples(tool, "it does not go from the number of clients to tps; the last line is %q", LastLine(summary))
	}
	right, err := count(string(processed[1]))
	perSecond, errRate := number(string(rate[1]))
	n, errClients := count(string(clients[1]))
	if err != nil || errRate != nil || errClients != nil || right > maxCount || n > maxCount {
		return nil, noSamples(tool, "%q or %q cannot be read", processed[0], rate[0])
	}
	o.Connections, o.Counted = int(n), len(processed[2]) > 0
	o.Completed = right
	if m := pgbenchFailed.FindSubmatch(summary); m != nil { // since version 15; older ones end at the first failure
		failed, err := count(string(m[1]))
		if err != nil || failed > maxCount {
			return nil, noSamples(tool, "%q cannot be read", m[0])
		}
		o.Failed, o.Attempted = failed, right+failed
	} else {
		o.Failed, o.Attempted = 0, right
	}
	if perSecond > 0 {
		o.Window = long(float64(right) / perSecond)
	}
	switch mean := pgbenchMean.FindSubmatch(summary); {
	case logged:
		err = o.transactions(log)
	case mean != nil && pgbenchSpread.Match(summary):
		var r reading
		if r, err = read(string(mean[1]), 1e-3); err == nil {
			o.addTime("latency.mean", r)
			o.Timed = right
		}
	}
	if err != nil {
		return nil, err
	}
	return o.whole()
}

// transactions reads the log, which has a line for every transaction.
func (o *Output) transactions(log []byte) error {
	times := newDistribution()
	failed := int64(0)
	for line := range strings.Lines(string(log)) {
		m := pgbenchRow.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		if m == nil || !strings.HasSuffix(line, "\n") {
			return noSamples(o.Tool, "%q is no line of its log", line)
		}
		if m[3] == "failed" || m[3] == "skipped" {
			failed++
			continue
		}
		microseconds, err := count(m[3])
		if err != nil || microseconds > int64(time.Hour/time.Microsecond) {
			return noSamples(o.Tool, "%q has no time", line)
		}
		times.add(time.Duration(microseconds) * time.Microsecond)
	}
	if times.count != o.Completed || failed != o.Failed {
		return noSamples(o.Tool, "its log has %d transactions that were right and %d that failed, and the summary %d and %d",
			times.count, failed, o.Completed, o.Failed)
	}
	if times.count == 0 {
		return nil
	}
	h, err := times.histogram(1e-6)
	if err != nil {
		return err
	}
	o.Histograms, o.Timed = histograms(h), times.count
	return nil
}

// pgbenchShell prints the log of transactions behind the summary. Nothing can be taken out of a container that has ended.
const pgbenchShell = `"$@" || exit; echo; echo "` + pgbenchLog + `"; cat /tmp/benchbook.*`

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

func completePgbench(_ *spec.Load, o *Output) error {
	if o.Histograms == nil && o.Completed > 0 {
		return noSamples(o.Tool, "the log of transactions is missing")
	}
	return nil
}
