package measure

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"gonum.org/v1/gonum/stat"

	"benchbook/lab"
	"benchbook/lab/terminal"
	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/record"
	"benchbook/render/wording"
)

// Load is a load on servers that run already.
type Load struct {
	URLs        []string // the first is compared with the others
	Connections int
	Duration    time.Duration
	Rate        string // such as 500/s; empty: as many requests as the connections bear
	Repetitions string // as in articles; empty for those of Load
}

// Requests measures servers that run already, and prints what each answers.
func Requests(ctx context.Context, a *lab.Session, l Load, o OneLineOptions) error {
	hosts, err := l.check()
	if err != nil {
		return lab.UsageError(err)
	}
	return measureOneLine(ctx, a, l.article(time.Now()), hosts, o, l.print)
}

// check reports what no article can say, and gives the other hosts that the load goes to.
func (l *Load) check() (hosts []string, err error) {
	if l.Rate != "" {
		if q, err := expr.ParseQuantity(l.Rate); err != nil || q.Unit.Dimension != expr.Rate || q.Value <= 0 {
			return nil, fmt.Errorf("invalid value %q for --rate: write a number per second, such as 500/s", l.Rate)
		}
	}
	for _, written := range l.URLs {
		u, err := url.Parse(written)
		switch {
		case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
			return nil, fmt.Errorf("invalid URL %q: write it as http://127.0.0.1:8080/", written)
		case u.User != nil:
			return nil, fmt.Errorf("the URL %s has a user in it, who is not sent: leave that out; an article can send the "+
				"header Authorization", u.Redacted())
		case strings.Contains(written, "${{"):
			return nil, fmt.Errorf("the URL %q has ${{ in it, which articles fill in", written)
		case !article.IsLoopback(u.Hostname()):
			hosts = append(hosts, u.Hostname())
		}
	}
	return hosts, nil
}

// seconds is a time as articles have it.
func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) + "s" }

// metric is what is compared.
func (l *Load) metric() string {
	if l.Rate != "" {
		return "latency.p99"
	}
	return "throughput"
}

// article writes the article.
func (l *Load) article(today time.Time) string {
	taken := map[string]bool{}
	var rows, claims strings.Builder
	var names []string
	for i, written := range l.URLs {
		names = append(names, name(written, taken))
		fmt.Fprintf(&rows, "    - {name: %s, number: \"%d\", url: %s}\n", quoted(names[i]), i+1, quoted(written))
		if i == 0 {
			continue
		}
		words, sign := "answers more requests", ">"
		says := sentences("{a} answers {effect} as many requests as {b}.", "faster")
		if l.Rate != "" {
			words, sign = "has a lower 99th percentile", "<"
			says = sentences("99 % of the requests to {a} take {effect} as long as to {b}.", "faster")
		}
		fmt.Fprintf(&claims, claimText, i+1, quoted(fmt.Sprintf("%s %s than %s.", code(names[0], 1), words,
			code(names[i], i+1))), fmt.Sprintf("ratio(%s{number=\"1\"}, %[1]s{number=\"%d\"}) %s 1", l.metric(), i+1, sign),
			says, i+1)
	}
	keys := fmt.Sprintf("connections: %d, duration: %s, warmup: 1s", l.Connections, seconds(l.Duration))
	if l.Rate != "" {
		keys = fmt.Sprintf("rate: %s, duration: %s, warmup: 1s", quoted(l.Rate), seconds(l.Duration))
	}
	const slack = 5 * time.Minute // to get ready and to wait for answers
	further := "timeout: " + seconds(l.Duration+slack) + "\n"
	switch {
	case l.Repetitions != "":
		further += "repetitions: " + l.Repetitions + "\n"
	case len(l.URLs) == 1:
		further += "repetitions: 3\n"
	}
	if len(l.URLs) == 1 {
		further += "calibrate: false\n"
	}
	return fmt.Sprintf("---\ntitle: %s\ndate: %s\n---\n\n```yaml experiment\nname: load\nmatrix:\n  target:\n%s"+
		"load: {target: \"${{ matrix.target.url }}\", outside: true, %s}\n%s```\n%s\n```yaml table\nlabel: tbl-load\n"+
		"rows: [target]\ncolumns: [throughput, latency.p50, latency.p99, failed]\ntitle: What each target answered\n```\n",
		quoted(strings.Join(names, " against ")), today.Format(time.DateOnly), rows.String(), keys, further, claims.String())
}

// print prints a line for each target, the verdicts, and what limited each.
func (l *Load) print(a *lab.Session, d *dataset.Dataset) {
	e := d.Experiments[0]
	rows := [][]string{{"target", "requests [95 %]", "p50", "p99", "failed", "n"}}
	for _, c := range e.Cells {
		rows = append(rows, loadRow(c))
	}
	terminal.PrintColumns(a.Stdout, "", rows)
	printVerdicts(a, d, l.metric())
	for _, c := range e.Cells {
		if words := wording.Limit(c.Validity().LimitedBy()); words != "" {
			paragraph(a, clipped(c.Trial.Name)+": limited by "+words+".")
		}
	}
}

// loadRow is the line of a target. Where too few repetitions are valid for a result, it has their means without
// intervals, and how many of all they are.
func loadRow(c *dataset.Cell) []string {
	row, n := []string{clipped(c.Trial.Name)}, 0
	for i, name := range []string{"throughput", "latency.p50", "latency.p99", "failed"} {
		m, _ := record.LookupMetric(name)
		r := c.Metric(name)
		valid, column := c.ValidValues(name), wording.ColumnOf(m, r)
		if i == 0 {
			n = len(valid)
		}
		words := wording.Estimate(r, column)
		switch {
		case r.Missing != "" && len(valid) > 0:
			mean := stat.Mean(valid, nil)
			words = wording.UnitFor(m.Unit, m.Share, mean).Alone(mean)
		case r.Missing != "" && i == 0:
			words = without(r)
		case r.Missing != "":
			words = "–"
		case i > 0:
			words = column.Quantity(r.Estimate.Centre, column.Decimals(wording.ReadingOf(r)))
		}
		row = append(row, words)
	}
	count := fmt.Sprint(n)
	if n < len(c.Records) {
		count = fmt.Sprintf("%d of %d", n, len(c.Records))
	}
	return append(row, count)
}
