package figure

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image/color"
	"image/png"
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"

	"benchbook/internal/slice"
)

// canvas is a vg.Canvas that writes SVG elements with classes. A point of gonum is one unit. It lacks the methods that
// figures don't use: transformations and images.
//
// The origin is the top left corner and y is negative, so that the height need not be known at the start. Line widths
// and dashes come from the classes, but a width of zero draws nothing.
type canvas struct {
	vg.Canvas
	elements []*element
	classes  ink
	width    vg.Length
}

// element is a run of texts or outlines with the same classes.
type element struct {
	isText bool
	class  ink
	data   []string
	area   vg.Rectangle // bounds of what it draws
	x, y   int          // end of the path, in tenths; y may be of the last text, in units
}

func (c *canvas) SetLineWidth(w vg.Length)           { c.width = w }
func (c *canvas) SetLineDash([]vg.Length, vg.Length) {}
func (c *canvas) SetColor(k color.Color)             { c.classes, _ = k.(ink) } // none for lines without a style

// FillString writes a text at p. The classes set its anchor, so that it keeps its place in any font.
func (c *canvas) FillString(f font.Face, p vg.Point, s string) {
	if strings.TrimSpace(s) == "" {
		return
	}
	wide := 1.1*f.Width(s) + 3 // to both sides, as the anchor may be at either end
	reach := vg.Point{X: wide, Y: headSize}
	last := c.element(true, vg.Rectangle{Min: p.Sub(reach), Max: p.Add(reach)})
	x, y := int(math.Round(float64(p.X))), int(math.Round(float64(-p.Y)))
	place := fmt.Sprintf(`x="%d"`, x)
	if len(last.data) == 0 || y != last.y { // else it inherits y from the text before
		place += fmt.Sprintf(` y="%d"`, y)
	}
	last.y = y
	last.data = append(last.data, place+">"+escape(s))
}

// Stroke draws a path. Classes decide whether it is stroked or filled.
func (c *canvas) Stroke(p vg.Path) {
	if c.width > 0 {
		c.Fill(p)
	}
}

func (c *canvas) Fill(p vg.Path) {
	const pen = 3 // wider than half of any line
	area := vg.Rectangle{Min: vg.Point{X: math.MaxInt32, Y: math.MaxInt32}, Max: vg.Point{X: math.MinInt32, Y: math.MinInt32}}
	for _, step := range p {
		if step.Type != vg.CloseComp {
			area = union(area, around(step.Pos, step.Radius+pen))
		}
	}
	c.element(false, area).outline(p)
}

// element returns the last element of the current classes, unless something drawn since overlaps area; else a new one.
func (c *canvas) element(isText bool, area vg.Rectangle) *element {
	for i := len(c.elements) - 1; i >= 0; i-- {
		e := c.elements[i]
		if e.isText == isText && e.class == c.classes {
			e.area = union(e.area, area)
			return e
		}
		if overlap(e.area, area) {
			break
		}
	}
	e := &element{isText: isText, class: c.classes, area: area}
	c.elements = append(c.elements, e)
	return e
}

func union(a, b vg.Rectangle) vg.Rectangle {
	return vg.Rectangle{Min: vg.Point{X: min(a.Min.X, b.Min.X), Y: min(a.Min.Y, b.Min.Y)},
		Max: vg.Point{X: max(a.Max.X, b.Max.X), Y: max(a.Max.Y, b.Max.Y)}}
}

// body returns the elements as SVG. There is no space between lines of text, as it would move them.
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

// outline adds a path as path data, with relative steps in their shortest form. The only curves are whole circles.
func (e *element) outline(p vg.Path) {
	if len(p) == 3 && p[1].Type == vg.ArcComp {
		// A whole circle is an arc from its right end to just before that.
		r := inUnits(tenths(p[1].Radius))
		from := e.move(tenths(p[1].Pos.X+p[1].Radius), tenths(-p[1].Pos.Y))
		e.data = append(e.data, fmt.Sprintf("%sa%s %[2]s 0 110-.1z", from, r))
		return
	}
	out, fromX, fromY, inLine := "", 0, 0, false
	for i, step := range p {
		x, y := tenths(step.Pos.X), tenths(-step.Pos.Y)
		switch {
		case step.Type == vg.CloseComp:
			out += "z"
			continue
		case step.Type == vg.LineComp:
			out += line(x-fromX, y-fromY, inLine)
		case isDrawn(p[i+1:], x, y):
			out += e.move(x, y)
		}
		inLine = step.Type == vg.LineComp && x != fromX && y != fromY
		fromX, fromY = x, y
	}
	if out != "" {
		if !strings.HasSuffix(out, "z") { // else the pen is back at the start
			e.x, e.y = fromX, fromY
		}
		e.data = append(e.data, out)
	}
}

// line writes a line by a step. If again, the command is the same as before and need not be repeated.
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

// move begins an outline at a point, in relative or absolute form, whichever is shorter.
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

// pair writes two numbers, with a space between them unless there is a minus.
func pair(x, y int) string {
	if y < 0 {
		return inUnits(x) + inUnits(y)
	}
	return inUnits(x) + " " + inUnits(y)
}

