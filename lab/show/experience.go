package show

import (
	"time"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
)

// overheadParts are the parts of a repetition besides warm-up and window.
var overheadParts = []string{"settle", "prepare", "start", "load", "stop", "conclude"}

// Experience returns what records know about how long each trial of an experiment takes: the mean window of the trial,
// and the mean overhead of the experiment, or else of the article on this host.
func Experience(known map[*plan.Trial]*TrialState) func(*plan.Trial) plan.Experience {
	return func(t *plan.Trial) plan.Experience {
		k := known[t]
		out := plan.Experience{Pending: k.ToMeasure, Searched: k.searched, Window: mean(k.records, "measure")}
		if out.Window == 0 {
			out.Window = mean(k.ofExperiment, "measure")
		}
		if out.Overhead = mean(k.ofExperiment, overheadParts...); out.Overhead == 0 {
			out.Overhead = mean(k.ofArticle, overheadParts...)
		}
		return out
	}
}

// atMost is Experience if claims stay undecided up to the last look.
func atMost(known map[*plan.Trial]*TrialState) func(*plan.Trial) plan.Experience {
	least := Experience(known)
	return func(t *plan.Trial) plan.Experience {
		out := least(t)
		out.Pending += known[t].More
		return out
	}
}

// mean returns the mean time that repetitions without a failure spent in some of their parts; 0 if there are none.
func mean(records []*record.Record, parts ...string) time.Duration {
	sum, n := 0.0, 0
	for _, r := range records {
		if r.Failure != "" || r.Search != nil {
			continue
		}
		n++
		for _, p := range parts {
			sum += max(0, r.Parts[p]) // the remainder of a subtraction may be negative
		}
	}
	return time.Duration(sum / float64(max(1, n)) * float64(time.Second))
}
