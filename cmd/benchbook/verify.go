package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"benchbook/notebook/article"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
	"benchbook/runner"
	"benchbook/runner/engine"
	"benchbook/runner/machines"
)

// verifyJSON is what verify prints with --json, one for each trial. Fields are added to it in later versions, none are renamed or
// removed.
type verifyJSON struct {
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

func (a *app) verifyCommand() *cobra.Command {
	var flags measureOptions
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "verify [ARTICLE[#NAME] ...]",
		Short: "Start services and check their answers, without load",
		Long: `Start services and check their answers, without load: for every trial, its services are started as run does, hooks
included, each target of its load is asked once, and everything is removed again. Nothing is measured and no record is
left. The status is 1 if an answer is wrong or a service is not ready.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if known := a.wiring.engineNames(); flags.engine != "" && !slices.Contains(known, flags.engine) {
				return fmt.Errorf("no engine %q: known are %s", flags.engine, inSentence(known))
			}
			project, list, err := a.choose(args)
			if err != nil {
				return err
			}
			flags.chooseEngine(project)
			plans, err := a.sound(project, list, plan.Options{Profile: flags.profile}, "articles with problems are not verified")
			if err != nil {
				return err
			}
			return verify(cmd.Context(), a.session, project, list, plans, flags, asJSON)
		},
	}
	cmd.Flags().StringVar(&flags.profile, "profile", plan.Full, "verify the trials of this profile")
	cmd.Flags().StringVar(&flags.only, "only", "", "verify "+onlyUsage)
	cmd.Flags().BoolVar(&flags.adapt, "adapt", false, adaptUsage)
	cmd.Flags().BoolVar(&flags.wait, "wait", false, waitUsage)
	cmd.Flags().StringVar(&flags.engine, "engine", "", "where services run: docker, local or kubernetes (default what the project says, or docker)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	return cmd
}

func verify(ctx context.Context, a *session, project *article.Project, list []*chosen, plans map[string]*plan.Plan, flags measureOptions, asJSON bool) error {
	picked, err := newFilter(flags.only, list, plans)
	if err != nil {
		return err
	}
	host, err := machines.ThisHost()
	if err != nil {
		return failure(err)
	}
	defer a.waits(ctx)()
	doing := "verifies " + articlesInWords(list)
	at, err := connectTargets(ctx, a, project, list, plans, host, doing, flags.wait)
	if err != nil {
		return stopped(ctx, err)
	}
	defer at.close()
	refused := 0
	for _, c := range list {
		refused += refuse(a, plans[c.slug], at.hostOf(c.slug), picked, flags.adapt)
	}
	if err := connect(ctx, a, project, at); err != nil {
		return stopped(ctx, err)
	}
	unlock, err := lockMachines(ctx, a, host, at, doing, flags.wait)
	if err != nil {
		return err
	}
	defer unlock()
	for _, v := range at.distinct() {
		if err := sweep(ctx, a, v.engine); err != nil {
			return err
		}
	}
	progress := &progress{w: a.stderr}
	all, wrong, unavailable := []verifyJSON{}, 0, 0
	for _, c := range list {
		sum, err := newRunner(a, at[c.slug], verifying{progress}).Verify(ctx, plans[c.slug], runner.Options{Only: picked}, func(v runner.Verification) {
			out := newVerifyJSON(c.slug, v)
			if !out.OK {
				wrong++
			}
			all = append(all, out)
			if !asJSON {
				out.print(a.stdout)
			}
		})
		for _, n := range sum.NoImage {
			unavailable++
			printProblems(a.stderr, []*source.Problem{imageProblem(&n)})
		}
		for _, n := range sum.NoTune {
			unavailable++
			printProblems(a.stderr, []*source.Problem{tuneProblem(&n)})
		}
		for _, n := range sum.NoCleanup {
			wrong++
			fmt.Fprintln(a.stderr, n.Error())
		}
		var left *engine.LeftError
		if errors.As(err, &left) {
			err = fmt.Errorf("%w; benchbook clean removes them", err)
		}
		if err != nil {
			return stopped(ctx, err)
		}
	}
	if asJSON {
		if err := printJSON(a.stdout, all); err != nil {
			return err
		}
	}
	var said []string
	if wrong > 0 {
		words := " not as it should be"
		if wrong > 1 {
			words = " not as they should be"
		}
		said = append(said, are(wrong, "trial")+words)
	}
	if n := refused + unavailable; n > 0 {
		said = append(said, are(n, "experiment")+" not verified, for the reasons above")
	}
	if len(said) > 0 {
		return failure(errors.New(strings.Join(said, "; ")))
	}
	return nil
}

func newVerifyJSON(slug string, v runner.Verification) verifyJSON {
	out := verifyJSON{Article: slug, Experiment: v.Experiment, Trial: v.Trial, OK: v.Failure == "", Answers: []answerJSON{}, Note: v.Note,
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

// print writes a line for a trial, and below it what there is to know of one that is not as it should be.
func (v *verifyJSON) print(w io.Writer) {
	title := fmt.Sprintf("%s#%s, %s: ", v.Article, v.Experiment, v.Trial)
	if !v.OK {
		fmt.Fprintf(w, "%swrong: %s\n", title, strings.ReplaceAll(v.Failure, "\n", " "))
		if v.Log != "" {
			fmt.Fprintln(w, indent(v.Log))
		}
		return
	}
	if v.Note != "" {
		fmt.Fprintf(w, "%sok: %s\n", title, v.Note)
		return
	}
	var words []string
	for _, answer := range v.Answers {
		words = append(words, fmt.Sprintf("%s %s answers %d with %s in %v", answer.Method, answer.URL, answer.Status, count(int(answer.Length), "byte"),
			time.Duration(answer.Seconds*float64(time.Second)).Round(10*time.Microsecond)))
	}
	fmt.Fprintf(w, "%sok: %s\n", title, strings.Join(words, "; "))
}

// verifying is a progress that says nothing of repetitions, as there are none.
type verifying struct{ *progress }

// Experiment is part of runner.Progress.
func (verifying) Experiment(*plan.Experiment, int) {}

// End is part of runner.Progress.
func (verifying) End(plan.Step, *record.Record) {}
