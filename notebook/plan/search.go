package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

// Rules of searches.
//
// Source: docs/searches.md.
const (
	searchProbes    = 3    // short probes of every candidate; their median counts
	searchPatience  = 2    // candidates in a row without an improvement, after which the search stops
	searchEffect    = 0.05 // relative gain that an improvement has to exceed
	capacityStep    = 0.05 // relative distance between the bounds at the end
	capacityRepeats = 3    // full repetitions that confirm or refute a bound
	capacityProbe   = 60 * time.Second
)

// searches completes the searches for tuned values of a trial.
func (d *draft) searches() []spec.Search {
	list := d.definition.Tune
	for i := range list {
		s := &list[i]
		if s.Of != "" {
			*s = spec.Search{Name: s.Name, Of: s.Of}
			continue
		}
		if s.Maximize == "" && d.definition.Command != nil {
			s.Maximize = "time.real"
		}
		s.From, s.Maximize = cmp.Or(s.From, 1), cmp.Or(s.Maximize, "throughput")
		s.Probes, s.Patience, s.Effect = searchProbes, searchPatience, searchEffect
		from := d.node.TextAt("tune", s.Name, "from")
		if !from.IsZero() && s.To > 0 && s.From > s.To {
			d.problems.Add("empty-range", from.Pos, "the range from %d to %d is empty", s.From, s.To).
				Hint = "swap from and to"
		}
	}
	return list
}

// capacity completes the capacity search of a trial; nil if it has none.
func (d *draft) capacity() *spec.Capacity {
	c, l, n := d.definition.Capacity, d.definition.Load, d.node.Get("capacity")
	switch {
	case c == nil:
		return nil
	case l == nil:
		d.contradiction(n.Text.Pos, "capacity is a rate of requests, and a command makes none",
			"remove capacity, or replace command by load")
		return nil
	case l.Tool != "":
		d.problems.Add("no-flag", d.node.TextAt("load", "tool").Pos, "%s has no flag for a rate, which a capacity search needs",
			l.Tool).Hint = "remove tool, or the search"
	}
	if from, to := n.TextAt("from"), n.TextAt("to"); c.To > 0 && c.From >= c.To {
		d.problems.Add("empty-range", from.Pos, "the range from %s to %s is empty", from.Value, to.Value).
			Hint = "swap from and to"
	}
	c.Step, c.Repeats, c.Probe = capacityStep, capacityRepeats, capacityProbe
	return c
}

// Tuned returns the trial with tuned values, by name, filled in. Its name, parameters, definition and key stay as in
// the plan.
//
// It returns an error for values that the trial cannot have, such as too many connections.
func (t *Trial) Tuned(values map[string]int) (*Trial, error) {
	if len(t.Deferred) == 0 {
		return t, nil
	}
	out, problems := t.resolve(values)
	if found := problems.Sorted(); len(found) > 0 {
		words := slice.Map(sortedKeys(values), func(name string) string {
			return fmt.Sprintf("tune.%s %d", name, values[name])
		})
		return nil, fmt.Errorf("trial %q with %s: %s", t.Name, strings.Join(words, " and "),
			record.NewRedactor(t.Private...).Text(found[0].Message))
	}
	out.Deferred = nil
	return out, nil
}

// resolve reads services, load, command and hooks again with tuned values, and returns their problems.
func (t *Trial) resolve(values map[string]int) (*Trial, *source.Problems) {
	out, p := *t, *t.draft.planner
	p.problems = &source.Problems{}
	d := &out.draft
	tuned := map[string]string{}
	for name, v := range values {
		tuned[name] = strconv.Itoa(v)
	}
	env := settings{profile: p.options.Profile,
		values: map[string]map[string]string{"matrix": d.fields, "tune": tuned, "secrets": d.secrets}}
	d.planner, d.node = &p, expand(d.node, env, p.problems)
	d.definition = article.DecodeExperiment(d.node, true, p.problems)
	d.configs()
	out.read()
	return &out, p.problems
}

