package dataset

import (
	"cmp"
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

// ErrNotMeasured is the cause of an error of Eval where the expression is right and its cells have no numbers:
// pages say so instead of the number.
var ErrNotMeasured = errors.New("not measured")

// Rule is the name of what is wrong with an expression, as problems have it. It is the cause of an *expr.Error.
type Rule string

func (r Rule) Error() string { return string(r) }

// Mistake is something that the author of an expression can repair.
func Mistake(at expr.Span, r Rule, hint, format string, args ...any) *expr.Error {
	return &expr.Error{Span: at, Msg: fmt.Sprintf(format, args...), Hint: hint, Err: r}
}

// Select returns the cells that fulfil a where expression, in the plan's order; all of them for nil. Names are
// parameters and labels, and experiment.
//
// The error is an *expr.Error at a name that no cell has, or where no condition on texts stands.
func (e *Experiment) Select(where expr.Node) ([]*Cell, error) {
	if where == nil {
		return slices.Clone(e.Cells), nil
	}
	known := e.Settings()
	var out []*Cell
	for _, c := range e.Cells {
		ok, err := expr.Where(where, func(name string) (string, bool) {
			if name == "experiment" {
				return e.Plan.Name, true
			}
			text, _ := c.Setting(name)
			return text, slices.Contains(known, name)
		})
		if err != nil {
			if found, ok := errors.AsType[*expr.Error](err); ok && errors.Is(err, expr.ErrUnknownName) {
				name := where.String()
				for _, s := range expr.Selectors(where) {
					if s.Span == found.Span {
						name = s.Name
					}
				}
				hint := e.SuggestSetting(name)
				if !IsNear(hint) && !e.IsMetric(name) {
					hint += fmt.Sprintf("; if it is a value, quote it: %q", name)
				}
				err = Mistake(found.Span, "unknown-parameter", hint, "no parameter %q in experiment %q", name, e.Plan.Name)
			}
			return nil, err
		}
		if ok {
			out = append(out, c)
		}
	}
	return out, nil
}

// A Scope is where the selectors of an expression look for cells.
type Scope struct {
	Data       *Dataset
	Experiment string // of selectors that name none; "" is the only one of the article
}

// In is where the selectors of an expression look that name no experiment.
func (d *Dataset) In(experiment string) Scope { return Scope{d, experiment} }

// Picked is what a selector stands for: one metric of at least one cell.
type Picked struct {
	selector *expr.Selector
	Metric   record.Metric
	Cells    []*Cell
	Left     []*Cell // out of a list, since they are unavailable
}

// All are the cells that the selector matches, those that are left out among them.
func (p Picked) All() []*Cell { return slices.Concat(p.Cells, p.Left) }

// Pick finds the cells of a selector. The error is an *expr.Error: a mistake, or with the cause ErrNotMeasured if the
// profile leaves the experiment or the cells out.
func (s Scope) Pick(sel *expr.Selector) (Picked, error) {
	p, err := s.pickHere(sel)
	if err == nil || errors.Is(err, ErrNotMeasured) {
		return p, err
	}
	return p, s.Data.UnlessElsewhere(err, sel.Span, func(other *Dataset) error {
		_, err := Scope{other, s.Experiment}.pickHere(sel)
		return err
	})
}

// UnlessElsewhere is a mistake that is one in every profile. What is right in full, or names what only another
// profile has, belongs to that and is not measured in this one; what is wrong in full is not made right by a profile
// that leaves most of it out.
func (d *Dataset) UnlessElsewhere(mistake error, at expr.Span, try func(other *Dataset) error) error {
	r, _ := errors.AsType[Rule](mistake)
	for _, other := range d.OtherProfiles() {
		if (other.Plan.Profile == plan.Full || r == "no-cell" || r == "unknown-parameter") && try(other) == nil {
			return &expr.Error{Span: at, Msg: fmt.Sprintf("not measured: it belongs to profile %s, and profile %s leaves it out",
				other.Plan.Profile, d.Plan.Profile),
				Err: ErrNotMeasured}
		}
	}
	return mistake
}

// pickHere finds the cells in this profile.
func (s Scope) pickHere(sel *expr.Selector) (Picked, error) {
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
	unavailable := func(c *Cell) bool { return c.Trial.Unavailable != "" }
	if slices.ContainsFunc(p.Cells, func(c *Cell) bool { return !unavailable(c) }) { // else that is why there is no number
		p.Left = slices.DeleteFunc(slices.Clone(p.Cells), func(c *Cell) bool { return !unavailable(c) })
		p.Cells = slices.DeleteFunc(p.Cells, unavailable)
	}
	return p, nil
}

// LeftOut says of every cell that is left out of a list which it is, and why.
func (d *Dataset) LeftOut(cells []*Cell) []string {
	var out []string
	for _, c := range cells {
		out = append(out, fmt.Sprintf("left out, unavailable: %s (%s)", d.NameOf(c), c.Trial.Unavailable))
	}
	return out
}

// one finds the cell of a selector that has to mean a single one.
func (s Scope) one(sel *expr.Selector) (Picked, error) {
	p, err := s.Pick(sel)
	if err == nil && len(p.All()) > 1 {
		return Picked{}, several(sel, p)
	}
	return p, err
}

// pick finds the cells of a selector, which may be several of a list.
func (s Scope) pick(sel *expr.Selector, list bool) (Picked, error) {
	if list {
		return s.Pick(sel)
	}
	return s.one(sel)
}

func several(sel *expr.Selector, p Picked) error {
	hint := "pick one in braces, or reduce the list by min max mean geomean median or count"
	if free := p.Cells[0].Experiment.Undecided(p); len(free) > 0 {
		value, _ := p.Cells[0].Setting(free[0])
		hint = strings.Replace(hint, "braces", fmt.Sprintf("braces, such as {%s=%q}", free[0], value), 1)
	}
	return Mistake(sel.Span, "several-cells", hint, "%s selects %d cells, but one is needed", sel, len(p.All()))
}

// Undecided gives the parameters in which the picked cells differ.
func (e *Experiment) Undecided(p Picked) []string {
	var names []string
	cells := p.All()
	for _, name := range e.Plan.Parameters {
		first, _ := cells[0].Setting(name)
		if slices.ContainsFunc(cells, func(c *Cell) bool { v, _ := c.Setting(name); return v != first }) {
			names = append(names, name)
		}
	}
	return names
}

// experimentMatch is the name that matchers have for the experiment.
const ExperimentMatch = "experiment"

// experiments are those in which a selector looks.
func (s Scope) experiments(sel *expr.Selector) ([]*Experiment, error) {
	names := s.Data.Names()
	named := false
	found := slices.Clone(s.Data.Experiments)
	for _, m := range sel.Matches {
		if m.Name != ExperimentMatch {
			continue
		}
		if m.Op != expr.Equal && m.Op != expr.Differs {
			return nil, Mistake(m.Span, "bad-match", "write = or !=", "experiments have no order")
		}
		named = true
		if !slices.Contains(names, m.Value) {
			return nil, Mistake(m.Span, "unknown-experiment", source.Suggest(m.Value, names),
				"no experiment %q in this article", m.Value)
		}
		found = slices.DeleteFunc(found, func(e *Experiment) bool {
			return (e.Plan.Name == m.Value) != (m.Op == expr.Equal)
		})
	}
	switch {
	case named && len(found) == 0:
		return nil, Mistake(sel.Span, "no-cell", "", "no experiment matches %s", sel)
	case named:
		return found, nil
	}
	if e, ok := s.Data.Experiment(s.Experiment); ok {
		return []*Experiment{e}, nil
	}
	if len(names) == 0 {
		return nil, Mistake(sel.Span, "no-cell", "add a yaml experiment block",
			"there is no experiment to take %s from", sel)
	}
	likely := max(0, slices.IndexFunc(s.Data.Experiments, func(e *Experiment) bool { return e.knows(sel) }))
	return nil, Mistake(sel.Span, "which-experiment",
		fmt.Sprintf("write %s{experiment=%q}, with the one that is meant", sel.Name, names[likely]),
		"the article has several experiments, and %s does not say which", sel)
}

// knows tells whether the experiment has every parameter that the selector matches.
func (e *Experiment) knows(sel *expr.Selector) bool {
	isUnknown := func(m expr.Match) bool { return !slices.Contains(e.Plan.Parameters, m.Name) }
	return !slices.ContainsFunc(sel.Matches, isUnknown)
}

func (d *Dataset) Names() []string {
	return slice.Map(d.Experiments, func(e *Experiment) string { return e.Plan.Name })
}

func (s Scope) unknownMetric(sel *expr.Selector, e *Experiment) error {
	var values []string
	for _, v := range s.Data.Doc.Front.Values {
		values = append(values, v.Name.Value)
	}
	hint := e.SuggestMetric(sel.Name, values...)
	at := expr.Span{Start: sel.Span.Start, End: min(sel.Span.End, sel.Span.Start+len(sel.Name))}
	if _, ok := record.LookupMetric(sel.Name); ok {
		return Mistake(at, "unknown-metric", hint, "%s is not measured in experiment %q", sel.Name, e.Plan.Name)
	}
	if slices.Contains(e.Settings(), sel.Name) {
		return Mistake(at, "unknown-metric",
			fmt.Sprintf(`name a metric, and the parameter in braces: throughput{%s="…"}`, sel.Name),
			"%q is a parameter, not a metric", sel.Name)
	}
	if left, right, ok := s.difference(sel.Name, e); ok {
		return Mistake(at, "unknown-metric", "write "+left+" - "+right, "minus needs spaces: without them %s is one name",
			sel.Name)
	}
	return Mistake(at, "unknown-metric", hint, "no metric %q", sel.Name)
}

// difference divides a name at a hyphen that was meant as a minus, if both sides are known.
func (s Scope) difference(name string, e *Experiment) (left, right string, ok bool) {
	known := func(name string) bool {
		_, isValue := s.Data.Value(name)
		_, isMetric := e.Metric(name)
		return isValue || isMetric && !e.Measured().Command
	}
	for i := range len(name) {
		if name[i] == '-' && known(name[:i]) && known(name[i+1:]) {
			return name[:i], name[i+1:], true
		}
	}
	return "", "", false
}

// match gives the cells of one experiment that fulfil the matches of a selector.
func (e *Experiment) match(sel *expr.Selector) ([]*Cell, error) {
	known := e.Settings()
	for _, m := range sel.Matches {
		if m.Name != ExperimentMatch && !slices.Contains(known, m.Name) {
			return nil, Mistake(m.Span, "unknown-parameter", source.Suggest(m.Name, append(known, ExperimentMatch)),
				"no parameter %q in experiment %q", m.Name, e.Plan.Name)
		}
	}
	var out []*Cell
cells:
	for _, c := range e.Cells {
		for _, m := range sel.Matches {
			if m.Name == ExperimentMatch {
				continue
			}
			text, _ := c.Setting(m.Name)
			ok, err := expr.MatchText(m.Op, m.Value, text)
			if err != nil {
				return nil, Mistake(m.Span, "bad-match", "compare texts with = and !=",
					"%s is %q in cell %q: %v", m.Name, text, c.Trial.Name, err)
			}
			if !ok {
				continue cells
			}
		}
		out = append(out, c)
	}
	return out, nil
}

// noCell says which match no cell fulfils, with the nearest value, or that they are never fulfilled together.
func noCell(sel *expr.Selector, experiments []*Experiment) error {
	for _, m := range sel.Matches {
		if m.Name == ExperimentMatch {
			continue
		}
		var values []string
		fits := false
		for _, e := range experiments {
			for _, c := range e.Cells {
				text, has := c.Setting(m.Name)
				if has && !slices.Contains(values, text) {
					values = append(values, text)
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

// Expand replaces the names of front matter values by what they stand for. What is put in has the place of the
// name, so that errors point into the expression that uses it.
func (d *Dataset) Expand(n expr.Node) (expr.Node, error) {
	return (&expansion{d: d}).expand(n, nil, nil)
}

// Bounds of an expression whose values are written out: values that use each other several times multiply.
const (
	maxExpanded = 500
	maxUsing    = 50
)

// An expansion counts what has been made of an expression.
type expansion struct {
	d    *Dataset
	made int // nodes
}

// expand has in using the names that are being expanded, and in at the place that everything gets; nil keeps it.
func (e *expansion) expand(n expr.Node, using []string, at *expr.Span) (expr.Node, error) {
	place := func(own expr.Span) expr.Span {
		if at != nil {
			return *at
		}
		return own
	}
	if e.made++; at != nil && e.made > maxExpanded || len(using) > maxUsing {
		return nil, Mistake(*at, "too-large", "write out what is needed, with fewer values",
			"the values used here make the expression too large")
	}
	switch n := n.(type) {
	case *expr.Selector:
		out := *n
		out.Span = place(n.Span)
		out.Matches = slices.Clone(n.Matches)
		for i := range out.Matches {
			out.Matches[i].Span = place(n.Matches[i].Span)
		}
		return e.selector(&out, using)
	case *expr.Call:
		return e.call(n, using, at, place(n.Span))
	case *expr.Unary:
		x, err := e.expand(n.X, using, at)
		return &expr.Unary{Span: place(n.Span), Op: n.Op, X: x}, err
	case *expr.Binary:
		x, err := e.expand(n.X, using, at)
		if err != nil {
			return nil, err
		}
		y, err := e.expand(n.Y, using, at)
		return &expr.Binary{Span: place(n.Span), Op: n.Op, X: x, Y: y}, err
	case *expr.Quantity:
		out := *n
		out.Span = place(n.Span)
		return &out, nil
	case *expr.String:
		return &expr.String{Span: place(n.Span), Value: n.Value}, nil
	case *expr.Bool:
		return &expr.Bool{Span: place(n.Span), Value: n.Value}, nil
	}
	return n, nil
}

// selector expands one that may be the name of a value.
func (e *expansion) selector(n *expr.Selector, using []string) (expr.Node, error) {
	value, ok := e.d.Value(n.Name)
	switch {
	case !ok:
		return n, nil
	case len(n.Matches) > 0:
		return nil, Mistake(n.Span, "bad-match", "remove the braces, or name a metric",
			"%q is a value, and its cells are already chosen", n.Name)
	case slices.Contains(using, n.Name):
		return nil, Mistake(n.Span, "circular-value", "write out one of them",
			"value %q refers to itself: %s", n.Name, strings.Join(append(using, n.Name), ", "))
	case value == nil:
		return nil, Mistake(n.Span, "bad-expression", "", "value %q cannot be read", n.Name)
	}
	return e.expand(value, append(slices.Clone(using), n.Name), &n.Span)
}

func (e *expansion) call(n *expr.Call, using []string, at *expr.Span, place expr.Span) (expr.Node, error) {
	out := *n
	out.Span = place
	out.Args = slices.Clone(n.Args)
	for i, arg := range n.Args {
		var err error
		if out.Args[i], err = e.expand(arg, using, at); err != nil {
			return nil, err
		}
	}
	return &out, nil
}

// Value finds a value of the front matter; its expression is nil if it could not be read.
func (d *Dataset) Value(name string) (expr.Node, bool) {
	value, ok := article.Get(d.Doc.Front.Values, name)
	return value.Node, ok
}

// Name is what readers call a cell: the values of its parameters, and with fields those of these parameters and labels
// alone, in the order of the plan. A value that begins with a digit is a number of something and has the name of that
// before it, as in "uvicorn, workers 4".
func (c *Cell) Name(fields ...string) string {
	list := c.Trial.Parameters
	if len(fields) > 0 {
		list = slices.Concat(list, c.Trial.Labels)
	}
	var words []string
	for _, p := range list {
		switch {
		case p.Value == "" || len(fields) > 0 && !slices.Contains(fields, p.Name):
		case !IsName(p.Value): // sentences about claims have the same rule
			words = append(words, p.Name+" "+p.Value)
		default:
			words = append(words, p.Value)
		}
	}
	return cmp.Or(strings.Join(words, ", "), c.Trial.Name)
}

// IsName reports whether a value can stand without its parameter: "async", "10 threads", "1 MB", but neither "10" nor
// "none".
func IsName(value string) bool {
	meaningless := []string{"", "true", "false", "yes", "no", "on", "off", "none", "null"}
	if slices.Contains(meaningless, strings.ToLower(value)) {
		return false
	}
	return strings.Trim(value[:1], "0123456789.-+") != "" || strings.Contains(value, " ")
}

// NameOf is what a cell is called in sentences: its name, in quotes where that is several words, and its experiment if
// that of other cells of the sentence is another.
func (d *Dataset) NameOf(c *Cell, beside ...*Cell) string {
	name := c.Name()
	if strings.Contains(name, ",") {
		name = "“" + name + "”"
	}
	for _, o := range beside {
		if o.Experiment != c.Experiment {
			return name + " of " + c.Experiment.Plan.Name
		}
	}
	return name
}
