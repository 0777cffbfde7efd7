package figure

import (
	"image/color"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
)

// Whatever gonum can draw and a figure must not is an error, never a drawing.
func TestCanvasRefuses(t *testing.T) {
	square := vg.Rectangle{Max: vg.Point{X: 5, Y: 5}}.Path()
	filled := func(k color.Color) func(*canvas) {
		return func(c *canvas) { c.SetColor(k); c.Fill(square) }
	}
	tests := []struct {
		name string
		draw func(*canvas)
		want string
	}{
		{"a colour", filled(color.Black), "not classes"},
		{"a class that the style sheet lacks", filled(ink("f1 nosuch")), `unknown class "nosuch"`},
		{"an area of a class that only strokes", filled(ink("s1")), "would not be seen"},
		{"a line of a class that only fills", func(c *canvas) { c.SetColor(ink("f1")); c.Stroke(square) },
			"would not be seen"},
		{"part of a circle", func(c *canvas) {
			var p vg.Path
			p.Move(vg.Point{X: 1})
			p.Arc(vg.Point{}, 1, 0, math.Pi)
			c.SetColor(ink("s1"))
			c.Stroke(p)
		}, "no curves"},
		{"rotation", func(c *canvas) { c.Rotate(1) }, "rotated"},
		{"scaling", func(c *canvas) { c.Scale(2, 2) }, "scaled"},
		{"pictures", func(c *canvas) { c.DrawImage(vg.Rectangle{}, nil) }, "pictures"},
		{"text that gonum sets", func(c *canvas) { c.FillString(font.Face{}, vg.Point{}, "words") }, `text "words"`},
		{"a group left open", func(c *canvas) { c.begin("") }, "not closed"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := newCanvas()
			test.draw(c)
			svg, err := c.document(Full, 10, len(c.body), Head{ID: "f"})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("document() = %q, %v, want an error with %q", svg, err, test.want)
			}
		})
	}
}
