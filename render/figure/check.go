package figure

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot/text"

	"benchbook/render/typeface"
)

// Kind is what a Finding is about.
type Kind string

const (
	// Collision is text on other text, on a mark or outside the drawing, a mark outside, or an axis whose ticks do not say
	// how it is divided: something cannot be read.
	Collision Kind = "collision"
	// Foreign is what no drawing of this package has, such as a colour of its own, or XML that is broken: the
	// drawing must not be shown.
	Foreign Kind = "foreign"
	// MissingGlyph is a letter that the page's fonts lack. The browser sets it in another font, for which room has
	// been left: names in any script may be shown, so this is worth a note at most.
	MissingGlyph Kind = "missing glyph"
)

// Finding is one thing that Check found.
type Finding struct {
	Kind    Kind
	Message string // in words, with the text it is about and its place in units
}

// allowed are the elements of a drawing and their attributes. Everything else would fix how it looks under a style
// sheet, or load things.
var allowed = map[string][]string{
	"svg":    {"class", "viewBox", "role", "aria-labelledby", "aria-describedby", "xmlns"},
	"title":  {"id"},
	"desc":   {"id"},
	"g":      {"class", "aria-hidden", "tabindex", "role", "aria-label", "display"},
	"path":   {"d", "class", "fill", "stroke"},
	"circle": {"cx", "cy", "r", "class", "fill", "stroke"},
	"text":   {"x", "y", "class"},
}

// textClasses are the classes that only text has, beside those that fill it with a series' colour.
var textClasses = []string{"strong", "small", "dim", "mid", "end", "halo"}

// markClasses are the classes of shapes on which no text may lie.
var markClasses = []string{"pt", "open", "ibox", "bar", "ghost", "thin", "hatch"}

// beyond are the classes of shapes that may leave the drawing: what only the pointer meets, and what it then shows.
var beyond = []string{"area", "paper"}

// Check reads a drawing back and reports whatever makes it unfit for a page: text that hits other text, comes within 4
// units of it in a line, lies on a mark or leaves the drawing; marks that leave it; axes with fewer than two ticks, or
// with two of one label; elements, attributes, classes and ids that Draw does not write; and letters that the fonts
// lack. What is shown only to who points at something may cover the rest. A drawing that is as it should be has no
// findings.
//
// Text is measured by m, so the fonts must be those of the page. svg is what Draw made, not Standalone. Checking
// costs less than drawing and is meant for every figure of every page.
func Check(m *typeface.Metrics, svg []byte) []Finding {
	c := checker{metrics: m, attr: map[string]string{}}
	d := xml.NewDecoder(bytes.NewReader(svg))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			c.report(Foreign, "the drawing is not XML: %v", err)
			break
		}
		switch t := token.(type) {
		case xml.StartElement:
			c.start(t)
		case xml.CharData:
			if c.text != nil {
				c.text.words += string(t)
			} else if c.depth == 0 && len(bytes.TrimSpace(t)) > 0 {
				c.report(Foreign, "text outside the svg element")
			}
		case xml.EndElement:
			c.end(t)
		default:
			c.report(Foreign, "%T in a drawing", t)
		}
	}
	c.collisions()
	return c.findings
}

// checker is the state of one Check.
type checker struct {
	metrics  *typeface.Metrics
	findings []Finding
	depth    int
	attr     map[string]string // of the element being read
	view     rect
	labels   []string // the ids that name the drawing
	ids      []string // those that it has
	groups   []string // the classes of the groups that are open
	ticks    []string // the labels of the axis being read
	text     *setText // the text element being read
	texts    []setText
	marks    []rect // on which no text may lie
	shapes   []rect // which have to be inside
}

// setText is a text as the browser will set it.
type setText struct {
	style textStyle
	at    point
	words string
	box   rect
}

func (c *checker) report(k Kind, format string, a ...any) {
	c.findings = append(c.findings, Finding{k, fmt.Sprintf(format, a...)})
}

