package prose

import (
	"strings"
	"testing"
)

// What a drawing of an author may be when a reader opens it by itself.
func TestHarmlessSVG(t *testing.T) {
	wrap := func(inner string) string {
		return `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 9 9">` +
			inner + `</svg>`
	}
	tests := []struct{ name, text, want string }{
		{"lines", wrap(`<title>x</title><path d="M0 0H9" style="fill:none;stroke:#000"/>`), ""},
		{"a declaration and a DOCTYPE", "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n" +
			"<!DOCTYPE svg PUBLIC \"-//W3C//DTD SVG 1.1//EN\" \"http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd\">" +
			wrap(""), ""},
		{"a style sheet", wrap(`<style>.a{fill:url(#g)}</style><linearGradient id="g"/>`), ""},
		{"a glyph used again", wrap(`<defs><path id="g" d="M0 0"/></defs><use xlink:href="#g" x="3"/>`), ""},
		{"a picture in it", wrap(`<image xlink:href="data:image/png;base64,iVBORw0KGgo="/>`), ""},
		{"what a program notes for itself", wrap(
			`<metadata><r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#" r:about="https://example.org"/></metadata>`),
			""},
		{"a script", wrap(`<script>evil()</script>`), `"script"`},
		{"a script in another prefix", `<s:svg xmlns:s="http://www.w3.org/2000/svg"><s:script>evil()</s:script></s:svg>`,
			`"script"`},
		{"a script of HTML", wrap(`<h:script xmlns:h="http://www.w3.org/1999/xhtml">evil()</h:script>`), "not of SVG"},
		{"HTML within", wrap(`<foreignObject><body xmlns="http://www.w3.org/1999/xhtml"/></foreignObject>`),
			`"foreignObject"`},
		{"a handler", wrap(`<path onclick="evil()"/>`), `"onclick"`},
		{"a handler of the whole", `<svg xmlns="http://www.w3.org/2000/svg" onload="evil()"/>`, `"onload"`},
		{"a link", wrap(`<a href="javascript:evil()"><path/></a>`), `"a"`},
		{"an attribute that moves", wrap(`<set attributeName="href" to="javascript:evil()"/>`), `"set"`},
		{"a picture elsewhere", wrap(`<image href="//evil.example/x.png"/>`), "refers to"},
		{"a page as a picture", wrap(`<image href="data:text/html,x"/>`), "refers to"},
		{"a drawing as a picture", wrap(`<image href="data:image/svg+xml;base64,AAAA"/>`), "refers to"},
		{"a part of another file", wrap(`<use xlink:href="other.svg#x"/>`), "refers to"},
		{"a style sheet elsewhere", wrap(`<style>@import "//evil.example/x.css";</style>`), "@import"},
		{"a style sheet elsewhere, cut up", wrap(`<style>@imp<!-- -->ort "//evil.example/x.css";</style>`), "@import"},
		{"a style sheet elsewhere, behind a string",
			wrap(`<style>.a{content:"/*"} @import "x.css"; .b{content:"*/"}</style>`), "@import"},
		{"a style that loads", wrap(`<path style="fill:url( 'https://evil.example/x')"/>`), "may load"},
		{"a style that loads, disguised", wrap(`<style>.a{fill:\75rl(//evil.example)}</style>`), "may load"},
		{"an attribute that loads", wrap(`<path filter="url(//evil.example/x#y)"/>`), "may load"},
		{"a style sheet named above", `<?xml-stylesheet href="x.css"?>` + wrap(""), "processing instruction"},
		{"entities", `<!DOCTYPE svg [<!ENTITY x "y">]>` + wrap("&x;"), "entities"},
		{"another base", `<svg xmlns="http://www.w3.org/2000/svg" xml:base="//evil.example/"/>`, "refers to"},
		{"no drawing", "<html><script>evil()</script></html>", "not SVG"},
		{"no space of names", "<svg><script/></svg>", "not SVG"},
		{"nothing", "", "not SVG"},
		{"cut off", "<svg xmlns=\"http://www.w3.org/2000/svg\">", "well-formed"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := harmlessSVG([]byte(test.text))
			if test.want == "" && err != nil {
				t.Errorf("refused: %v", err)
			}
			if test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
}
