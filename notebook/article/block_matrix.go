package article

import (
	"strings"

	"benchbook/notebook/source"
)

// Matrix is the settings that an experiment compares.
type Matrix struct {
	Axes        []Named[[]Setting]
	Include     []Combination
	IncludeFile source.Text // a YAML or CSV file of the article with more rows, instead of Include
	Exclude     []Combination
}

// Setting is one value of an axis: a word, or a mapping with a name and labels.
type Setting struct {
	Name        source.Text
	Labels      []Named[source.Text]
	Unavailable source.Text // why it cannot be measured
	InsteadOf   source.Text // what it is a substitute for
}

// Combination is one row of include or exclude.
type Combination struct {
	Fields      []Named[source.Text]
	Unavailable source.Text // why it cannot be measured
	InsteadOf   source.Text // what it is a substitute for
	Pos         source.Pos
}

// reserved words cannot name a parameter, since expressions use them for something else.
var reserved = map[string]bool{"experiment": true, "metric": true, "value": true, "unit": true,
	"and": true, "or": true, "not": true, "true": true, "false": true}

func (m *Matrix) decodeNode(d decoder, n *Node, what string) {
	if !d.kind(n, what, Map) {
		return
	}
	for _, f := range n.Fields {
		switch name := f.Key.Value; {
		case name == "include" && f.Value.Kind == Scalar:
			m.IncludeFile = f.Value.Text
		case name == "include":
			m.Include = combinations(d, f.Value, "include")
		case name == "exclude":
			m.Exclude = combinations(d, f.Value, "exclude")
		case strings.HasPrefix(name, "x-"):
		case f.Value.Kind == Null && !d.whole:
			// It removes the axis of what this is merged over.
		case len(m.Axes) == maxAxes:
			d.problems.Add("too-many", f.Key.Pos, "the matrix has more than %d axes", maxAxes).Hint = "remove some of them"
			return
		default:
			checkParameterName(d, f.Key)
			m.Axes = append(m.Axes, Named[[]Setting]{Name: f.Key, Value: settings(d, f)})
		}
	}
}

func checkParameterName(d decoder, t source.Text) {
	if reserved[t.Value] {
		d.problems.Add("reserved-name", t.Pos, "%q cannot be the name of a parameter", t.Value).
			Hint = "expressions use this word for something else; choose another"
	} else if !IsName(t.Value) {
		addBadName(d.problems, t, "parameter")
	}
}

func settings(d decoder, f Field) []Setting {
	var out []Setting
	if f.Value.Kind != List {
		d.problems.Add("wrong-shape", f.Value.Text.Pos, "axis %q has to be a list, not %s", f.Key.Value, f.Value.Kind).
			Hint = "write [a, b]"
		return nil
	}
	if len(f.Value.Items) == 0 {
		d.problems.Add("empty-axis", f.Key.Pos, "axis %q has no values", f.Key.Value).
			Hint = "list at least one value, or remove the axis"
	}
	seen := map[string]bool{}
	for _, item := range f.Value.Items {
		s := Setting{Name: item.Text}
		switch item.Kind {
		case Scalar:
		case Map:
			c := combination(d, item, "a value of axis "+f.Key.Value)
			s = Setting{Name: source.Text{Pos: item.Text.Pos}, Unavailable: c.Unavailable, InsteadOf: c.InsteadOf}
			for _, field := range c.Fields {
				if field.Name.Value == "name" {
					s.Name = field.Value
				} else {
					s.Labels = append(s.Labels, field)
				}
			}
			if s.Name.Value == "" {
				d.problems.Add("missing-key", item.Text.Pos, "a value of axis %q has no name", f.Key.Value).
					Hint = "add name: to this mapping; it is what tells the values apart"
				continue
			}
		default:
			d.problems.Add("wrong-shape", item.Text.Pos, "a value of axis %q has to be a single value or a mapping with a name, not %s", f.Key.Value, item.Kind)
			continue
		}
		if seen[s.Name.Value] {
			d.problems.Add("duplicate-value", item.Text.Pos, "axis %q has the value %q twice", f.Key.Value, s.Name.Value).
				Hint = "remove one of them"
			continue
		}
		seen[s.Name.Value] = true
		out = append(out, s)
	}
	return out
}

func combinations(d decoder, n *Node, what string) []Combination {
	if n.Kind != List {
		d.problems.Add("wrong-shape", n.Text.Pos, "%s has to be a list of mappings, not %s", what, n.Kind).
			Hint = "put a dash before each row"
		return nil
	}
	var out []Combination
	for _, item := range n.Items {
		if d.kind(item, "a row of "+what, Map) {
			c := combination(d, item, "a row of "+what)
			if what == "exclude" && !c.Unavailable.IsZero() {
				d.problems.Add("contradiction", c.Unavailable.Pos, "what is excluded is in no table, so it needs no reason").
					Hint = "move the row to include, or remove unavailable"
			}
			out = append(out, c)
		}
	}
	return out
}

// combination reads a mapping of parameters, of whose fields unavailable and instead_of are none.
func combination(d decoder, n *Node, what string) Combination {
	c := Combination{Pos: n.Text.Pos}
	for _, f := range n.Fields {
		if f.Value.Kind == Null && f.Key.Value != "unavailable" {
			continue // this row does not have it
		}
		if f.Value.Kind != Null && !d.kind(f.Value, f.Key.Value, Scalar) {
			continue
		}
		switch f.Key.Value {
		case "unavailable":
			if c.Unavailable = f.Value.Text; f.Value.Kind == Null || c.Unavailable.Value == "" {
				d.problems.Add("missing-reason", f.Key.Pos, "%s is unavailable without a reason", what).
					Hint = "write unavailable: with the words that tables show"
			}
			continue
		case "instead_of":
			c.InsteadOf = f.Value.Text
			continue
		case "name":
		default:
			checkParameterName(d, f.Key)
		}
		c.Fields = append(c.Fields, Named[source.Text]{Name: f.Key, Value: f.Value.Text})
	}
	return c
}

// DecodeRows reads rows of include from a file of the article, see Document.Rows.
func DecodeRows(rows []*Node, problems *source.Problems) []Combination {
	return combinations(newDecoder(problems, true), &Node{Kind: List, Items: rows}, "include")
}
