package loadtool

import (
	"slices"
	"strconv"
	"strings"

	"benchbook/notebook/spec"
)

var redisBenchmark = Tool{
	Name:   "redis-benchmark",
	Note:   "times do not include connecting",
	parse:  parseRedisBenchmark,
	shares: inTable,
	Load:   true,
	Program: &Program{
		Image:    debian("redis-tools", "redis-benchmark"),
		Flags:    map[string]string{"connections": "-c", "threads": "--threads", "requests": "-n", "keepalive": "-k"},
		Schemes:  []string{"redis"},
		Call:     callRedisBenchmark,
		Complete: completeRedisBenchmark,
	},
}

// redisHeader is the first row of what redis-benchmark --csv prints, since version 6.2.
var redisHeader = []string{"test", "rps", "avg_latency_ms", "min_latency_ms", "p50_latency_ms", "p95_latency_ms",
	"p99_latency_ms", "max_latency_ms"}

// redis-benchmark is a closed loop of clients. With --csv it prints a row for every test, of which there has to be one.
//
// It ends with an error at the first answer that is one, so that all requests of a whole output were right; how many
// they were the row does not tell. Times do not include connecting; with pipelining they are those of a whole batch.
//
// Source: redis src/redis-benchmark.c, showLatencyReport.
func parseRedisBenchmark(printed string) (*Output, error) {
	o := empty("redis-benchmark")
	rows := o.table(printed)
	switch {
	case len(rows) < 2 || !slices.Equal(rows[0], redisHeader):
		return o.fail("it is not the table that --csv prints; the last line is %q", LastLine(printed))
	case len(rows) > 2:
		return o.fail("it has %d tests, %q and others: choose one, such as with args: [-t, get]", len(rows)-1, rows[1][0])
	}
	row := rows[1]
	rate, err := read(row[1], 1)
	if err != nil {
		return o.fail("the rate is %q", row[1])
	}
	o.Counted, o.Failed = true, 0
	o.add("throughput", rate.value, rate.step, "1/s")
	for i, metric := range []string{2: "latency.mean", 4: "latency.p50", 5: "latency.p95", 6: "latency.p99",
		7: "latency.max"} {
		if metric != "" {
			o.addTime(metric, row[i], inUnit(millisecond))
		}
	}
	return o.whole()
}

// redisShell gives the password, which it takes from nowhere but its command line, inside the container only.
const redisShell = `program=$1; shift; exec "$program" -a "$REDISCLI_AUTH" "$@"`

func callRedisBenchmark(l *spec.Load, _ int) (Call, error) {
	c := Call{Threads: max(1, l.Threads)}
	u, host, port, err := address(l.Target, "6379")
	if err != nil {
		return c, err
	}
	c.flag("-h", host, "-p", port)
	if password, ok := u.User.Password(); ok {
		c.Environment, c.Shell = append(c.Environment, "REDISCLI_AUTH="+password), redisShell
		if name := u.User.Username(); name != "" {
			c.flag("--user", name)
		}
	}
	if database := strings.Trim(u.Path, "/"); database != "" {
		c.flag("--dbnum", database)
	}
	c.flag("-n", strconv.Itoa(l.Requests), "-c", strconv.Itoa(l.Connections))
	if l.Threads > 1 {
		c.flag("--threads", strconv.Itoa(l.Threads))
	}
	if !l.Keepalive {
		c.flag("-k", "0")
	}
	c.flag("--csv")
	return c, nil
}

func completeRedisBenchmark(l *spec.Load, o *Output) error {
	o.Connections, o.Attempted, o.Completed, o.Timed = l.Connections, int64(l.Requests), int64(l.Requests),
		int64(l.Requests)
	rate, _ := o.sample("throughput")
	o.lasted(o.Attempted, rate.Value)
	return nil
}
