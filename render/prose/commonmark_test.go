package prose

import (
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"benchbook/notebook/article"
	"benchbook/notebook/markdown"
	"benchbook/notebook/source"
	"benchbook/slice"
	"benchbook/slowtest"
)

// Pages show the examples of CommonMark 0.31.2 as the specification does, but for those that the manual lists, which
// differ for the reasons that it gives, and in nothing else.
func TestCommonMark(t *testing.T) {
	slowtest.Skip(t)
	var examples []struct {
		Markdown, HTML, Section string
		Example                 int
	}
	if err := json.Unmarshal(read(t, filepath.Join(library(t), "_test", "spec.json")), &examples); err != nil {
		t.Fatal(err)
	}
	if len(examples) != 652 {
		t.Fatalf("the specification has %d examples, want 652", len(examples))
	}
	listed := listedInManual(t)
	for _, e := range examples {
		name := fmt.Sprintf("%s/%d", e.Section, e.Example)
		t.Run(name, func(t *testing.T) { holds(t, e.Markdown, e.HTML, listed[name]) })
		delete(listed, name)
	}
	for _, name := range slices.Sorted(maps.Keys(listed)) {
		t.Errorf("the manual lists %s, which the specification does not have", name)
	}
}

// The same of what GitHub adds: the examples of its specification, as the library's tests have them, with more of them.
func TestGitHubMarkdown(t *testing.T) {
	const between, after = "//- - - - - - - - -//\n", "//= = = = = = = = = = = = = = = = = = = = = = = =//"
	listed := map[string][]string{"linkify/7": {"another scheme"}} // ftp
	for _, of := range []struct {
		file  string
		cases int
	}{{"table", 14}, {"tasklist", 4}, {"strikethrough", 5}, {"linkify", 21}} {
		text := strings.ReplaceAll(string(read(t, filepath.Join(library(t), "extension", "_test", of.file+".txt"))), "\r", "")
		cases := strings.Split(text, after)
		if len(cases) != of.cases+1 {
			t.Errorf("there are %d cases of %s, want %d", len(cases)-1, of.file, of.cases)
		}
		for _, text := range cases[:len(cases)-1] {
			parts := strings.Split(text, between)
			if len(parts) != 3 {
				t.Fatalf("a case of %s has %d parts: %s", of.file, len(parts), text)
			}
			no, _, _ := strings.Cut(strings.TrimSpace(parts[0]), "\n")
			no, _, _ = strings.Cut(no, ":")
			name := of.file + "/" + no
			if strings.Contains(parts[0], "enableEscape") {
				parts[1] = strings.ReplaceAll(parts[1], `\t`, "\t")
			}
			t.Run(name, func(t *testing.T) { holds(t, parts[1], parts[2], listed[name]) })
		}
	}
}

// holds compares what a page shows of a text with what a specification shows. They are the same document but for what
// pages add, and differ just if there are reasons, for all of which together they are the same.
func holds(t *testing.T, text, standard string, because []string) {
	t.Helper()
	page := parsed(t, shown(t, t.TempDir(), text))
	withoutAdditions(t, page)
	want := parsed(t, standard)
	inOurStyle(want)
	same := canonical(page) == canonical(want)
	switch {
	case same && len(because) == 0:
		return
	case same:
		t.Errorf("listed because of %q, but the same:\n%s", because, text)
		return
	}
	for _, reason := range because {
		reasons[reason](page, want)
	}
	if got, want := canonical(page), canonical(want); len(because) == 0 || got != want {
		t.Errorf("of\n%s\nthe page shows\n%s\nand the specification\n%s\nwhich differ by more than %q", text, got, want,
			because)
	}
}

