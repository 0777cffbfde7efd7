package figure

import (
	"encoding/xml"
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
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
	elements []element
	color    color.Color
	width    vg.Length
	err      error
}

// element is what one class draws in a row: texts, or the outlines of one path.
type element struct {
	kind  elementKind
	class ink
	data  []string
}

type elementKind int

const (
	textElement elementKind = iota
	strokeElement
	fillElement
)

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
	if strings.TrimSpace(s) != "" {
		c.add(textElement, k, fmt.Sprintf(`x="%.0f" y="%.0f">%s`, p.X, -p.Y, escape(s)))
	}
}

// Stroke draws a path as a line.
func (c *canvas) Stroke(p vg.Path) {
	if c.width > 0 {
		c.shape(strokeElement, p)
	}
}

// Fill fills a path.
func (c *canvas) Fill(p vg.Path) { c.shape(fillElement, p) }

func (c *canvas) shape(kind elementKind, p vg.Path) {
	k, ok := c.color.(ink)
	if ok {
		_, ok = k.look()
	}
	if !ok {
		c.fail(fmt.Errorf("a shape has the colour %v, which has an unknown class or none", c.color))
		return
	}
	c.add(kind, k, c.outline(p))
}

// add adds to the last element if that draws in the same way, else a new one.
func (c *canvas) add(kind elementKind, k ink, data string) {
	if n := len(c.elements); n == 0 || c.elements[n-1].kind != kind || c.elements[n-1].class != k {
		c.elements = append(c.elements, element{kind: kind, class: k})
	}
	last := &c.elements[len(c.elements)-1]
	last.data = append(last.data, data)
}

// body are the elements as markup. Lines of text follow each other without a space, which would move their anchors.
func (c *canvas) body() []byte {
	var b []byte
	for _, e := range c.elements {
		switch {
		case e.kind == textElement && len(e.data) == 1:
			b = fmt.Appendf(b, "<text%s %s</text>\n", class(e.class), e.data[0])
		case e.kind == textElement:
			b = fmt.Appendf(b, "<text%s><tspan %s</tspan></text>\n", class(e.class),
				strings.Join(e.data, "</tspan><tspan "))
		default:
			b = fmt.Appendf(b, "<path%s d=\"%s\"/>\n", class(e.class), strings.Join(e.data, ""))
		}
	}
	return b
}

// outline is a path as path data: steps from its first point on, level and upright ones in their short form.
func (c *canvas) outline(p vg.Path) string {
	if len(p) == 3 && p[1].Type == vg.ArcComp && math.Abs(p[1].Angle) >= 2*math.Pi {
		// A whole circle is an arc from its right end to almost there.
		r := inUnits(tenths(p[1].Radius))
		return fmt.Sprintf("M%sa%s %[2]s 0 1 1 0-.1z", pair(tenths(p[1].Pos.X+p[1].Radius), tenths(-p[1].Pos.Y)), r)
	}
	var b strings.Builder
	fromX, fromY := 0, 0
	for i, step := range p {
		x, y := tenths(step.Pos.X), tenths(-step.Pos.Y)
		switch {
		case step.Type == vg.CloseComp:
			b.WriteByte('z')
			continue
		case step.Type == vg.MoveComp:
			if isDrawn(p[i+1:], x, y) {
				b.WriteString("M" + pair(x, y))
			}
		case step.Type != vg.LineComp:
			c.fail(errors.New("a figure has no curves but whole circles"))
		case x == fromX && y == fromY:
		case y == fromY:
			b.WriteString("h" + inUnits(x-fromX))
		case x == fromX:
			b.WriteString("v" + inUnits(y-fromY))
		default:
			b.WriteString("l" + pair(x-fromX, y-fromY))
		}
		fromX, fromY = x, y
	}
	return b.String()
}

// isDrawn reports whether the steps up to the next move leave the point x, y.
func isDrawn(steps vg.Path, x, y int) bool {
	for _, step := range steps {
		switch {
		case step.Type == vg.MoveComp:
			return false
		case step.Type != vg.LineComp, tenths(step.Pos.X) != x, tenths(-step.Pos.Y) != y:
			return true
		}
	}
	return false
}

// pair writes two numbers; a minus separates them as well as a space.
func pair(x, y int) string {
	if y < 0 {
		return inUnits(x) + inUnits(y)
	}
	return inUnits(x) + " " + inUnits(y)
}

// tenths rounds a length to tenths of a unit, the finest that drawings have.
func tenths(v vg.Length) int { return int(math.Round(float64(v) * 10)) }

// inUnits writes tenths in units, without a zero before the point.
func inUnits(tenths int) string {
	text := strconv.FormatFloat(float64(tenths)/10, 'f', -1, 64)
	if strings.HasPrefix(text, "0.") {
		return text[1:]
	}
	if strings.HasPrefix(text, "-0.") {
		return "-" + text[2:]
	}
	return text
}

// number is a length in units, with one decimal.
func number(v vg.Length) string { return strconv.FormatFloat(float64(tenths(v))/10, 'f', -1, 64) }

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
