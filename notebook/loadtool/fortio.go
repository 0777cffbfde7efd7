package loadtool

import (
	"strconv"
	"time"

	"benchbook/notebook/spec"
)

// fortio is a closed loop of threads, each with a pace unless -qps is 0. We read what it saves with -json.
//
// Its times are of all requests, failed ones and connecting included. It keeps them in a histogram, and interpolates
// percentiles linearly within bars, so the step of a percentile is the width of its bar. Our bars of ten microseconds
// (-r) reach to a second. To fortio, a request has failed if its status is not 200; a status of -1 or 0 is a request
// without an answer. The first request on each connection, before the window, may fail.
//
// Source: fortio/fortio periodic/periodic.go, fhttp/httprunner.go, stats/stats.go.
var fortio = Tool{
	Name:  "fortio",
	Note:  "percentiles are interpolated in the bars of a histogram",
	Image: goModule("fortio", "fortio.org/fortio", "v1.63.0"),
	HTTP:  true,
	Flags: []Flag{{"", "load"}, {"connections", "-c"}, {"rate", "-qps"}, {"requests", "-n"}, {"duration", "-t"},
		{"timeout", "-timeout"}, {"threads", "-gomaxprocs"}, {"",
			"-json - -p 50,75,90,95,99,99.9 -r 0.00001 -allow-initial-errors -log-errors=false -k"},
		{"keepalive", "-keepalive=false"}, {"method", "-X"}, {"headers", "-H"}, {"body", "-payload-file"}},
	Either: true,
	adapt:  adaptFortio,
	parse:  parseFortio,
}

func parseFortio(o *Output, printed, _ string) {
	var saved struct {
		RunType, RequestedQPS string
		StartTime             time.Time
		ActualDuration        *float64 // nanoseconds
		NumThreads            int
		DurationHistogram     *struct {
			Count       int64
			Max, Avg    float64
			Data        []struct{ Start, End float64 }
			Percentiles []struct{ Percentile, Value float64 }
		}
		RetCodes map[string]int64
	}
	o.parseJSON(printed, &saved)
	h := saved.DurationHistogram
	if h == nil || saved.ActualDuration == nil || saved.RetCodes == nil || saved.RunType != "HTTP" {
		o.fail("it is not what fortio load -json saves of HTTP requests")
		return
	}
	all, right := o.countAnswers(saved.RetCodes)
	if all != h.Count {
		o.fail("it has %d times of %d answers", h.Count, all)
	}
	o.Connecting, o.Started, o.Connections = true, saved.StartTime, saved.NumThreads
	o.Paced = saved.RequestedQPS != "max"
	o.setCounts(all, right)
	o.Timed = all
	o.Window = duration(*saved.ActualDuration * nanosecond)
	for _, p := range h.Percentiles {
		r := reading{value: p.Value}
		for _, bar := range h.Data {
			if p.Value >= bar.Start && p.Value <= bar.End {
				r.step = bar.End - bar.Start
			}
		}
		if p.Percentile < 100 { // the maximum is exact
			o.addPercentile(strconv.FormatFloat(p.Percentile, 'f', -1, 64), r)
		}
	}
	o.add("latency.mean", reading{value: h.Avg}, "s")
	o.add("latency.max", reading{value: h.Max}, "s")
}

func adaptFortio(c *Call, l *spec.Load) {
	if l.Rate > 0 {
		c.flag("-uniform") // spread the requests of clients over time
	} else {
		c.flag("-qps", "0")
	}
	if !l.Keepalive && c.isTLS() || l.Method == "HEAD" {
		c.flag("-stdclient") // fortio's own client fails at the end of a TLS connection, and waits for a body after HEAD
	}
}
