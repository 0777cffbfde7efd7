package site_test

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"benchbook/render"

	"benchbook/site"
)

const base = "https://example.org/bench/"

// filesOf are the files of a site of the sample articles and a draft.
func filesOf(t *testing.T, o site.Options) map[string]string {
	t.Helper()
	draft := &render.Page{Slug: "idea", Title: "An idea nobody shall find", Draft: true, Date: "2026-11-01",
		Tags: []string{"secret"}, Standing: render.StandingBadges()[7]}
	pages := samplePages(t)
	if o.SingleFile {
		pages = newSamplePages(t)
	}
	built, err := site.Files(append(pages, draft), o)
	if err != nil {
		t.Fatal(err)
	}
	return texts(built)
}

func texts(files map[string]site.File) map[string]string {
	out := map[string]string{}
	for name, data := range files {
		out[name] = string(data.Data)
	}
	return out
}

// The feed is one by the rules of RFC 4287, whether or not it is known where the site will be.
func TestFeed(t *testing.T) {
	for _, address := range []string{"", base} {
		t.Run("at "+address, func(t *testing.T) {
			checkFeed(t, filesOf(t, site.Options{BaseURL: address, Drafts: true})["feed.xml"], address)
			checkFeed(t, emptyFeed(t, address), address)
		})
	}
}

func emptyFeed(t *testing.T, address string) string {
	t.Helper()
	built, err := site.Files(nil, site.Options{BaseURL: address})
	if err != nil {
		t.Fatal(err)
	}
	return string(built["feed.xml"].Data)
}

// element is one of a feed.
type element struct {
	XMLName  xml.Name
	Attr     []xml.Attr `xml:",any,attr"`
	Text     string     `xml:",chardata"`
	Children []element  `xml:",any"`
}

func (e element) all(name string) (out []element) {
	for _, c := range e.Children {
		if c.XMLName.Local == name {
			out = append(out, c)
		}
	}
	return out
}

