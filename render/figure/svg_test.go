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

func TestCanvasWrites(t *testing.T) {
	path := func(k ink, closed bool, points ...point) func(*canvas) {
		return func(c *canvas) {
			var p vg.Path
			p.Move(vgPoint(points[0]))
			for _, to := range points[1:] {
				p.Line(vgPoint(to))
			}
			if closed {
				p.Close()
			}
			c.SetColor(k)
			c.Stroke(p)
		}
	}
	tests := []struct {
		name string
		draw func(*canvas)
		want string
	}{
		{"steps across and down in their short form", path("axis", false, point{1, 2}, point{5, 2}, point{5, 9},
			point{6, 10}), `<path d="M1 2H5V9L6 10" class="axis" fill="none" stroke="gray"/>`},
		{"a closed path", path("axis", true, point{0, 0}, point{5, 0}, point{5, 5}),
			`<path d="M0 0H5V5Z" class="axis" fill="none" stroke="gray"/>`},
		{"one decimal, and no minus zero", path("axis", false, point{-.04, .26}, point{1.25, 3}),
			`<path d="M0 0.3L1.3 3" class="axis" fill="none" stroke="gray"/>`},
		{"nothing for a line of width zero", func(c *canvas) {
			c.SetLineWidth(0)
			path("axis", false, point{0, 0},
				point{1, 1})(c)
		}, ""},
		{"where it was moved to", func(c *canvas) {
			c.Push()
			c.Translate(vg.Point{X: 10, Y: -20})
			path("axis", false, point{1, 2}, point{3, 2})(c)
			c.Pop()
		}, `<path d="M11 22H13" class="axis" fill="none" stroke="gray"/>`},
		{"text that XML cannot hold", func(c *canvas) { c.text(vg.Point{}, "", "a<\x00&\xff") },
			`<text x="0" y="0">a&lt;` + "\uFFFD&amp;\uFFFD</text>"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := newCanvas()
			test.draw(c)
			if got := strings.TrimSpace(string(c.body)); got != test.want || c.err != nil {
				t.Errorf("wrote %s, want %s (error %v)", got, test.want, c.err)
			}
		})
	}
}
