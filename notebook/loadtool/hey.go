package loadtool

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"benchbook/notebook/spec"
)

var hey = Tool{
	Name:   "hey",
	Note:   "times have a step of 0.1 ms",
	parse:  parseHey,
	shares: inLines,
	Saved:  true,
	wrote:  wroteHey,
	Load:   true,
	Program: &Program{
		Image: debian("hey", "hey"),
		HTTP:  true,
		Flags: map[string]string{"connections": "-c", "threads": "-cpus", "requests": "-n", "duration": "-z", "warmup": "", "timeout": "-t",
			"keepalive": "-disable-keepalive", "method": "-m", "headers": "-H", "body": "-D", "verify": ""},
		Seconds:  []string{"timeout"},
		Either:   true,
		Even:     true,
		Call:     callHey,
		Complete: completeHey,
	},
}

// heyHeader is the first line of what hey -o csv prints.
const heyHeader = "response-time,DNS+dialup,DNS,Request-write,Response-delay,Response-read,status-code,offset"

// heyMost is how many answers hey keeps; of more it tells the rate and the mean only.
const heyMost = 1_000_000

const heyStep = 1e-4 // seconds: its times have four digits

var (
	heyShare  = regexp.MustCompile(`(?m)^  (\d+)%{1,2} in ([0-9.]+) secs$`) // with two signs since 0.1.5
	heyStatus = regexp.MustCompile(`(?m)^  \[(\d+)\]\t(\d+) responses\n`)
	heyError  = regexp.MustCompile(`(?m)^  \[(\d+)\]\t(.+)\n`)
	heyNumber = regexp.MustCompile(`(?m)^  (Total|Slowest|Average|Requests/sec):\t\s*([0-9.]+|NaN)\b`)
)

// hey is a closed loop of goroutines. It prints a summary, or with -o csv every answer.
//
// Its requests are all that ended, in an answer or an error; its times are those of answers of any status. Times include
// connecting, and have a step of a tenth of a millisecond. The summary tells status and error of every request; the CSV tells
// nothing of errors, so that without the number of requests that were asked for it does not tell how many failed.
//
// Its "Total data" are bodies without their heads, which is not what bytes.in means.
//
// Source: rakyll/hey requester/report.go, print.go.
func parseHey(printed []byte) (*Output, error) {
	if bytes.HasPrefix(printed, []byte(heyHeader)) {
		return parseHeyCSV(printed)
	}
	const tool = "hey"
	o := empty(tool)
	o.Connecting = true
	numbers := map[string]float64{}
	for _, m := range heyNumber.FindAllSubmatch(printed, -1) {
		if x, err := number(string(m[2])); err == nil {
			numbers[string(m[1])] = x
		}
	}
	total, rate := numbers["Total"], numbers["Requests/sec"]
	_, tail, found := bytes.Cut(printed, []byte("\nStatus code distribution:\n"))
	if total <= 0 || rate <= 0 || !found {
		return nil, noSamples(tool, "it has no length, rate and status codes; the last line is %q", LastLine(printed))
	}
	statuses, failures, _ := bytes.Cut(tail, []byte("\nError distribution:\n"))
	answers, right := int64(0), int64(0)
	o.Statuses = map[string]int64{}
	for _, m := range heyStatus.FindAllSubmatch(statuses, -1) {
		n, err := count(string(m[2]))
		if err != nil || n > maxCount {
			return nil, noSamples(tool, "%q is no number of answers", m[2])
		}
		o.Statuses[string(m[1])] += n
		answers += n
		if isRight(string(m[1])) {
			right += n
		}
	}
	errors, err := heyErrors(o, failures)
	if err != nil {
		return nil, err
	}
	// The rate counts every request, so it tells whether lines are missing, of the status codes or the errors.
	o.Attempted = answers + errors
	slack := 0.5 + float64(o.Attempted)*(heyStep/total+heyStep/rate)/2
	ended := bytes.HasSuffix(printed, []byte("\n\n"))
	switch all := rate * total; {
	case answers >= heyMost && all > float64(o.Attempted)+slack:
		return nil, noSamples(tool, "hey keeps no more than %d answers, and there were more: measure for a shorter time", heyMost)
	case math.Abs(all-float64(o.Attempted)) > slack, !ended && slack >= 1:
		return nil, noSamples(tool, "its rate is of %.0f requests, and it lists %d; the last line is %q", all, o.Attempted, LastLine(printed))
	}
	o.Window, o.Completed, o.Failed = long(float64(o.Attempted)/rate), right, o.Attempted-right
	if answers == 0 {
		o.untold = true
		return o.whole()
	}
	o.Timed = answers
	for _, m := range heyShare.FindAllSubmatch(printed, -1) {
		t, err := read(string(m[2]), 1) // of few answers it prints "0%" for those that it cannot tell
		if err != nil || !o.addPercentile(string(m[1]), t) {
			return nil, noSamples(tool, "p%s is %q", m[1], m[2])
		}
	}
	o.add("latency.mean", numbers["Average"], heyStep, "s")
	o.add("latency.max", numbers["Slowest"], heyStep, "s")
	return o.whole()
}

