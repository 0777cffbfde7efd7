package measure

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
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
	Duration    time.Duration // of a repetition; 0: as long as its percentiles need
	Rate        string        // such as 500/s; empty: as many requests as the connections bear
	Requests    int           // of a repetition, instead of the duration; 0 for none
	Timeout     time.Duration // for one answer; 0 for the default
	Method      string        // empty for GET, or POST with a body
	Headers     []string      // such as "Accept: text/html"
	Body        string
	Repetitions string // as in articles; empty for the default
}

// Requests measures servers that run already, and prints what each answers.
func Requests(ctx context.Context, a *lab.Session, l Load, o OneLineOptions) error {
	hosts, err := l.check()
	if err != nil {
		return lab.UsageError(err)
	}
	if l.Duration == 0 {
		l.chooseDuration(ctx, a)
	}
	line := l.oneLine()
	line.hosts = hosts
	return line.measure(ctx, a, o)
}

// check returns an error for a load that no article can have, and the hosts other than this one.
func (l *Load) check() (hosts []string, err error) {
	if l.Rate != "" {
		if q, err := expr.ParseQuantity(l.Rate); err != nil || q.Unit.Dimension != expr.Rate || q.Value <= 0 {
			return nil, fmt.Errorf("invalid value %q for --rate: write a number per second, such as 500/s", l.Rate)
		}
	}
	if err := l.checkRequest(); err != nil {
		return nil, err
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

func (l *Load) checkRequest() error {
	for _, text := range append([]string{l.Method, l.Body}, l.Headers...) {
		if strings.Contains(text, "${{") {
			return fmt.Errorf("%q has ${{ in it, which articles fill in", text)
		}
	}
	for _, h := range l.Headers {
		if name, _, ok := strings.Cut(h, ":"); !ok || strings.TrimSpace(name) == "" {
			return fmt.Errorf("invalid header %q: write it as 'Name: value'", h)
		}
	}
	return nil
}

func (l *Load) oneLine() *oneLine {
	o := &oneLine{name: "load", axis: "target", key: "url", written: l.URLs, values: l.URLs, metric: "throughput",
		words: inThroughput, columns: "throughput, latency.p50, latency.p99, failed", print: printLoad}
	load := fmt.Sprintf("connections: %d", l.Connections)
	if l.Rate != "" {
		o.metric, o.words, load = "latency.p99", inTail, "rate: "+quoted(l.Rate)
	}
	const slack = 5 * time.Minute // to get ready and to wait for answers
	window := "duration: " + seconds(l.Duration)
	if l.Requests > 0 {
		window = fmt.Sprintf("requests: %d", l.Requests)
	}
	o.keys = fmt.Sprintf("load: {target: \"${{ matrix.target.url }}\", outside: true, %s, %s, warmup: 1s%s}\ntimeout: %s\n",
		load, window, l.request(), seconds(l.Duration+slack))
	o.secrets = map[string]string{}
	for _, h := range l.headers() {
		if h.secret != "" {
			if len(o.secrets) == 0 {
				o.keys += "secrets:\n"
			}
			file := "." + h.secret
			o.secrets[file] = h.value
			o.keys += fmt.Sprintf("  %s: {file: %s}\n", h.secret, file)
		}
	}
	repetitions := l.Repetitions
	if len(l.URLs) == 1 {
		o.keys += "calibrate: false\n"
		if repetitions == "" {
			repetitions = "3"
		}
	}
	if repetitions != "" {
		o.keys += "repetitions: " + repetitions + "\n"
	}
	return o
}

func (l *Load) method() string {
	if l.Body != "" {
		return cmp.Or(l.Method, http.MethodPost)
	}
	return cmp.Or(l.Method, http.MethodGet)
}

func (l *Load) request() (keys string) {
	if l.Timeout > 0 {
		keys += ", timeout: " + seconds(l.Timeout)
	}
	if l.Method != "" || l.Body != "" {
		keys += ", method: " + quoted(l.method())
	}
	if l.Body != "" {
		keys += ", body: " + quoted(l.Body)
	}
	if len(l.Headers) > 0 {
		headers := map[string]string{}
		for _, h := range l.headers() {
			if headers[h.name] = h.value; h.secret != "" {
				headers[h.name] = "${{ secrets." + h.secret + " }}"
			}
		}
		data, _ := json.Marshal(headers) // texts have no errors
		keys += ", headers: " + string(data)
	}
	return keys
}

// header is a header of every request. Secret is the name of its value in the experiment if that is a credential.
type header struct{ name, value, secret string }

func (l *Load) headers() (out []header) {
	for i, text := range l.Headers {
		name, value, _ := strings.Cut(text, ":")
		h := header{name: strings.TrimSpace(name), value: strings.TrimSpace(value)}
		if isCredential(h.name) {
			h.secret = fmt.Sprintf("header%d", i+1)
		}
		out = append(out, h)
	}
	return out
}

// credentials matches names of headers whose values are nobody else's business.
var credentials = regexp.MustCompile(`(?i)auth|cookie|key|password|secret|session|token`)

func isCredential(header string) bool { return credentials.MatchString(header) }

// WithoutCredential returns a header without its value if that is a credential.
func WithoutCredential(header string) string {
	if name, _, ok := strings.Cut(header, ":"); ok && isCredential(name) {
		return name + ": …"
	}
	return header
}

func printLoad(a *lab.Session, d *dataset.Dataset) {
	rows := [][]string{{"target", "requests [95 %]", "p50", "p99", "failed", "n"}}
	names := shortNames(d.Experiments[0])
	for _, c := range d.Experiments[0].Cells {
		row := []string{names[c]}
		for _, name := range []string{"throughput", "latency.p50", "latency.p99", "failed"} {
			row = append(row, loadWords(c, name))
		}
		count := fmt.Sprint(len(c.ValidValues("throughput")))
		if all := fmt.Sprint(len(c.Records)); count != all {
			count += " of " + all
		}
		rows = append(rows, append(row, count))
	}
	terminal.PrintColumns(a.Stdout, "", rows)
}

// loadWords returns a metric of a target, and of throughput the interval: for too few valid repetitions their mean.
func loadWords(c *dataset.Cell, name string) string {
	m, _ := record.LookupMetric(name)
	r, valid := c.Metric(name), c.ValidValues(name)
	column := wording.ColumnOf(m, r)
	switch {
	case r.Missing != "" && len(valid) > 0:
		mean := stat.Mean(valid, nil)
		return wording.UnitFor(m.Unit, m.Share, mean).Alone(mean)
	case r.Missing != "" && name == "throughput":
		return strings.TrimSpace(wording.Unsure(r) + " " + missingWord(r))
	case r.Missing != "":
		return cmp.Or(wording.Unsure(r), "–")
	case name == "throughput":
		return wording.Estimate(r, column)
	}
	return column.Quantity(r.Estimate.Centre, column.Decimals(wording.ReadingOf(r)))
}
