package rendertest

import (
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"benchbook/internal/test/must"
	"benchbook/notebook/source"
)

// Names that are allowed in the main part of a page: elements of the theme, Markdown and harmless raw HTML, those of
// our drawings (drawn) and of XML files (syndicated), and attributes. addresses are attributes with addresses.
var (
	elements = strings.Fields(`a abbr article aside b blockquote br button cite code data dd del details dfn div dl dt em figcaption figure
		h1 h2 h3 h4 h5 h6 header hr i img input ins kbd li main mark nav ol p pre q s samp section small span strong sub summary sup table
		tbody td tfoot th thead time tr u ul var wbr`)
	syndicated = strings.Fields("feed title id link updated author name entry published summary urlset url loc lastmod")
	drawn      = strings.Fields(`svg g path circle rect line text tspan title desc style use symbol`)
	addresses  = []string{"href", "src", "srcset", "action", "formaction", "poster", "data", "cite", "background", "ping"}
	attributes = strings.Fields(`alt cite x1 x2 y1 y2 class colspan datetime dir download for hidden href id lang loading open placeholder role rowspan scope src tabindex
		title type value viewbox d cx cy r rx x y width height points display fill stroke stroke-width stroke-linejoin stroke-dasharray xmlns
		preserveaspectratio rev disabled checked headers`)
	// Names that are also allowed in whole pages and indexes.
	framing           = strings.Fields(`html head body meta link script style title footer label fieldset legend`)
	framingAttributes = strings.Fields(`charset content http-equiv name property rel defer autocomplete spellcheck`)
)

// escaped matches an active character in a script that is written by its number.
var escaped = regexp.MustCompile(`[^\\]\\u(00[01][0-9a-f]|202[a-e]|206[6-9])`)

// elsewhere matches an address outside the site that a page may link to.
var elsewhere = regexp.MustCompile(`^(?i:https?|mailto):`)

// nothingActs fails if a character acts on a terminal or changes the direction of text.
func nothingActs(t testing.TB, what, text string) {
	t.Helper()
	if shown := source.Plain(text); shown != text {
		at := 0
		for shown[at] == text[at] {
			at++
		}
		t.Errorf("%s has a character that acts: %q", what, text[max(0, at-40):min(len(text), at+40)])
	}
}

// Harmless fails if the main part of a page has anything that could run, load or imitate our own parts.
func Harmless(t testing.TB, page string) {
	t.Helper()
	harmless(t, page, elements, attributes)
}

func harmless(t testing.TB, page string, elements, attributes []string) {
	t.Helper()
	nodes := must.Get(html.ParseFragment(strings.NewReader(page), &html.Node{Type: html.ElementNode, Data: "body",
		DataAtom: atom.Body}))
	nothingActs(t, "the page", page)
	var look func(n *html.Node)
	look = func(n *html.Node) {
		allowed := elements
		if n.Namespace == "svg" {
			allowed = drawn
		}
		nothingActs(t, "the text of the page", n.Data) // with decoded character references
		if n.Type == html.CommentNode {
			t.Errorf("there is a comment %q", n.Data)
		}
		if n.Type == html.ElementNode && !slices.Contains(allowed, n.Data) {
			t.Errorf("there is a <%s> of %q", n.Data, n.Namespace)
		}
		if n.Parent != nil && (n.Parent.Data == "script" || n.Parent.Data == "style") &&
			strings.Contains(n.Data, "evil") {
			t.Errorf("there is a %s %q", n.Parent.Data, n.Data)
		}
		for _, a := range n.Attr {
			harmlessAttribute(t, n, a, attributes)
		}
		for child := n.FirstChild; child != nil; child = child.NextSibling {
			look(child)
		}
	}
	for _, n := range nodes {
		look(n)
	}
}

