package measure

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"benchbook/lab"
	"benchbook/notebook/article"
	"benchbook/notebook/expr"
)

// Load is a load on running servers.
type Load struct {
	URLs        []string // the first is compared with the others
	Connections int
	Duration    time.Duration // of a repetition; 0 means as long as its percentiles need
	Rate        string        // such as 500/s; empty for a closed loop
	Requests    int           // of a repetition, instead of Duration; 0 if Duration counts
	Timeout     time.Duration // for one answer; 0 means the default
	Method      string        // if empty, GET, or POST with a body
	Headers     []string      // such as "Accept: text/html"
	Body        string
	Repetitions string // as in articles; if empty, the default
}

// Requests measures running servers and prints the results of each.
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

// check returns the remote hosts of a load, and an error if an article cannot express it.
func (l *Load) check() (hosts []string, err error) {
	if l.Rate != "" {
		if q, err := expr.ParseQuantity(l.Rate); err != nil || q.Unit.Dimension != expr.Rate || q.Value <= 0 {
			return nil, fmt.Errorf("invalid value %q for --rate: write a number per second, such as 500/s", l.Rate)
		}
	}
	if err := l.checkTexts(); err != nil {
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
		case !article.IsLoopback(u.Hostname()):
			hosts = append(hosts, u.Hostname())
		}
	}
	return hosts, nil
}

func (l *Load) checkTexts() error {
	for _, text := range slices.Concat([]string{l.Method, l.Body}, l.Headers, l.URLs) {
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
		words: inThroughput, secrets: map[string]string{},
		table: []column{{"requests [95 %]", "throughput", nil}, {"p50", "latency.p50", nil}, {"p99", "latency.p99", nil},
			{"failed", "failed", nil}}}
	if l.Rate != "" {
		o.metric, o.words = "latency.p99", inTail
	}
	o.add(true, "load:\n  target: ${{ matrix.target.url }}\n  outside: true\n  warmup: 1s")
	o.add(true, "  connections: %d", l.Connections)
	o.add(l.Rate != "", "  rate: %s", quoted(l.Rate))
	o.add(l.Requests == 0, "  duration: %s", seconds(l.Duration))
	o.add(l.Requests > 0, "  requests: %d", l.Requests)
	o.add(l.Timeout > 0, "  timeout: %s", seconds(l.Timeout))
	o.add(l.Method != "" || l.Body != "", "  method: %s", quoted(l.method()))
	o.add(l.Body != "", "  body: %s", quoted(l.Body))
	headers, secrets := map[string]string{}, ""
	for _, h := range l.headers() {
		if headers[h.name] = h.value; h.secret != "" {
			headers[h.name] = "${{ secrets." + h.secret + " }}"
			o.secrets["."+h.secret] = h.value
			secrets += fmt.Sprintf("\n  %s: {file: .%s}", h.secret, h.secret)
		}
	}
	data, _ := json.Marshal(headers) // texts have no errors
	o.add(len(headers) > 0, "  headers: %s", data)
	longest := l.Duration + l.Timeout + 5*time.Minute // to get ready and to wait for answers
	if l.Requests > 0 {
		longest = max(longest, time.Hour) // the same as for commands
	}
	o.add(true, "timeout: %s", seconds(longest))
	o.add(secrets != "", "secrets:%s", secrets)
	repetitions := l.Repetitions
	if len(l.URLs) == 1 {
		o.add(true, "calibrate: false")
		repetitions = cmp.Or(repetitions, "3")
	}
	o.add(repetitions != "", "repetitions: %s", repetitions)
	return o
}

func (l *Load) method() string {
	if l.Body != "" {
		return cmp.Or(l.Method, http.MethodPost)
	}
	return cmp.Or(l.Method, http.MethodGet)
}

// header is a header of every request. If its value is a credential, secret names that in the experiment.
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

// credentials matches names of headers whose values are likely to be confidential.
var credentials = regexp.MustCompile(`(?i)auth|cookie|key|password|secret|session|token`)

func isCredential(header string) bool { return credentials.MatchString(header) }

// WithoutCredential returns a header, without its value if that is a credential.
func WithoutCredential(header string) string {
	if name, _, ok := strings.Cut(header, ":"); ok && isCredential(name) {
		return name + ": …"
	}
	return header
}