// start takes in an element and its attributes.
func (c *checker) start(e xml.StartElement) {
	c.depth++
	name := e.Name.Local
	known, ok := allowed[name]
	if !ok {
		c.report(Foreign, "element <%s>", name)
		return
	}
	if (name == "svg") != (c.depth == 1) || c.text != nil {
		c.report(Foreign, "element <%s> at depth %d", name, c.depth)
	}
	attr := c.attributes(e, known)
	classes := strings.Fields(attr["class"])
	switch name {
	case "svg":
		c.root(attr)
	case "g":
		c.group(attr)
	case "title", "desc":
		if id, ok := attr["id"]; ok {
			c.ids = append(c.ids, id)
		}
	case "text":
		c.text = &setText{at: point{c.number(attr["x"]), c.number(attr["y"])}}
		c.textClasses(classes)
	case "circle":
		x, y, r := c.number(attr["cx"]), c.number(attr["cy"]), c.number(attr["r"])
		c.shape(classes, []point{{x - r, y - r}, {x + r, y + r}})
	case "path":
		points, err := corners(attr["d"])
		if err != nil {
			c.report(Foreign, "path %q: %v", attr["d"], err)
		}
		c.shape(classes, points)
	}
}

// attributes are those of an element, of which some are known.
func (c *checker) attributes(e xml.StartElement, known []string) map[string]string {
	clear(c.attr)
	for _, a := range e.Attr {
		c.attr[a.Name.Local] = a.Value
		if !slices.Contains(known, a.Name.Local) || a.Name.Space != "" || !isPlain(a.Name.Local, a.Value) {
			c.report(Foreign, "<%s> has the attribute %s=%q", e.Name.Local, a.Name.Local, a.Value)
		}
	}
	return c.attr
}

// isPlain tells that an attribute gives no look but those of a drawing without a style sheet.
func isPlain(name, value string) bool {
	const all = plainLine + plainBand + plainArea + plainTip
	return !strings.Contains(all, " "+name+"=") || strings.Contains(all, " "+name+`="`+value+`"`)
}

// root takes in the svg element.
func (c *checker) root(attr map[string]string) {
	if v := strings.Fields(attr["viewBox"]); len(v) == 4 && v[0] == "0" && v[1] == "0" {
		c.view.x1, c.view.y1 = c.number(v[2]), c.number(v[3])
	} else {
		c.report(Foreign, "<svg> has the viewBox %q", attr["viewBox"])
	}
	if class := attr["class"]; class != Full.class() && class != Narrow.class() {
		c.report(Foreign, "<svg> has the class %q", class)
	}
	c.labels = strings.Fields(attr["aria-labelledby"] + " " + attr["aria-describedby"])
	if attr["role"] != "group" || len(c.labels) != 2 {
		c.report(Foreign, "<svg> is not a group with title and description: role=%q aria-labelledby=%q aria-describedby=%q",
			attr["role"], attr["aria-labelledby"], attr["aria-describedby"])
	}
}

// group takes in a group: what is drawn and not heard, what can be pointed at and is heard instead, and their parts.
func (c *checker) group(attr map[string]string) {
	class := attr["class"]
	switch {
	case class == "" && attr["aria-hidden"] == "true" && len(attr) == 1:
	case class == hitClass && attr["tabindex"] == "0" && attr["role"] == "img" && attr["aria-label"] != "" &&
		len(attr) == 4:
	case class == ticksClass && len(attr) == 1:
	case class == tipClass && attr["display"] == "none" && len(attr) == 2:
	default:
		c.report(Foreign, "a group of the attributes %q", attr)
	}
	if class == ticksClass {
		c.ticks = nil
	}
	c.groups = append(c.groups, class)
}

func (c *checker) endGroup() {
	last := len(c.groups) - 1
	if last < 0 {
		return // one that is foreign, which is reported at its start
	}
	if c.groups[last] == ticksClass {
		if len(c.ticks) < 2 {
			c.report(Collision, "an axis has the ticks %q, and needs two to be read", c.ticks)
		}
		for i, label := range c.ticks {
			if slices.Contains(c.ticks[:i], label) {
				c.report(Collision, "two ticks of an axis are labelled %q", label)
			}
		}
	}
	c.groups = c.groups[:last]
}

// shape takes in a shape with some corners.
func (c *checker) shape(classes []string, points []point) {
	inside := true
	for _, class := range classes {
		if !slices.Contains(fills, class) && !slices.Contains(strokes, class) {
			c.report(Foreign, "a shape has the class %q", class)
		}
		inside = inside && !slices.Contains(beyond, class)
	}
	c.marks = append(c.marks, obstacles(classes, points)...)
	if inside {
		c.shapes = append(c.shapes, bounds(points))
	}
}

// obstacles are what no text may lie on of a shape of some classes: all of it, or where its lines are, or nothing.
func obstacles(classes []string, points []point) []rect {
	switch {
	case !slices.ContainsFunc(markClasses, func(class string) bool { return slices.Contains(classes, class) }):
		return nil
	case slices.Contains(classes, "line"):
		return pieces(points)
	}
	return []rect{bounds(points)}
}