// tenths rounds a length to tenths of a unit, the resolution of drawings.
func tenths(v vg.Length) int { return int(math.Round(float64(v) * 10)) }

// inUnits writes tenths in units: ".5", "12", "-3.1".
func inUnits(tenths int) string {
	text := strconv.FormatFloat(float64(tenths)/10, 'f', -1, 64)
	if sign, fraction, ok := strings.Cut(text, "0."); ok && (sign == "" || sign == "-") {
		return sign + "." + fraction
	}
	return text
}

func class(k ink) string {
	if k == "" {
		return ""
	}
	return ` class="` + string(k) + `"`
}

// escape escapes text for XML, on one line. Characters that XML forbids become U+FFFD.
func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(oneLine(s))) // a Builder does not fail
	return b.String()
}

// The size of a card in pixels, as usual for og:image.
const (
	CardWidth  = 1200
	CardHeight = 630
)

// cardDPI has resolutions that divide 72 × CardWidth, from large type to small.
var cardDPI = []int{160, 150, 144, 135, 128, 120, 108, 100, 96, 90, 80, 75, 72}

// Card returns a PNG of the figure with its title and source, for links to its page, in the largest type that fits.
func (s Spec) Card() ([]byte, error) {
	spec, err := s.prepared()
	if err != nil {
		return nil, err
	}
	const margin = 22.0
	for _, dpi := range cardDPI {
		unit := float64(dpi) / 72 // pixels
		width, height := CardWidth/unit-2*margin, CardHeight/unit-2*margin
		draft := &sheet{Spec: spec, draw: draw.Canvas{Canvas: &canvas{}}, width: width}
		draft.headed()
		if draft.y > height && dpi != cardDPI[len(cardDPI)-1] {
			continue
		}
		c := vgimg.NewWith(vgimg.UseWH(vg.Length(CardWidth/unit), vg.Length(CardHeight/unit)), vgimg.UseDPI(dpi))
		c.Translate(vg.Point{X: margin, Y: vg.Length(CardHeight/unit - margin - max(0, (height-draft.y)/3))})
		sh := &sheet{Spec: spec, draw: draw.Canvas{Canvas: &painter{Canvas: c}}, width: width}
		sh.headed()
		var b bytes.Buffer
		encoder := png.Encoder{CompressionLevel: png.BestSpeed} // the default doubles the time of a card
		_ = encoder.Encode(&b, c.Image())                       // a bytes.Buffer never fails
		return b.Bytes(), nil
	}
	panic("unreachable: the last resolution is taken whatever the height")
}

// painter is a vg.Canvas that paints classes in their light colours.
type painter struct {
	*vgimg.Canvas
	declared map[string]string // of the classes
	width    vg.Length
}

func (c *painter) SetLineWidth(w vg.Length)           { c.width = w }
func (c *painter) SetLineDash([]vg.Length, vg.Length) {}
func (c *painter) SetColor(k color.Color) {
	classes, _ := k.(ink)
	c.declared = classes.declarations()
}

// Stroke strokes a path as its classes declare.
func (c *painter) Stroke(p vg.Path) {
	if c.width == 0 || !c.dip("stroke") {
		return
	}
	c.Canvas.SetLineWidth(number(c.declared["stroke-width"]))
	c.Canvas.SetLineDash(slice.Map(strings.Fields(c.declared["stroke-dasharray"]), number), 0)
	c.Canvas.Stroke(p)
}

// Fill fills and strokes a path as its classes declare.
func (c *painter) Fill(p vg.Path) {
	if c.dip("fill") {
		c.Canvas.Fill(p)
	}
	c.width = 1
	c.Stroke(p)
}

// FillString writes a text, anchored at a point as its classes declare.
func (c *painter) FillString(f font.Face, at vg.Point, s string) {
	switch c.declared["text-anchor"] {
	case "middle":
		at.X -= f.Width(s) / 2
	case "end":
		at.X -= f.Width(s)
	}
	if !c.dip("fill") {
		c.Canvas.SetColor(light("var(--ink-2)", 1))
	}
	c.Canvas.FillString(f, at, s)
}

// dip sets the colour to the declared fill or stroke; it returns false if there is none.
func (c *painter) dip(of string) bool {
	variable := c.declared[of]
	if _, ok := palette()[variable]; !ok {
		return false
	}
	opacity := 1.0
	if declared := c.declared[of+"-opacity"]; declared != "" {
		opacity = float64(number(declared))
	}
	c.Canvas.SetColor(light(variable, opacity))
	return true
}

// light returns the light colour of a variable.
func light(variable string, opacity float64) color.Color {
	c := color.NRGBA{A: uint8(opacity * 0xff)}
	_, _ = fmt.Sscanf(palette()[variable][0], "#%02x%02x%02x", &c.R, &c.G, &c.B) // CSS has this form only
	return c
}

// number parses a number of CSS; "" is zero.
func number(css string) vg.Length {
	v, _ := strconv.ParseFloat(css, 64)
	return vg.Length(v)
}
