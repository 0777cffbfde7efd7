package measure

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/kballard/go-shellquote"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"benchbook/internal/phrase"
	"benchbook/internal/slice"
	"benchbook/lab/show"
	"benchbook/lab/terminal"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/validity"
	"benchbook/runner"
	"benchbook/runner/images"
	"benchbook/runner/observe"
)

// progress is a runner.Progress for several articles, one after another. It prints a line after each repetition, when
// printing cannot disturb a measurement, and on a terminal a bar below the lines.
type progress struct {
	w        io.Writer // steps; io.Discard for a quiet run
	problems io.Writer // failures and notes
	verbose  bool      // print the output of image builders too
	bar      *bar      // nil without a terminal

	slug       string
	todo, done int
	hogNamed   bool     // nameHog was called
	failures   []string // kinds of failures of this experiment that were printed
}

// bar shows how many repetitions are done and the time left. Methods accept a nil bar.
type bar struct {
	container   *mpb.Progress
	bar         *mpb.Bar
	total, done int
}

// refresh is the interval at which the bar is drawn. It is long, so that drawing does not disturb a measurement.
const refresh = time.Second

// newBar draws a bar for total repetitions and searches on a terminal. Text written to its container appears above it.
func newBar(screen io.Writer, total int) *bar {
	b := &bar{container: mpb.New(mpb.WithOutput(screen), mpb.WithRefreshRate(refresh), mpb.WithAutoRefresh(), mpb.WithWidth(40))}
	eta := decor.AverageETA(decor.ET_STYLE_GO)
	left := func(s decor.Statistics) string {
		if s.Current == 0 || s.Current == s.Total {
			return ""
		}
		text, _ := eta.Decor(s)
		return text + " left"
	}
	b.bar = b.container.AddBar(0, mpb.PrependDecorators(decor.CountersNoUnit("%d of %d")),
		mpb.AppendDecorators(decor.Any(left)))
	b.grow(total)
	return b
}

func (b *bar) grow(n int) {
	if b != nil {
		b.total += n
		b.bar.SetTotal(int64(b.total), false)
	}
}

// fit grows the bar if fewer than n steps are left.
func (b *bar) fit(n int) {
	if b != nil {
		b.grow(max(0, b.done+n-b.total))
	}
}

func (b *bar) increment() {
	if b != nil {
		b.done++
		b.bar.Increment()
	}
}

// close removes the bar. It may be called twice.
func (p *progress) close() {
	if p.bar != nil {
		p.bar.bar.Abort(true)
		p.bar.container.Wait()
	}
}

func (p *progress) Experiment(g runner.Group) {
	p.todo, p.done, p.failures = g.Len(), 0, nil
	p.bar.fit(p.todo) // with --quick, an experiment begins several times
	name := p.slug + "#" + g.Experiment.Name
	switch {
	case p.todo == 0:
		fmt.Fprintf(p.w, "%s is already measured\n", name)
	case len(g.Steps) == 0:
		fmt.Fprintf(p.w, "%s: %s for the capacity of %s\n", name, phrase.Count(p.todo, "search"), namesOf(g.Searches))
	default:
		fmt.Fprintf(p.w, "%s: %s, in random order, seed %d\n", name, stepsInWords(g), g.Experiment.Seed)
	}
}

func namesOf(trials []*plan.Trial) string {
	return strings.Join(slice.Map(trials, func(t *plan.Trial) string { return t.Name }), "; ")
}

// stepsInWords counts the repetitions of a group, and counts and names their trials.
func stepsInWords(g runner.Group) string {
	isMissing := map[*plan.Trial]bool{}
	for _, s := range g.Steps {
		isMissing[s.Trial] = true
	}
	trials := slice.Filter(g.Experiment.Trials, func(t *plan.Trial) bool { return isMissing[t] })
	return fmt.Sprintf("%s of %s (%s)", phrase.Count(len(g.Steps), "repetition"), phrase.Count(len(trials), "trial"),
		namesOf(trials))
}

// nameHog prints, once, which process of other programs disturbs most.
func (p *progress) nameHog() {
	if p.hogNamed {
		return
	}
	p.hogNamed = true
	if words := observe.Hog(); words != "" {
		fmt.Fprintf(p.w, "  to measure undisturbed, %s\n", terminal.Clean(words))
	}
}

