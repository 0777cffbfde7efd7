package figure

import (
	"bytes"
	"encoding/xml"
	"strings"

	"benchbook/notebook/source"
)

// lightStyle gives the classes of a drawing the looks that the page's style sheet gives them in light, on white.
const lightStyle = `svg{background:#fff}` +
	`text{font-family:Inter,Arial,sans-serif;font-size:12.5px;fill:#474e55;font-feature-settings:"tnum"}` +
	`.strong{fill:#1b1e21;font-weight:600}.dim{fill:#646c74}.small{font-size:11.5px}` +
	`.mid{text-anchor:middle}.end{text-anchor:end}` +
	`.grid{stroke:#e6e2d8;stroke-width:1;fill:none}.axis{stroke:#646c74;stroke-width:1;fill:none}` +
	`.lead{stroke:#646c74;stroke-width:1;stroke-dasharray:2 3;fill:none}.ghost{stroke:#646c74;stroke-width:1.5;fill:none}` +
	`.track{fill:#e6e2d8}` +
	`.f0{fill:#646c74}.f1{fill:#0067a5}.f2{fill:#b84a00}.f3{fill:#00755a}.f4{fill:#96437a}.f5{fill:#7d6200}.f6{fill:#3f6f8f}` +
	`.s0{stroke:#646c74}.s1{stroke:#0067a5}.s2{stroke:#b84a00}.s3{stroke:#00755a}.s4{stroke:#96437a}.s5{stroke:#7d6200}.s6{stroke:#3f6f8f}` +
	`.line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}.line.thin{stroke-width:1.5}` +
	`.dash{stroke-dasharray:5 4;stroke-linecap:butt}.trace{fill:none;stroke-width:1;stroke-opacity:.45}.hatch{stroke:#646c74;stroke-width:1;fill:none}` +
	`.band{opacity:.22;stroke:none}.band.faint{opacity:.13}.ibox{fill-opacity:.2;stroke-width:1}.bar{fill-opacity:.4;stroke-width:1}` +
	`.pt{stroke:#fff;stroke-width:1}.open{fill:#fff;stroke-width:2}` +
	`.halo{paint-order:stroke;stroke:#fff;stroke-width:4px;stroke-linejoin:round}` +
	`.area{fill:transparent;stroke:none}` +
	`.hit{cursor:help}`

// Standalone makes a drawing into a file that needs no page: it gains a style for light and dark, and what is known
// about it, by name. Inter is named but not included; where it is missing, Arial, which is narrower, takes its place.
//
// Source: docs/results.md#provenance-of-files.
func Standalone(svg []byte, about [][2]string) []byte {
	root := bytes.IndexByte(svg, '\n') + 1 // the end of the svg tag, which Draw writes as a line of its own
	var b bytes.Buffer
	b.Write(svg[:root])
	b.WriteString("<style>" + lightStyle + "@media (prefers-color-scheme:dark){" + darkColours.Replace(lightStyle) +
		"}</style>\n<metadata>\n")
	for _, fact := range about {
		if fact[1] != "" {
			_ = xml.EscapeText(&b, []byte(fact[0]+": "+source.Plain(fact[1]))) // a buffer takes all
			b.WriteByte('\n')
		}
	}
	b.WriteString("</metadata>\n")
	b.Write(svg[root:])
	return bytes.Clone(b.Bytes()) // which is kept for long, without the room to grow
}

// darkColours replace those of lightStyle.
var darkColours = strings.NewReplacer("#fff", "#14171a", "#474e55", "#b6bbc0", "#1b1e21",
	"#e7e5df", "#646c74", "#949ba2", "#e6e2d8", "#2a3036", "#0067a5",
	"#62b4ec", "#b84a00", "#f2935a", "#00755a", "#45c09a", "#96437a", "#dc95bf", "#7d6200", "#d9b648", "#3f6f8f",
	"#9cc3dc")