// textClasses takes in the classes of the text being read.
func (c *checker) textClasses(classes []string) {
	for _, class := range classes {
		isColour := slices.Contains(fills, class) && !slices.Contains(strokes, class)
		if !isColour && !slices.Contains(textClasses, class) {
			c.report(Foreign, "a text has the class %q", class)
		}
		switch class {
		case "strong":
			c.text.style.strong = true
		case "small":
			c.text.style.small = true
		case "mid":
			c.text.style.align = text.XCenter
		case "end":
			c.text.style.align = text.XRight
		}
	}
}

// end takes in the end of an element.
func (c *checker) end(e xml.EndElement) {
	c.depth--
	switch e.Name.Local {
	case "text":
		if c.text == nil { // a text within a text, which is reported at its start
			return
		}
		t := *c.text
		c.text = nil
		t.box = t.style.box(c.metrics, t.at, t.words)
		if missing := c.metrics.Missing(t.words, t.style.strong); len(missing) > 0 {
			c.report(MissingGlyph, "%q: the fonts lack %q", t.words, string(missing))
		}
		if slices.Contains(c.groups, ticksClass) {
			c.ticks = append(c.ticks, t.words)
		}
		if !slices.Contains(c.groups, tipClass) {
			c.texts = append(c.texts, t)
		} else if t.box.x0 < -slack || t.box.x1 > c.view.x1+slack {
			c.report(Collision, "%q, which is shown to who points at it, leaves the drawing", t.words)
		}
	case "g":
		c.endGroup()
	case "svg":
		if !slices.Equal(c.ids, c.labels) {
			c.report(Foreign, "the drawing is named by the ids %q but has %q", c.labels, c.ids)
		}
	}
}

func (c *checker) number(s string) float64 {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		c.report(Foreign, "invalid number %q", s)
	}
	return v
}

// slack is by how much measuring and the browser may differ, in units.
const slack = .5

// collisions looks for text that cannot be read.
func (c *checker) collisions() {
	const (
		apart = 4   // what two texts of a line must have between them
		pen   = 1.5 // half the widest line
	)
	for _, shape := range c.shapes {
		if !c.view.grow(pen, pen).contains(shape) {
			c.report(Collision, "a mark leaves the drawing, from %.1f,%.1f to %.1f,%.1f", shape.x0, shape.y0, shape.x1, shape.y1)
		}
	}
	for i, t := range c.texts {
		if !c.view.grow(slack, slack).contains(t.box) {
			c.report(Collision, "%q leaves the drawing, from %.1f,%.1f to %.1f,%.1f",
				t.words, t.box.x0, t.box.y0, t.box.x1, t.box.y1)
		}
		if k := slices.IndexFunc(c.marks, t.box.hits); k >= 0 {
			c.report(Collision, "%q lies on the mark at %.1f,%.1f", t.words, c.marks[k].x0, c.marks[k].y0)
		}
		for _, o := range c.texts[i+1:] {
			if t.box.grow(apart, 0).hits(o.box) {
				c.report(Collision, "%q is on or too near to %q at %.1f,%.1f", t.words, o.words, o.box.x0, o.box.y0)
			}
		}
	}
}

// corners are the points of path data that has only the commands that canvas writes: M, L, H, V and Z.
func corners(d string) ([]point, error) {
	var out []point
	var at point
	for start := 0; start < len(d); {
		end := start + 1
		for end < len(d) && !strings.ContainsRune("MLHVZ", rune(d[end])) {
			end++
		}
		var v []float64
		for _, field := range strings.Fields(d[start+1 : end]) {
			n, err := strconv.ParseFloat(field, 64)
			if err != nil {
				return out, fmt.Errorf("invalid number %q", field)
			}
			v = append(v, n)
		}
		switch command := d[start]; {
		case (command == 'M' || command == 'L') && len(v) == 2:
			at = point{v[0], v[1]}
		case command == 'H' && len(v) == 1:
			at.x = v[0]
		case command == 'V' && len(v) == 1:
			at.y = v[0]
		case command == 'Z' && len(v) == 0:
		default:
			return out, fmt.Errorf("command %q with %d numbers", command, len(v))
		}
		out = append(out, at)
		start = end
	}
	return out, nil
}

func bounds(points []point) rect {
	var box rect
	for i, p := range points {
		if i == 0 {
			box = rect{p.x, p.y, p.x, p.y}
		}
		box = rect{min(box.x0, p.x), min(box.y0, p.y), max(box.x1, p.x), max(box.y1, p.y)}
	}
	return box
}