// Again announces repetitions beyond those that Experiment announced.
func (p *progress) Again(g runner.Group) {
	p.todo, p.done = len(g.Steps), 0
	p.bar.grow(p.todo)
	if g.Steps[0].Replaces != 0 {
		fmt.Fprintf(p.w, "  %s again: too few valid because of background load\n", phrase.Count(p.todo, "repetition"))
		p.nameHog()
		return
	}
	rounds := 0
	for _, s := range g.Steps {
		rounds = max(rounds, s.Round)
	}
	fmt.Fprintf(p.w, "%s#%s continues to %d rounds, as claims are undecided: %s\n", p.slug, g.Experiment.Name, rounds,
		stepsInWords(g))
}

func (p *progress) Preparing(what string) images.Preparation {
	return &buildLog{w: p.w, verbose: p.verbose, what: what, since: time.Now()}
}

// buildLog prints when the build of an image begins and ends, and if verbose the output of the builder. It prints
// nothing for an image that exists already.
type buildLog struct {
	w       io.Writer
	verbose bool
	what    string
	since   time.Time
	begun   bool
	rest    []byte // incomplete last line
}

func (l *buildLog) Write(b []byte) (int, error) {
	if !l.begun {
		l.begun = true
		fmt.Fprintf(l.w, "  preparing the image of %s\n", l.what)
	}
	if !l.verbose {
		return len(b), nil
	}
	l.rest = append(l.rest, b...)
	for {
		line, rest, ok := bytes.Cut(l.rest, []byte("\n"))
		if !ok {
			return len(b), nil
		}
		if line := strings.TrimRight(string(line), "\r \t"); line != "" {
			fmt.Fprintf(l.w, "    %s: %s\n", l.what, line)
		}
		l.rest = rest
	}
}

func (l *buildLog) End(ok bool) {
	took := time.Since(l.since).Round(100 * time.Millisecond)
	switch {
	case !l.begun:
	case ok:
		fmt.Fprintf(l.w, "  prepared the image of %s in %v\n", l.what, took)
	default:
		fmt.Fprintf(l.w, "  preparing the image of %s stopped after %v\n", l.what, took)
	}
}

func (p *progress) Note(text string) {
	fmt.Fprintf(p.problems, "  %s\n", strings.ReplaceAll(text, "\n", " "))
}

func (p *progress) Search(t *plan.Trial, s *record.Search) {
	if s.Stop != "" && s.Kind != record.SearchTune {
		p.bar.increment()
	}
	what := "capacity"
	if s.Kind == record.SearchTune {
		what = "tune." + s.Name
	}
	words := ""
	if s.Stop == "" {
		words = show.ProbeWords(s, &s.Probes[len(s.Probes)-1])
	} else {
		words = show.FoundWords(s) + ", after " + phrase.Count(len(s.Probes), "probe")
		if n := s.Disturbed(); n > 0 {
			words += fmt.Sprintf(", %d of them repeated", n)
		}
	}
	fmt.Fprintf(p.w, "  %s of %s: %s\n", what, t.Name, words)
}

func (p *progress) End(step plan.Step, r *record.Record) {
	p.done++
	p.bar.increment()
	w, words, log := p.w, resultWords(r), ""
	if r.Failure != "" {
		w = p.problems
		if way := runner.WayOfFailing(r.Failure); slices.Contains(p.failures, way) {
			words = "failed in the same way"
		} else {
			p.failures = append(p.failures, way)
			log = p.endOfLog(r)
		}
	}
	if by, ok := validity.Disturbed(r); ok {
		words += ", disturbed: " + by
	}
	fmt.Fprintf(w, "  [%*d/%d] %-24s %s\n%s", len(fmt.Sprint(p.todo)), p.done, p.todo, step.Trial.Name, words, log)
}

// maxLogLines is the largest number of log lines printed below a failure.
const maxLogLines = 12

// endOfLog returns the last lines of the log of a failed repetition, and how to see the rest.
func (p *progress) endOfLog(r *record.Record) string {
	lines := strings.Split(strings.TrimSpace(terminal.Text(r.Log)), "\n")
	if lines[0] == "" {
		return ""
	}
	rest := ""
	if n := len(lines) - maxLogLines; n > 0 {
		lines = lines[n:]
		rest = fmt.Sprintf("    the whole log: benchbook show %s#%s --trial %s --repetition %d\n", p.slug, r.Experiment,
			shellquote.Join(r.Trial), r.Repetition)
	}
	return terminal.Indent(strings.Join(lines, "\n")) + "\n" + rest
}

func resultWords(r *record.Record) string {
	switch {
	case r.Failure != "":
		return "failed: " + strings.ReplaceAll(r.Failure, "\n", " ")
	case r.Load != nil && r.Load.Window > 0:
		rate, _ := r.Load.Throughput()
		s := fmt.Sprintf("%.0f/s in %.2f s", rate, r.Load.Window)
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
