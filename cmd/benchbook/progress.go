package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
)

// progress says in plain lines what a run is doing. Lines are written between repetitions only, so that writing them
// does not disturb a measurement.
type progress struct {
	w       io.Writer
	article string
	todo    int
	done    int
	building
}

// building is an image in the making.
type building struct {
	what  string
	since time.Time
	said  bool
}

// Experiment is part of runner.Progress.
func (p *progress) Experiment(e *plan.Experiment, todo int) {
	p.todo, p.done = todo, 0
	if todo == 0 {
		fmt.Fprintf(p.w, "%s#%s is measured already\n", p.article, e.Name)
		return
	}
	var names []string
	for _, t := range e.Trials {
		if t.Unavailable == "" {
			names = append(names, t.Name)
		}
	}
	fmt.Fprintf(p.w, "%s#%s: %s of %s (%s), in seeded order %d\n", p.article, e.Name, count(todo, "repetition"), count(len(names), "trial"),
		strings.Join(names, "; "), e.Seed)
}

// Preparing is part of runner.Progress.
func (p *progress) Preparing(what string) io.Writer {
	p.stop()
	p.building = building{what: what, since: time.Now()}
	return &buildLog{p: p}
}

// buildLog shows the builder's own lines, indented, once it has any: images that are there already stay quiet.
type buildLog struct {
	p    *progress
	rest []byte
}

func (l *buildLog) Write(b []byte) (int, error) {
	if !l.p.said {
		l.p.said = true
		fmt.Fprintf(l.p.w, "  preparing the image of %s\n", l.p.what)
	}
	l.rest = append(l.rest, b...)
	for {
		i := bytes.IndexByte(l.rest, '\n')
		if i < 0 {
			return len(b), nil
		}
		if line := strings.TrimRight(string(l.rest[:i]), "\r \t"); line != "" {
			fmt.Fprintf(l.p.w, "    %s\n", line)
		}
		l.rest = l.rest[i+1:]
	}
}

// stop ends the preparation of an image, if one was going on.
func (p *progress) stop() {
	if p.said {
		fmt.Fprintf(p.w, "  prepared in %v\n", time.Since(p.since).Round(100*time.Millisecond))
	}
	p.building = building{}
}

// Begin is part of runner.Progress.
func (p *progress) Begin(plan.Step) { p.stop() }

// End is part of runner.Progress.
func (p *progress) End(step plan.Step, r *record.Record) {
	p.done++
	fmt.Fprintf(p.w, "  [%*d/%d] %-24s %s\n", len(fmt.Sprint(p.todo)), p.done, p.todo, step.Trial.Name, outcome(r))
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
