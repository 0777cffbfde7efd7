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
	declared map[string]string // of the classes
	width    vg.Length
}

func (c *painter) SetLineWidth(w vg.Length)           { c.width = w }
func (c *painter) SetLineDash([]vg.Length, vg.Length) {}
func (c *painter) SetColor(k color.Color) {
	classes, _ := k.(ink)
	c.declared = classes.declarations()
}

// Stroke draws a path as the stroke of its classes.
func (c *painter) Stroke(p vg.Path) {
	if c.width == 0 || !c.dip("stroke") {
		return
	}
	var dashes []vg.Length
	for _, length := range strings.Fields(c.declared["stroke-dasharray"]) {
		dashes = append(dashes, vg.Length(number(length)))
	}
	c.Canvas.SetLineWidth(vg.Length(number(c.declared["stroke-width"])))
	c.Canvas.SetLineDash(dashes, 0)
	c.Canvas.Stroke(p)
}

// Fill draws a path as the fill of its classes, and then their stroke if they have one.
func (c *painter) Fill(p vg.Path) {
	if c.dip("fill") {
		c.Canvas.Fill(p)
	}
	c.width = 1
	c.Stroke(p)
}

// FillString sets a text with its anchor at a point, as its classes have it.
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

// dip takes up the colour of the fill or the stroke; false for none.
func (c *painter) dip(of string) bool {
	variable := c.declared[of]
	if _, ok := palette()[variable]; !ok {
		return false
	}
	opacity := 1.0
	if declared := c.declared[of+"-opacity"]; declared != "" {
		opacity = number(declared)
	}
	c.Canvas.SetColor(light(variable, opacity))
	return true
}

// light is a colour of the palette in light.
func light(variable string, opacity float64) color.Color {
	c := color.NRGBA{A: uint8(opacity * 0xff)}
	if _, err := fmt.Sscanf(palette()[variable][0], "#%02x%02x%02x", &c.R, &c.G, &c.B); err != nil {
		panic(fmt.Sprintf("reading the colour %s: %v", variable, err))
	}
	return c
}

// number is a number of CSS; zero for none.
func number(css string) float64 {
	v, _ := strconv.ParseFloat(css, 64)
	return v
}
