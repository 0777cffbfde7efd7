package main

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/kballard/go-shellquote"

	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/render/number"
	"benchbook/runner"
	"benchbook/runner/images"
	"benchbook/runner/machines"
)

// A reporter is a runner.Progress of several articles, one after another.
type reporter interface {
	runner.Progress
	// article begins an article, whose claims are judged by j if it is not nil.
	article(slug string, j *judge)
	// stop ends what is going on, so that other things can be written.
	stop()
	// close ends it for good.
	close()
}

// progress says in plain lines what a run is doing. Lines are written between repetitions only, so that writing them
// does not disturb a measurement.
type progress struct {
	w    io.Writer
	slug string
	todo int
	done int

	failures []string // what was said of the experiment
}

var _, _ reporter = (*progress)(nil), (*live)(nil)

func (p *progress) article(slug string, _ *judge) { p.slug = slug }

func (p *progress) close() {}

// stop is part of reporter: nothing of plain lines is unfinished.
func (p *progress) stop() {}

// Experiment is part of runner.Progress.
func (p *progress) Experiment(e *plan.Experiment, todo int) {
	p.todo, p.done, p.failures = todo, 0, nil
	if todo == 0 {
		fmt.Fprintf(p.w, "%s#%s is measured already\n", p.slug, e.Name)
		return
	}
	var names []string
	for _, t := range e.Trials {
		if t.Unavailable == "" {
			names = append(names, t.Name)
		}
	}
	if len(e.Steps) == 0 {
		fmt.Fprintf(p.w, "%s#%s: %s for the capacity of %s\n", p.slug, e.Name, count(todo, "search"), strings.Join(names, "; "))
		return
	}
	fmt.Fprintf(p.w, "%s#%s: %s of %s (%s), in seeded order %d\n", p.slug, e.Name, count(todo, "repetition"), count(len(names), "trial"),
		strings.Join(names, "; "), e.Seed)
}

// Again is part of runner.Progress.
func (p *progress) Again(steps []plan.Step) {
	p.todo, p.done = len(steps), 0
	fmt.Fprintf(p.w, "  %s again: too few are valid, as the machine was busy with something else\n", count(len(steps), "repetition"))
}

// Preparing is part of runner.Progress.
func (p *progress) Preparing(what string) images.Preparation {
	return &buildLog{w: p.w, what: what, since: time.Now()}
}

// buildLog shows the builder's own lines, each with what it builds, as several may be built at once. Images that are there already have no
// lines, and stay quiet.
type buildLog struct {
	w     io.Writer
	what  string
	since time.Time
	said  bool
	rest  []byte
}

func (l *buildLog) Write(b []byte) (int, error) {
	if !l.said {
		l.said = true
		fmt.Fprintf(l.w, "  preparing the image of %s\n", l.what)
	}
	l.rest = append(l.rest, b...)
	for {
		i := bytes.IndexByte(l.rest, '\n')
		if i < 0 {
			return len(b), nil
		}
		if line := strings.TrimRight(string(l.rest[:i]), "\r \t"); line != "" {
			fmt.Fprintf(l.w, "    %s: %s\n", l.what, line)
		}
		l.rest = l.rest[i+1:]
	}
}

// End is part of images.Preparation.
func (l *buildLog) End(ok bool) {
	took := time.Since(l.since).Round(100 * time.Millisecond)
	switch {
	case !l.said:
	case ok:
		fmt.Fprintf(l.w, "  prepared the image of %s in %v\n", l.what, took)
	default:
		fmt.Fprintf(l.w, "  preparing the image of %s failed after %v\n", l.what, took)
	}
}

// Note is part of runner.Progress.
func (p *progress) Note(text string) {
	fmt.Fprintf(p.w, "  %s\n", strings.ReplaceAll(text, "\n", " "))
}

// Begin is part of runner.Progress.
func (p *progress) Begin(plan.Step) {}

// Search is part of runner.Progress.
func (p *progress) Search(t *plan.Trial, s *record.Search) {
	what := "capacity"
	if s.Kind == record.SearchTune {
		what = "tune." + s.Name
	}
	if s.Stop != "" {
		probes := count(len(s.Probes), "probe")
		if n := s.Disturbed(); n > 0 {
			probes += fmt.Sprintf(", %d of them made again", n)
		}
		fmt.Fprintf(p.w, "  %s of %s: %s, after %s\n", what, t.Name, foundWords(s), probes)
		return
	}
	fmt.Fprintf(p.w, "  %s of %s: %s\n", what, t.Name, probeWords(s, &s.Probes[len(s.Probes)-1]))
}

