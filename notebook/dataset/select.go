package dataset

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/expr"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
)

// ErrNotMeasured is the cause of an Eval error if the expression is right but its cells have no numbers.
var ErrNotMeasured = errors.New("not measured")

// Rule identifies a mistake in an expression, as in problems. It is the cause of an *expr.Error.
type Rule string

func (r Rule) Error() string { return string(r) }

// Mistake returns an error that the author of an expression can fix.
func Mistake(at expr.Span, r Rule, hint, format string, args ...any) *expr.Error {
	return &expr.Error{Span: at, Msg: fmt.Sprintf(format, args...), Hint: hint, Err: r}
}

// Select returns the cells that satisfy a where expression, in plan order; nil selects all. Names are parameters,
// labels, and experiment.
//
// The error is an *expr.Error: the expression has an unknown name, or is not a condition on texts.
func (e *Experiment) Select(where expr.Node) ([]*Cell, error) {
	if where == nil || len(e.Cells) == 0 {
		return slices.Clone(e.Cells), nil
	}
	for _, s := range expr.Selectors(where) {
		isKnown := s.Name == ExperimentMatch || slices.Contains(e.settings, s.Name)
		if len(s.Matches) > 0 || isKnown { // Where rejects braces
			continue
		}
		hint := e.SuggestSetting(s.Name)
		if !IsSuggestion(hint) && !e.IsMetric(s.Name) {
			hint += fmt.Sprintf("; if it is a value, quote it: %q", s.Name)
		}
		return nil, Mistake(s.Span, "unknown-parameter", hint, "no parameter %q in experiment %q", s.Name, e.Plan.Name)
	}
	var out []*Cell
	for _, c := range e.withBenchmarks(benchmarksOfWhere(where)) {
		ok, err := expr.Where(where, func(name string) (string, bool) {
			if name == ExperimentMatch {
				return e.Plan.Name, true
			}
			text, _ := c.Setting(name)
			return text, true
		})
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, c)
		}
	}
	return out, nil
}

// Scope is where the selectors of an expression look for cells.
type Scope struct {
	Data       *Dataset
	Experiment string // for selectors that name none; "" means the only one of the article
}

// In returns the scope of an experiment.
func (d *Dataset) In(experiment string) Scope { return Scope{d, experiment} }

// Picked is the metric and the cells of a selector, at least one.
type Picked struct {
	Metric record.Metric
	Cells  []*Cell

	selector *expr.Selector
}

// Pick finds the cells of a selector. The error is an *expr.Error: a mistake, or one with the cause ErrNotMeasured if
// the profile leaves the experiment or the cells out.
func (s Scope) Pick(sel *expr.Selector) (Picked, error) {
	p, err := s.pick(sel)
	if err == nil || errors.Is(err, ErrNotMeasured) {
		return p, err
	}
	return p, s.Data.UnlessInOtherProfile(err, sel.Span, func(other *Dataset) error {
		_, err := Scope{other, s.Experiment}.pick(sel)
		return err
	})
}

// UnlessInOtherProfile returns the mistake, or ErrNotMeasured as an *expr.Error if the expression is right in another
// profile. The profile full excuses any mistake, others only an unknown cell or parameter.
func (d *Dataset) UnlessInOtherProfile(mistake error, at expr.Span, try func(other *Dataset) error) error {
	r, _ := errors.AsType[Rule](mistake)
	for _, other := range d.OtherProfiles() {
		if (other.Plan.Profile == plan.Full || r == "no-cell" || r == "unknown-parameter") && try(other) == nil {
			return &expr.Error{Span: at, Err: ErrNotMeasured, Msg: fmt.Sprintf(
				"not measured: it belongs to profile %s, and profile %s leaves it out", other.Plan.Profile, d.Plan.Profile)}
		}
	}
	return mistake
}

// pick finds the cells of a selector in this profile.
func (s Scope) pick(sel *expr.Selector) (Picked, error) {
	experiments, err := s.experiments(sel)
	if err != nil {
		return Picked{}, err
	}
	p := Picked{selector: sel}
	for _, e := range experiments {
		if e.Plan.Skipped != "" {
			return Picked{}, &expr.Error{Span: sel.Span, Msg: "not measured: " + e.Plan.Skipped, Err: ErrNotMeasured}
		}
		metric, ok := e.Metric(sel.Name)
		if !ok {
			return Picked{}, s.unknownMetric(sel, e)
		}
		p.Metric = metric
		cells, err := e.match(sel)
		if err != nil {
			return Picked{}, err
		}
		p.Cells = append(p.Cells, cells...)
	}
	if len(p.Cells) == 0 {
		return Picked{}, noCell(sel, experiments)
	}
	return p, nil
}

