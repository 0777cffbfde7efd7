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
	elements []*element
	color    color.Color
	width    vg.Length
	err      error
}

// element is what one class draws in a row: texts, or the outlines of one path.
type element struct {
	isText bool
	class  ink
	data   []string
	area   vg.Rectangle // that it may touch
	x, y   int          // where the pen of a path is, in tenths, or the last text
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
func (c *canvas) FillString(f font.Face, p vg.Point, s string) {
	k, ok := c.color.(ink)
	if !ok {
		c.fail(fmt.Errorf("text %q has the colour %v, not classes", s, c.color))
	}
	if strings.TrimSpace(s) != "" {
		wide := 1.1*f.Width(s) + 3 // to either side, as the anchor may be at either end
		area := vg.Rectangle{Min: p.Sub(vg.Point{X: wide, Y: headSize}), Max: p.Add(vg.Point{X: wide, Y: headSize})}
		last := c.element(true, k, area)
		x, y := int(math.Round(float64(p.X))), int(math.Round(float64(-p.Y)))
		place := fmt.Sprintf(`x="%d"`, x)
		if len(last.data) == 0 || y != last.y { // else it is on the line of the text before
			place += fmt.Sprintf(` y="%d"`, y)
		}
		last.y = y
		last.data = append(last.data, place+">"+escape(s))
	}
}

// Stroke draws a path: classes say whether it is a line or filled.
func (c *canvas) Stroke(p vg.Path) {
	if c.width > 0 {
		c.Fill(p)
	}
}

// Fill draws a path.
func (c *canvas) Fill(p vg.Path) {
	k, ok := c.color.(ink)
	if ok {
		_, ok = k.look()
	}
	if !ok {
		c.fail(fmt.Errorf("a shape has the colour %v, which has an unknown class or none", c.color))
		return
	}
	const pen = 3 // wider than half of any line
	area := vg.Rectangle{Min: vg.Point{X: math.MaxInt32, Y: math.MaxInt32}, Max: vg.Point{X: math.MinInt32, Y: math.MinInt32}}
	for _, step := range p {
		if step.Type != vg.CloseComp {
			reach := vg.Point{X: step.Radius + pen, Y: step.Radius + pen}
			area = union(area, vg.Rectangle{Min: step.Pos.Sub(reach), Max: step.Pos.Add(reach)})
		}
	}
	c.outline(c.element(false, k, area), p)
}

// element returns the last element that draws in the same way, if nothing that was drawn since lies below the area that
// it is to draw in; else a new one.
func (c *canvas) element(isText bool, k ink, area vg.Rectangle) *element {
	for i := len(c.elements) - 1; i >= 0; i-- {
		e := c.elements[i]
		if e.isText == isText && e.class == k {
			c.elements[i].area = union(e.area, area)
			return c.elements[i]
		}
		if overlap(e.area, area) {
			break
		}
	}
	c.elements = append(c.elements, &element{isText: isText, class: k, area: area})
	return c.elements[len(c.elements)-1]
}

func union(a, b vg.Rectangle) vg.Rectangle {
	return vg.Rectangle{Min: vg.Point{X: min(a.Min.X, b.Min.X), Y: min(a.Min.Y, b.Min.Y)},
		Max: vg.Point{X: max(a.Max.X, b.Max.X), Y: max(a.Max.Y, b.Max.Y)}}
}

// body are the elements as markup. Lines of text follow each other without a space, which would move their anchors.
func (c *canvas) body() []byte {
	var b []byte
	for _, e := range c.elements {
		switch {
		case e.isText && len(e.data) == 1:
			b = fmt.Appendf(b, "<text%s %s</text>\n", class(e.class), e.data[0])
		case e.isText:
			b = fmt.Appendf(b, "<text%s><tspan %s</tspan></text>\n", class(e.class),
				strings.Join(e.data, "</tspan><tspan "))
		default:
			b = fmt.Appendf(b, "<path%s d=\"%s\"/>\n", class(e.class), strings.Join(e.data, ""))
		}
	}
	return b
}

// outline adds a path as path data: steps from its first point on, level and upright ones in their short form.
func (c *canvas) outline(e *element, p vg.Path) {
	var b strings.Builder
	if len(p) == 3 && p[1].Type == vg.ArcComp && math.Abs(p[1].Angle) >= 2*math.Pi {
		// A whole circle is an arc from its right end to almost there.
		r := inUnits(tenths(p[1].Radius))
		fmt.Fprintf(&b, "%sa%s %[2]s 0 110-.1z", e.move(tenths(p[1].Pos.X+p[1].Radius), tenths(-p[1].Pos.Y)), r)
		e.data = append(e.data, b.String())
		return
	}
	fromX, fromY, inLine := 0, 0, false
	for i, step := range p {
		x, y := tenths(step.Pos.X), tenths(-step.Pos.Y)
		switch {
		case step.Type == vg.CloseComp:
			b.WriteByte('z')
			continue
		case step.Type == vg.MoveComp:
			if isDrawn(p[i+1:], x, y) {
				b.WriteString(e.move(x, y))
			}
		case step.Type != vg.LineComp:
			c.fail(errors.New("a figure has no curves but whole circles"))
		default:
			b.WriteString(line(x-fromX, y-fromY, inLine))
		}
		inLine = step.Type == vg.LineComp && x != fromX && y != fromY
		fromX, fromY = x, y
	}
	if b.Len() > 0 {
		if !strings.HasSuffix(b.String(), "z") { // which leads back to where the outline began
			e.x, e.y = fromX, fromY
		}
		e.data = append(e.data, b.String())
	}
}

// line is a line by a step; again says that the command is the one before, which need not be repeated.
func line(dx, dy int, again bool) string {
	switch {
	case dx == 0 && dy == 0:
		return ""
	case dy == 0:
		return "h" + inUnits(dx)
	case dx == 0:
		return "v" + inUnits(dy)
	case !again:
		return "l" + pair(dx, dy)
	case dx > 0:
		return " " + pair(dx, dy)
	}
	return pair(dx, dy)
}

// move begins an outline at a point, in whichever form is shorter: from the last one, or from the corner.
func (e *element) move(x, y int) string {
	out := "M" + pair(x, y)
	if step := "m" + pair(x-e.x, y-e.y); len(e.data) > 0 && len(step) < len(out) {
		out = step
	}
	e.x, e.y = x, y
	return out
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
