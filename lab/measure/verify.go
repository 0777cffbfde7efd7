package measure

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"benchbook/internal/phrase"
	"benchbook/lab"
	"benchbook/lab/terminal"
	"benchbook/notebook/article"
	"benchbook/notebook/plan"
	"benchbook/runner"
	"benchbook/runner/engine"
)

// Verify starts the services of every trial of the named experiments, or of all, and checks their answers.
func Verify(ctx context.Context, a *lab.Session, project *article.Project, list []*lab.Article, flags Options) error {
	j := &job{Session: a, project: project, list: list, flags: flags}
	j.options.Secrets = map[*plan.Experiment]runner.Secrets{}
	defer j.close()
	for _, c := range list { // the user consents only to the chosen experiments
		c.KeepExperiments(c.Planned)
	}
	if err := j.findHosts(ctx); err != nil {
		return err
	}
	wrong, unverified := 0, 0 // numbers of trials and of experiments
	for _, c := range list {
		unverified += j.refuse(c, nil) + j.readSecrets(c.Planned, func(*plan.Experiment) bool { return true })
	}
	err := j.lock(ctx, list)
	if err == nil {
		j.runner, err = j.newRunner(ctx, &progress{w: a.Stderr, problems: a.Stderr})
	}
	if err != nil {
		return err
	}
	for _, c := range list {
		sum, err := j.runnerFor(c).Verify(ctx, c.Planned, j.options, func(v runner.Verification) {
			wrong += lab.BoolToInt(v.Failure != "")
			printVerification(a.Words(), c.Slug, v)
		})
		j.printReasons(sum.LeftOut)
		unverified += len(sum.LeftOut)
		if errors.As(err, new(*engine.LeftError)) {
			err = fmt.Errorf("%w; benchbook clean removes them", err)
		}
		if err != nil {
			return lab.Interrupted(ctx, err)
		}
	}
	var words []string
	if wrong > 0 {
		words = append(words, phrase.Count(wrong, "trial")+" failed verification")
	}
	if unverified > 0 {
		words = append(words, phrase.Are(unverified, "experiment")+" not verified, for the reasons above")
	}
	if len(words) > 0 {
		return lab.Failure(errors.New(strings.Join(words, "; ")))
	}
	return nil
}

// printVerification prints a line for a trial, and after a failure the log of the services.
func printVerification(w io.Writer, slug string, v runner.Verification) {
	title := fmt.Sprintf("%s#%s, %s: ", slug, v.Experiment, v.Trial)
	switch {
	case v.Failure != "":
		fmt.Fprintf(w, "%swrong: %s\n", title, strings.ReplaceAll(v.Failure, "\n", " "))
		if v.Log != "" {
			fmt.Fprintln(w, terminal.Indent(v.Log))
		}
		return
	case v.Note != "":
		fmt.Fprintf(w, "%sok: %s\n", title, v.Note)
		return
	}
	var words []string
	for _, answer := range v.Answers {
		words = append(words, fmt.Sprintf("%s %s answers %d with %s in %v", answer.Method, answer.URL, answer.Status,
			phrase.Count(int(answer.Length), "byte"), answer.Took.Round(10*time.Microsecond)))
	}
	fmt.Fprintf(w, "%sok: %s\n", title, strings.Join(words, "; "))
}
