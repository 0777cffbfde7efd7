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

// ink is a colour for gonum that is a list of classes of the style sheet.
//
// gonum hands the color.Color of a style to SetColor as it is, so the classes arrive whole and nothing has to guess
// them from sentinel colours afterwards.
type ink string

// RGBA makes ink a color.Color. Nothing asks for it: our canvas reads the classes.
func (ink) RGBA() (r, g, b, a uint32) { return 0, 0, 0, 0xffff }

// What the classes of the style sheet can do to a shape: some fill it, some stroke it.
var (
	fills   = strings.Fields("band faint track area ibox bar pt open f0 f1 f2 f3 f4 f5 f6")
	strokes = strings.Fields("grid axis lead ghost line thin dash trace hatch ibox bar pt open " +
		"s0 s1 s2 s3 s4 s5 s6")
)

// The classes of groups: the ticks of an axis; what can be pointed at; and what is then shown.
const (
	ticksClass = "ticks"
	hitClass   = "hit"
)

// check refuses an ink that has an unknown class, or none that paints in the way wanted.
func (k ink) check(fill bool) error {
	visible := false
	for _, class := range strings.Fields(string(k)) {
		isFill, isStroke := slices.Contains(fills, class), slices.Contains(strokes, class)
		if !isFill && !isStroke {
			return fmt.Errorf("a shape has the unknown class %q", class)
		}
		visible = visible || fill && isFill || !fill && isStroke
	}
	if !visible {
		return fmt.Errorf("a shape of ink %q would not be seen", k)
	}
	return nil
}

// What a drawing looks like without a style sheet, as every rule of one comes before attributes: lines are lines, what
// lies behind marks hides nothing, nor does what only the pointer meets, and what is shown to that is not there.
const (
	plainLine = ` fill="none" stroke="gray"`
	plainBand = ` fill="#ddd"`
	plainArea = ` fill="none"`
)

// plain are the attributes of a shape for readers without a style sheet.
func (k ink) plain(fill bool) string {
	if !fill {
		return plainLine
	}
	for _, class := range strings.Fields(string(k)) {
		switch class {
		case "area":
			return plainArea
		case "band", "faint", "track":
			return plainBand
		}
	}
	return ""
}

// canvas is a vg.Canvas that writes SVG elements. One point of gonum is one unit.
//
// Its origin is the top left corner: gonum's y grows upwards, so all of the drawing has a negative y and how high it
// will be need not be known at the start. Line widths and dashes belong to the classes; of widths only zero, "do not
// draw", is heeded. What gonum can do and a figure must not, such as colours and pictures, is an error in document.
type canvas struct {
	body  []byte
	now   canvasState
	saved []canvasState
	depth int // of open groups
	err   error
	drawn func(classes []string, points []point) // told of each shape and the corners of its outline
}

type canvasState struct {
	color  color.Color
	width  vg.Length
	offset vg.Point
}

func newCanvas() *canvas {
	return &canvas{now: canvasState{width: 1}, drawn: func([]string, []point) {}}
}

func (c *canvas) fail(err error) {
	if c.err == nil {
		c.err = err
	}
}

// The methods of vg.Canvas.

func (c *canvas) SetLineWidth(w vg.Length)           { c.now.width = w }
func (c *canvas) SetLineDash([]vg.Length, vg.Length) {}
func (c *canvas) SetColor(k color.Color)             { c.now.color = k }
func (c *canvas) Push()                              { c.saved = append(c.saved, c.now) }
func (c *canvas) Translate(p vg.Point)               { c.now.offset = c.now.offset.Add(p) }

func (c *canvas) Pop() {
	last := len(c.saved) - 1
	c.now, c.saved = c.saved[last], c.saved[:last]
}

func (c *canvas) Rotate(rad float64) {
	if rad != 0 {
		c.fail(errors.New("a figure has no rotated parts"))
	}
}

func (c *canvas) Scale(x, y float64) {
	if x != 1 || y != 1 {
		c.fail(errors.New("a figure has no scaled parts"))
	}
}

func (c *canvas) DrawImage(vg.Rectangle, image.Image) { c.fail(errors.New("a figure has no pictures")) }

func (c *canvas) FillString(_ font.Face, _ vg.Point, s string) {
	c.fail(fmt.Errorf("text %q was drawn without our text handler", s))
}

func (c *canvas) Stroke(p vg.Path) {
	if c.now.width > 0 {
		c.shape(p, false)
	}
}

func (c *canvas) Fill(p vg.Path) { c.shape(p, true) }

// text writes s with its anchor at p. Classes name the anchor, so that the text keeps its place in any font.
func (c *canvas) text(p vg.Point, classes, s string) {
	x, y := c.at(p)
	c.element("text", "x", x, "y", y)
	c.class(classes)
	c.body = append(c.body, '>')
	c.body = append(c.body, escape(s)...)
	c.body = append(c.body, "</text>\n"...)
}

// begin opens a group of a class.
func (c *canvas) begin(class string) {
	c.open(`<g class="` + class + `">`)
}

// beginHit opens the group of something that can be pointed at; the browser shows the words.
func (c *canvas) beginHit(words string) {
	c.open(`<g class="` + hitClass + `" aria-hidden="true"><title>` + escape(words) + `</title>`)
}

