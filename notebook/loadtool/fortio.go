package loadtool

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"benchbook/notebook/spec"
)

var fortio = Tool{
	Name:   "fortio",
	Note:   "percentiles are read off lines across the bars of a histogram",
	parse:  parseFortio,
	shares: inList,
	Image:  goModule("fortio", "fortio.org/fortio", "v1.63.0"),
	HTTP:   true,
	Flags: map[string]string{"connections": "-c", "threads": "-gomaxprocs", "requests": "-n", "duration": "-t",
		"warmup": "", "timeout": "-timeout", "keepalive": "-keepalive=false", "method": "-X", "headers": "-H",
		"body": "-payload-file", "verify": "", "rate": "-qps"},
	Either: true,
	Call:   callFortio,
}

// fortio is a closed loop of threads, each with a pace unless -qps is 0 or below. We read what it saves with -json.
//
// Its times are those of all requests, the failed ones among them, connecting included. It keeps them in a histogram
// whose bars are one millisecond wide unless -r says otherwise, and reads percentiles off lines across the bars: the
// width of the bar is the step of a percentile. To fortio a request has failed if its status is not 200; a status of -1
// or 0 is a request without an answer.
//
// Source: fortio/fortio periodic/periodic.go, fhttp/httprunner.go, stats/stats.go.
func parseFortio(o *Output, printed, _ string) (*Output, error) {
	var saved struct {
		RunType, Version, RequestedQPS string
		StartTime                      time.Time
		ActualDuration                 *float64 // nanoseconds
		NumThreads                     int
		DurationHistogram              *struct {
			Count    int64
			Max, Avg float64
			Data     []struct{ Start, End float64 }
			// Percentiles are of the histogram.
			Percentiles []struct{ Percentile, Value float64 }
		}
		RetCodes map[string]int64
	}
	o.parseJSON(printed, &saved)
	h := saved.DurationHistogram
	if h == nil || saved.ActualDuration == nil || saved.RetCodes == nil || saved.RunType != "HTTP" {
		return o.fail("it is not what fortio load -json saves of HTTP requests")
	}
	o.Connecting, o.Version, o.Started, o.Connections = true, saved.Version, saved.StartTime, saved.NumThreads
	o.Paced = saved.RequestedQPS != "max"
	all, right := o.answers(saved.RetCodes)
	if all != h.Count {
		return o.fail("its %d times are not those of its %d answers", h.Count, all)
	}
	o.Attempted, o.Completed, o.Failed, o.Timed = all, right, all-right, all
	o.Window = long(*saved.ActualDuration * nanosecond)
	if o.noTimes = all == 0; o.noTimes {
		return o.whole()
	}
	for _, p := range h.Percentiles {
		share := strconv.FormatFloat(p.Percentile, 'f', -1, 64)
		step := 0.0
		for _, bar := range h.Data {
			if p.Value >= bar.Start && p.Value <= bar.End {
				step = bar.End - bar.Start
			}
		}
		if p.Percentile < 100 { // the maximum is known exactly
			o.addPercentileOf(share, p.Value, step)
		}
	}
	o.add("latency.mean", h.Avg, 0, "s")
	o.add("latency.max", h.Max, 0, "s")
	return o.whole()
}

// callFortio asks for bars of ten microseconds, which reach to a second, and for clients that do not all begin at the
// same time. The request that it sends on each connection before may fail, as any other.
func callFortio(l *spec.Load, cores int) (Call, error) {
	c := Call{Threads: cmp.Or(l.Threads, max(1, cores))}
	target, err := withPort(l.Target)
	if err != nil {
		return c, err
	}
	c.flag("load", "-c", strconv.Itoa(l.Connections), "-qps", strconv.FormatFloat(l.Rate, 'f', -1, 64))
	c.ends(l, "-n", "-t")
	if l.Rate > 0 {
		c.flag("-uniform")
	}
	c.flag("-timeout", exact(l.Timeout), "-gomaxprocs", strconv.Itoa(c.Threads), "-json", "-", "-p",
		"50,75,90,95,99,99.9", "-r", "0.00001", "-allow-initial-errors", "-log-errors=false", "-k")
	if !l.Keepalive && strings.HasPrefix(target, "https:") {
		c.flag("-stdclient") // its own client takes the end of a connection of TLS for an error
	}
	c.request(l, "-keepalive=false", "-X", "-H", "-payload-file")
	c.operands = []string{target}
	return c, nil
}
