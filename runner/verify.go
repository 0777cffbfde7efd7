package runner

import (
	"context"
	"fmt"
	"net/url"

	"benchbook/internal/slice"
	"benchbook/notebook/plan"
	"benchbook/runner/load"
	"benchbook/runner/loadgen"
)

// Verification is the result of starting the services of a trial and requesting its targets once, without load.
type Verification struct {
	Experiment, Trial string
	Answers           []loadgen.Answer
	Note              string // why there are no answers although nothing is wrong
	Failure           string // the problem; empty without one
	Log               string // the end of the services' logs, with a Failure
}

// Verify starts the services of every trial as a repetition does, hooks included, requests the targets of its load
// once, and removes the services. It calls each with every result and saves no records. Failures of the benchmark are
// in the results; experiments whose images are not available are in the summary.
func (r *Runner) Verify(ctx context.Context, p *plan.Plan, o Options, each func(Verification)) (Summary, error) {
	s := &session{Runner: r, plan: p, options: o, plans: map[string]string{}, known: map[string]map[string]string{}}
	for _, e := range p.Experiments {
		g := Group{Experiment: e}
		for _, t := range e.Trials {
			if !t.Calibration { // the A/A pair is one trial
				g.Steps = append(g.Steps, plan.Step{Trial: t, Round: 1, Repetition: 1})
			}
		}
		if len(g.Steps) == 0 { // its profile leaves it out
			continue
		}
		b := s.newBench(g, nil)
		b.isCheck = true
		if err := b.finish(ctx, b.verify(ctx, each)); err != nil {
			return s.summary, err
		}
	}
	return s.summary, nil
}

func (b *bench) verify(ctx context.Context, each func(Verification)) error {
	if err := b.begin(ctx); err != nil {
		return err
	}
	for _, step := range b.work.Steps {
		if err := b.Share(ctx, step.Trial); err != nil {
			return err
		}
		v := Verification{Experiment: b.experiment.Name, Trial: step.Trial.Name}
		rec, err := b.attempt(ctx, step, keep{}, func(p *repetition) (m load.Measurement, err error) {
			v.Answers, v.Note, err = p.ask()
			m.Failure = load.WrongAnswers(v.Answers)
			return m, err
		})
		if rec != nil {
			v.Failure, v.Log = rec.Failure, rec.Log
			each(v)
		}
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// ask requests the targets of a trial whose services are ready. Note says why it requested none.
func (p *repetition) ask() (answers []loadgen.Answer, note string, err error) {
	if p.trial.Load == nil {
		return nil, "its services are ready; its command is timed and not checked", nil
	}
	if u, err := url.Parse(p.trial.Load.URLs()[0]); err == nil && u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Sprintf("its services are ready; nothing is asked over %s", u.Scheme), nil
	}
	if answers, err = p.place.Check(p.bounded, p.trial.Load); err != nil {
		err = fmt.Errorf("trial %s: %w", p.trial.Name, err)
	}
	redact := p.secrets().redactor(p.trial)
	return slice.Map(answers, func(answer loadgen.Answer) loadgen.Answer {
		answer.URL, answer.Failure = redact.Text(answer.URL), redact.Text(answer.Failure)
		return answer
	}), "", err
}