func (e element) attribute(name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func checkFeed(t *testing.T, text, address string) {
	t.Helper()
	var feed element
	if err := xml.Unmarshal([]byte(text), &feed); err != nil {
		t.Fatal(err)
	}
	if feed.XMLName != (xml.Name{Space: "http://www.w3.org/2005/Atom", Local: "feed"}) {
		t.Errorf("the root is %v", feed.XMLName)
	}
	one := func(e element, name string) element { // 4.1.1, 4.1.2: exactly one
		if list := e.all(name); len(list) == 1 && strings.TrimSpace(list[0].Text) != "" {
			return list[0]
		} else if name != "author" || len(list) != 1 {
			t.Errorf("%s has %d of %s", e.XMLName.Local, len(list), name)
		}
		return element{}
	}
	// 4.1.1
	if author := feed.all("author"); len(author) != 1 || len(author[0].all("name")) != 1 ||
		author[0].all("name")[0].Text == "" {
		t.Errorf("the feed has no author with a name: %v", author)
	}
	ids := map[string]bool{}
	date := func(e element) time.Time { // 3.3
		at, err := time.Parse(time.RFC3339, e.Text)
		if err != nil {
			t.Errorf("%s: %v", e.XMLName.Local, err)
		}
		return at
	}
	newest := date(one(feed, "updated"))
	for _, e := range append(feed.all("entry"), feed) {
		id := one(e, "id").Text
		if u, err := url.Parse(id); err != nil || u.Scheme == "" || ids[id] { // 4.2.6: an absolute IRI, unique
			t.Errorf("the id %q is none, or there twice: %v", id, err)
		}
		ids[id] = true
		one(e, "title")
		if at := date(one(e, "updated")); at.After(newest) {
			t.Errorf("an entry of %v is newer than its feed, of %v", at, newest)
		}
		rels := map[string]bool{}
		for _, l := range e.all("link") {
			key := l.attribute("rel") + " " + l.attribute("type") + " " + l.attribute("hreflang")
			if rels[key] { // 4.1.1, 4.1.2: no two alternates of one type and language
				t.Errorf("two links %s", key)
			}
			rels[key] = true
			if href := l.attribute("href"); href == "" || address != "" && !strings.HasPrefix(href, address) {
				t.Errorf("a link to %q, of a site at %q", href, address)
			}
		}
		if !rels["alternate text/html "] { // 4.1.2: an entry without content has one
			t.Errorf("%s %s has no alternate link", e.XMLName.Local, id)
		}
		for _, s := range e.all("summary") {
			if s.attribute("type") != "text" || strings.TrimSpace(s.Text) == "" {
				t.Errorf("the summary %q is of type %q", s.Text, s.attribute("type"))
			}
		}
	}
	// 4.1.1: should
	if !slices.ContainsFunc(feed.all("link"), func(l element) bool { return l.attribute("rel") == "self" }) {
		t.Error("the feed does not say where it is")
	}
	if strings.Contains(text, "idea") {
		t.Error("a draft is in the feed")
	}
}

// Where the site will be stands in its map and in each page, and drafts stand in no map.
func TestBaseURL(t *testing.T) {
	files := filesOf(t, site.Options{BaseURL: strings.TrimSuffix(base, "/"), Drafts: true})
	var m struct {
		XMLName xml.Name `xml:"http://www.sitemaps.org/schemas/sitemap/0.9 urlset"`
		URLs    []struct {
			Location string `xml:"loc"`
			Changed  string `xml:"lastmod"`
		} `xml:"url"`
	}
	if err := xml.Unmarshal([]byte(files["sitemap.xml"]), &m); err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, u := range m.URLs {
		listed[u.Location] = true
		if _, err := time.Parse(time.DateOnly, u.Changed); u.Changed != "" && err != nil {
			t.Errorf("%s changed on %q", u.Location, u.Changed)
		}
	}
	for name, text := range files {
		if path.Ext(name) != ".html" {
			continue
		}
		if name == "404.html" { // which stands for any address
			if strings.Contains(text, "canonical") || !strings.Contains(text, `content="noindex"`) ||
				!strings.Contains(text, `href="`+base+"style.") {
				t.Errorf("%s is %s", name, text)
			}
			continue
		}
		want := base + strings.TrimSuffix(name, "index.html")
		if !strings.Contains(text, `<link rel="canonical" href="`+want+`">`) {
			t.Errorf("%s does not say that it is %s", name, want)
		}
		isDraft := strings.HasPrefix(name, "idea/") || strings.HasPrefix(name, "tags/secret/")
		if listed[want] == isDraft {
			t.Errorf("%s: in the map is %v", name, listed[want])
		}
		if strings.Contains(text, `content="noindex"`) != isDraft {
			t.Errorf("%s: a draft is %v", name, isDraft)
		}
	}
	pictures := 0
	for name := range files {
		if folder, ok := strings.CutSuffix(name, render.CardFile); ok {
			pictures++
			if want := `property="og:image" content="` + base + name + `"`; !strings.Contains(files[folder+"index.html"], want) {
				t.Errorf("%s has no %s", folder, want)
			}
		}
	}
	if pictures == 0 {
		t.Error("no page has a picture for links")
	}
	for name, text := range filesOf(t, site.Options{}) {
		if strings.Contains(text, "canonical") && path.Ext(name) == ".html" || name == "sitemap.xml" {
			t.Errorf("%s tells where the site will be, which nobody said", name)
		}
	}
}

func TestCheckBaseURL(t *testing.T) {
	for address, ok := range map[string]bool{base: true, "http://localhost:8080": true, "": false, "example.org": false,
		"/bench":             false,
		"ftp://example.org/": false, "https://example.org/?a": false, "https://example.org/#a": false, "https://": false} {
		if err := site.CheckBaseURL(address); (err == nil) != ok {
			t.Errorf("%q: %v", address, err)
		}
	}
}

// What search finds is there, and leads to where it says; drafts are not found.
func TestSearchFile(t *testing.T) {
	files := filesOf(t, site.Options{Drafts: true})
	pages, brief := searchIndexOf(t, files)
	if len(pages) != 3 || brief != 0 {
		t.Errorf("found are %d pages, %d by headings alone, want those of the 3 articles that are no drafts",
			len(pages), brief)
	}
	sections, words := 0, 0
	for _, p := range pages {
		if p.T == "" || p.S[0][0] != "" || p.S[0][1] != p.T {
			t.Errorf("%s begins with %q", p.U, p.S[0])
		}
		for _, s := range p.S {
			if s[0] != "" && !strings.Contains(files[p.U], `id="`+html.EscapeString(s[0])+`"`) || s[1] == "" {
				t.Errorf("%s has no section %q", p.U, s)
			}
			sections, words = sections+1, words+len(strings.Fields(s[2]))
			if strings.Contains(s[0]+s[1]+s[2], "idea") {
				t.Errorf("a draft is found: %q", s)
			}
		}
	}
	if sections < 12 || words < 300 {
		t.Errorf("there are %d words in %d sections", words, sections)
	}
}

// foundPage is a page that search finds: title, address, and of each section the id, the heading and the text.
type foundPage struct {
	T, U string
	S    [][3]string
}

func searchIndexOf(t *testing.T, files map[string]string) (pages []foundPage, brief int) {
	t.Helper()
	name := regexp.MustCompile(`data-pages="([^"]*)"`).FindStringSubmatch(files["index.html"])[1]
	text, ok := strings.CutPrefix(strings.TrimSuffix(files[name], ";\n"), "window.benchbookSearch = ")
	if !ok {
		t.Fatalf("%s is %.80s", name, files[name])
	}
	var index struct {
		Pages []foundPage
		Brief int
	}
	if err := json.Unmarshal([]byte(text), &index); err != nil {
		t.Fatal(err)
	}
	return index.Pages, index.Brief
}

// Of a thousand articles all are found by their titles, findings and headings, and those that are newest by all of
// their words; there is less to load than readers wait for.
func TestSearchOfAThousandArticles(t *testing.T) {
	sample := samplePages(t)[0]
	var pages []*render.Page
	for i := range 1000 {
		p := &render.Page{Slug: fmt.Sprintf("article-%03d", i), Title: fmt.Sprintf("Article %d", i),
			Finding: fmt.Sprintf("It is %d.", i)}
		for k := range 10 {
			p.Sections = append(p.Sections, render.Section{ID: fmt.Sprintf("part-%d", k),
				Title: fmt.Sprintf("Part %d of it", k), Text: sample.Sections[k%len(sample.Sections)].Text})
		}
		p.Sections[0].ID, p.Sections[0].Title = "", p.Title
		pages = append(pages, p)
	}
	files, err := site.Files(pages, site.Options{})
	if err != nil {
		t.Fatal(err)
	}
	found, brief := searchIndexOf(t, texts(files))
	whole := 0
	for i, p := range found {
		switch {
		case i < len(found)-brief && p.S[1][2] == "", i >= len(found)-brief && p.S[1][2] != "":
			t.Fatalf("%s, page %d, has %d bytes of text, and %d have none", p.U, i, len(p.S[1][2]), brief)
		case i >= len(found)-brief && !strings.HasPrefix(p.S[0][2], "It is "):
			t.Fatalf("%s is not found by its finding: %q", p.U, p.S[0])
		case i < len(found)-brief:
			whole++
		}
	}
	if len(found) != 1000 || whole == 0 || brief == 0 {
		t.Errorf("of %d articles %d are found by all of their words, and %d by less", len(found), whole, brief)
	}
}

// Names of assets change with their contents, and pages name those that are there.
func TestAssetsHaveDigests(t *testing.T) {
	plain := filesOf(t, site.Options{})
	var style string
	for name := range plain {
		if m, _ := path.Match("style.*.css", name); m {
			style = name
		}
	}
	for _, name := range regexp.MustCompile(`url\(([^)]*)\)`).FindAllStringSubmatch(plain[style], -1) {
		if _, ok := plain[name[1]]; !ok || !regexp.MustCompile(`\.[0-9a-f]{10}\.woff2$`).MatchString(name[1]) {
			t.Errorf("the style sheet loads %s", name[1])
		}
	}
	if !strings.Contains(plain["sockets/index.html"], `href="../`+style+`"`) || plain["style.css"] != "" {
		t.Errorf("pages do not load %s", style)
	}
}

// A single file holds all it needs: nothing in it is loaded from anywhere, and its links to data have the data.
func TestSingleFile(t *testing.T) {
	files := filesOf(t, site.Options{SingleFile: true})
	if len(files) != 3 {
		t.Errorf("there are %d files, want one for each article", len(files))
	}
	text := files["sockets.html"]
	tree, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	downloads := 0
	walk(tree, func(n *html.Node) {
		if n.Data == "link" && attribute(n, "rel") == "stylesheet" || n.Data == "script" && attribute(n, "src") != "" {
			t.Errorf("it loads %v", n.Attr)
		}
		href := attribute(n, "href")
		switch {
		case n.Data != "a" || href == "" || strings.HasPrefix(href, "#") || strings.HasPrefix(href, "https:") ||
			strings.HasPrefix(href, "mailto:"):
		case strings.HasPrefix(href, "data:"):
			if downloads++; attribute(n, "download") == "" {
				t.Errorf("the data %.40s has no name", href)
			}
		default:
			if _, ok := files[href]; !ok {
				t.Errorf("it links to %s", href)
			}
		}
	})
	if downloads < 3 {
		t.Errorf("it has %d files of data", downloads)
	}
	if strings.Contains(text, "url(fonts/") || strings.Count(text, "url(data:font/woff2") != 5 {
		t.Error("its fonts are not in it")
	}
	if !strings.Contains(text, "<svg") || !strings.Contains(text, `viewBox="`) {
		t.Error("its figures are not in it")
	}
}

func TestTags(t *testing.T) {
	pages := []*render.Page{
		{Slug: "a", Title: "A", Tags: []string{"C++", "Zähler", "c--"}, Standing: render.StandingBadges()[0]},
		{Slug: "b", Title: "B", Tags: []string{"C++", "../x", "C++"}, Standing: render.StandingBadges()[0]},
	}
	built, err := site.Files(pages, site.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for folder, articles := range map[string]int{"tags/c": 2, "tags/c-2": 1, "tags/zähler": 1, "tags/x": 1} {
		if got := strings.Count(string(built[folder+"/index.html"].Data), `class="acard`); got != articles {
			t.Errorf("%s has %d articles, want %d", folder, got, articles)
		}
	}
	if !strings.Contains(string(built["index.html"].Data), `href="tags/z%C3%A4hler/index.html"`) {
		t.Error("the index does not lead to a tag")
	}
}