// pickFor finds the cells of a selector, which must select exactly one unless list is true.
func (s Scope) pickFor(sel *expr.Selector, list bool) (Picked, error) {
	p, err := s.Pick(sel)
	cells := p.Cells
	if err != nil || list || len(cells) == 1 {
		return p, err
	}
	hint := "pick one in braces, or reduce the list by min max mean geomean median or count"
	if names := DifferingParameters(cells); len(names) > 0 {
		value, _ := cells[0].Setting(names[0])
		hint = strings.Replace(hint, "braces", fmt.Sprintf("braces, such as {%s=%q}", names[0], value), 1)
	}
	return Picked{}, Mistake(sel.Span, "several-cells", hint, "%s selects %d cells, but one is needed", sel, len(cells))
}

// DifferingParameters returns the parameters in which cells differ.
func DifferingParameters(cells []*Cell) []string {
	return slice.Filter(cells[0].Experiment.Plan.Parameters, func(name string) bool {
		value, _ := cells[0].Setting(name)
		return slices.ContainsFunc(cells, func(c *Cell) bool { v, _ := c.Setting(name); return v != value })
	})
}

// ExperimentMatch is the name by which selectors match the experiment.
const ExperimentMatch = "experiment"

// experiments returns the experiments in which a selector looks.
func (s Scope) experiments(sel *expr.Selector) ([]*Experiment, error) {
	names := s.Data.Names()
	matches := slice.Filter(sel.Matches, func(m expr.Match) bool { return m.Name == ExperimentMatch })
	for _, m := range matches {
		if m.Op != expr.Equal && m.Op != expr.Differs {
			return nil, Mistake(m.Span, "bad-match", "write = or !=", "experiments have no order")
		}
		if !slices.Contains(names, m.Value) {
			return nil, Mistake(m.Span, "unknown-experiment", source.Suggest(m.Value, names),
				"no experiment %q in this article", m.Value)
		}
	}
	found := slice.Filter(s.Data.Experiments, func(e *Experiment) bool {
		isOut := func(m expr.Match) bool { return (e.Plan.Name == m.Value) != (m.Op == expr.Equal) }
		return !slices.ContainsFunc(matches, isOut)
	})
	switch own, ok := s.Data.Experiment(s.Experiment); {
	case len(matches) > 0 && len(found) == 0:
		return nil, Mistake(sel.Span, "no-cell", "", "no experiment matches %s", sel)
	case len(matches) > 0:
		return found, nil
	case ok:
		return []*Experiment{own}, nil
	case len(names) == 0:
		return nil, Mistake(sel.Span, "no-cell", "add a yaml experiment block",
			"there is no experiment to take %s from", sel)
	}
	likely := max(0, slices.IndexFunc(s.Data.Experiments, func(e *Experiment) bool { // with all its parameters
		isUnknown := func(m expr.Match) bool { return !slices.Contains(e.Plan.Parameters, m.Name) }
		return !slices.ContainsFunc(sel.Matches, isUnknown)
	}))
	return nil, Mistake(sel.Span, "which-experiment",
		fmt.Sprintf("write %s{experiment=%q}, with the one that is meant", sel.Name, names[likely]),
		"the article has several experiments, and %s does not say which", sel)
}

func (s Scope) unknownMetric(sel *expr.Selector, e *Experiment) error {
	values := slice.Map(s.Data.Doc.Front.Values, func(v article.Named[article.Expression]) string { return v.Name.Value })
	hint := e.SuggestMetric(sel.Name, values...)
	at := expr.Span{Start: sel.Span.Start, End: min(sel.Span.End, sel.Span.Start+len(sel.Name))}
	if _, ok := record.LookupMetric(sel.Name); ok {
		return Mistake(at, "unknown-metric", hint, "%s is not measured in experiment %q", sel.Name, e.Plan.Name)
	}
	if slices.Contains(e.settings, sel.Name) {
		return Mistake(at, "unknown-metric",
			fmt.Sprintf(`name a metric, and the parameter in braces: throughput{%s="…"}`, sel.Name),
			"%q is a parameter, not a metric", sel.Name)
	}
	isName := func(name string) bool {
		_, isValue := article.Get(s.Data.Doc.Front.Values, name)
		_, isMetric := e.Metric(name)
		return isValue || isMetric && !e.Measured.Command
	}
	for i := range len(sel.Name) {
		if left, right := sel.Name[:i], sel.Name[i:]; right[0] == '-' && isName(left) && isName(right[1:]) {
			return Mistake(at, "unknown-metric", "write "+left+" - "+right[1:],
				"minus needs spaces: without them %s is one name", sel.Name)
		}
	}
	return Mistake(at, "unknown-metric", hint, "no metric %q", sel.Name)
}

