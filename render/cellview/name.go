// Package cellview says what pages show of cells: their names, estimates, state and origin.
package cellview

import (
	"cmp"
	"slices"
	"strings"

	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/record"
)

// Numeric parses a setting of a cell as a number, in base units.
func Numeric(cell *dataset.Cell, name string) (*expr.Quantity, bool) {
	text, ok := Field(cell, name)
	if !ok {
		return nil, false
	}
	q, err := expr.ParseQuantity(text)
	return q, err == nil
}

// Name is what a cell is called among others that differ from it in the fields: "uWSGI + Bottle, 1 trip".
func Name(c *dataset.Cell, fields []string) string {
	var words []string
	for _, f := range fields {
		value, _ := Field(c, f)
		switch {
		case value == "":
		case dataset.IsName(value):
			words = append(words, value)
		default:
			words = append(words, dataset.Setting(f, value))
		}
	}
	return cmp.Or(strings.Join(words, ", "), c.Name(fields...))
}

// FieldsOf returns the values of fields of a cell.
func FieldsOf(cell *dataset.Cell, fields []string) []any {
	var out []any
	for _, f := range fields {
		v, _ := Field(cell, f)
		out = append(out, v)
	}
	return out
}

// Field returns the value of a parameter or label of a cell.
func Field(c *dataset.Cell, name string) (string, bool) {
	for _, list := range [][]record.Parameter{c.Trial.Parameters, c.Trial.Labels} {
		for _, p := range list {
			if p.Name == name {
				return p.Value, true
			}
		}
	}
	return "", false
}

// Naming returns the fields that name the cells of a table or figure: those the author asks for, and further parameters
// until no two cells have the same name.
func Naming(cells []*dataset.Cell, asked []string) []string {
	var out []string
	for _, name := range asked {
		if name != "experiment" && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	if len(cells) == 0 {
		return out
	}
	for _, p := range cells[0].Experiment.Plan.Parameters {
		if slices.Contains(out, p) {
			continue
		}
		first, _ := Field(cells[0], p)
		differs := func(c *dataset.Cell) bool { v, _ := Field(c, p); return v != first }
		if slices.ContainsFunc(cells, differs) && !implied(cells, out, p) {
			out = append(out, p)
		}
	}
	if len(out) == 0 {
		out = append(out, cells[0].Experiment.Plan.Parameters...)
	}
	return out
}

// implied reports whether the fields tell cells apart that differ in one more field.
func implied(cells []*dataset.Cell, fields []string, more string) bool {
	seen := map[string]string{}
	for _, c := range cells {
		var key strings.Builder
		for _, f := range fields {
			v, _ := Field(c, f)
			key.WriteString(v + "\x00")
		}
		v, _ := Field(c, more)
		if before, ok := seen[key.String()]; ok && before != v {
			return false
		}
		seen[key.String()] = v
	}
	return true
}

// SeriesOf returns the values of a parameter or label in the order of the plan.
func SeriesOf(cells []*dataset.Cell, by string) []string {
	var out []string
	for _, cell := range cells {
		if v, _ := Field(cell, by); !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}
