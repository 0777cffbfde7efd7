package measure

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"benchbook/internal/phrase"
	"benchbook/internal/slice"
	"benchbook/lab"
	"benchbook/lab/terminal"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
	"benchbook/runner"
	"benchbook/runner/engine"
	"benchbook/runner/images"
	"benchbook/runner/machine"
)

// aborted returns the error of a run that failed or was interrupted, and says what was kept.
func (j *job) aborted(ctx context.Context, err error) error {
	var left *engine.LeftError
	if ctx.Err() != nil {
		removed, next := " and all containers removed", "The same command resumes from here."
		if j.flags.Force {
			next = "With --force the same command starts over; without it, only what is missing or stale is measured."
		}
		switch {
		case errors.As(err, &left):
			removed = fmt.Sprintf(" but %v; benchbook clean removes them", left)
		case j.engine == nil && j.outside != nil: // only running targets, so nothing was started
			removed, next = "", "The same command starts over: a running target may be another one by then."
		case j.engine != nil && j.engine.Name() == string(spec.Local):
			removed = " and all processes ended"
		}
		kept := phrase.Are(j.total.Measured, "finished repetition")
		if j.total.Searches > 0 {
			kept = fmt.Sprintf("%s and %s", phrase.Count(j.total.Searches, "search"), kept)
		}
		fmt.Fprintf(j.Stderr, "\ninterrupted; %s kept%s. %s\n", kept, removed, next)
		return lab.WithStatus(lab.StatusInterrupted, nil)
	}
	gone := slices.ContainsFunc(j.engines(), func(e engine.Engine) bool { _, err := e.Sweep(ctx, true); return err != nil })
	switch {
	case gone:
		first, _, _ := strings.Cut(err.Error(), "\n") // further lines are consequences
		err = fmt.Errorf("%s; the engine no longer answers: %s kept; once it is back, the same command removes "+
			"what is left on it and resumes from here", first, phrase.Are(j.total.Measured, "finished repetition"))
	case errors.As(err, &left):
		err = fmt.Errorf("%w: nothing is measured while they are there; benchbook clean removes them", err)
	}
	return lab.Failure(err)
}

// imageProblem says why an image is not available, with a remedy or the builder's last lines.
func imageProblem(n *images.NoImageError) *source.Problem {
	p := &source.Problem{Pos: n.Pos, Rule: "no-image", Message: n.Error()}
	if image, ok := errors.AsType[*engine.ImageError](n.Err); ok {
		p.Message, p.Hint = image.Err.Error(), image.WayOut
	} else if build, ok := errors.AsType[*engine.BuildError](n.Err); ok {
		if p.Rule = "build-failed"; build.Tail != "" {
			p.Hint = "the builder's last lines were:\n" + terminal.Indent(buildOutput(build.Tail))
		}
	}
	return p
}

func printSummary(a *lab.Session, s runner.Summary) {
	aside := s.Spent.Total - s.Spent.Searching
	fmt.Fprintf(a.Stderr, "measured %s in %v: %.0f %% of %v%s was measuring or warm-up\n",
		phrase.Count(s.Measured, "repetition"), terminal.Tenths(s.Spent.Total), 100*s.Spent.Efficiency(),
		terminal.Tenths(aside), map[bool]string{true: ", searches aside,"}[s.Spent.Searching > 0])
	if s.Again > 0 {
		fmt.Fprintf(a.Stderr, "%s re-run because of background load\n", phrase.Were(s.Again, "repetition"))
	}
	if s.Searches > 0 {
		again := ""
		if s.ProbesAgain > 0 {
			again = fmt.Sprintf("; %s repeated because of background load", phrase.Were(s.ProbesAgain, "probe"))
		}
		fmt.Fprintf(a.Stderr, "before that, %s took %v%s\n", phrase.Count(s.Searches, "search"),
			terminal.Tenths(s.Spent.Searching), again)
	}
	if s.Spared > 0 {
		fmt.Fprintf(a.Stderr, "%s not needed: nothing is undecided that they could decide\n",
			phrase.Are(s.Spared, "repetition"))
	}
}

func printKept(a *lab.Session, k *runner.Kept) {
	which := "the last repetition"
	if k.Failed {
		which = "the repetition that failed"
	}
	fmt.Fprintf(a.Stderr, "%s#%s, %s, %s: its services are still up\n", k.Article, k.Experiment, k.Trial, which)
	terminal.PrintColumns(a.Stderr, "  ", slice.Map(k.Services, func(s engine.Kept) []string {
		return []string{s.Service, strings.Join(s.Enter, " ")}
	}))
	if k.Left > 0 {
		fmt.Fprintf(a.Stderr, "%s not measured while they are up; the same command without --keep measures them\n",
			phrase.Are(k.Left, "repetition"))
	}
	fmt.Fprintln(a.Stderr, "benchbook clean removes them, as does the next run")
}

var urlHost = regexp.MustCompile(`(https?://)[^\s/"']+`)

// buildOutput returns the output of an image build without the names of package mirrors.
func buildOutput(s string) string {
	redact := record.NewRedactor(machine.MirrorsOf(os.DirFS("/"), os.Environ())...)
	return redact.Text(terminal.Text(urlHost.ReplaceAllString(s, "${1}…")))
}
