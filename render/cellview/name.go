// Package cellview says what pages show of cells: their names, estimates, state and origin.
package cellview

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"benchbook/internal/slice"
	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
)

// Numeric parses a setting of a cell as a number, in base units.
func Numeric(cell *dataset.Cell, name string) (*expr.Quantity, bool) {
	text, ok := cell.Setting(name)
	q, err := expr.ParseQuantity(text)
	return q, ok && err == nil
}

// Name is what a cell is called among others that differ from it in the fields: "uWSGI + Bottle, 1 trip".
func Name(c *dataset.Cell, fields []string) string {
	var words []string
	for _, f := range fields {
		if value, _ := c.Setting(f); value != "" {
			words = append(words, c.Name(f))
		}
	}
	return cmp.Or(strings.Join(words, ", "), c.Name(fields...))
}

// FieldsOf returns the values of fields of a cell.
func FieldsOf(cell *dataset.Cell, fields []string) []any {
	return slice.Map(fields, func(f string) any { v, _ := cell.Setting(f); return v })
}

// Naming returns the fields that name the cells of a table or figure: those the author asks for, and further parameters
// until no two cells have the same name.
func Naming(cells []*dataset.Cell, asked []string) []string {
	out := slices.DeleteFunc(slice.Add([]string(nil), asked...), func(name string) bool { return name == "experiment" })
	if len(cells) == 0 {
		return out
	}
	for _, p := range cells[0].Experiment.Plan.Parameters {
		if !slices.Contains(out, p) && !implied(cells, out, p) {
			out = append(out, p)
		}
	}
	if len(out) == 0 {
		return slices.Clone(cells[0].Experiment.Plan.Parameters)
	}
	return out
}

// implied reports whether cells that agree in some fields agree in one more.
func implied(cells []*dataset.Cell, fields []string, more string) bool {
	seen := map[string]any{}
	for _, c := range cells {
		key, value := fmt.Sprintf("%q", FieldsOf(c, fields)), FieldsOf(c, []string{more})[0]
		if before, ok := seen[key]; ok && before != value {
			return false
		}
		seen[key] = value
	}
	return true
}

// SeriesOf returns the values of a parameter or label in the order of the plan.
func SeriesOf(cells []*dataset.Cell, by string) []string {
	values := slice.Map(cells, func(cell *dataset.Cell) string { v, _ := cell.Setting(by); return v })
	return slice.Add([]string(nil), values...)
}