func harmlessAttribute(t testing.TB, n *html.Node, a html.Attribute, attributes []string) {
	t.Helper()
	key := strings.ToLower(a.Key)
	nothingActs(t, "<"+n.Data+"> "+key, a.Val)
	switch {
	case strings.HasPrefix(key, "aria-"), strings.HasPrefix(key, "data-"), slices.Contains(attributes, key):
	default:
		t.Errorf("<%s> has %s=%q", n.Data, a.Key, a.Val)
	}
	if key == "class" && strings.Contains(a.Val, "evil") {
		t.Errorf("<%s> has %s=%q", n.Data, a.Key, a.Val)
	}
	if key == "id" && (a.Val == "evil" || strings.ContainsAny(a.Val, " \t\n")) {
		t.Errorf("<%s> has the id %q", n.Data, a.Val)
	}
	if n.Data == "use" && key == "href" && !strings.HasPrefix(a.Val, "#g:") {
		t.Errorf("<use> has href=%q, and no glyph of ours", a.Val)
	}
	if !slices.Contains(addresses, key) {
		return
	}
	if (n.Data == "a" || n.Data == "link") && elsewhere.MatchString(a.Val) {
		return // only a reader can follow it; it need not be valid
	}
	u, err := url.Parse(a.Val)
	switch {
	case err != nil:
		t.Errorf("<%s> has %s=%q: %v", n.Data, a.Key, a.Val, err)
	case u.Scheme != "" || u.Host != "" || strings.HasPrefix(u.Path, "/"):
		t.Errorf("<%s> has %s=%q", n.Data, a.Key, a.Val)
	}
}

// HarmlessFile is like Harmless for a file of a site: a whole page, or a file of another type.
func HarmlessFile(t testing.TB, name string, data []byte) {
	t.Helper()
	if slices.Contains([]string{".html", ".xml", ".js", ".svg", ".json", ".csv"}, path.Ext(name)) {
		nothingActs(t, name, string(data))
	}
	switch path.Ext(name) {
	case ".html":
		_, page, _ := strings.Cut(string(data), "<html") // without the document type, which a fragment can't have
		harmless(t, "<html"+page, slices.Concat(elements, framing), slices.Concat(attributes, framingAttributes))
	case ".xml":
		harmlessXML(t, name, string(data), syndicated)
	case ".js":
		if escaped.Match(data) { // the search shows its index as it is
			t.Errorf("%s has a character that acts, by its number", name)
		}
		if strings.Contains(string(data), "evil") && strings.ContainsAny(string(data), "<>\u2028\u2029") {
			t.Errorf("%s has hostile words, and signs that could end it", name)
		}
	case ".svg":
		harmlessXML(t, name, string(data), append(slices.Clip(drawn), "metadata"))
	case ".json":
		if !json.Valid(data) {
			t.Errorf("%s is no JSON", name)
		}
	case ".csv":
		rows, err := csv.NewReader(strings.NewReader(string(data))).ReadAll()
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, cell := range slices.Concat(rows...) {
			_, notNumber := strconv.ParseFloat(cell, 64)
			if begin := strings.TrimSpace(cell); notNumber != nil && begin != "" && strings.ContainsAny(begin[:1], "=+-@") {
				t.Errorf("%s: the cell %.60q begins a formula", name, cell)
			}
		}
	}
}

// harmlessXML fails if an XML file has other elements or attributes than allowed.
func harmlessXML(t testing.TB, name, data string, elements []string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(data))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		e, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		if !slices.Contains(elements, e.Name.Local) {
			t.Errorf("%s has an element %q", name, e.Name.Local)
		}
		for _, a := range e.Attr {
			key := strings.ToLower(a.Name.Local)
			isAddress := slices.Contains(addresses, key) && e.Name.Local != "link" // of a feed
			if !strings.HasPrefix(key, "aria-") && !slices.Contains(attributes, key) && key != "rel" || isAddress {
				t.Errorf("%s has %s=%q", name, a.Name.Local, a.Value)
			}
		}
	}
}
