package lab

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"benchbook/notebook/expr"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
)

// OnlyUsage describes the flag --only.
const OnlyUsage = `only the trials that this expression picks, written as in where, such as 'server == "sync" and workers > 2'`

// A Filter selects trials, as --only does.
type Filter func(*plan.Experiment, *plan.Trial) bool

// NewFilter parses --only for some plans; it is nil for an empty text. Unknown names, and an expression that matches no
// trial, are errors.
func NewFilter(only string, list []*Article, plans map[string]*plan.Plan) (Filter, error) {
	if only == "" {
		return nil, nil
	}
	wrong := func(err error) error {
		if e := (*expr.Error)(nil); errors.As(err, &e) && e.Hint != "" {
			err = fmt.Errorf("%s: %s", e.Msg, e.Hint)
		}
		return UsageError(fmt.Errorf("--only %s: %w", only, err))
	}
	n, err := expr.Parse(only)
	if err != nil {
		return nil, wrong(err)
	}
	known := map[string]bool{"experiment": true}
	visitTrials(list, plans, func(_ *plan.Experiment, t *plan.Trial) {
		for _, p := range slices.Concat(t.Parameters, t.Labels) {
			known[p.Name] = true
		}
	})
	picked := map[*plan.Trial]bool{}
	var failed error
	visitTrials(list, plans, func(e *plan.Experiment, t *plan.Trial) {
		fit, err := fits(n, e, t, known)
		picked[t] = fit && err == nil
		failed = errors.Join(failed, err)
	})
	var e *expr.Error
	switch {
	case errors.As(failed, &e):
		if errors.Is(failed, expr.ErrUnknownName) {
			e.Hint = source.Suggest(only[e.Span.Start:e.Span.End], slices.Sorted(maps.Keys(known)))
		}
		return nil, wrong(e)
	case failed != nil:
		return nil, wrong(failed)
	case !slices.Contains(slices.Collect(maps.Values(picked)), true):
		return nil, wrong(errors.New("it matches no trial of the selected articles"))
	}
	return func(_ *plan.Experiment, t *plan.Trial) bool { return picked[t] }, nil
}

// visitTrials visits the trials of all plans.
func visitTrials(list []*Article, plans map[string]*plan.Plan, visit func(*plan.Experiment, *plan.Trial)) {
	for _, c := range list {
		for _, e := range plans[c.Slug].Experiments {
			for _, t := range e.Trials {
				visit(e, t)
			}
		}
	}
}

// fits reports whether an expression over known names selects a trial.
func fits(n expr.Node, e *plan.Experiment, t *plan.Trial, known map[string]bool) (bool, error) {
	lacks := false
	fit, err := expr.Where(n, func(name string) (string, bool) {
		if name == "experiment" {
			return e.Name, true
		}
		all := slices.Concat(t.Parameters, t.Labels)
		if i := slices.IndexFunc(all, func(p record.Parameter) bool { return p.Name == name }); i >= 0 {
			return all[i].Value, true
		}
		lacks = lacks || known[name]
		return "", known[name]
	})
	if err != nil && lacks {
		return false, nil // a trial without the name matches nothing
	}
	return fit, err
}

// Leave removes all other trials from a plan.
func (f Filter) Leave(p *plan.Plan) {
	if f == nil {
		return
	}
	for _, e := range p.Experiments {
		e.Trials = slices.DeleteFunc(e.Trials, func(t *plan.Trial) bool { return !f(e, t) })
		e.Steps = slices.DeleteFunc(e.Steps, func(s plan.Step) bool { return !f(e, s.Trial) })
	}
	p.Experiments = slices.DeleteFunc(p.Experiments, func(e *plan.Experiment) bool {
		return e.Skipped == "" && len(e.Trials) == 0
	})
}
