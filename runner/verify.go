package runner

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"benchbook/internal/slice"
	"benchbook/notebook/plan"
	"benchbook/notebook/spec"
	"benchbook/runner/load"
	"benchbook/runner/loadgen"
)

// Verification is what came of starting the services of a trial and asking for its targets once, without any load.
type Verification struct {
	Experiment, Trial string
	Answers           []loadgen.Answer
	Note              string // why there are no answers, where nothing is wrong
	Failure           string // what is wrong; empty if nothing is
	Log               string // the end of what services wrote, beside a Failure
	Took              time.Duration
}

// Verify starts the services of every trial that Only picks, as a repetition does, hooks included, asks for the targets
// of its load once, and removes them again. It calls each with what came of every trial, and leaves no records. The
// error means that it could not be done; experiments whose images cannot be had are in the summary.
func (r *Runner) Verify(ctx context.Context, p *plan.Plan, o Options, each func(Verification)) (sum Summary,
	err error) {
	s := &session{Runner: r, plan: p, options: o, scope: Scope{Only: o.Only}, summary: &sum, names: newRunNames(nil)}
	var benches []*bench
	for _, e := range p.Experiments {
		g := Group{Experiment: e}
		for _, t := range e.Trials {
			if t.Unavailable == "" && !t.Calibration { // the A/A pair is one trial
				g.Steps = append(g.Steps, plan.Step{Trial: t, Round: 1, Repetition: 1})
			}
		}
		if g = s.scope.pick(g); e.Skipped == "" && len(g.Steps) > 0 {
			benches = append(benches, s.newBench(g, nil))
		}
	}
	for _, b := range benches {
		b.isCheck = true
	}
	if _, err := r.prepareAll(ctx, benches); err != nil { // each experiment says what of it is missing
		return sum, err
	}
	for _, b := range benches {
		if err := b.finish(ctx, b.verify(ctx, each)); err != nil {
			return sum, err
		}
	}
	return sum, nil
}

// verify checks the trials of an experiment.
func (b *bench) verify(ctx context.Context, each func(Verification)) error {
	if err := b.begin(ctx); err != nil {
		return err
	}
	for _, step := range b.work.Steps {
		if err := b.Share(ctx, step.Trial); err != nil {
			return err
		}
		v := Verification{Experiment: b.experiment.Name, Trial: step.Trial.Name}
		ask := func(p *repetition) (m load.Measurement, err error) {
			v.Answers, v.Note, err = p.ask()
			m.Failure = failuresOf(v.Answers)
			return m, err
		}
		tuned, rec, err := b.tuned(ctx, step)
		if rec == nil && err == nil {
			rec, err = b.repeat(ctx, tuned, keep{}, ask)
		}
		if rec != nil {
			v.Failure, v.Log, v.Took = rec.Failure, rec.Log, rec.Ended.Sub(rec.Started)
			each(v)
		}
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// ask asks for the targets of a trial whose services are ready, or says why it does not.
func (p *repetition) ask() (answers []loadgen.Answer, note string, err error) {
	if p.step.Trial.Load == nil {
		return nil, "its services are ready; its command is timed and not checked", nil
	}
	if scheme := schemeOf(p.step.Trial.Load); scheme != "http" && scheme != "https" {
		return nil, fmt.Sprintf("its services are ready; nothing is asked over %s", scheme), nil
	}
	checker, ok := p.Requests.(load.Checker)
	if !ok {
		return nil, "", fmt.Errorf("trial %s: nothing here asks without a load", p.step.Trial.Name)
	}
	answers, err = checker.Check(p.bounded, p.place, p.step.Trial)
	redact := p.secrets().redactor(p.step.Trial)
	return slice.Map(answers, func(answer loadgen.Answer) loadgen.Answer {
		answer.URL, answer.Failure = redact.Text(answer.URL), redact.Text(answer.Failure)
		return answer
	}), "", err
}

// failuresOf says what is wrong with answers.
func failuresOf(answers []loadgen.Answer) string {
	wrong := slice.Filter(answers, func(a loadgen.Answer) bool { return a.Failure != "" })
	return strings.Join(slice.Map(wrong, func(a loadgen.Answer) string {
		return fmt.Sprintf("%s %s: %s", a.Method, a.URL, a.Failure)
	}), "; ")
}

// schemeOf returns the scheme of the targets of a load.
func schemeOf(l *spec.Load) string {
	u, err := url.Parse(l.URLs()[0])
	if err != nil {
		return ""
	}
	return u.Scheme
}
