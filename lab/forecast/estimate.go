package forecast

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"gonum.org/v1/gonum/stat/distuv"

	"benchbook/lab/terminal"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
	"benchbook/slice"
)

// Experience is what records know about how long each trial of an experiment takes: those of the trial before those of
// other trials, of this host and profile before other profiles, and these before other hosts. Where there are none,
// what other experiments of the article took on this machine to start and to stop is nearer than a guess.
func Experience(e *plan.Experiment, known map[*plan.Trial]*TrialState) func(*plan.Trial) plan.Experience {
	var siblings []*record.Record
	for _, t := range e.Trials {
		siblings = append(siblings, known[t].records...)
	}
	return func(t *plan.Trial) plan.Experience {
		k := known[t]
		own := slices.DeleteFunc(slices.Clone(k.same), func(r *record.Record) bool { return r.Trial != t.Name })
		out := plan.Experience{Pending: k.ToMeasure, Searched: k.searched}
		for i, basis := range [][]*record.Record{k.records, own, siblings, k.same, k.nearby} {
			if _, ok := mean(basis, "measure"); !ok {
				continue
			}
			foreign := k.elsewhere && (i == 1 || i == 3)
			if !out.Recorded {
				out.Overhead, out.Probe, out.Recorded = overhead(e, t, basis, e.Blocks), overhead(e, t, basis, false), true
				out.Elsewhere = foreign
			}
			if i < 4 && out.Window == 0 { // other experiments measure something else
				out.Window, out.Elsewhere = window(t, basis), out.Elsewhere || foreign
			}
		}
		for _, basis := range [][]*record.Record{k.records, own} {
			if out.Search == 0 {
				out.Search = searchTime(basis, t)
			}
		}
		return out
	}
}

// atMost is Experience if claims stay undecided up to the last look.
func atMost(e *plan.Experiment, known map[*plan.Trial]*TrialState) func(*plan.Trial) plan.Experience {
	least := Experience(e, known)
	return func(t *plan.Trial) plan.Experience {
		out := least(t)
		out.Pending += known[t].More
		return out
	}
}

// standingBy is how long the container of a load takes to start where no service is started beside it.
const standingBy = 300 * time.Millisecond

// endOfLoad is how long a load takes beside warm-up and window if nothing is waited for after it.
const endOfLoad = 500 * time.Millisecond

// overhead is the mean time that a repetition of a trial takes beside warm-up and window, as repetitions took that may
// be of another profile. What is waited for after a window are the requests of as many clients as there are, and none
// if the window ends with the last of them. In a block services are started and stopped once.
func overhead(e *plan.Experiment, t *plan.Trial, records []*record.Record, block bool) time.Duration {
	always, _ := mean(records, "settle", "prepare", "conclude")
	waited := meanOf(records, func(r *record.Record) float64 {
		took := r.Parts["load"]
		switch {
		case t.Load == nil || r.Load == nil || t.Load.Rate > 0 || took <= endOfLoad.Seconds():
			return took
		case t.Load.Requests > 0:
			return endOfLoad.Seconds()
		}
		fewer := min(1, float64(t.Load.Connections)/float64(max(1, r.Load.Connections)))
		return max(endOfLoad.Seconds(), took*fewer)
	})
	around := meanOf(records, func(r *record.Record) float64 {
		whole := r.Parts["start"] + r.Parts["stop"]
		if block && r.Facts[record.FactStart] == "" {
			n := float64(e.Least())
			return (whole + (n-1)*min(whole, standingBy.Seconds())) / n
		}
		return whole
	})
	return always + waited + around
}

// window is the mean time that repetitions were measured, of loads that end with a number of requests for as many as
// the trial sends.
func window(t *plan.Trial, records []*record.Record) time.Duration {
	if t.Load == nil || t.Load.Requests == 0 {
		d, _ := mean(records, "measure")
		return d
	}
	sum, n := 0.0, 0
	for _, r := range records {
		if r.Failure == "" && r.Search == nil && r.Load != nil && r.Load.Attempted > 0 {
			sum, n = sum+r.Parts["measure"]*float64(t.Load.Requests)/float64(r.Load.Attempted), n+1
		}
	}
	if n == 0 {
		return 0
	}
	return time.Duration(sum / float64(n) * float64(time.Second))
}

