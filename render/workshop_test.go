package render

import (
	"math"
	"reflect"
	"testing"

	"benchbook/render/figure"
)

// Figures are alike only if nothing that could be drawn differs.
func TestSame(t *testing.T) {
	dots := func(change func(*figure.Dots)) figure.Figure {
		d := figure.Dots{Head: figure.Head{ID: "fig-a", Title: "A"}, Axis: "seconds", Scale: figure.Linear,
			Rows:      []figure.Row{{Name: "one", Value: 1, Lo: math.NaN(), Hi: math.NaN(), Values: []float64{1, 2}}, {Name: "two", Value: 0}},
			Reference: &figure.Reference{Value: 1, Label: "no difference"}}
		change(&d)
		return d
	}
	as := dots(func(*figure.Dots) {})
	if !same(reflect.ValueOf(as), reflect.ValueOf(dots(func(*figure.Dots) {}))) {
		t.Error("a figure is not like itself")
	}
	for name, change := range map[string]func(*figure.Dots){
		"another title":             func(d *figure.Dots) { d.Title = "B" },
		"another scale":             func(d *figure.Dots) { d.Scale = figure.Log },
		"another value":             func(d *figure.Dots) { d.Rows[0].Value = math.Nextafter(1, 2) },
		"a negative zero":           func(d *figure.Dots) { d.Rows[1].Value = math.Copysign(0, -1) },
		"an interval":               func(d *figure.Dots) { d.Rows[0].Lo = 0.5 },
		"a repetition more":         func(d *figure.Dots) { d.Rows[0].Values = append(d.Rows[0].Values, 3) },
		"a row less":                func(d *figure.Dots) { d.Rows = d.Rows[:1] },
		"a range":                   func(d *figure.Dots) { d.Rows[0].Range = true },
		"another reference":         func(d *figure.Dots) { d.Reference.Label = "as published" },
		"no reference":              func(d *figure.Dots) { d.Reference = nil },
		"values of no series":       func(d *figure.Dots) { d.Series = []string{} },
		"values that are not there": func(d *figure.Dots) { d.Rows[1].Values = []float64{math.NaN()} },
	} {
		if same(reflect.ValueOf(as), reflect.ValueOf(dots(change))) {
			t.Errorf("with %s a figure is like another", name)
		}
	}
	if d := as.(figure.Dots); same(reflect.ValueOf(as), reflect.ValueOf(figure.Figure(figure.Bars(d)))) {
		t.Error("bars are like dots")
	}
	if f := func() {}; same(reflect.ValueOf(f), reflect.ValueOf(f)) {
		t.Error("a function is like another")
	}
}
