package loadtool

import (
	"cmp"
	"math"
	"regexp"
	"strconv"
	"strings"

	"benchbook/notebook/spec"
)

var hey = Tool{
	Name:   "hey",
	Note:   "times have a step of 0.1 ms",
	parse:  parseHey,
	shares: inLines,
	Image:  debian("hey", "hey"),
	HTTP:   true,
	Flags: map[string]string{"connections": "-c", "threads": "-cpus", "requests": "-n", "duration": "-z", "warmup": "",
		"timeout": "-t", "keepalive": "-disable-keepalive", "method": "-m", "headers": "-H", "body": "-D", "verify": ""},
	Seconds: []string{"timeout"},
	Either:  true,
	Even:    true,
	Call:    callHey,
}

// heyMost is how many answers hey keeps; of more it tells the rate and the mean only.
const heyMost = 1_000_000

const heyStep = 1e-4 // seconds: its times have four digits

var (
	heyShare  = regexp.MustCompile(`(?m)^  (\d+)%{1,2} in ([0-9.]+) secs$`) // with two signs since 0.1.5
	heyStatus = regexp.MustCompile(`(?m)^  \[(\d+)\]\t(\d+) responses\n`)
	heyError  = regexp.MustCompile(`(?m)^  \[(\d+)\]\t(.+)\n`)
	heyNumber = regexp.MustCompile(`(?m)^  (Total|Slowest|Average|Requests/sec):\t\s*([0-9.]+|NaN)\b`)
)

// hey is a closed loop of goroutines. We read its summary, which tells status and error of every request.
//
// Its requests are all that ended, in an answer or an error; its times are those of answers of any status. Times include
// connecting, and have a step of a tenth of a millisecond. Its "Total data" are bodies without their heads, which is not
// what bytes.in means.
//
// Source: rakyll/hey requester/report.go, print.go.
func parseHey(o *Output, printed, _ string) (*Output, error) {
	o.Connecting = true
	numbers := map[string]float64{}
	for _, m := range heyNumber.FindAllStringSubmatch(printed, -1) {
		if x, err := number(m[2]); err == nil {
			numbers[m[1]] = x
		}
	}
	total, rate := numbers["Total"], numbers["Requests/sec"]
	_, tail, found := strings.Cut(printed, "\nStatus code distribution:\n")
	if total <= 0 || rate <= 0 || !found {
		return o.fail("it has no length, rate and status codes; the last line is %q", LastLine(printed))
	}
	statuses, failures, _ := strings.Cut(tail, "\nError distribution:\n")
	byStatus := map[string]int64{}
	for _, m := range heyStatus.FindAllStringSubmatch(statuses, -1) {
		byStatus[m[1]] += o.count(m[2], "answers")
	}
	answers, right := o.answers(byStatus)
	o.Statuses = byStatus // whatever they are
	o.Attempted = answers + o.heyErrors(failures)
	// The rate counts every request, so it tells whether lines are missing, of the status codes or the errors.
	slack := 0.5 + float64(o.Attempted)*(heyStep/total+heyStep/rate)/2
	ended := strings.HasSuffix(printed, "\n\n")
	switch all := rate * total; {
	case answers >= heyMost && all > float64(o.Attempted)+slack:
		return o.fail("hey keeps no more than %d answers, and there were more: measure for a shorter time", heyMost)
	case math.Abs(all-float64(o.Attempted)) > slack, !ended && slack >= 1:
		return o.fail("its rate is of %.0f requests, and it lists %d; the last line is %q", all, o.Attempted,
			LastLine(printed))
	}
	o.lasted(o.Attempted, rate)
	o.Completed, o.Failed = right, o.Attempted-right
	if o.noTimes = answers == 0; o.noTimes {
		return o.whole()
	}
	o.Timed = answers
	for _, m := range heyShare.FindAllStringSubmatch(printed, -1) {
		o.addPercentile(m[1], m[2], inUnit(1)) // of few answers it prints "0%" for those that it cannot tell
	}
	o.add("latency.mean", numbers["Average"], heyStep, "s")
	o.add("latency.max", numbers["Slowest"], heyStep, "s")
	return o.whole()
}

// heyErrors counts the errors of Go's client, by kind if each of them has one that we know.
func (o *Output) heyErrors(text string) (all int64) {
	o.Failures = map[string]int64{"connect": 0, "reset": 0, "timeout": 0, "closed": 0}
	for _, m := range heyError.FindAllStringSubmatch(text, -1) {
		n := o.count(m[1], "errors")
		all += n
		o.addFailures(errorKind(m[2]), n)
	}
	return all
}

// addFailures counts failed requests of a kind; of one that is not known, kinds tell nothing any more.
func (o *Output) addFailures(kind string, n int64) {
	if o.Failures != nil && kind != "" {
		o.Failures[kind] += n
	} else {
		o.Failures = nil
	}
}

// errorKind is what an error of an HTTP client or of the system says, in our words; empty if we cannot tell.
func errorKind(message string) string {
	message = strings.ToLower(message)
	for _, known := range []struct{ words, kind string }{
		{"connection refused", "connect"}, {"no route to host", "connect"}, {"connection reset by peer", "reset"},
		{"client.timeout exceeded", "timeout"}, {"i/o timeout", "timeout"}, {"deadline exceeded", "timeout"},
		{"eof", "closed"},
		{"server closed idle connection", "closed"},
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

func callHey(l *spec.Load, cores int) (Call, error) {
	c := Call{Threads: cmp.Or(l.Threads, max(1, cores)), Shell: stampBegin}
	target, err := withPort(l.Target)
	if err != nil {
		return c, err
	}
	if l.Requests > 0 {
		c.flag("-n", strconv.Itoa(share(l)*l.Connections))
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
