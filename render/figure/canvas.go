package figure

import (
	"encoding/xml"
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
)

// canvas is a vg.Canvas that writes SVG elements with classes. One point of gonum is one unit.
//
// Its origin is the top left corner, and all of the drawing has a negative y, so that its height need not be known at
// the start. Widths and dashes of lines belong to the classes; a width of zero draws nothing.
type canvas struct {
	body  []byte
	color color.Color
	width vg.Length
	err   error

	stroked ink // class of the last element, if it is a stroked path
	data    int // where the path data of that ends in body
	end     int // where that itself ends in body
}

func (c *canvas) fail(err error) {
	if c.err == nil {
		c.err = err
	}
}

// The methods of vg.Canvas.

func (c *canvas) SetLineWidth(w vg.Length)            { c.width = w }
func (c *canvas) SetLineDash([]vg.Length, vg.Length)  {}
func (c *canvas) SetColor(k color.Color)              { c.color = k }
func (c *canvas) Push()                               {}
func (c *canvas) Pop()                                {}
func (c *canvas) Rotate(float64)                      { c.fail(errors.New("a figure has no rotated parts")) }
func (c *canvas) Translate(vg.Point)                  { c.fail(errors.New("a figure has no moved parts")) }
func (c *canvas) Scale(x, y float64)                  { c.fail(errors.New("a figure has no scaled parts")) }
func (c *canvas) DrawImage(vg.Rectangle, image.Image) { c.fail(errors.New("a figure has no pictures")) }

// FillString writes a text with its anchor at p. The classes name the anchor, so that it keeps its place in any font.
func (c *canvas) FillString(_ font.Face, p vg.Point, s string) {
	k, ok := c.color.(ink)
	if !ok {
		c.fail(fmt.Errorf("text %q has the colour %v, not classes", s, c.color))
	}
	if s != "" {
		c.body = fmt.Appendf(c.body, "<text x=\"%s\" y=\"%s\"%s>%s</text>\n", number(p.X), number(-p.Y), class(k), escape(s))
	}
}

func (c *canvas) Stroke(p vg.Path) {
	if c.width > 0 {
		c.shape(p, strokePlain)
	}
}

const strokePlain = ` fill="none" stroke="gray"`

func (c *canvas) Fill(p vg.Path) {
	plain := ""
	if k, _ := c.color.(ink); strings.Contains(string(k), "band") {
		plain = ` fill="#ddd"`
	} else if k == "area" {
		plain = ` fill="none"`
	}
	c.shape(p, plain)
}

// shape writes a path, with attributes for readers without a style sheet, which every rule of one overrides.
func (c *canvas) shape(p vg.Path, plain string) {
	k, ok := c.color.(ink)
	if ok {
		_, ok = k.look()
	}
	if !ok {
		c.fail(fmt.Errorf("a shape has the colour %v, which has an unknown class or none", c.color))
		return
	}
	if len(p) == 3 && p[1].Type == vg.ArcComp && math.Abs(p[1].Angle) >= 2*math.Pi {
		at := p[1].Pos
		c.body = fmt.Appendf(c.body, `<circle cx="%s" cy="%s" r="%s"`, number(at.X), number(-at.Y), number(p[1].Radius))
	} else {
		if plain == strokePlain && c.stroked == k && c.end == len(c.body) { // one element for lines of one class in a row
			c.body = slices.Insert(c.body, c.data, []byte(c.outline(p))...)
			c.data += len(c.body) - c.end
			c.end = len(c.body)
			return
		}
		c.body = append(append(c.body, `<path d="`...), c.outline(p)...)
		c.data = len(c.body)
		c.body = append(c.body, '"')
		defer func() {
			if c.end = 0; plain == strokePlain {
				c.stroked, c.end = k, len(c.body)
			}
		}()
	}
	c.body = fmt.Appendf(c.body, "%s%s/>\n", class(k), plain)
}

// outline is a path as path data, with level and upright steps in their short form.
func (c *canvas) outline(p vg.Path) string {
	var b strings.Builder
	var fromX, fromY string
	for _, step := range p {
		x, y := number(step.Pos.X), number(-step.Pos.Y)
		switch {
		case step.Type == vg.CloseComp:
			b.WriteByte('Z')
		case step.Type == vg.MoveComp:
			b.WriteString("M" + x + " " + y)
		case step.Type != vg.LineComp:
			c.fail(errors.New("a figure has no curves but whole circles"))
		case y == fromY:
			b.WriteString("H" + x)
		case x == fromX:
			b.WriteString("V" + y)
		default:
			b.WriteString("L" + x + " " + y)
		}
		fromX, fromY = x, y
	}
	return b.String()
}

// number has one decimal, and never minus zero.
func number(v vg.Length) string {
	return strconv.FormatFloat(math.Round(float64(v)*10)/10+0, 'f', -1, 64)
}

func class(k ink) string {
	if k == "" {
		return ""
	}
	return ` class="` + string(k) + `"`
}

// escape makes text fit for XML; characters that XML does not have become U+FFFD.
func escape(s string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(s)); err != nil {
		panic(err) // a Builder does not fail
	}
	return b.String()
}
