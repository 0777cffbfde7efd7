package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
	"benchbook/render/number"
	"benchbook/runner"
	"benchbook/runner/images"
	"benchbook/runner/machines"
)

// drawEvery is how often the lines of a run are drawn anew while nothing else happens: so seldom that it takes less than a thousandth
// of a core, which a benchmark holds it to.
const drawEvery = time.Second

// live shows a run on a terminal: how far it is in all and in the repetition under way, the time that is left, what trials came to so
// far, and verdicts as they form. It is a runner.Progress.
type live struct {
	*progress // what happened, in lines above
	screen    *screen
	forecast  *eta
	judge     *judge // nil for none

	mu         sync.Mutex
	experiment *plan.Experiment
	step       plan.Step
	began      time.Time // of the repetition under way; zero for none
	making     []*making // images that are being made, those first that were begun first
	sofar      map[*plan.Trial][]float64
	stopped    chan struct{} // closed to end drawing
	drawing    sync.WaitGroup
}

// newLive begins to draw, until close.
func newLive(screen *screen, forecast *eta) *live {
	l := &live{progress: &progress{w: screen}, screen: screen, forecast: forecast, sofar: map[*plan.Trial][]float64{}, stopped: make(chan struct{})}
	l.drawing.Go(func() {
		ticker := time.NewTicker(drawEvery)
		defer ticker.Stop()
		for {
			select {
			case <-l.stopped:
				return
			case <-ticker.C:
				l.draw(time.Now())
			}
		}
	})
	return l
}

// close is part of reporter.
func (l *live) close() {
	close(l.stopped)
	l.drawing.Wait()
	l.screen.draw()
}

// Experiment is part of runner.Progress.
func (l *live) Experiment(e *plan.Experiment, todo int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.experiment = e
	l.forecast.begin(e, todo)
	l.progress.Experiment(e, todo)
}

// Preparing is part of runner.Progress.
func (l *live) Preparing(what string) images.Preparation {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.began = time.Time{}
	return &making{Preparation: l.progress.Preparing(what), on: l, what: what, since: time.Now()}
}

// making is an image that is being made, which is shown once its builder has said something: others are there already.
type making struct {
	images.Preparation
	on    *live
	what  string
	since time.Time
}

func (m *making) Write(text []byte) (int, error) {
	m.on.mu.Lock()
	if !slices.Contains(m.on.making, m) {
		m.on.making = append(m.on.making, m)
	}
	m.on.mu.Unlock()
	n, err := m.Preparation.Write(text)
	m.on.draw(time.Now())
	return n, err
}

// End is part of images.Preparation.
func (m *making) End(ok bool) {
	m.on.mu.Lock()
	m.on.making = slices.DeleteFunc(m.on.making, func(o *making) bool { return o == m })
	m.on.mu.Unlock()
	m.Preparation.End(ok)
	m.on.draw(time.Now())
}

// Begin is part of runner.Progress.
func (l *live) Begin(step plan.Step) {
	l.progress.Begin(step)
	l.mu.Lock()
	l.step, l.began = step, time.Now()
	l.mu.Unlock()
	l.draw(time.Now())
}

// End is part of runner.Progress. Repetitions that went well leave no line: what they came to is seen below.
func (l *live) End(step plan.Step, r *record.Record) {
	now := time.Now()
	l.mu.Lock()
	l.forecast.finished(step.Trial, now.Sub(l.began))
	l.began = time.Time{}
	if value, ok := outcomeOfOne(r); ok {
		l.sofar[step.Trial] = append(l.sofar[step.Trial], value)
	}
	if _, disturbed := dataset.Disturbed(r); disturbed || r.Failure != "" {
		l.progress.End(step, r)
	} else {
		l.progress.done++
	}
	l.mu.Unlock()
	if l.judge != nil {
		if found, ok := l.judge.add(r, now); ok {
			l.mu.Lock()
			l.judge.note(found)
			l.mu.Unlock()
		}
	}
	l.draw(time.Now())
}

// Search is part of runner.Progress.
func (l *live) Search(t *plan.Trial, s *record.Search) {
	l.progress.Search(t, s)
	l.mu.Lock()
	l.forecast.searched(t, s)
	l.mu.Unlock()
	l.draw(time.Now())
}

