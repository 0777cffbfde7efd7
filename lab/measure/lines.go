package measure

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/kballard/go-shellquote"

	"benchbook/internal/slice"
	"benchbook/lab/results"
	"benchbook/lab/terminal"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/validity"
	"benchbook/runner"
	"benchbook/runner/images"
)

// A progress is a runner.Progress of several articles, one after another.
type progress interface {
	runner.Progress
	// Article begins an article.
	Article(slug string)
	// Close removes the bar. It may be called twice.
	Close()
}

// lineProgress prints a line for each repetition, after it has ended, so that printing does not disturb a measurement.
type lineProgress struct {
	W       io.Writer
	Verbose bool // print the output of image builders too
	Quiet   bool // print only failures and notes

	slug string
	todo int
	done int

	failures []string // the ways of failing that were told of the experiment
}

var _ progress = (*lineProgress)(nil)

func (p *lineProgress) Article(slug string) { p.slug = slug }

func (p *lineProgress) Close() {}

func (p *lineProgress) Experiment(e *plan.Experiment, todo int) {
	p.todo, p.done, p.failures = todo, 0, nil
	if p.Quiet {
		return
	}
	if todo == 0 {
		fmt.Fprintf(p.W, "%s#%s is already measured\n", p.slug, e.Name)
		return
	}
	available := slice.Filter(e.Trials, func(t *plan.Trial) bool { return t.Unavailable == "" })
	names := slice.Map(available, func(t *plan.Trial) string { return t.Name })
	if len(e.Steps) == 0 {
		fmt.Fprintf(p.W, "%s#%s: %s for the capacity of %s\n", p.slug, e.Name, terminal.Count(todo, "search"),
			strings.Join(names, "; "))
		return
	}
	order := "in random order"
	if e.Blocks {
		order = "trial after trial in random order"
	}
	fmt.Fprintf(p.W, "%s#%s: %s of %s (%s), %s, seed %d\n", p.slug, e.Name, terminal.Count(todo, "repetition"),
		terminal.Count(len(names), "trial"), strings.Join(names, "; "), order, e.Seed)
}

func (p *lineProgress) Again(e *plan.Experiment, steps []plan.Step) {
	p.todo, p.done = len(steps), 0
	if p.Quiet {
		return
	}
	if steps[0].Replaces == 0 {
		var names []string
		upTo := 0
		for _, s := range steps {
			names, upTo = slice.Add(names, s.Trial.Name), max(upTo, s.Round)
		}
		fmt.Fprintf(p.W, "%s#%s goes on to %d rounds, as claims are undecided: %s of %s (%s)\n", p.slug, e.Name, upTo,
			terminal.Count(len(steps), "repetition"), terminal.Count(len(names), "trial"), strings.Join(names, "; "))
		return
	}
	fmt.Fprintf(p.W, "  %s again: too few valid because of background load\n", terminal.Count(len(steps), "repetition"))
}

func (p *lineProgress) Preparing(what string) images.Preparation {
	w := p.W
	if p.Quiet {
		w = io.Discard
	}
	return &buildLog{w: w, verbose: p.Verbose, what: what, since: time.Now()}
}

// buildLog says what is built, and shows the builder's own lines if that is wanted, each with what it builds, as
// several may be built at once. Images that are there already have no lines, and stay quiet.
type buildLog struct {
	w       io.Writer
	verbose bool
	what    string
	since   time.Time
	said    bool
	rest    []byte
}

func (l *buildLog) Write(b []byte) (int, error) {
	if !l.said {
		l.said = true
		fmt.Fprintf(l.w, "  preparing the image of %s\n", l.what)
	}
	if !l.verbose {
		return len(b), nil
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

func (p *lineProgress) Note(text string) {
	fmt.Fprintf(p.W, "  %s\n", strings.ReplaceAll(text, "\n", " "))
}

func (p *lineProgress) Search(t *plan.Trial, s *record.Search) {
	if p.Quiet {
		return
	}
	what := "capacity"
	if s.Kind == record.SearchTune {
		what = "tune." + s.Name
	}
	if s.Stop != "" {
		probes := terminal.Count(len(s.Probes), "probe")
		if n := s.Disturbed(); n > 0 {
			probes += fmt.Sprintf(", %d of them repeated", n)
		}
		fmt.Fprintf(p.W, "  %s of %s: %s, after %s\n", what, t.Name, results.FoundWords(s), probes)
		return
	}
	fmt.Fprintf(p.W, "  %s of %s: %s\n", what, t.Name, results.ProbeWords(s, &s.Probes[len(s.Probes)-1]))
}

func (p *lineProgress) End(step plan.Step, r *record.Record) {
	p.done++
	if p.Quiet && r.Failure == "" {
		return
	}
	words, log := resultWords(r), ""
	if r.Failure != "" {
		if way := runner.WayOfFailing(r.Failure); slices.Contains(p.failures, way) {
			words = "failed in the same way"
		} else {
			p.failures = append(p.failures, way)
			log = p.logOf(r)
		}
	}
	if by, ok := validity.Disturbed(r); ok {
		words += ", disturbed: " + by
	}
	fmt.Fprintf(p.W, "  [%*d/%d] %-24s %s\n", len(fmt.Sprint(p.todo)), p.done, p.todo, step.Trial.Name, words)
	fmt.Fprint(p.W, log)
}

// maxLogLines is how much of a log is shown beside a failure.
const maxLogLines = 12

// logOf is the end of the log of a repetition that failed, and how to see the rest.
func (p *lineProgress) logOf(r *record.Record) string {
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

// resultWords says a repetition's result in a few words.
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