// heyErrors counts the errors of Go's client, by kind if each of them has one that we know.
func heyErrors(o *Output, text []byte) (all int64, err error) {
	o.Failures = map[string]int64{"connect": 0, "reset": 0, "timeout": 0, "closed": 0}
	for _, m := range heyError.FindAllSubmatch(text, -1) {
		n, err := count(string(m[1]))
		if err != nil || n > maxCount {
			return 0, noSamples(o.Tool, "%q is no number of errors", m[1])
		}
		all += n
		kind := errorKind(string(m[2]))
		if o.Failures != nil && kind != "" {
			o.Failures[kind] += n
		} else {
			o.Failures = nil
		}
	}
	return all, nil
}

// errorKind is what an error of an HTTP client or of the system says, in our words; empty if we cannot tell.
func errorKind(message string) string {
	message = strings.ToLower(message)
	for _, known := range []struct{ words, kind string }{
		{"connection refused", "connect"}, {"no route to host", "connect"}, {"connection reset by peer", "reset"},
		{"client.timeout exceeded", "timeout"}, {"i/o timeout", "timeout"}, {"eof", "closed"}, {"server closed idle connection", "closed"},
	} {
		if strings.Contains(message, known.words) {
			return known.kind
		}
	}
	return ""
}

// isRight says whether a status is that of a right answer, where the article says nothing else
// (docs/method.md#quantities-checked).
func isRight(status string) bool { return len(status) == 3 && status[0] == '2' }

func parseHeyCSV(printed []byte) (*Output, error) {
	const tool = "hey"
	o := empty(tool)
	o.Connecting = true
	if !bytes.HasSuffix(printed, []byte("\n")) {
		return nil, noSamples(tool, "its last line has no end: %q", LastLine(printed))
	}
	rows, err := csv.NewReader(bytes.NewReader(printed)).ReadAll()
	if err != nil {
		return nil, noSamples(tool, "%v", err)
	}
	if rows = rows[1:]; len(rows) >= heyMost {
		return nil, noSamples(tool, "hey keeps no more than %d answers: measure fewer", heyMost)
	}
	times, end := newDistribution(), 0.0
	o.Statuses, o.Completed = map[string]int64{}, 0
	for _, row := range rows {
		took, errTook := number(row[0])
		offset, errOffset := number(row[7])
		_, errStatus := strconv.ParseUint(row[6], 10, 16)
		if errTook != nil || errOffset != nil || errStatus != nil || took > 1e6 || offset > 1e6 {
			return nil, noSamples(tool, "%q is no answer", strings.Join(row, ","))
		}
		end = max(end, took+offset)
		o.Statuses[row[6]]++
		if isRight(row[6]) {
			o.Completed++
			times.add(time.Duration(took * 1e9))
		}
	}
	o.Window = long(end)
	if len(rows) == 0 || o.Window == 0 {
		o.Window = 0
		return o.whole()
	}
	if o.Completed == int64(len(rows)) {
		o.Timed = o.Completed
	}
	h, err := times.histogram(heyStep)
	if err != nil {
		return nil, err
	}
	if h.Count > 0 {
		o.Histograms = histograms(h)
	}
	return o.whole()
}

func wroteHey(printed []byte) bool {
	return bytes.HasPrefix(printed, []byte(heyHeader)) ||
		bytes.Contains(printed, []byte("\nSummary:\n")) && bytes.Contains(printed, []byte("\nStatus code distribution:\n")) && !bytes.Contains(printed, []byte("Success rate:"))
}

// callHey asks for every answer where the number of requests is known, and else for the summary, which alone tells the errors.
func callHey(l *spec.Load, cores int) (Call, error) {
	c := Call{Threads: cmp.Or(l.Threads, max(1, cores))}
	target, err := withPort(l.Target)
	if err != nil {
		return c, err
	}
	if l.Requests > 0 {
		c.flag("-n", strconv.Itoa(share(l)*l.Connections), "-o", "csv")
	} else {
		c.flag("-z", l.Duration.String())
	}
	c.flag("-c", strconv.Itoa(l.Connections), "-t", wholeSeconds(l.Timeout), "-cpus", strconv.Itoa(c.Threads))
	if !l.Keepalive {
		c.flag("-disable-keepalive")
	}
	if l.Method != "GET" {
		c.flag("-m", l.Method)
	}
	for _, h := range headers(l) {
		if name, value, _ := strings.Cut(h, ": "); strings.EqualFold(name, "Host") {
			c.flag("-host", value)
			continue
		}
		c.flag("-H", h)
	}
	if l.Body != "" {
		c.flag("-D", c.body(l.Body))
	}
	c.operands = []string{target}
	return c, nil
}

// completeHey counts the requests that the CSV has no row of: they had no answer.
func completeHey(l *spec.Load, o *Output) error {
	o.Connections = l.Connections
	if o.Attempted >= 0 || l.Requests == 0 {
		return nil
	}
	sent := int64(share(l) * l.Connections)
	answered := int64(0)
	for _, n := range o.Statuses {
		answered += n
	}
	if answered > sent {
		return noSamples(o.Tool, "it has %d answers to %d requests", answered, sent)
	}
	o.Attempted, o.Failed = sent, sent-o.Completed
	return nil
}
