package progress

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"benchbook/lab/forecast"
	"benchbook/lab/results"
	"benchbook/lab/terminal"
	"benchbook/notebook/claim"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
	"benchbook/notebook/validity"
	"benchbook/render/number"
	"benchbook/runner"
	"benchbook/runner/images"
	"benchbook/slice"
)

// drawEvery is how often the lines of a run are drawn anew while nothing else happens: so seldom that it takes less
// than a thousandth of a core, which a benchmark holds it to.
const drawEvery = time.Second

// Live shows a run on a terminal: how far it is in all and in the repetition under way, the time that is left, what
// trials came to so far, and verdicts as they form. It is a runner.Progress.
type Live struct {
	*Lines   // what happened, in lines above
	screen   *terminal.Screen
	forecast *forecast.ETA
	judge    *Judge // nil for none

	mu         sync.Mutex
	experiment *plan.Experiment
	step       plan.Step
	began      time.Time // of the repetition under way; zero for none
	wait       runner.Wait
	waits      map[string]time.Time // since when for what: several services may be waited for
	making     []*making            // images that are being made, those first that were begun first
	sofar      map[*plan.Trial][]float64
	stopped    chan struct{} // closed to end drawing
	drawing    sync.WaitGroup
}

// NewLive begins to draw, until close.
func NewLive(screen *terminal.Screen, verbose bool, forecast *forecast.ETA) *Live {
	l := &Live{Lines: &Lines{W: screen, Verbose: verbose}, screen: screen, forecast: forecast,
		sofar: map[*plan.Trial][]float64{}, waits: map[string]time.Time{}, stopped: make(chan struct{})}
	l.drawing.Go(func() {
		ticker := time.NewTicker(drawEvery)
		defer ticker.Stop()
		for {
			select {
			case <-l.stopped:
				return
			case <-ticker.C:
				l.Draw(time.Now())
			}
		}
	})
	return l
}

func (l *Live) Close() {
	close(l.stopped)
	l.drawing.Wait()
	l.screen.Draw()
}

func (l *Live) Experiment(e *plan.Experiment, todo int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.experiment = e
	l.forecast.Begin(e, todo)
	l.Lines.Experiment(e, todo)
}

func (l *Live) Again(e *plan.Experiment, steps []plan.Step) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.experiment = e
	l.forecast.Again(e, steps)
	l.Lines.Again(e, steps)
}

func (l *Live) Preparing(what string) images.Preparation {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.began = time.Time{}
	return &making{Preparation: l.Lines.Preparing(what), on: l, what: what, since: time.Now()}
}

// making is an image that is being made, which is shown once its builder has said something: others are there already.
type making struct {
	images.Preparation
	on    *Live
	what  string
	since time.Time
}

func (m *making) Write(text []byte) (int, error) {
	m.on.mu.Lock()
	m.on.making = slice.Add(m.on.making, m)
	m.on.mu.Unlock()
	n, err := m.Preparation.Write(text)
	m.on.Draw(time.Now())
	return n, err
}

func (m *making) End(ok bool) {
	m.on.mu.Lock()
	m.on.making = slices.DeleteFunc(m.on.making, func(o *making) bool { return o == m })
	m.on.mu.Unlock()
	m.Preparation.End(ok)
	m.on.Draw(time.Now())
}

func (l *Live) Begin(step plan.Step) {
	l.Lines.Begin(step)
	l.mu.Lock()
	l.step, l.began, l.wait = step, time.Now(), runner.Wait{}
	l.mu.Unlock()
	l.Draw(time.Now())
}

func (l *Live) Waits(w runner.Wait) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.wait.For != w.For && !(l.wait.Service && w.Service) {
		clear(l.waits)
	}
	if l.wait = w; l.waits[w.For].IsZero() {
		l.waits[w.For] = time.Now()
	}
}

// End is part of runner.Progress. Repetitions that went well leave no line: what they came to is seen below.
func (l *Live) End(step plan.Step, r *record.Record) {
	now := time.Now()
	l.mu.Lock()
	l.forecast.Finished(step.Trial, now.Sub(l.began))
	l.began = time.Time{}
	if value, ok := outcomeOfOne(r); ok {
		l.sofar[step.Trial] = append(l.sofar[step.Trial], value)
	}
	if _, disturbed := validity.Disturbed(r); disturbed || r.Failure != "" {
		l.Lines.End(step, r)
	} else {
		l.Lines.done++
	}
	l.mu.Unlock()
	if l.judge != nil {
		if found, ok := l.judge.Add(r, now); ok {
			l.mu.Lock()
			l.judge.note(found)
			l.mu.Unlock()
		}
	}
	l.Draw(time.Now())
}

func (l *Live) Search(t *plan.Trial, s *record.Search) {
	l.Lines.Search(t, s)
	l.mu.Lock()
	l.forecast.Searched(t, s)
	l.mu.Unlock()
	l.Draw(time.Now())
}

func (l *Live) Article(slug string, j *Judge) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.Lines.Article(slug, nil)
	l.judge = j
}

func (l *Live) Stop() {
	l.mu.Lock()
	l.experiment = nil
	l.mu.Unlock()
	l.screen.Draw()
	l.Lines.Stop()
}

// outcomeOfOne is the number that a repetition is told apart by: its throughput, or the time of its command.
func outcomeOfOne(r *record.Record) (float64, bool) {
	if r.Failure != "" {
		return 0, false
	}
	if r.Load != nil {
		if rate, ok := r.Load.Throughput(); ok {
			return rate, true
		}
	}
	s, ok := r.Sample("time.real")
	return s.Value, ok
}

// Draw shows where the run stands.
func (l *Live) Draw(now time.Time) {
	l.mu.Lock()
	lines := l.lines(now, l.screen.Width())
	l.mu.Unlock()
	l.screen.Draw(lines...)
}

