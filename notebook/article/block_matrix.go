package article

import (
	"slices"
	"strconv"
	"strings"

	"benchbook/internal/files"
	"benchbook/notebook/source"
)

// Matrix has the settings that an experiment compares.
type Matrix struct {
	Axes    []Named[[]Row] // an axis has no values while they are in files that are not read yet
	Include []Row
	Exclude []Row
}

// Row is a row of include or exclude, or a value of an axis: a word, or a mapping with a name.
type Row struct {
	Name   source.Text          // only for a value of an axis
	Fields []Named[source.Text] // parameters or labels
	Pos    source.Pos
}

// reserved has the words of expressions that cannot name a parameter.
var reserved = map[string]bool{"experiment": true, "metric": true, "value": true, "unit": true,
	"and": true, "or": true, "not": true, "true": true, "false": true}

func (m *Matrix) DecodeNode(d source.Decoder, n *source.Node, what string) {
	if !d.Kind(n, what, source.Map) {
		return
	}
	for _, f := range n.Fields {
		switch name := f.Key.Value; {
		case strings.HasPrefix(name, "x-"):
		case f.Value.Kind == source.Null && !d.Whole: // removes an inherited axis or rows
		case name == "include" && f.Value.Kind == source.Scalar: // a file of rows, which package plan reads
		case name == "include":
			m.Include = rows(d, f.Value, name)
		case name == "exclude":
			m.Exclude = rows(d, f.Value, name)
		case len(m.Axes) == maxAxes:
			d.Problems.Add("too-many", f.Key.Pos, "the matrix has more than %d axes", maxAxes).Hint = "remove some of them"
			return
		default:
			checkParameterName(d, f.Key)
			m.Axes = append(m.Axes, Named[[]Row]{Name: f.Key, Value: settings(d, f)})
		}
	}
}

func checkParameterName(d source.Decoder, t source.Text) {
	if reserved[t.Value] {
		d.Problems.Add("reserved-name", t.Pos, "%q cannot be the name of a parameter", t.Value).
			Hint = "expressions use this word for something else; choose another"
	} else if !files.IsWord(t.Value) {
		AddBadName(d.Problems, t, "parameter")
	}
}

// AxisFiles names the files that contain the values of an axis.
type AxisFiles struct {
	Rows  source.Text `yaml:"rows"`             // a file with one value per row
	Files source.Text `yaml:"files" not:"rows"` // a pattern for files with one value each
}

// settings returns the values of an axis; nil if they are in files.
func settings(d source.Decoder, f source.Field) []Row {
	axis := "axis " + strconv.Quote(f.Key.Value)
	isFiles := f.Value.Get("rows") != nil || f.Value.Get("files") != nil
	switch {
	case isFiles:
		d.Decode(f.Value, axis, new(AxisFiles))
		return nil
	case f.Value.Kind != source.List:
		d.Problems.Add("wrong-shape", f.Value.Text.Pos, "%s must be a list, or name the files of its values, not %s", axis,
			f.Value.Kind).Hint = "write [a, b], {rows: FILE.csv} or {files: \"FOLDER/*/FILE.yaml\"}"
		return nil
	case len(f.Value.Items) == 0:
		d.Problems.Add("empty-axis", f.Key.Pos, "%s has no values", axis).Hint = "list at least one value, or remove the axis"
	}
	var out []Row
	seen := map[string]bool{}
	for _, item := range f.Value.Items {
		s := Row{Name: item.Text}
		if item.Kind != source.Scalar {
			if !d.Kind(item, "value of "+axis, source.Map) {
				continue
			}
			s = row(d, item)
			s.Name.Pos = item.Text.Pos
			isName := func(f Named[source.Text]) bool { return f.Name.Value == "name" }
			if i := slices.IndexFunc(s.Fields, isName); i >= 0 {
				s.Name = s.Fields[i].Value
				s.Fields = slices.Delete(s.Fields, i, i+1)
			}
		}
		switch {
		case item.Kind == source.Map && s.Name.Value == "":
			d.Problems.Add("missing-key", item.Text.Pos, "a value of %s has no name", axis).
				Hint = "add name: to this mapping; it is what tells the values apart"
		case seen[s.Name.Value]:
			d.Problems.Add("duplicate-value", item.Text.Pos, "%s has the value %q twice", axis, s.Name.Value).
				Hint = "remove one of them"
		default:
			out = append(out, s)
		}
		seen[s.Name.Value] = true
	}
	return out
}

func rows(d source.Decoder, n *source.Node, what string) (out []Row) {
	if !d.Kind(n, what, source.List) {
		return nil
	}
	for _, item := range n.Items {
		if !d.Kind(item, "row of "+what, source.Map) {
			continue
		}
		out = append(out, row(d, item))
	}
	return out
}

// row decodes a mapping of parameters.
func row(d source.Decoder, n *source.Node) Row {
	r := Row{Pos: n.Text.Pos}
	for _, f := range n.Fields {
		key, value := f.Key.Value, f.Value
		switch {
		case value.Kind == source.Null: // this row does not have the parameter
		case !d.Kind(value, key, source.Scalar):
		default:
			if key != "name" {
				checkParameterName(d, f.Key)
			}
			r.Fields = append(r.Fields, Named[source.Text]{Name: f.Key, Value: value.Text})
		}
	}
	return r
}
