package prose

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// The names by which markup says what it is.
const (
	svgSpace   = "http://www.w3.org/2000/svg"
	xhtmlSpace = "http://www.w3.org/1999/xhtml"
	mathSpace  = "http://www.w3.org/1998/Math/MathML"
)

// drawingElements are those of SVG that draw. Neither scripts, nor links, nor what moves attributes about is among them.
var drawingElements = []string{"svg", "g", "defs", "symbol", "use", "title", "desc", "metadata", "style", "path", "rect", "circle", "ellipse",
	"line", "polyline", "polygon", "text", "tspan", "textPath", "image", "clipPath", "mask", "pattern", "marker", "linearGradient",
	"radialGradient", "stop", "filter", "feBlend", "feColorMatrix", "feComponentTransfer", "feComposite", "feFlood", "feFuncA", "feFuncB",
	"feFuncG", "feFuncR", "feGaussianBlur", "feMerge", "feMergeNode", "feMorphology", "feOffset", "switch"}

var (
	embeddedPicture = regexp.MustCompile(`^data:image/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]*$`)
	elsewhereInCSS  = regexp.MustCompile(`(?i)@import|@charset|image-set|src\s*\(|\\|url\s*\(\s*["']?\s*[^#"'\s]`)
)

// harmlessSVG says what of a drawing of an author could run, or could load something, where a reader opens it by itself. As a
// picture in a page it could do neither, but it is a file of the site like any other.
func harmlessSVG(data []byte) error {
	d := xml.NewDecoder(bytes.NewReader(data))
	depth, inStyle, elements := 0, 0, 0
	var style strings.Builder // of one element, which comments may cut up
	for {
		token, err := d.Token()
		switch {
		case errors.Is(err, io.EOF) && elements > 0:
			return nil
		case errors.Is(err, io.EOF):
			return errors.New("it is not SVG")
		case err != nil:
			return fmt.Errorf("it is not well-formed SVG: %w", err)
		}
		switch token := token.(type) {
		case xml.ProcInst:
			if token.Target != "xml" {
				return fmt.Errorf("it has a processing instruction %q; remove it", token.Target)
			}
		case xml.Directive:
			if bytes.ContainsAny(token, "[") {
				return errors.New("it defines entities; remove its DOCTYPE")
			}
		case xml.StartElement:
			if elements == 0 && token.Name != (xml.Name{Space: svgSpace, Local: "svg"}) {
				return errors.New(`it is not SVG: its first element has to be svg, with xmlns="` + svgSpace + `"`)
			}
			depth, elements = depth+1, elements+1
			if err := harmlessElement(token); err != nil {
				return err
			}
			if token.Name.Local == "style" && inStyle == 0 {
				inStyle = depth
			}
		case xml.EndElement:
			if depth == inStyle {
				if err := harmlessStyle(style.String()); err != nil {
					return err
				}
				inStyle = 0
				style.Reset()
			}
			depth--
		case xml.CharData:
			if inStyle > 0 {
				style.Write(token)
			}
		}
	}
}

func harmlessElement(e xml.StartElement) error {
	switch e.Name.Space {
	case svgSpace:
		if !slices.Contains(drawingElements, e.Name.Local) {
			return fmt.Errorf("it has an element %q, which may do more than draw; remove it", e.Name.Local)
		}
	case xhtmlSpace, mathSpace:
		return fmt.Errorf("it has an element %q that is not of SVG; remove it", e.Name.Local)
	} // what drawing programs write for themselves is in spaces that browsers do not know
	for _, a := range e.Attr {
		name := strings.ToLower(a.Name.Local)
		switch {
		case strings.HasPrefix(name, "on"):
			return fmt.Errorf("it has an attribute %q, which runs a script; remove it", a.Name.Local)
		case name == "href" && e.Name.Local == "image" && embeddedPicture.MatchString(a.Value):
		case name == "href" && !strings.HasPrefix(a.Value, "#"), name == "src", name == "base" && a.Name.Space != "":
			return fmt.Errorf("it refers to %.60q, which is not in it; remove that", a.Value)
		case a.Name.Space == "" && name != "xmlns":
			if err := harmlessStyle(a.Value); err != nil {
				return err
			}
		}
	}
	return nil
}

// harmlessStyle looks at a style sheet, or at an attribute, which may be one.
func harmlessStyle(css string) error {
	if found := elsewhereInCSS.FindString(css); found != "" {
		return fmt.Errorf("its style has %q, which may load something; remove it", found)
	}
	return nil
}