// library is the folder of the version of goldmark that is built in, which has the specification.
func library(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/yuin/goldmark").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// listedInManual are the examples that the manual says to differ, with the reasons.
func listedInManual(t *testing.T) map[string][]string {
	t.Helper()
	_, text, _ := strings.Cut(string(read(t, "../../docs/article.md")), "\n## Standard Markdown\n")
	text, _, _ = strings.Cut(text, "\n## ")
	listed := map[string][]string{}
	for _, row := range regexp.MustCompile(`(?m)^\| ([^|]+) \| ([\d ]+) \| ([^|]+) \|$`).FindAllStringSubmatch(text, -1) {
		if reasons[row[3]] == nil {
			t.Errorf("the manual has the reason %q, which no test knows", row[3])
		}
		for _, no := range strings.Fields(row[2]) {
			name := row[1] + "/" + no
			listed[name] = append(listed[name], row[3])
		}
	}
	if len(listed) == 0 {
		t.Fatal("the manual lists no examples")
	}
	return listed
}

// reasons are why pages differ from the specification, in the words of the manual, and what each changes.
var reasons = map[string]func(page, want *html.Node){
	"raw HTML": func(page, want *html.Node) {
		change(page, func(n *html.Node) {
			for i := range n.Attr {
				n.Attr[i].Val, _ = url.PathUnescape(n.Attr[i].Val)
			}
		})
		known := append(strings.Fields("h1 h2 h3 h4 h5 h6 a img code pre"), rawElements...)
		change(want, func(n *html.Node) {
			address := attribute(n, "href")
			switch {
			case n.Type == html.CommentNode, slices.Contains([]string{"script", "style", "iframe"}, n.Data):
				n.Parent.RemoveChild(n)
			case n.Type != html.ElementNode:
			case !slices.Contains(known, n.Data), n.Data == "a" && (address == "" || strings.Contains(address, "\n")):
				unwrap(n)
			default:
				n.Attr = slice.Filter(n.Attr, func(a html.Attribute) bool {
					return a.Key == "href" || a.Key == "src" || a.Key == "alt" || n.Data == "a" && a.Key == "title"
				})
			}
		})
	},
	"picture elsewhere": func(_, want *html.Node) {
		change(want, func(n *html.Node) {
			if n.Data == "img" {
				n.Parent.InsertBefore(&html.Node{Type: html.TextNode, Data: attribute(n, "alt")}, n)
				n.Parent.RemoveChild(n)
			}
		})
	},
	"another scheme": func(_, want *html.Node) {
		change(want, func(n *html.Node) {
			scheme, _, found := strings.Cut(attribute(n, "href"), ":")
			if n.Data == "a" && found && !slices.Contains(markdown.Schemes, strings.ToLower(scheme)) {
				unwrap(n)
			}
		})
	},
	"bare address": func(page, want *html.Node) {
		for _, of := range []*html.Node{page, want} {
			change(of, func(n *html.Node) {
				address := attribute(n, "href")
				if n.Data == "a" && n.FirstChild != nil && n.FirstChild.Data == strings.TrimPrefix(address, "mailto:") {
					unwrap(n)
				}
			})
		}
	},
}

// Pictures beside the article have their words and their title, and addresses pasted from HTML lead where they did.
func TestPicturesAndLinks(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a b.png"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		`![a *b*](<a b.png> "T &amp; \"t\"")`: `<img src="media/a%20b.png" alt="a b" title="T &amp; &#34;t&#34;" loading="lazy">`,
		`![](a&#32;b.png)`:                    `<img src="media/a%20b.png" alt="" loading="lazy">`,
		`![a](https://a.test/?b&amp;c "t")`:   `<a href="https://a.test/?b&amp;c" title="t">a</a>`,
		`[a](https://a.test/?b&amp;c=\*d)`:    `<a href="https://a.test/?b&amp;c=*d">a</a>`,
		"https://a.test/?b&c":                 `<a href="https://a.test/?b&amp;c">https://a.test/?b&amp;c</a>`,
	} {
		if got := shown(t, dir, text); got != "<p>"+want+"</p>\n" {
			t.Errorf("%s is shown as\n%s, want\n%s", text, got, want)
		}
	}
}

// shown is what the page of an article shows of a text. Links within the site are taken to lead somewhere.
func shown(t *testing.T, dir, text string) string {
	t.Helper()
	doc := article.Parse(dir, source.New("article.md", []byte("---\ntitle: An example\n---\n"+text)))
	for _, p := range doc.Problems.All() {
		t.Errorf("%s: %s", p.Rule, p.Message)
	}
	w := NewRenderer().Writer(doc, standardPage{}, struct{ Article }{}, Options{})
	w.Survey()
	w.Destination = func(written string) (template.URL, bool) {
		if address, err := markdown.Elsewhere(written); address != "" || err != nil {
			href, ok := w.follow(written)
			return href, ok == nil
		}
		href, err := markdown.Elsewhere("https:" + written)
		return template.URL(strings.TrimPrefix(href, "https:")), err == nil
	}
	page := w.Prose()
	if w.Err() != nil {
		t.Error(w.Err())
	}
	return string(page)
}

// standardPage shows listings as the specification does: their language is a class.
type standardPage struct{}

func (standardPage) Fill(_ string, data any) template.HTML {
	class, v := "", data.(listingView)
	if language, _, found := strings.Cut(v.Lines, ", "); found {
		class = ` class="language-` + template.HTMLEscapeString(language) + `"`
	}
	return "<pre><code" + template.HTML(class) + ">" + v.Code + "\n</code></pre>\n"
}

func (standardPage) Warnf(string, ...any) {}

func parsed(t *testing.T, text string) *html.Node {
	t.Helper()
	within := &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div}
	nodes, err := html.ParseFragment(strings.NewReader(text), within)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range nodes {
		within.AppendChild(n)
	}
	return within
}

