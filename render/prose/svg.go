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

// drawingElements are the SVG elements that only draw: no scripts, links or animations.
var drawingElements = []string{"svg", "g", "defs", "symbol", "use", "title", "desc", "metadata", "style", "path",
	"rect", "circle", "ellipse", "line", "polyline", "polygon", "text", "tspan", "textPath", "image", "clipPath", "mask",
	"pattern", "marker", "linearGradient", "radialGradient", "stop", "filter", "feBlend", "feColorMatrix",
	"feComponentTransfer", "feComposite", "feFlood", "feFuncA", "feFuncB", "feFuncG", "feFuncR", "feGaussianBlur",
	"feMerge", "feMergeNode", "feMorphology", "feOffset", "switch"}

var (
	embeddedPicture = regexp.MustCompile(`^data:image/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]*$`)
	elsewhereInCSS  = regexp.MustCompile(`(?i)@import|@charset|image-set|src\s*\(|\\|url\s*\(\s*["']?\s*[^#"'\s]`)
)

// harmlessSVG returns an error if a drawing could run or load something when opened by itself. In a page it could do
// neither, but it is a file of the site.
func harmlessSVG(data []byte) error {
	d := xml.NewDecoder(bytes.NewReader(data))
	var r svgReader
	for {
		token, err := d.Token()
		switch {
		case errors.Is(err, io.EOF) && r.elements > 0:
			return nil
		case errors.Is(err, io.EOF):
			return errors.New("it is not SVG")
		case err != nil:
			return fmt.Errorf("it is not well-formed SVG: %w", err)
		}
		if err := r.read(token); err != nil {
			return err
		}
	}
}

type svgReader struct {
	depth, inStyle, elements int
	style                    strings.Builder // of one element, which comments may cut up
}

func (r *svgReader) read(token xml.Token) error {
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
		if r.elements == 0 && token.Name != (xml.Name{Space: svgSpace, Local: "svg"}) {
			return errors.New(`it is not SVG: its first element must be svg, with xmlns="` + svgSpace + `"`)
		}
		r.depth, r.elements = r.depth+1, r.elements+1
		if token.Name.Local == "style" && r.inStyle == 0 {
			r.inStyle = r.depth
		}
		return harmlessElement(token)
	case xml.EndElement:
		if r.depth == r.inStyle {
			if err := harmlessStyle(r.style.String()); err != nil {
				return err
			}
			r.inStyle = 0
			r.style.Reset()
		}
		r.depth--
	case xml.CharData:
		if r.inStyle > 0 {
			r.style.Write(token)
		}
	}
	return nil
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

// harmlessStyle checks a style sheet, or an attribute that may be one.
func harmlessStyle(css string) error {
	if found := elsewhereInCSS.FindString(css); found != "" {
		return fmt.Errorf("its style has %q, which may load something; remove it", found)
	}
	return nil
}