// searchTime is how long the newest search for the capacity of a trial took, or its newest ones for values; 0 if there
// are none.
func searchTime(records []*record.Record, t *plan.Trial) time.Duration {
	newest := map[string]*record.Record{}
	for _, r := range records {
		if s := r.Search; s != nil && r.Trial == t.Name && (newest[s.Name] == nil ||
			r.Started.After(newest[s.Name].Started)) {
			newest[s.Name] = r
		}
	}
	var sum time.Duration
	for _, r := range newest {
		sum += r.Ended.Sub(r.Started)
	}
	return sum
}

// mean is the mean time that repetitions without a failure spent in some of their parts; false if there are none.
func mean(records []*record.Record, parts ...string) (time.Duration, bool) {
	measured := slice.Count(records, isMeasured) > 0
	return meanOf(records, func(r *record.Record) float64 {
		sum := 0.0
		for _, p := range parts {
			sum += max(0, r.Parts[p]) // what is left when the rest is taken away may come out below zero
		}
		return sum
	}), measured
}

// meanOf is the mean of so many seconds of repetitions without a failure; 0 if there are none.
func meanOf(records []*record.Record, seconds func(*record.Record) float64) time.Duration {
	sum, n := 0.0, 0
	for _, r := range records {
		if isMeasured(r) {
			sum, n = sum+max(0, seconds(r)), n+1
		}
	}
	return time.Duration(sum / float64(max(1, n)) * float64(time.Second))
}

// isMeasured reports whether a record is of a repetition without a failure.
func isMeasured(r *record.Record) bool { return r.Failure == "" && r.Search == nil }

// inWords says how long something takes at least and at most, of what the least time is made up, and what is assumed.
func inWords(e plan.Estimate, most time.Duration) string {
	var parts []string
	for _, part := range []struct {
		d    time.Duration
		what string
	}{{e.Overhead, "starting and stopping"}, {e.Warmup, "warm-up"}, {e.Window, "measuring"}, {e.Searches, "searching"}} {
		if part.d > 0 {
			parts = append(parts, terminal.Clock(part.d)+" "+part.what)
		}
	}
	text := "about " + terminal.Clock(e.Total)
	if most > e.Total {
		text += " to " + terminal.Clock(most) + ", at least"
	}
	text += ": " + strings.Join(parts, ", ")
	switch {
	case e.Elsewhere:
		text += "; as repetitions took on another host"
	case e.Recorded:
		text += "; as earlier repetitions took"
	}
	if len(e.Guesses) > 0 {
		text += "; assumed: " + strings.Join(e.Guesses, ", ")
	}
	return text
}

// halfWidth is the expected half width of the interval of a ratio of two cells of n repetitions each, at the level
// alpha, whose repetitions have the coefficient of variation c. n is at least 2; the result is a share, as c is.
//
// Source: docs/method.md#words-and-defaults, t·c·√(2/n).
func halfWidth(n int, alpha, c float64) float64 {
	t := distuv.StudentsT{Sigma: 1, Nu: float64(2*n - 2)}.Quantile(1 - alpha/2)
	return t * c * math.Sqrt(2/float64(n))
}

// precision says in one line what repetitions can tell apart, at the last look.
func precision(looks []int) string {
	n, alpha := slices.Max(looks), stats.Level(stats.DefaultAlpha, len(looks), 1)
	if n < stats.MinRepetitions {
		return fmt.Sprintf("none: a claim about a ratio needs %d repetitions or more", stats.MinRepetitions)
	}
	after := ""
	if len(looks) > 1 {
		after = fmt.Sprintf("after %d repetitions, judged at %.3g %%, ", n, 100*alpha)
	}
	return after + fmt.Sprintf("a ratio of two trials is known to ±%.2g %% if repetitions vary by 2 %%, "+
		"to ±%.2g %% at 5 %%", 100*halfWidth(n, alpha, 0.02), 100*halfWidth(n, alpha, 0.05))
}