func (e *Experiment) match(sel *expr.Selector) ([]*Cell, error) {
	matches := slice.Filter(sel.Matches, func(m expr.Match) bool { return m.Name != ExperimentMatch })
	for _, m := range matches {
		if !slices.Contains(e.settings, m.Name) {
			return nil, Mistake(m.Span, "unknown-parameter", source.Suggest(m.Name, append(e.Settings(), ExperimentMatch)),
				"no parameter %q in experiment %q", m.Name, e.Plan.Name)
		}
	}
	return e.cellsWith(matches)
}

// cellsWith returns the cells that satisfy matches of parameters and labels.
func (e *Experiment) cellsWith(matches []expr.Match) (out []*Cell, err error) {
	var benchmarks []string
	for _, m := range matches {
		if m.Name == record.BenchmarkAxis && m.Op == expr.Equal {
			benchmarks = append(benchmarks, m.Value)
		}
	}
	for _, c := range e.withBenchmarks(benchmarks) {
		isOther := func(m expr.Match) bool {
			text, _ := c.Setting(m.Name)
			ok, why := expr.MatchText(m.Op, m.Value, text)
			if why != nil {
				err = Mistake(m.Span, "bad-match", "compare texts with = and !=",
					"%s is %q in cell %q: %v", m.Name, text, c.Trial.Name, why)
			}
			return !ok
		}
		if isOut := slices.ContainsFunc(matches, isOther); err != nil {
			return nil, err
		} else if !isOut {
			out = append(out, c)
		}
	}
	return out, nil
}

// noCell says which match of a selector no cell satisfies, with the nearest value, or that no cell satisfies all.
func noCell(sel *expr.Selector, experiments []*Experiment) error {
	for _, m := range sel.Matches {
		var values []string
		fits := m.Name == ExperimentMatch
		for _, e := range experiments {
			for _, c := range e.Cells {
				text, has := c.Setting(m.Name)
				if has {
					values = slice.Add(values, text)
				}
				ok, err := expr.MatchText(m.Op, m.Value, text)
				fits = fits || ok && err == nil
			}
		}
		if !fits {
			return Mistake(m.Span, "no-cell", source.Suggest(m.Value, values), "no cell has %s", m)
		}
	}
	if len(sel.Matches) == 0 {
		return Mistake(sel.Span, "no-cell", "give the experiment a load or a command",
			"there is no cell to take %s from", sel)
	}
	return Mistake(sel.Span, "no-cell", "each value has a cell, but no cell has all of them", "no cell matches %s", sel)
}

// maxExpanded bounds the nodes of an expanded expression: values that use each other several times multiply.
const maxExpanded = 500

// Expand replaces the names of front matter values by their expressions, which get the name's place so that errors
// point into the expression that uses it.
func (d *Dataset) Expand(n expr.Node) (expr.Node, error) { return (&expansion{d: d}).expand(n) }

// expansion counts the nodes of an expanded expression, and tracks the names being replaced.
type expansion struct {
	d     *Dataset
	made  int
	using []string
}

// expand returns a copy of n with the names of values replaced.
func (e *expansion) expand(n expr.Node) (expr.Node, error) {
	if e.made++; len(e.using) > 0 && e.made > maxExpanded {
		return nil, Mistake(n.Pos(), "too-large", "write out what is needed, with fewer values",
			"the values used here make the expression too large")
	}
	var operands []*expr.Node
	switch old := n.(type) {
	case *expr.Selector:
		return e.selector(old)
	case *expr.Call:
		c := *old
		c.Args = slices.Clone(old.Args)
		for i := range c.Args {
			operands = append(operands, &c.Args[i])
		}
		n = &c
	case *expr.Unary:
		c := *old
		n, operands = &c, []*expr.Node{&c.X}
	case *expr.Binary:
		c := *old
		n, operands = &c, []*expr.Node{&c.X, &c.Y}
	}
	for _, operand := range operands {
		var err error
		if *operand, err = e.expand(*operand); err != nil {
			return nil, err
		}
	}
	return n, nil
}

// selector expands a selector that may be the name of a value.
func (e *expansion) selector(n *expr.Selector) (expr.Node, error) {
	value, ok := article.Get(e.d.Doc.Front.Values, n.Name)
	switch {
	case !ok:
		return n, nil
	case len(n.Matches) > 0:
		return nil, Mistake(n.Span, "bad-match", "remove the braces, or name a metric",
			"%q is a value, and its cells are already chosen", n.Name)
	case slices.Contains(e.using, n.Name):
		return nil, Mistake(n.Span, "circular-value", "write out one of them",
			"value %q refers to itself: %s", n.Name, strings.Join(append(e.using, n.Name), ", "))
	}
	placed, err := expr.ParseAt(value.Text.Value, n.Span)
	if err != nil {
		return nil, Mistake(n.Span, "bad-expression", "", "value %q cannot be read", n.Name)
	}
	e.using = append(e.using, n.Name)
	defer func() { e.using = e.using[:len(e.using)-1] }()
	return e.expand(placed)
}