func (c *canvas) open(tag string) {
	c.depth++
	c.body = append(c.body, tag...)
}

// end closes the group that begin or beginHit opened.
func (c *canvas) end() {
	c.depth--
	c.body = append(c.body, "</g>\n"...)
}

// element opens a tag with two attributes that are numbers.
func (c *canvas) element(name, key1 string, v1 float64, key2 string, v2 float64) {
	c.body = append(c.body, "<"+name+" "+key1+`="`...)
	c.body = appendNumber(c.body, v1)
	c.body = append(c.body, `" `+key2+`="`...)
	c.body = appendNumber(c.body, v2)
	c.body = append(c.body, '"')
}

func (c *canvas) class(classes string) {
	if classes != "" {
		c.body = append(c.body, ` class="`+classes+`"`...)
	}
}

// at turns a point of gonum's into the drawing's coordinates.
func (c *canvas) at(p vg.Point) (x, y float64) {
	p = p.Add(c.now.offset)
	return float64(p.X), -float64(p.Y)
}

func (c *canvas) shape(p vg.Path, fill bool) {
	k, ok := c.now.color.(ink)
	if !ok {
		c.fail(fmt.Errorf("a shape has the colour %v, not classes", c.now.color))
		return
	}
	if err := k.check(fill); err != nil {
		c.fail(err)
		return
	}
	var points []point
	if centre, radius, ok := circle(p); ok {
		x, y := c.at(centre)
		c.element("circle", "cx", x, "cy", y)
		c.body = append(c.body, ` r="`...)
		c.body = appendNumber(c.body, radius)
		points = []point{{x - radius, y - radius}, {x + radius, y + radius}}
	} else {
		c.body = append(c.body, `<path d="`...)
		points = c.outline(p)
	}
	c.drawn(strings.Fields(string(k)), points)
	c.body = append(c.body, '"')
	c.class(string(k))
	c.body = append(append(c.body, k.plain(fill)...), "/>"...)
	if c.depth == 0 {
		c.body = append(c.body, '\n')
	}
}

// circle recognises a path that is one whole circle, which SVG path data cannot write as a single arc.
func circle(p vg.Path) (centre vg.Point, radius float64, ok bool) {
	if len(p) != 3 || p[1].Type != vg.ArcComp || p[2].Type != vg.CloseComp {
		return centre, 0, false
	}
	return p[1].Pos, float64(p[1].Radius), math.Abs(p[1].Angle) >= 2*math.Pi
}

// outline writes a path as path data, horizontal and vertical steps in their short form, and gives its corners.
func (c *canvas) outline(p vg.Path) (corners []point) {
	var fromX, fromY float64
	for _, step := range p {
		x, y := c.at(step.Pos)
		x, y = tenth(x), tenth(y)
		switch step.Type {
		case vg.MoveComp:
			c.body = appendNumber(append(c.body, 'M'), x)
			c.body = appendNumber(append(c.body, ' '), y)
		case vg.LineComp:
			switch {
			case y == fromY:
				c.body = appendNumber(append(c.body, 'H'), x)
			case x == fromX:
				c.body = appendNumber(append(c.body, 'V'), y)
			default:
				c.body = appendNumber(append(c.body, 'L'), x)
				c.body = appendNumber(append(c.body, ' '), y)
			}
		case vg.CloseComp:
			c.body = append(c.body, 'Z')
		default:
			c.fail(errors.New("a figure has no curves but whole circles"))
		}
		if step.Type != vg.CloseComp {
			corners = append(corners, point{x, y})
		}
		fromX, fromY = x, y
	}
	return corners
}

// document wraps what was drawn into an SVG element of the given height, or reports the first thing that went wrong.
// hits is the length of what was drawn before the first thing that can be pointed at: those who hear the figure are
// told the title, the description and these, and not the words of axes one by one.
func (c *canvas) document(width Width, height float64, hits int, head Head) ([]byte, error) {
	if c.err != nil {
		return nil, c.err
	}
	if c.depth != 0 || len(c.saved) != 0 {
		return nil, errors.New("a group was opened and not closed")
	}
	id := width.idFor(head.ID)
	return fmt.Appendf(nil, `<svg class="%s" viewBox="0 0 %d %s" role="group" `+
		`aria-labelledby="%s-t" aria-describedby="%[4]s-d" xmlns="http://www.w3.org/2000/svg">`+"\n"+
		`<title id="%[4]s-t">%[5]s</title><desc id="%[4]s-d">%[6]s</desc>`+
		"\n<g aria-hidden=\"true\">\n%[7]s</g>\n%[8]s</svg>\n", width.class(), width, appendNumber(nil, height), id,
		escape(oneLine(head.Title)), escape(oneLine(head.Desc)), c.body[:hits], c.body[hits:]), nil
}

// tenth rounds to the one decimal that drawings have, and never to minus zero.
func tenth(v float64) float64 { return math.Round(v*10)/10 + 0 }

func appendNumber(b []byte, v float64) []byte { return strconv.AppendFloat(b, tenth(v), 'f', -1, 64) }

// escape makes text fit for XML; what XML cannot hold becomes U+FFFD.
func escape(s string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(s)); err != nil {
		panic(err) // a Builder does not fail
	}
	return b.String()
}