// article is part of reporter.
func (l *live) article(slug string, j *judge) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.progress.article(slug, nil)
	l.judge = j
}

// stop is part of reporter.
func (l *live) stop() {
	l.mu.Lock()
	l.experiment = nil
	l.mu.Unlock()
	l.screen.draw()
	l.progress.stop()
}

// outcomeOfOne is the number that a repetition is told apart by: its throughput, or the time of its command.
func outcomeOfOne(r *record.Record) (float64, bool) {
	if r.Failure != "" {
		return 0, false
	}
	if r.Load != nil && r.Load.Window > 0 && r.Load.Completed >= 0 {
		return float64(r.Load.Completed) / r.Load.Window, true
	}
	s, ok := r.Sample("time.real")
	return s.Value, ok
}

// draw shows where the run stands.
func (l *live) draw(now time.Time) {
	l.mu.Lock()
	lines := l.lines(now, l.screen.width())
	l.mu.Unlock()
	l.screen.draw(lines...)
}

// Widths of the parts of a line.
const (
	liveLabel = 9
	liveBar   = 24
)

// lines are what is shown, in so many columns. They are made with the lock held.
func (l *live) lines(now time.Time, width int) []string {
	label := func(word string) string { return padded(word, liveLabel) }
	var lines []string
	for i, m := range l.making {
		word := ""
		if i == 0 {
			word = "images"
		}
		lines = append(lines, fmt.Sprintf("%s%s, for %s", label(word), clean(m.what), hms(now.Sub(m.since))))
	}
	if l.experiment == nil {
		return lines
	}
	var under *plan.Trial
	var over time.Duration
	if !l.began.IsZero() {
		under, over = l.step.Trial, now.Sub(l.began)
	}
	bar := func(share float64) string {
		columns := min(liveBar, width-liveLabel-24)
		if columns < 4 {
			return ""
		}
		return l.screen.bar(share, columns) + " "
	}
	name := clean(l.slug + "#" + l.experiment.Name)
	share := l.forecast.share(under, over)
	lines = append(lines, fmt.Sprintf("%s%s%3.0f %%, %s left, %d of %d of %s", label("overall"), bar(share), 100*share, hms(l.forecast.remaining(under, over)),
		l.done, l.todo, name))
	if under != nil {
		one := l.forecast.one(under)
		part := 0.0
		if one > 0 {
			part = over.Seconds() / one.Seconds()
		}
		line := fmt.Sprintf("%s%s%s of about %s, repetition %d of %s", label("now"), bar(part), hms(over), hms(one), l.step.Repetition, clean(under.Name))
		if words := l.median(under); words != "" {
			line += ", " + words + " before"
		}
		lines = append(lines, line)
	}
	if words := l.soFar(); words != "" {
		lines = append(lines, label("so far")+clean(words))
	}
	if l.judge != nil {
		for i, v := range l.judge.latest() {
			word := ""
			if i == 0 {
				word = "claims"
			}
			lines = append(lines, label(word)+l.screen.colour(v.colour, v.verdict)+" so far: "+clean(v.words))
		}
	}
	return lines
}

// clean is a name or words of an author, or what came of them, in one line without what controls a terminal.
func clean(words string) string { return strings.ReplaceAll(string(cleaned([]byte(words))), "\n", " ") }

// soFar are the medians of the trials that have been measured, with the numbers of repetitions.
func (l *live) soFar() string {
	var out []string
	for _, t := range l.experiment.Trials {
		if words := l.median(t); words != "" {
			out = append(out, fmt.Sprintf("%s %s (%d)", t.Name, words, len(l.sofar[t])))
		}
	}
	return strings.Join(out, ", ")
}

// median is that of the finished repetitions of a trial, or nothing.
func (l *live) median(t *plan.Trial) string {
	if len(l.sofar[t]) == 0 {
		return ""
	}
	unit, median := "1/s", stats.Median(l.sofar[t])
	if t.Command != nil {
		unit = "s"
	}
	u := number.For(unit, false, median)
	return u.Quantity(median, u.Decimals(median, math.NaN(), math.NaN()))
}

// judgeShare is the part of a run that judging claims may take. It happens between repetitions, never beside one.
const judgeShare = 0.01