// checkEnds reports the problems of a trial at both ends of its searches: values in between have no others.
func (t *Trial) checkEnds() {
	first, last := map[string]int{}, map[string]int{}
	for _, s := range t.Tune {
		if s.Of != "" {
			return // another experiment checks its ends
		}
		first[s.Name], last[s.Name] = s.First(), max(s.To, s.First())
	}
	for _, values := range []map[string]int{first, last} {
		if _, problems := t.resolve(values); !problems.Empty() {
			t.draft.problems.Merge(problems)
			return
		}
	}
}

// Short returns the trial as a probe of a tune search, which takes a few seconds unless it is a command, or a tool that
// ends after a number of requests. If a capacity search follows, clients send as fast as they can.
//
// Source: docs/method.md#tuned-values.
func (t *Trial) Short() *Trial {
	l := t.Load
	if l == nil || l.Tool != "" && l.Requests > 0 {
		return t
	}
	out, load := *t, *l
	load.Duration = min(cmp.Or(load.Duration, probeDuration), probeDuration)
	if t.Capacity != nil {
		load.Arrivals = ""
	}
	out.Load, out.Capacity = &load, nil
	return &out
}

// AtRate returns the trial as a probe of a capacity search: an open loop at rate requests per second.
//
// Source: docs/method.md#capacities.
func (t *Trial) AtRate(rate float64, window time.Duration) *Trial {
	out, load := *t, *t.Load
	load.Rate, load.Duration = rate, window
	load.Requests, load.Cut, load.Think, load.RateShare, load.RateOf, load.RateOwn = 0, false, 0, 0, "", false
	out.Load, out.Capacity = &load, nil
	return &out
}

// Find returns an experiment of the article by its name, including those that a run leaves out.
func (p *Plan) Find(name string) (*Experiment, bool) {
	return slice.Find(slices.Concat(p.Experiments, p.All), func(e *Experiment) bool { return e.Name == name })
}

// TunedBy returns the trial whose search finds a value of t: t itself, or the trial with the same parameters in the
// experiment that the search names. For an A/A pair it is the first half.
//
// It returns an error if there is no such trial, or if its experiment is skipped.
func (p *Plan) TunedBy(e *Experiment, t *Trial, s spec.Search) (*Experiment, *Trial, spec.Search, error) {
	t = e.Original(t)
	for s.Of != "" { // ends, as the plan has no cycles of experiments
		of, ok := p.Find(s.Of)
		switch {
		case !ok:
			return nil, nil, s, fmt.Errorf("there is no experiment %q", s.Of)
		case of.Skipped != "":
			return nil, nil, s, fmt.Errorf("experiment %q has not chosen it: %s", s.Of, of.Skipped)
		}
		same, err := of.SameCell(t)
		if err != nil {
			return nil, nil, s, err
		}
		i := slices.IndexFunc(same.Tune, func(own spec.Search) bool { return own.Name == s.Name })
		if i < 0 {
			return nil, nil, s, fmt.Errorf("experiment %q does not tune %q", s.Of, s.Name)
		}
		e, t, s = of, same, same.Tune[i]
	}
	return e, t, s, nil
}

// SameCell returns the only trial of e whose parameters do not contradict those of t, a trial of another experiment. It
// returns an error if there is none, or several.
func (e *Experiment) SameCell(t *Trial) (found *Trial, err error) {
	for _, o := range e.Trials {
		contradicts := slices.ContainsFunc(o.Parameters, func(p record.Parameter) bool {
			return slices.ContainsFunc(t.Parameters, func(own record.Parameter) bool { return own.Name == p.Name && own.Value != p.Value })
		})
		switch {
		case o.Calibration || contradicts:
		case found != nil:
			return nil, fmt.Errorf("several cells of experiment %q have the same parameters", e.Name)
		default:
			found = o
		}
	}
	if found == nil {
		return nil, fmt.Errorf("no cell of experiment %q has the same parameters", e.Name)
	}
	return found, nil
}
