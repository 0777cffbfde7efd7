package figure

import (
	"bytes"
	"fmt"
	"image/color"
	"image/png"
	"strconv"
	"strings"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// The size of a card in pixels, as readers of og:image expect it.
const (
	CardWidth  = 1200
	CardHeight = 630
)

// cardDPI are resolutions that divide 72 × CardWidth, from large type to small.
var cardDPI = []int{160, 150, 144, 135, 128, 120, 108, 100, 96, 90, 80, 75, 72}

// Card is a PNG of the figure with its title and source, for links to its page, in the largest type in which all of it
// has room.
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
		encoder := png.Encoder{CompressionLevel: png.BestSpeed} // half the time of a card went into the default's
		if err := encoder.Encode(&b, c.Image()); err != nil {
			return nil, fmt.Errorf("figure %q: writing its picture: %w", s.ID, err)
		}
		return b.Bytes(), nil
	}
	panic("unreachable: the last resolution is taken whatever the height")
}

// painter is a canvas that paints classes in their light colours.
type painter struct {
	*vgimg.Canvas
	classes ink
	width   vg.Length
}

func (c *painter) SetColor(k color.Color)             { c.classes, _ = k.(ink) }
func (c *painter) SetLineWidth(w vg.Length)           { c.width = w }
func (c *painter) SetLineDash([]vg.Length, vg.Length) {}

// Stroke draws a path as the stroke of its classes.
func (c *painter) Stroke(p vg.Path) {
	l, _ := c.classes.look()
	if c.width == 0 || l.stroke == "" || l.stroke == "none" {
		return
	}
	c.Canvas.SetLineWidth(vg.Length(l.width))
	c.Canvas.SetLineDash(l.dashes, 0)
	c.Canvas.SetColor(paint(l.stroke, l.strokeOpacity))
	c.Canvas.Stroke(p)
}

// Fill draws a path as the fill of its classes, and then their stroke if they have one.
func (c *painter) Fill(p vg.Path) {
	l, _ := c.classes.look()
	if l.fill != "" && l.fill != "none" && l.fill != "transparent" {
		c.Canvas.SetColor(paint(l.fill, l.fillOpacity))
		c.Canvas.Fill(p)
	}
	c.width = 1
	c.Stroke(p)
}

// FillString sets a text with its anchor at a point, as its classes have it.
func (c *painter) FillString(f font.Face, at vg.Point, s string) {
	wide := f.Width(s)
	name := "ink-2"
	for _, class := range strings.Fields(string(c.classes)) {
		switch {
		case class == "mid":
			at.X -= wide / 2
		case class == "end":
			at.X -= wide
		case class == "strong":
			name = "ink"
		case class == "dim":
			name = "ink-3"
		case len(class) == 2 && class[0] == 'f':
			name = "c" + class[1:]
		}
	}
	c.Canvas.SetColor(paint(name, 0))
	c.Canvas.FillString(f, at, s)
}

// paint is a colour of the palette in light.
func paint(name string, opacity float64) color.Color {
	hex := strings.TrimPrefix(palette[name][0], "#")
	if len(hex) == 3 {
		hex = strings.Repeat(hex, 2)
	}
	v, err := strconv.ParseUint(hex, 16, 32)
	if err != nil {
		panic(fmt.Sprintf("there is no colour %q", name))
	}
	alpha := uint8(0xff)
	if opacity > 0 {
		alpha = uint8(opacity * 0xff)
	}
	return color.NRGBA{R: uint8(v >> 16), G: uint8(v >> 8), B: uint8(v), A: alpha}
}