// latestVerdicts is how many of them are shown.
const latestVerdicts = 3

// A judge says what claims come to with the records that there are.
type judge struct {
	judgements func([]*record.Record) ([]dataset.Judgement, error)
	records    []*record.Record
	began      time.Time
	spent      time.Duration
	last       time.Duration // what it took the last time

	verdicts []verdict // those that formed or changed last come first
}

type verdict struct {
	claim, verdict, words string
	colour                int
}

// add takes a record, and judges anew if that does not take too long.
func (j *judge) add(r *record.Record, now time.Time) (found []dataset.Judgement, ok bool) {
	j.records = append(j.records, r)
	if j.spent+j.last > time.Duration(judgeShare*float64(now.Sub(j.began))) {
		return nil, false
	}
	begin := time.Now()
	found, err := j.judgements(j.records)
	j.last = time.Since(begin)
	j.spent += j.last
	return found, err == nil // of an error the end of the run tells
}

// note keeps the verdicts that have formed, those first that have changed.
func (j *judge) note(list []dataset.Judgement) {
	var changed, rest []verdict
	for i := range list {
		v := verdict{claim: list[i].Claim.Name.Value, verdict: string(list[i].Verdict)}
		switch list[i].Verdict {
		case stats.NotMeasured:
			continue
		case stats.Supported:
			v.colour = green
		case stats.Contradicted:
			v.colour = red
		default:
			v.colour = yellow
		}
		v.words = v.claim
		if words := because(&list[i]); words != "" {
			v.words += ", " + words
		}
		at := slices.IndexFunc(j.verdicts, func(o verdict) bool { return o.claim == v.claim })
		if at >= 0 && j.verdicts[at].verdict == v.verdict {
			j.verdicts[at] = v
			continue
		}
		changed = append(changed, v)
	}
	for _, v := range j.verdicts {
		if !slices.ContainsFunc(changed, func(o verdict) bool { return o.claim == v.claim }) {
			rest = append(rest, v)
		}
	}
	j.verdicts = append(changed, rest...)
}

// latest are the verdicts that formed or changed last.
func (j *judge) latest() []verdict { return j.verdicts[:min(latestVerdicts, len(j.verdicts))] }

// reporter shows a run as standard error can: on a terminal that is wide enough with bars, else in plain lines.
func newReporter(ctx context.Context, a *session, project *article.Project, list []*chosen, plans map[string]*plan.Plan, at targets, o runner.Options) (reporter, error) {
	if a.wiring.terminal == nil || a.wiring.terminal() < narrowest {
		return &progress{w: a.stderr}, nil
	}
	f := newETA()
	for _, c := range list {
		host := at.hostOf(c.slug)
		known, err := inspect(ctx, a, project, c, plans[c.slug], host.ID, at[c.slug].present)
		if err != nil {
			return nil, err
		}
		f.add(plans[c.slug], plan.Place(host.Cores), known, o.Force)
	}
	return newLive(&screen{w: a.terminal, width: a.wiring.terminal, plain: os.Getenv("NO_COLOR") != ""}, f), nil
}

// judge judges the claims of an article while it is measured, if they can be seen and all of its experiments are in the plan.
func newJudge(a *session, r reporter, project *article.Project, c *chosen, p *plan.Plan, host machines.Host) (*judge, error) {
	if _, ok := r.(*live); !ok || len(p.Experiments) < len(c.doc.Experiments) || len(c.doc.Claims) == 0 {
		return nil, nil
	}
	records, _, err := record.Dir(project.RecordsDir(c.slug)).Read() // bad files were named before
	if err != nil {
		return nil, fmt.Errorf("article %s: %w", c.slug, err)
	}
	ours := func(r *record.Record) bool { return r.Host == host.ID && r.Profile == p.Profile }
	j := &judge{records: slices.DeleteFunc(records, func(r *record.Record) bool { return !ours(r) }), began: time.Now()}
	j.judgements = func(records []*record.Record) ([]dataset.Judgement, error) {
		d, err := dataset.New(c.doc, records, dataset.Options{ThisHost: host.ID, Plan: func(string) (*plan.Plan, error) { return p, nil }})
		if err != nil {
			return nil, err
		}
		return d.Judgements(), nil
	}
	return j, nil
}