// Widths of the parts of a line.
const (
	liveLabel = 9
	liveBar   = 24
)

// lines are what is shown, in so many columns. They are made with the lock held.
func (l *Live) lines(now time.Time, width int) []string {
	label := func(word string) string { return terminal.Padded(word, liveLabel) }
	var lines []string
	for i, m := range l.making {
		word := ""
		if i == 0 {
			word = "images"
		}
		lines = append(lines, fmt.Sprintf("%s%s, for %s", label(word), terminal.Clean(m.what),
			terminal.HMS(now.Sub(m.since))))
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
		return l.screen.Bar(share, columns) + " "
	}
	name := terminal.Clean(l.slug + "#" + l.experiment.Name)
	share := l.forecast.Share(under, over)
	left := terminal.HMS(l.forecast.Remaining(under, over)) + " left"
	if l.forecast.More > 0 {
		left = "at least " + left
	}
	lines = append(lines, fmt.Sprintf("%s%s%3.0f %%, %s, %d of %d of %s", label("overall"), bar(share), 100*share, left,
		l.done, l.todo, name))
	if under != nil {
		one := l.forecast.One(under)
		part := 0.0
		if one > 0 {
			part = over.Seconds() / one.Seconds()
		}
		line := fmt.Sprintf("%s%s%s of about %s, repetition %d of %s", label("now"), bar(part), terminal.HMS(over),
			terminal.HMS(one), l.step.Repetition, terminal.Clean(under.Name))
		if words := l.centre(under); words != "" {
			line += ", " + words + " before"
		}
		lines = append(lines, line)
	}
	if words := l.waitsFor(now, under); words != "" {
		lines = append(lines, label("waiting")+words)
	}
	if words := l.soFar(); words != "" {
		lines = append(lines, label("so far")+terminal.Clean(words))
	}
	if l.judge != nil {
		for i, v := range l.judge.latest() {
			word := ""
			if i == 0 {
				word = "claims"
			}
			lines = append(lines, label(word)+l.screen.Colour(v.colour, v.verdict)+" so far: "+terminal.Clean(v.words))
		}
	}
	return lines
}

// leastWait is how long something lasts at least that is said to be waited for, where nothing tells how long it may.
const leastWait = 10 * time.Second

// waitsFor says what is waited for if that lasts longer than usual. The trial is the one of the repetition; nil for
// shared services, or in a search.
func (l *Live) waitsFor(now time.Time, under *plan.Trial) string {
	since, usual := l.waits[l.wait.For], l.wait.Usual
	if usual == 0 {
		usual = leastWait
		if under != nil {
			usual = max(usual, 2*l.forecast.One(under))
		}
	}
	if l.wait.For == "" || since.IsZero() || now.Sub(since) < usual {
		return ""
	}
	words := fmt.Sprintf("%s for %s", terminal.HMS(now.Sub(since)), l.wait.For)
	if l.wait.Missing != "" {
		words += ": " + l.wait.Missing
	}
	return terminal.Clean(fmt.Sprintf("%s (at most %s)", words, terminal.HMS(l.experiment.Timeout)))
}

// soFar are the centres of the trials that have been measured, with the numbers of repetitions.
func (l *Live) soFar() string {
	var out []string
	for _, t := range l.experiment.Trials {
		if words := l.centre(t); words != "" {
			out = append(out, fmt.Sprintf("%s %s (%d)", t.Name, words, len(l.sofar[t])))
		}
	}
	return strings.Join(out, ", ")
}

// centre is that of the finished repetitions of a trial, or nothing.
func (l *Live) centre(t *plan.Trial) string {
	if len(l.sofar[t]) == 0 {
		return ""
	}
	unit, centre := "1/s", stats.PseudoMedian(l.sofar[t])
	if t.Command != nil {
		unit = "s"
	}
	u := number.For(unit, false, centre)
	return u.Alone(centre)
}

// judgeShare is the part of a run that judging claims may take. It happens between repetitions, never beside one.
const judgeShare = 0.01

// latestVerdicts is how many of them are shown.
const latestVerdicts = 3

// A Judge says what claims come to with the records that there are.
type Judge struct {
	Judgements func([]*record.Record) ([]claim.Judgement, error)
	Records    []*record.Record
	Began      time.Time
	spent      time.Duration
	last       time.Duration // what it took the last time

	verdicts []verdict // those that formed or changed last come first
}

type verdict struct {
	claim, verdict, words string
	colour                int
}

// Add takes a record, and judges anew if that does not take too long.
func (j *Judge) Add(r *record.Record, now time.Time) (found []claim.Judgement, ok bool) {
	j.Records = append(j.Records, r)
	if j.spent+j.last > time.Duration(judgeShare*float64(now.Sub(j.Began))) {
		return nil, false
	}
	begin := time.Now()
	found, err := j.Judgements(j.Records)
	j.last = time.Since(begin)
	j.spent += j.last
	return found, err == nil // of an error the end of the run tells
}

// note keeps the verdicts that have formed, those first that have changed.
func (j *Judge) note(list []claim.Judgement) {
	var changed, rest []verdict
	for i := range list {
		v := verdict{claim: list[i].Claim.Name.Value, verdict: string(list[i].Verdict)}
		switch list[i].Verdict {
		case stats.NotMeasured:
			continue
		case stats.Supported:
			v.colour = terminal.Green
		case stats.Contradicted:
			v.colour = terminal.Red
		default:
			v.colour = terminal.Yellow
		}
		v.words = v.claim
		if words := results.JudgementWords(&list[i]); words != "" {
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
func (j *Judge) latest() []verdict { return j.verdicts[:min(latestVerdicts, len(j.verdicts))] }
