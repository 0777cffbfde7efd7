package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"gonum.org/v1/gonum/stat/distuv"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// What starting and stopping takes where nothing has been recorded: a container is created, started and removed in a third of
// a second, and a service is ready within about a second.
const (
	usualService = 1200 * time.Millisecond
	usualLoad    = 300 * time.Millisecond
)

// An estimate is how long the repetitions that are to be measured take. Images are built before, and not counted.
type estimate struct {
	start, warmup, measure time.Duration // start is starting and stopping of services and load
	recorded               bool          // some of it rests on records
	unknown                []string      // what is not in it, since it has never been measured
}

func (e *estimate) total() time.Duration { return e.start + e.warmup + e.measure }

// estimated adds up what is left to do of an experiment.
func estimated(e *plan.Experiment, known map[*plan.Trial]*known) estimate {
	var out estimate
	var siblings []*record.Record
	for _, t := range e.Trials {
		siblings = append(siblings, known[t].records...)
	}
	for _, t := range e.Trials {
		n := time.Duration(known[t].toMeasure)
		if n == 0 {
			continue
		}
		basis := known[t].records
		if len(basis) == 0 {
			basis = siblings // cells of one experiment take about as long as each other
		}
		start, ok := mean(basis, "start", "stop")
		if !ok {
			start = usualLoad + usualService*time.Duration(len(t.Services))
		}
		out.recorded = out.recorded || ok
		out.start += n * start
		if t.Load != nil {
			out.warmup += n * t.Load.Warmup
		}
		measure, unknown := measuring(t, basis)
		out.measure += n * measure
		if unknown != "" && !slices.Contains(out.unknown, unknown) {
			out.unknown = append(out.unknown, unknown)
		}
	}
	return out
}

// measuring is how long one repetition measures, or the words for what is not known of it.
func measuring(t *plan.Trial, basis []*record.Record) (time.Duration, string) {
	if t.Load != nil && t.Load.Requests == 0 {
		return t.Load.Duration, ""
	}
	if d, ok := mean(basis, "measure"); ok {
		return d, ""
	}
	switch {
	case t.Load != nil && t.Load.Duration > 0:
		return t.Load.Duration, ""
	case t.Load != nil:
		return 0, "how long " + count(t.Load.Requests, "request") + " take"
	}
	return 0, "how long the command takes"
}

// mean is the mean time that repetitions without a failure spent in some of their parts; false if there are none.
func mean(records []*record.Record, parts ...string) (time.Duration, bool) {
	sum, n := 0.0, 0
	for _, r := range records {
		if r.Failure != "" {
			continue
		}
		n++
		for _, p := range parts {
			sum += max(0, r.Parts[p]) // what is left when the rest is taken away may come out below zero
		}
	}
	if n == 0 {
		return 0, false
	}
	return time.Duration(sum / float64(n) * float64(time.Second)), true
}

// String says how long, of what it is made up, and what is not in it.
func (e *estimate) String() string {
	parts := []string{clock(e.start) + " starting and stopping"}
	if e.warmup > 0 {
		parts = append(parts, clock(e.warmup)+" warm-up")
	}
	if e.measure > 0 {
		parts = append(parts, clock(e.measure)+" measuring")
	}
	text := "about " + clock(e.total()) + ": " + strings.Join(parts, ", ")
	if len(e.unknown) > 0 {
		text += ", and what is not known before the first run: " + strings.Join(e.unknown, " and ")
	}
	if e.recorded {
		text += "; as earlier repetitions took"
	}
	return text
}

// clock writes a time in whole days, hours, minutes and seconds, without leading zeros: "1h 0m 5s".
func clock(d time.Duration) string {
	s := int64(math.Round(d.Seconds()))
	out := ""
	for _, u := range []struct {
		seconds int64
		unit    string
	}{{86400, "d"}, {3600, "h"}, {60, "m"}} {
		if n := s / u.seconds; n > 0 || out != "" {
			out += fmt.Sprintf("%d%s ", n, u.unit)
		}
		s %= u.seconds
	}
	return fmt.Sprintf("%s%ds", out, s)
}

// halfWidth is the expected half width of the 95 % interval of a ratio of two cells of n repetitions each, whose repetitions
// have the coefficient of variation c. n is at least 2; the result is a share, as c is.
//
// Source: METHOD.md 0, t·c·√(2/n).
func halfWidth(n int, c float64) float64 {
	t := distuv.StudentsT{Sigma: 1, Nu: float64(2*n - 2)}.Quantile(1 - stats.DefaultAlpha/2)
	return t * c * math.Sqrt(2/float64(n))
}

// precision says in one line what so many repetitions can tell apart.
func precision(n int) string {
	if n < stats.MinRepetitions {
		return fmt.Sprintf("none: a claim about a ratio needs %d repetitions or more", stats.MinRepetitions)
	}
	return fmt.Sprintf("a ratio of two trials is known to ±%.2g %% if repetitions vary by 2 %%, to ±%.2g %% at 5 %%",
		100*halfWidth(n, 0.02), 100*halfWidth(n, 0.05))
}
