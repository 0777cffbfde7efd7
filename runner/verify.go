package runner

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/runner/load"
	"benchbook/runner/load/http"
)

// Verification is what came of starting the services of a trial and asking for its targets once, without any load.
type Verification struct {
	Experiment, Trial string
	Answers           []http.Answer
	Note              string // why there are no answers, where nothing is wrong
	Failure           string // what is wrong; empty if nothing is
	Log               string // the end of what services wrote, beside a Failure
	Took              time.Duration
}

// Verify starts the services of every trial that Only picks, as a repetition does, hooks included, asks for the targets
// of its load once, and removes them again. It tells each what came of every trial, and leaves no records. The error
// means that it could not be done; experiments whose images cannot be had are in the summary.
func (r *Runner) Verify(ctx context.Context, p *plan.Plan, o Options, each func(Verification)) (sum Summary,
	err error) {
	var runs []*run
	for _, e := range p.Experiments {
		if e.Skipped != "" {
			continue
		}
		var t worklist
		for _, trial := range e.Trials {
			if trial.Unavailable == "" && !trial.Calibration { // the A/A pair is one trial
				t.steps = append(t.steps, plan.Step{Trial: trial, Round: 1, Repetition: 1})
			}
		}
		if t = o.chosen(e, t); len(t.steps) == 0 {
			continue
		}
		v := &verifier{each: each, secrets: o.Secrets[e]}
		runs = append(runs, &run{Runner: r.of(e), plan: p, experiment: e, work: t, store: v, summary: &sum, verifier: v,
			options: Options{Secrets: o.Secrets},
			names:   newRunNames(nil)})
	}
	if _, err := r.prepareAll(ctx, runs); err != nil { // each experiment says what of it is missing
		return sum, err
	}
	for _, run := range runs {
		err := run.begin(ctx)
		if err == nil {
			err = run.repetitions(ctx)
		}
		if err := run.finish(ctx, err); err != nil {
			return sum, err
		}
	}
	return sum, nil
}

// A verifier asks in the place of a driver that measures, and takes records in the place of a store: they say what went
// wrong.
type verifier struct {
	each    func(Verification)
	answers []http.Answer // of the repetition that goes on
	secrets Secrets
	note    string
}

func (*verifier) Read() ([]*record.Record, []record.Bad, error) { return nil, nil, nil }

func (v *verifier) Save(rec *record.Record) error {
	out := Verification{Experiment: rec.Experiment, Trial: rec.Trial, Answers: v.answers, Note: v.note,
		Failure: rec.Failure, Log: rec.Log, Took: rec.Ended.Sub(rec.Started)}
	v.answers, v.note = nil, ""
	v.each(out)
	return nil
}

// ask asks for the targets of a trial whose services are ready.
func (v *verifier) ask(ctx context.Context, requests load.Driver, at load.Place, t *plan.Trial) (load.Measurement,
	error) {
	if t.Load == nil {
		v.note = "its services are ready; its command is timed and not checked"
		return load.Measurement{}, nil
	}
	if scheme := schemeOf(t.Load); scheme != "http" && scheme != "https" {
		v.note = fmt.Sprintf("its services are ready; nothing is asked over %s", scheme)
		return load.Measurement{}, nil
	}
	checker, ok := requests.(load.Checker)
	if !ok {
		return load.Measurement{}, fmt.Errorf("trial %s: nothing here asks without a load", t.Name)
	}
	var err error
	if v.answers, err = checker.Check(ctx, at, t); err != nil {
		return load.Measurement{}, err
	}
	redact := v.secrets.redactor(t)
	var wrong []string
	for i := range v.answers {
		a := &v.answers[i]
		a.URL, a.Failure = redact.Text(a.URL), redact.Text(a.Failure)
		if a.Failure != "" {
			wrong = append(wrong, fmt.Sprintf("%s %s: %s", a.Method, a.URL, a.Failure))
		}
	}
	return load.Measurement{Failure: strings.Join(wrong, "; ")}, nil
}

// schemeOf is how the targets of a load are reached.
func schemeOf(l *spec.Load) string {
	u, err := url.Parse(l.URLs()[0])
	if err != nil {
		return ""
	}
	return u.Scheme
}
