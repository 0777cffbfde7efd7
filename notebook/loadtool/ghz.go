package loadtool

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"

	"benchbook/notebook/spec"
)

var ghz = Tool{
	Name:  "ghz",
	Note:  "a request is a call; calls under way at the end are not counted",
	parse: parseGhz,
	Saved: true,
	wrote: wroteGhz,
	Load:  true,
	Program: &Program{
		Image: goModule("ghz", "github.com/bojand/ghz/cmd/ghz", "v0.121.0"),
		Flags: map[string]string{"connections": "-c", "threads": "--cpus", "requests": "-n", "duration": "-z", "warmup": "",
			"timeout": "-t", "headers": "-M", "body": "-D", "rate": "-r"},
		Schemes:   []string{"grpc", "grpcs"},
		Either:    true,
		WholeRate: true,
		Call:      callGhz,
		Complete:  timesOfAll("it keeps those of 1,000,000 calls only: shorten the load"),
	},
}

// ghzReport is what ghz prints with -O json. Times are nanoseconds.
type ghzReport struct {
	EndReason string
	Options   struct{ Concurrency, RPS int }
	// Count has all calls, Details no more than the first 1,000,000. Average is of all of them.
	Count                  *int64
	Total, Average         *float64
	ErrorDistribution      map[string]int64
	StatusCodeDistribution map[string]int64
	Details                []struct {
		Count   int64 // equal ones, which only ghzShell counts; 0 is one
		Latency int64
		Status  string
	}
}

// ghz is a closed loop of workers, or with -r an open one that waits for a free worker. We read what it prints with -O
// json, where each call has its time.
//
// Times are from the call to its status and begin, for the first call on a connection, before that is opened; with -r
// too they begin when a call was sent. A call is right if its status is OK. "average" is of all calls, and is told here
// only if all were right. At the end of a run for a time calls under way are left out of everything, if
// --duration-stop is ignore, or have failed.
//
// Source: bojand/ghz runner/reporter.go, runner/requester.go, runner/stats_handler.go.
func parseGhz(printed string) (*Output, error) {
	o := empty("ghz")
	o.Connecting = true
	var saved ghzReport
	o.parseJSON(printed, &saved, "save what ghz -O json prints")
	if saved.Count == nil || saved.Total == nil || saved.Average == nil || saved.StatusCodeDistribution == nil {
		return o.fail("it is not what ghz -O json prints")
	}
	all, _ := o.answers(saved.StatusCodeDistribution)
	o.Statuses = nil // which are those of HTTP
	o.Attempted, o.Completed = *saved.Count, saved.StatusCodeDistribution["OK"]
	if o.Failed = o.Attempted - o.Completed; all != o.Attempted {
		return o.fail("it has %d calls and %d statuses", o.Attempted, all)
	}
	o.Window, o.Connections = long(*saved.Total*nanosecond), saved.Options.Concurrency
	o.Paced, o.Counted = saved.Options.RPS > 0, saved.EndReason == "normal"
	o.Failures = map[string]int64{"connect": 0, "reset": 0, "timeout": 0, "closed": 0, "wrong": 0}
	for message, n := range saved.ErrorDistribution {
		o.addFailures(ghzKind(message), n)
	}
	if o.Failed == 0 {
		o.Timed = o.Attempted
	}
	times, step, err := saved.times()
	switch {
	case err != nil || times.count > o.Completed:
		return o.fail("it has other times than those of its %d right calls", o.Completed)
	case times.count == o.Completed:
		return o.addTimes(times, step)
	case o.Failed == 0:
		o.add("latency.mean", *saved.Average*nanosecond, nanosecond, "s")
	}
	return o.whole()
}

// times are those of right calls, in a step.
func (r *ghzReport) times() (times *distribution, step float64, err error) {
	times, step = newDistribution(), nanosecond
	for _, call := range r.Details {
		if call.Latency < 0 || call.Count < 0 || call.Count > maxCount-times.count {
			return nil, 0, errors.New("it cannot be")
		}
		if call.Count > 0 {
			step = microsecond
		}
		if call.Status == "OK" {
			times.addMany(time.Duration(call.Latency), max(1, call.Count))
		}
	}
	return times, step, nil
}

// ghzStatus finds the statuses that come from servers only, never from what is between.
//
// Source: grpc.github.io/grpc/core/md_doc_statuscodes.html.
var ghzStatus = regexp.MustCompile(`code = (InvalidArgument|NotFound|AlreadyExists|PermissionDenied|Unauthenticated|` +
	`FailedPrecondition|Aborted|OutOfRange|DataLoss) `)

// ghzKind is what an error of ghz says, in our words; empty if we cannot tell.
func ghzKind(message string) string {
	if ghzStatus.MatchString(message) {
		return "wrong"
	}
	return errorKind(message)
}

func wroteGhz(printed string) bool {
	return looksLike(printed, "endReason", "statusCodeDistribution", "errorDistribution") ||
		strings.Contains(printed, "Summary:\n  Count:\t") // text, which cannot be read, but whose way out we know
}

// ghzShell counts equal times, in microseconds: one for each call would soon be more than can be kept.
const ghzShell = `"$@" -o /tmp/report || exit; awk -v 'RS=[{]"timestamp":' '
NR == 1 { printf "%s", $0; next }
{ match($0, /"latency":[0-9]+/); us = int(substr($0, RSTART + 10, RLENGTH - 10) / 1000 + 0.5)
  match($0, /"status":"[A-Za-z]*"/); n[us "000," substr($0, RSTART, RLENGTH)]++ }
END { if (NR > 1) { for (k in n) { printf "%s{\"count\":%d,\"latency\":%s}", s, n[k], k; s = "," } print "]}" } }
' /tmp/report`

// callGhz has as many connections as there are workers. The path of the target is the method.
func callGhz(l *spec.Load, cores int) (Call, error) {
	c := Call{Threads: cmp.Or(l.Threads, max(1, cores)), Shell: ghzShell}
	secure, usual := "--insecure", "80"
	if strings.HasPrefix(l.Target, "grpcs:") {
		secure, usual = "--skipTLS", "443"
	}
	u, host, port, err := address(l.Target, usual)
	if err != nil {
		return c, err
	}
	clients := strconv.Itoa(l.Connections)
	c.flag(secure, "--call", strings.Trim(u.Path, "/"), "-c", clients, "--connections", clients)
	c.ends(l, "-n", "-z")
	if l.Requests == 0 {
		c.flag("--duration-stop", "ignore")
	}
	if l.Rate > 0 {
		c.flag("-r", strconv.Itoa(max(1, int(math.Round(l.Rate)))))
	}
	c.flag("-t", exact(l.Timeout), "--cpus", strconv.Itoa(c.Threads), "-O", "json")
	if len(l.Headers) > 0 {
		metadata, err := json.Marshal(l.Headers)
		if err != nil {
			return c, fmt.Errorf("writing the headers: %w", err)
		}
		c.flag("-M", c.file(metadataFile, string(metadata)))
	}
	if l.Body != "" {
		c.flag("-D", c.body(l.Body))
	}
	c.operands = []string{net.JoinHostPort(host, port)}
	return c, nil
}