// withoutAdditions takes away what pages add: addresses of headings, colours of code, and what tables and tasks have
// for the style sheet and for screen readers.
func withoutAdditions(t *testing.T, page *html.Node) {
	t.Helper()
	change(page, func(n *html.Node) {
		class := attribute(n, "class")
		switch {
		case heading.MatchString(n.Data):
			if attribute(n, "id") == "" {
				t.Errorf("a heading has no id")
			}
			n.Attr = nil
		case n.Data == "code" && class == "hyphenated":
			n.Attr = nil
		case n.Data == "span" && strings.Contains("cksy", class) && len(class) == 1 && n.Parent.Data == "code":
			unwrap(n)
		case n.Data == "div" && class == "scroll" && n.FirstChild.Data == "table":
			unwrap(n)
		case (n.Data == "td" || n.Data == "th") && class != "":
			n.Attr = []html.Attribute{{Key: "align", Val: map[string]string{"n": "right", "centre": "center"}[class]}}
		case n.Data == "input":
			checked := slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == "checked" })
			if want := map[bool]string{true: "Done", false: "To do"}[checked]; attribute(n, "aria-label") != want {
				t.Errorf("a box for a task is called %q, want %q", attribute(n, "aria-label"), want)
			}
			n.Attr = slice.Filter(n.Attr, func(a html.Attribute) bool { return a.Key != "aria-label" })
		}
	})
}

var heading = regexp.MustCompile("^h[1-6]$")

// inOurStyle is what holds for all of our pages: the title alone is an h1, and cells stand to the left.
func inOurStyle(want *html.Node) {
	shift := 0
	change(want, func(n *html.Node) {
		if n.Data == "h1" {
			shift = 1
		}
	})
	change(want, func(n *html.Node) {
		switch {
		case heading.MatchString(n.Data):
			n.Data = "h" + strconv.Itoa(min(6, max(2, int(n.Data[1]-'0')+shift)))
			n.DataAtom = atom.Lookup([]byte(n.Data))
		case attribute(n, "align") == "left":
			n.Attr = nil
		}
	})
}

// change calls a function for every node below one; children first, so that it may remove or unwrap the node.
func change(n *html.Node, do func(n *html.Node)) {
	for c := n.FirstChild; c != nil; {
		next := c.NextSibling
		change(c, do)
		do(c)
		c = next
	}
}

// unwrap puts what a node has in its place.
func unwrap(n *html.Node) {
	for c := n.FirstChild; c != nil; c = n.FirstChild {
		n.RemoveChild(c)
		n.Parent.InsertBefore(c, n)
	}
	n.Parent.RemoveChild(n)
}

func attribute(n *html.Node, key string) string {
	a, _ := slice.Find(n.Attr, func(a html.Attribute) bool { return a.Key == key })
	return a.Val
}

// blocks are the elements beside which space means nothing.
var blocks = strings.Fields("blockquote dd div dl dt h1 h2 h3 h4 h5 h6 hr iframe li ol p pre script style table " +
	"tbody td th thead tr ul article aside del section")

var spaces = regexp.MustCompile(`[ \t\r\n\f]+`)

// canonical writes a document so that two are the same text just if they say the same.
func canonical(root *html.Node) string {
	var b strings.Builder
	write(&b, root, false)
	return b.String()
}

func write(b *strings.Builder, n *html.Node, verbatim bool) {
	trim := func() {
		if text := strings.TrimSuffix(b.String(), " "); !verbatim && len(text) < b.Len() {
			b.Reset()
			b.WriteString(text)
		}
	}
	switch n.Type {
	case html.TextNode:
		text := html.EscapeString(n.Data)
		if !verbatim {
			text = spaces.ReplaceAllString(text, " ")
			if before := b.String(); strings.HasSuffix(before, "\n") || strings.HasSuffix(before, " ") {
				text = strings.TrimPrefix(text, " ")
			}
		} else if n.Parent.Data == "code" && n.NextSibling == nil {
			text = strings.TrimSuffix(text, "\n") // which browsers do not show
		}
		b.WriteString(text)
		return
	case html.ElementNode:
	default:
		fmt.Fprintf(b, "<!%s>", n.Data)
		return
	}
	isBlock, end := slices.Contains(blocks, n.Data), ""
	if isBlock || n.Data == "br" { // browsers show no space before either
		trim()
	}
	if isBlock {
		end = "\n"
	}
	b.WriteString("<" + n.Data)
	slices.SortFunc(n.Attr, func(a, b html.Attribute) int { return strings.Compare(a.Key, b.Key) })
	for _, a := range n.Attr {
		fmt.Fprintf(b, " %s=%q", a.Key, a.Val)
	}
	b.WriteString(">" + end)
	if n.Data == "br" {
		b.WriteString("\n")
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		write(b, c, verbatim || n.Data == "pre" || n.Data == "textarea")
	}
	if isBlock && n.Data != "pre" {
		trim()
	}
	b.WriteString("</" + n.Data + ">" + end)
}
