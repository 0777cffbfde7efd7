package lab

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"benchbook/notebook/expr"
	"benchbook/notebook/plan"
	"benchbook/notebook/source"
)

// A Filter reports whether a trial is selected by --only.
type Filter func(*plan.Experiment, *plan.Trial) bool

// NewFilter parses the expression of --only for planned articles. An empty text gives a nil filter. Unknown names are
// errors, as is an expression that matches no trial.
func NewFilter(only string, list []*Article) (Filter, error) {
	if only == "" {
		return nil, nil
	}
	picked := map[*plan.Trial]bool{}
	n, err := expr.Parse(only)
	if err == nil {
		err = pick(picked, n, only, list)
	}
	if e, ok := errors.AsType[*expr.Error](err); ok && e.Hint != "" {
		err = fmt.Errorf("%s: %s", e.Msg, e.Hint)
	}
	if err != nil {
		return nil, UsageError(fmt.Errorf("--only %s: %w", only, err))
	}
	return func(_ *plan.Experiment, t *plan.Trial) bool { return picked[t] }, nil
}

// pick adds the trials that n selects to picked; only is the text of n.
func pick(picked map[*plan.Trial]bool, n expr.Node, only string, list []*Article) error {
	known, settings := map[string]bool{"experiment": true}, map[*plan.Trial]map[string]string{}
	var trials []*plan.Trial
	for _, c := range list {
		for _, e := range c.Planned.Experiments {
			for _, t := range e.Trials {
				trials, settings[t] = append(trials, t), map[string]string{"experiment": e.Name}
				for _, p := range slices.Concat(t.Parameters, t.Labels) {
					settings[t][p.Name], known[p.Name] = p.Value, true
				}
			}
		}
	}
	for _, t := range trials {
		lacks := false
		fit, err := expr.Where(n, func(name string) (string, bool) {
			value, ok := settings[t][name]
			lacks = lacks || !ok
			return value, known[name]
		})
		switch e, _ := errors.AsType[*expr.Error](err); {
		case errors.Is(err, expr.ErrUnknownName):
			e.Hint = source.Suggest(only[e.Span.Start:e.Span.End], slices.Sorted(maps.Keys(known)))
			return e
		case err != nil && !lacks: // a trial that lacks a name is skipped
			return err
		case fit && err == nil:
			picked[t] = true
		}
	}
	if len(picked) == 0 {
		return errors.New("it matches no trial of the selected articles")
	}
	return nil
}
