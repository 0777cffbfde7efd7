package loadtool

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"benchbook/notebook/spec"
)

var sysbench = Tool{
	Name:   "sysbench",
	Note:   "a request is an event, such as a transaction; times do not include connecting",
	parse:  parseSysbench,
	shares: inSysbench,
	Saved:  true,
	wrote:  sysbenchEvents.MatchString,
	Load:   true,
	Program: &Program{
		Image: debian("sysbench", "sysbench"),
		Flags: map[string]string{"connections": "--threads", "requests": "--events", "duration": "--time", "warmup": "",
			"body": ""},
		Seconds:  []string{"duration", "warmup"},
		Schemes:  []string{"postgres", "postgresql", "mysql"},
		Call:     callSysbench,
		Prepared: "already exists",
	},
}

var (
	sysbenchHead    = regexp.MustCompile(`(?m)^sysbench (\d\S*)`)
	sysbenchThreads = regexp.MustCompile(`(?m)^Number of threads: (\d+)$`)
	sysbenchPaced   = regexp.MustCompile(`(?m)^Target transaction rate: `)
	sysbenchLength  = regexp.MustCompile(`(?m)^ +total time: +(\S+)$`)
	sysbenchEvents  = regexp.MustCompile(`(?m)^ +total number of events: +(\d+)$`)
	sysbenchMean    = regexp.MustCompile(`(?m)^ +avg: +([0-9.]+)$`)
	sysbenchMax     = regexp.MustCompile(`(?m)^ +max: +([0-9.]+)$`)
	sysbenchShare   = regexp.MustCompile(`(?m)^ +(\d+)th percentile: +([0-9.]+)$`)
	sysbenchEnd     = regexp.MustCompile(`(?m)^ +execution time \(avg/stddev\): .*\n`)
	sysbenchBar     = regexp.MustCompile(`(?m)^ *([0-9.]+) \|\**\s+(\d+)$`)
)

// inSysbench finds the percentile that sysbench tells.
var inSysbench = []func(string) []string{matching(sysbenchShare)}

// sysbench is a closed loop of threads that run events: transactions of a database, or whatever its test is. An event
// is a request here. One that was aborted by a deadlock is run again, and its time goes on; any other error ends the
// program.
//
// Times are milliseconds and do not include connecting. It counts them in bars that are 1.8 % wide, the value of a bar
// in its middle, and reads its one percentile (--percentile) off them. With --histogram it prints the bars.
//
// Source: akopytov/sysbench src/sysbench.c, src/sb_histogram.c; src/lua/oltp_common.lua.
func parseSysbench(printed string) (*Output, error) {
	o := empty("sysbench")
	if m := sysbenchHead.FindStringSubmatch(printed); m != nil {
		o.Version = m[1]
	}
	length, events := sysbenchLength.FindStringSubmatch(printed), sysbenchEvents.FindStringSubmatch(printed)
	mean, longest := sysbenchMean.FindStringSubmatch(printed), sysbenchMax.FindStringSubmatch(printed)
	if length == nil || events == nil || mean == nil || longest == nil || !sysbenchEnd.MatchString(printed) {
		return o.fail("it is incomplete: it must run from %q to %q; the last line is %q", "General statistics:",
			"execution time", LastLine(printed))
	}
	took, err := readIn(length[1], seconds)
	if err != nil {
		return o.fail("the total time is %q", length[1])
	}
	if m := sysbenchThreads.FindStringSubmatch(printed); m != nil {
		o.Connections = int(o.count(m[1], "threads"))
	}
	o.Window, o.Paced = long(took.value), sysbenchPaced.MatchString(printed)
	o.Attempted = o.count(events[1], "events")
	o.Completed, o.Failed, o.Timed = o.Attempted, 0, o.Attempted
	if o.untold = o.Attempted == 0; o.err != nil || o.untold {
		return o.whole()
	}
	o.addTime("latency.mean", mean[1], inUnit(millisecond))
	o.addTime("latency.max", longest[1], inUnit(millisecond))
	if sysbenchBars(o, printed); len(o.Samples) > 2 || o.err != nil {
		return o.whole()
	}
	if m := sysbenchShare.FindStringSubmatch(printed); m != nil {
		if t, err := read(m[2], millisecond); err == nil {
			o.addPercentileOf(m[1], t.value, max(t.step, sysbenchWidth*t.value))
		}
	}
	return o.whole()
}

// sysbenchWidth is the width of a bar, as a share of its value: 1024 bars go from 1 µs to 100 s, evenly on a scale of
// logarithms.
const sysbenchWidth = 0.0182

// sysbenchBars reads percentiles off the bars, if there are any. The bar of a percentile is the first by which as many
// events have ended.
func sysbenchBars(o *Output, printed string) {
	bars := sysbenchBar.FindAllStringSubmatch(printed, -1)
	counts, all := make([]int64, len(bars)), int64(0)
	for i, m := range bars {
		counts[i] = o.count(m[2], "events")
		all += counts[i]
	}
	if len(bars) == 0 || o.err != nil {
		return
	}
	if all != o.Attempted {
		o.fail("its bars have %d events, and its total is %d", all, o.Attempted)
		return
	}
	shares := []string{"50", "75", "90", "95", "99", "99.9"}
	if m := sysbenchShare.FindStringSubmatch(printed); m != nil && !slices.Contains(shares, m[1]) {
		shares = append(shares, m[1])
	}
	for _, share := range shares {
		i, ended := 0, counts[0]
		rank := o.number(share, "percentage") / 100 * float64(all)
		for i < len(bars)-1 && float64(ended) < rank {
			i++
			ended += counts[i]
		}
		if t, err := read(bars[i][1], millisecond); err == nil {
			longest, _ := o.sample("latency.max")
			o.addPercentileOf(share, min(t.value, longest.Value), max(t.step, sysbenchWidth*t.value))
		}
	}
}

// callSysbench names a test in the author's words, or has a script of the author's. Tables that a test wants are made
// before.
func callSysbench(l *spec.Load, _ int) (Call, error) {
	c := Call{Threads: l.Connections}
	driver, usual := "pgsql", "5432"
	if strings.HasPrefix(l.Target, "mysql:") {
		driver, usual = "mysql", "3306"
	}
	u, host, port, err := address(l.Target, usual)
	if err != nil {
		return c, err
	}
	option := func(name, value string) { c.flag("--" + driver + "-" + name + "=" + value) }
	c.flag("--db-driver=" + driver)
	option("host", host)
	option("port", port)
	if name := u.User.Username(); name != "" {
		option("user", name)
	}
	if database := strings.Trim(u.Path, "/"); database != "" {
		option("db", database)
	}
	if password, ok := u.User.Password(); ok {
		c.Environment = append(c.Environment, "SYSBENCH_PASSWORD="+password)
		c.Shell = `program=$1; shift; exec "$program" --` + driver + `-password="$SYSBENCH_PASSWORD" "$@"`
	}
	seconds := "0" // no end
	if l.Duration > 0 {
		seconds = wholeSeconds(l.Duration)
	}
	c.flag("--threads="+strconv.Itoa(l.Connections), "--time="+seconds, "--events="+strconv.Itoa(l.Requests),
		"--histogram")
	if l.Body != "" {
		c.operands = []string{c.file(luaFile, l.Body), "run"}
	} else {
		c.operands, c.prepares = []string{"run"}, []string{"prepare"}
	}
	return c, nil
}
