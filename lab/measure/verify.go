package measure

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"benchbook/lab"
	"benchbook/lab/progress"
	"benchbook/lab/terminal"
	"benchbook/notebook/article"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
	"benchbook/runner"
	"benchbook/runner/engine"
	"benchbook/runner/machines"
)

// VerifyJSON is what verify prints with --json, one for each trial. Fields are added to it in later versions, none are renamed or
// removed.
type VerifyJSON struct {
	Article    string       `json:"article"`
	Experiment string       `json:"experiment"`
	Trial      string       `json:"trial"`
	OK         bool         `json:"ok"`
	Answers    []answerJSON `json:"answers"`
	Note       string       `json:"note,omitempty"`    // why there are no answers, where nothing is wrong
	Failure    string       `json:"failure,omitempty"` // what is wrong
	Log        string       `json:"log,omitempty"`     // the end of what services wrote, where something is
	Seconds    float64      `json:"seconds"`           // with starting the services
}

type answerJSON struct {
	Method  string  `json:"method"`
	URL     string  `json:"url"`
	Address string  `json:"address,omitempty"`
	Status  int     `json:"status,omitempty"` // none where no whole answer came
	Length  int64   `json:"length"`           // of the body, in bytes
	Seconds float64 `json:"seconds"`
	Failure string  `json:"failure,omitempty"`
}

func Verify(ctx context.Context, a *lab.Session, project *article.Project, list []*lab.Article, plans map[string]*plan.Plan, flags Options, asJSON bool) error {
	picked, err := lab.NewFilter(flags.KeepExperiments, list, plans)
	if err != nil {
		return err
	}
	host, err := machines.ThisHost()
	if err != nil {
		return lab.Failure(err)
	}
	defer a.AwaitOnInterrupt(ctx)()
	doing := "verifies " + lab.ArticlesInWords(list)
	at, err := connectTargets(ctx, a, project, list, plans, host, doing, flags.Wait)
	if err != nil {
		return lab.Interrupted(ctx, err)
	}
	defer at.Close()
	refused := 0
	for _, c := range list {
		refused += refuse(a, plans[c.Slug], at.HostOf(c.Slug), picked, flags.Adapt)
	}
	if err := connect(ctx, a, project, at); err != nil {
		return lab.Interrupted(ctx, err)
	}
	unlock, err := Lock(ctx, a, host, at, doing, flags.Wait)
	if err != nil {
		return err
	}
	defer unlock()
	for _, v := range at.distinct() {
		if err := sweep(ctx, a, v.engine); err != nil {
			return err
		}
	}
	progress := &progress.Progress{W: a.Stderr}
	all, wrong, unavailable := []VerifyJSON{}, 0, 0
	for _, c := range list {
		sum, err := newRunner(a, at[c.Slug], verifying{progress}).Verify(ctx, plans[c.Slug], runner.Options{Only: picked}, func(v runner.Verification) {
			out := newVerifyJSON(c.Slug, v)
			if !out.OK {
				wrong++
			}
			all = append(all, out)
			if !asJSON {
				out.Print(a.Stdout)
			}
		})
		for _, n := range sum.NoImage {
			unavailable++
			lab.PrintProblems(a.Stderr, []*source.Problem{imageProblem(&n)})
		}
		for _, n := range sum.NoTune {
			unavailable++
			lab.PrintProblems(a.Stderr, []*source.Problem{tuneProblem(&n)})
		}
		for _, n := range sum.NoCleanup {
			wrong++
			fmt.Fprintln(a.Stderr, n.Error())
		}
		var left *engine.LeftError
		if errors.As(err, &left) {
			err = fmt.Errorf("%w; benchbook clean removes them", err)
		}
		if err != nil {
			return lab.Interrupted(ctx, err)
		}
	}
	if asJSON {
		if err := lab.PrintJSON(a.Stdout, all); err != nil {
			return err
		}
	}
	var said []string
	if wrong > 0 {
		words := " not as it should be"
		if wrong > 1 {
			words = " not as they should be"
		}
		said = append(said, terminal.Are(wrong, "trial")+words)
	}
	if n := refused + unavailable; n > 0 {
		said = append(said, terminal.Are(n, "experiment")+" not verified, for the reasons above")
	}
	if len(said) > 0 {
		return lab.Failure(errors.New(strings.Join(said, "; ")))
	}
	return nil
}

func newVerifyJSON(slug string, v runner.Verification) VerifyJSON {
	out := VerifyJSON{Article: slug, Experiment: v.Experiment, Trial: v.Trial, OK: v.Failure == "", Answers: []answerJSON{}, Note: v.Note,
		Failure: v.Failure, Log: v.Log, Seconds: v.Took.Seconds()}
	for _, answer := range v.Answers {
		one := answerJSON{Method: answer.Method, URL: answer.URL, Status: answer.Status, Length: answer.Length, Seconds: answer.Took.Seconds(),
			Failure: answer.Failure}
		if answer.Address.IsValid() {
			one.Address = answer.Address.String()
		}
		out.Answers = append(out.Answers, one)
	}
	return out
}

// Print writes a line for a trial, and below it what there is to know of one that is not as it should be.
func (v *VerifyJSON) Print(w io.Writer) {
	title := fmt.Sprintf("%s#%s, %s: ", v.Article, v.Experiment, v.Trial)
	if !v.OK {
		fmt.Fprintf(w, "%swrong: %s\n", title, strings.ReplaceAll(v.Failure, "\n", " "))
		if v.Log != "" {
			fmt.Fprintln(w, terminal.Indent(v.Log))
		}
		return
	}
	if v.Note != "" {
		fmt.Fprintf(w, "%sok: %s\n", title, v.Note)
		return
	}
	var words []string
	for _, answer := range v.Answers {
		words = append(words, fmt.Sprintf("%s %s answers %d with %s in %v", answer.Method, answer.URL, answer.Status, terminal.Count(int(answer.Length), "byte"),
			time.Duration(answer.Seconds*float64(time.Second)).Round(10*time.Microsecond)))
	}
	fmt.Fprintf(w, "%sok: %s\n", title, strings.Join(words, "; "))
}

// verifying is a progress that says nothing of repetitions, as there are none.
type verifying struct{ *progress.Progress }

// Experiment is part of runner.Progress.
func (verifying) Experiment(*plan.Experiment, int) {}

// End is part of runner.Progress.
func (verifying) End(plan.Step, *record.Record) {}