// foundWords says what a search came to.
func foundWords(s *record.Search) string {
	rate := number.For("1/s", false)
	switch {
	case s.Reason != "":
		return "nothing found: " + s.Reason
	case s.Kind == record.SearchTune:
		words := number.Plain.Tuned(float64(s.Chosen), s.Lo, s.Hi)
		if s.Matters >= 1 {
			words += fmt.Sprintf(", the best %.2g times as good as the worst", s.Matters)
		}
		return words + " (" + stopWords[s.Stop] + ")"
	case s.Hi == 0:
		return rate.Capacity(s.Lo, math.Inf(1))
	}
	return rate.Capacity(s.Lo, s.Hi)
}

// stopWords say why a search for a value ended.
var stopWords = map[string]string{
	record.StopWorse: "larger ones were no better", record.StopLimit: "up to the largest allowed", record.StopBudget: "until its budget was over",
	record.StopPoints: "as many as this profile tries", record.StopOnly: "the only one allowed",
}

// probeWords says what a probe came to.
func probeWords(s *record.Search, p *record.Probe) string {
	candidate := number.Plain
	if s.Kind == record.SearchCapacity {
		candidate = number.For("1/s", false)
	}
	tried := candidate.Quantity(p.Candidate, max(0, candidate.Decimals(p.Candidate, math.NaN(), math.NaN())))
	switch {
	case p.Failure != "":
		return tried + " failed: " + strings.ReplaceAll(p.Failure, "\n", " ")
	case p.Disturbed != "":
		return tried + " is disturbed, and tried again: " + p.Disturbed
	case p.Invalid != "":
		return tried + " is not valid: " + p.Invalid
	}
	words := tried + ": no " + s.Metric
	if p.Has(s.Metric) {
		u := number.For(s.Unit, false, p.Value)
		words = tried + ": " + s.Metric + " " + u.Quantity(p.Value, u.Decimals(p.Value, math.NaN(), math.NaN()))
	}
	switch {
	case s.Kind == record.SearchTune:
	case p.Passed:
		words += ", meets the objective"
	default:
		words += ", does not meet the objective"
	}
	return words
}

// End is part of runner.Progress.
func (p *progress) End(step plan.Step, r *record.Record) {
	p.done++
	words, log := outcome(r), ""
	if r.Failure != "" {
		if slices.ContainsFunc(p.failures, func(f string) bool { return runner.IsAlike(f, r.Failure) }) {
			words = "failed in the same way"
		} else {
			p.failures = append(p.failures, r.Failure)
			log = p.logOf(r)
		}
	}
	if by, ok := dataset.Disturbed(r); ok {
		words += ", disturbed: " + by
	}
	fmt.Fprintf(p.w, "  [%*d/%d] %-24s %s\n", len(fmt.Sprint(p.todo)), p.done, p.todo, step.Trial.Name, words)
	fmt.Fprint(p.w, log)
}

// maxLogLines is how much of a log is shown beside a failure.
const maxLogLines = 12

// logOf is the end of the log of a repetition that failed, and how to see the rest.
func (p *progress) logOf(r *record.Record) string {
	lines := strings.Split(strings.TrimSpace(machines.Plain(r.Log)), "\n")
	if lines[0] == "" {
		return ""
	}
	rest := ""
	if n := len(lines) - maxLogLines; n > 0 {
		lines = lines[n:]
		rest = fmt.Sprintf("    the whole log: benchbook show %s#%s --trial %s --repetition %d\n", p.slug, r.Experiment, shellquote.Join(r.Trial), r.Repetition)
	}
	return indent(strings.Join(lines, "\n")) + "\n" + rest
}

// outcome says a repetition's result in a few words.
func outcome(r *record.Record) string {
	switch {
	case r.Failure != "":
		return "failed: " + strings.ReplaceAll(r.Failure, "\n", " ")
	case r.Load != nil && r.Load.Window > 0:
		s := fmt.Sprintf("%.0f/s in %.2f s", float64(r.Load.Completed)/r.Load.Window, r.Load.Window)
		if r.Load.Failed > 0 {
			s += fmt.Sprintf(", %d of %d failed", r.Load.Failed, r.Load.Attempted)
		}
		return s
	}
	if s, ok := r.Sample("time.real"); ok {
		return time.Duration(s.Value * float64(time.Second)).Round(10 * time.Microsecond).String()
	}
	return "done"
}

func indent(s string) string {
	return "      " + strings.ReplaceAll(strings.TrimSpace(s), "\n", "\n      ")
}
