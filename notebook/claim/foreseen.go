package claim

import (
	"fmt"
	"math"
	"strings"
	"time"

	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// windowPerRequest is how many times as long as the longest request a window has to be: Little's law then holds within
// its bound, whatever part of the first and last requests lies inside.
const windowPerRequest = 10

// Foreseen finds the claims that a run with the same settings would leave undecided again, by the records of their cells:
// a percentile of too few answers, a window that is short for its requests, a ratio of a value that was zero, and a load
// generator that was too busy. Each claim has the first of them.
//
// Source: docs/validity.md#foreseen.
func Foreseen(d *dataset.Dataset) (out []Doubt) {
	for _, c := range d.Doc.Claims {
		t, err := newTest(d, c)
		if err != nil {
			continue
		}
		for _, s := range t.leafSides() {
			if doubt, ok := s.foreseen(c.Headline.V, t.isRatioOf(s)); ok {
				doubt.Claim = c
				out = append(out, doubt)
				break
			}
		}
	}
	return out
}

func (t Test) isRatioOf(s Side) (isRatio bool) {
	t.leaves(1, func(leaf Test, _ float64) {
		for _, of := range leaf.Sides {
			isRatio = isRatio || leaf.IsRatio && of.Metric.Name == s.Metric.Name
		}
	})
	return isRatio
}

func (s Side) foreseen(isHeadline, isRatio bool) (d Doubt, ok bool) {
	if s.isSearched() {
		return d, false
	}
	for _, cell := range s.Cells {
		if len(cell.Records) == 0 {
			continue
		}
		d.Experiment = cell.Experiment.Plan.Name
		r, name := cell.Metric(s.Metric.Name), dataset.NameOf(cell)
		window, longest := windowOf(cell.Records)
		switch {
		case strings.HasPrefix(r.Missing, "needs "):
			d.Words = fmt.Sprintf("%s of %s %s last time", s.Metric.InWords(), name, r.Missing)
			d.Hint = "lengthen its load, or name a lower percentile"
		case longest > 0 && window < windowPerRequest*longest:
			d.Words = fmt.Sprintf("the window of %s, %s, was shorter than %d times its longest request, %s", name,
				expr.Duration(window), windowPerRequest, expr.Duration(longest))
			d.Hint = "write a duration of " + expr.Duration(windowPerRequest*longest) + " or more"
		case isRatio && r.Missing == "" && r.Estimate.Centre == 0:
			d.Words = fmt.Sprintf("%s of %s was 0 last time, and there is no ratio of it", s.Metric.InWords(), name)
			d.Hint = "write fewer(a, b) for failures, or a limit"
		case isHeadline && cell.UnfitForHeadline() != "":
			d.Words = fmt.Sprintf("no headline claim can rest on %s: last time %s", name, cell.UnfitForHeadline())
			d.Hint = "change the load, or give its generator more CPUs"
		default:
			continue
		}
		return d, true
	}
	return d, false
}

// windowOf returns the shortest window of loads by connections, and the longest request in one of them, in seconds; 0 if
// they are not known.
func windowOf(records []*record.Record) (window, longest float64) {
	for _, r := range records {
		if r.Load == nil || r.IsOpenLoop() || r.Load.Window <= 0 {
			continue
		}
		if window == 0 || r.Load.Window < window {
			window = r.Load.Window
		}
		longest = max(longest, r.Histograms["latency"].Max)
	}
	return window, longest
}

// tooFewAnswers returns the doubt about a percentile of more answers than a load has requests.
func (t Test) tooFewAnswers() (d Doubt, ok bool) {
	for _, s := range t.leafSides() {
		_, text, isPercentile := strings.Cut(s.Metric.Name, ".p")
		p, err := stats.ParsePercentile(text)
		if !isPercentile || err != nil {
			continue
		}
		for _, cell := range s.Cells {
			l := cell.Trial.Load
			if l == nil {
				continue
			}
			sent, hint := int64(l.Requests), fmt.Sprintf("write requests: %d or more, or name a lower percentile", p.Need())
			if l.Requests == 0 && l.Rate > 0 {
				sent = int64(l.Rate * l.Duration.Seconds())
				long := time.Duration(math.Ceil(float64(p.Need())/l.Rate)) * time.Second
				hint = fmt.Sprintf("write duration: %v or more, or name a lower percentile", long)
			}
			if sent > 0 && sent < p.Need() {
				return Doubt{Rule: "too-few-answers", Experiment: cell.Experiment.Plan.Name, Words: fmt.Sprintf(
					"%s of %s needs %d answers, and its load has %d requests", s.Metric.InWords(), dataset.NameOf(cell), p.Need(),
					sent), Hint: hint}, true
			}
		}
	}
	return d, false
}
