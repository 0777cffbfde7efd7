package main

import (
	"fmt"
	"math"
	"strings"
	"time"

	"gonum.org/v1/gonum/stat/distuv"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// experience is what the records of an experiment's trials know about how long each of them takes. Where there are none, what other
// experiments of the article took on this machine to start and to stop is nearer than a guess.
func experience(e *plan.Experiment, known map[*plan.Trial]*known) func(*plan.Trial) plan.Experience {
	var siblings []*record.Record
	for _, t := range e.Trials {
		siblings = append(siblings, known[t].records...)
	}
	return func(t *plan.Trial) plan.Experience {
		basis := known[t].records
		if len(basis) == 0 {
			basis = siblings // cells of one experiment take about as long as each other
		}
		out := plan.Experience{Pending: known[t].toMeasure, Searched: known[t].searched}
		out.Window, _ = mean(basis, "measure")
		for _, records := range [][]*record.Record{basis, known[t].nearby} {
			if !out.Recorded {
				out.Overhead, out.Recorded = mean(records, "settle", "start", "prepare", "load", "conclude", "stop")
			}
		}
		return out
	}
}

// mean is the mean time that repetitions without a failure spent in some of their parts; false if there are none.
func mean(records []*record.Record, parts ...string) (time.Duration, bool) {
	sum, n := 0.0, 0
	for _, r := range records {
		if r.Failure != "" || r.Search != nil {
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

// inWords says how long something takes, of what the time is made up, and what is assumed.
func inWords(e plan.Estimate) string {
	var parts []string
	for _, part := range []struct {
		d    time.Duration
		what string
	}{{e.Overhead, "starting and stopping"}, {e.Warmup, "warm-up"}, {e.Window, "measuring"}, {e.Searches, "searching"}} {
		if part.d > 0 {
			parts = append(parts, clock(part.d)+" "+part.what)
		}
	}
	text := "about " + clock(e.Total) + ": " + strings.Join(parts, ", ")
	if e.Recorded {
		text += "; as earlier repetitions took"
	}
	if len(e.Guesses) > 0 {
		text += "; assumed: " + strings.Join(e.Guesses, ", ")
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
