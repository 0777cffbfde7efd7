package article

import (
	"strconv"
	"strings"

	"benchbook/notebook/source"
)

// Matrix is the settings that an experiment compares.
type Matrix struct {
	Axes    []Named[[]Setting] // without values if they are in files that are not read yet
	Include []Combination
	Exclude []Combination
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

func (m *Matrix) DecodeNode(d source.Decoder, n *source.Node, what string) {
	if !d.Kind(n, what, source.Map) {
		return
	}
	for _, f := range n.Fields {
		switch name := f.Key.Value; {
		case strings.HasPrefix(name, "x-"), f.Value.Kind == source.Null && !d.Whole:
			// Null removes the axis, or the rows, of what this is merged over.
		case name == "include" && f.Value.Kind == source.Scalar:
			// The file with the rows is read when the experiment is planned.
		case name == "include":
			m.Include = combinations(d, f.Value, "include")
		case name == "exclude":
			m.Exclude = combinations(d, f.Value, "exclude")
		case len(m.Axes) == maxAxes:
			d.Problems.Add("too-many", f.Key.Pos, "the matrix has more than %d axes", maxAxes).Hint = "remove some of them"
			return
		default:
			checkParameterName(d, f.Key)
			m.Axes = append(m.Axes, Named[[]Setting]{Name: f.Key, Value: settings(d, f)})
		}
	}
}

func checkParameterName(d source.Decoder, t source.Text) {
	if reserved[t.Value] {
		d.Problems.Add("reserved-name", t.Pos, "%q cannot be the name of a parameter", t.Value).
			Hint = "expressions use this word for something else; choose another"
	} else if !IsName(t.Value) {
		AddBadName(d.Problems, t, "parameter")
	}
}

func settings(d source.Decoder, f source.Field) []Setting {
	var out []Setting
	switch f.Value.Kind {
	case source.List:
	case source.Map:
		checkAxisFiles(d, f)
		return nil
	default:
		d.Problems.Add("wrong-shape", f.Value.Text.Pos, "axis %q must be a list, not %s", f.Key.Value, f.Value.Kind).
			Hint = "write [a, b]"
		return nil
	}
	if len(f.Value.Items) == 0 {
		d.Problems.Add("empty-axis", f.Key.Pos, "axis %q has no values", f.Key.Value).
			Hint = "list at least one value, or remove the axis"
	}
	seen := map[string]bool{}
	for _, item := range f.Value.Items {
		s := Setting{Name: item.Text}
		switch item.Kind {
		case source.Scalar:
		case source.Map:
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
				d.Problems.Add("missing-key", item.Text.Pos, "a value of axis %q has no name", f.Key.Value).
					Hint = "add name: to this mapping; it is what tells the values apart"
				continue
			}
		default:
			d.Problems.Add("wrong-shape", item.Text.Pos,
				"a value of axis %q must be a single value or a mapping with a name, not %s", f.Key.Value, item.Kind)
			continue
		}
		if seen[s.Name.Value] {
			d.Problems.Add("duplicate-value", item.Text.Pos, "axis %q has the value %q twice", f.Key.Value, s.Name.Value).
				Hint = "remove one of them"
			continue
		}
		seen[s.Name.Value] = true
		out = append(out, s)
	}
	return out
}

// AxisFiles says which files have the values of an axis.
type AxisFiles struct {
	Rows  source.Text `yaml:"rows"`  // a file of rows, each a value
	Files source.Text `yaml:"files"` // a pattern for files, each a value
}

func checkAxisFiles(d source.Decoder, f source.Field) {
	if f.Value.Get("rows") == nil && f.Value.Get("files") == nil {
		d.Problems.Add("wrong-shape", f.Value.Text.Pos, "axis %q must be a list, or name the files of its values", f.Key.Value).
			Hint = "write [a, b], {rows: FILE.csv} or {files: \"FOLDER/*/FILE.yaml\"}"
		return
	}
	var from AxisFiles
	d.Decode(f.Value, "axis "+strconv.Quote(f.Key.Value), &from)
	if !from.Rows.IsZero() && !from.Files.IsZero() {
		d.Problems.Add("contradiction", from.Files.Pos, "axis %q has both rows and files", f.Key.Value).
			Hint = "keep one of them"
	}
}

func combinations(d source.Decoder, n *source.Node, what string) []Combination {
	if n.Kind != source.List {
		d.Problems.Add("wrong-shape", n.Text.Pos, "%s must be a list of mappings, not %s", what, n.Kind).
			Hint = "put a dash before each row"
		return nil
	}
	var out []Combination
	for _, item := range n.Items {
		if d.Kind(item, "a row of "+what, source.Map) {
			c := combination(d, item, "a row of "+what)
			if what == "exclude" && !c.Unavailable.IsZero() {
				d.Problems.Add("contradiction", c.Unavailable.Pos, "what is excluded is in no table, so it needs no reason").
					Hint = "move the row to include, or remove unavailable"
			}
			out = append(out, c)
		}
	}
	return out
}

// combination reads a mapping of parameters, of whose fields unavailable and instead_of are none.
func combination(d source.Decoder, n *source.Node, what string) Combination {
	c := Combination{Pos: n.Text.Pos}
	for _, f := range n.Fields {
		if f.Value.Kind == source.Null && f.Key.Value != "unavailable" {
			continue // this row does not have it
		}
		if f.Value.Kind != source.Null && !d.Kind(f.Value, f.Key.Value, source.Scalar) {
			continue
		}
		switch f.Key.Value {
		case "unavailable":
			if c.Unavailable = f.Value.Text; f.Value.Kind == source.Null || c.Unavailable.Value == "" {
				d.Problems.Add("missing-reason", f.Key.Pos, "%s is unavailable without a reason", what).
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
