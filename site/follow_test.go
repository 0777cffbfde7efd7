package site_test

import (
	"encoding/json"
	"encoding/xml"
	"net/url"
	"path"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/render"

	"benchbook/site"
)

const base = "https://example.org/bench/"

// filesOf are the files of a site of the sample articles.
func filesOf(t *testing.T, o site.Options) map[string]string {
	t.Helper()
	return texts(must.Get(site.Files(samplePages(t), o)))
}

func texts(files map[string]site.File) map[string]string {
	out := map[string]string{}
	for name, data := range files {
		out[name] = string(data.Data)
	}
	return out
}

// The feed follows RFC 4287, whether or not the address of the site is known, and without articles.
func TestFeed(t *testing.T) {
	for _, address := range []string{"", base} {
		for _, pages := range [][]*render.Page{nil, samplePages(t)} {
			checkFeed(t, texts(must.Get(site.Files(pages, site.Options{BaseURL: address})))["feed.xml"], address)
		}
	}
}

func checkFeed(t *testing.T, text, address string) {
	t.Helper()
	type item struct {
		ID      string    `xml:"id"`
		Title   string    `xml:"title"`
		Updated time.Time `xml:"updated"`
		Links   []struct {
			Rel  string `xml:"rel,attr"`
			Href string `xml:"href,attr"`
		} `xml:"link"`
	}
	var feed struct {
		XMLName xml.Name `xml:"http://www.w3.org/2005/Atom feed"`
		item
		Author  string `xml:"author>name"`
		Entries []item `xml:"entry"`
	}
	must.Do(xml.Unmarshal([]byte(text), &feed))
	if feed.Author == "" || feed.Links[0].Rel != "self" {
		t.Errorf("the feed of %q has the links %v", feed.Author, feed.Links)
	}
	ids := map[string]bool{}
	for _, e := range append(feed.Entries, feed.item) {
		if u, err := url.Parse(e.ID); err != nil || u.Scheme == "" || ids[e.ID] { // 4.2.6
			t.Errorf("the id %q is not an address, or occurs twice: %v", e.ID, err)
		}
		ids[e.ID] = true
		if e.Title == "" || e.Updated.IsZero() || e.Updated.After(feed.Updated) {
			t.Errorf("%q was updated at %v, and the feed at %v", e.Title, e.Updated, feed.Updated)
		}
		rels := map[string]bool{}
		for _, l := range e.Links {
			if rels[l.Rel] || l.Href == "" || address != "" && !strings.HasPrefix(l.Href, address) {
				t.Errorf("the link %v, of a site at %q", l, address)
			}
			rels[l.Rel] = true
		}
		if !rels["alternate"] { // 4.1.2
			t.Errorf("%q has no page", e.Title)
		}
	}
}

// With a known site address, each page has its canonical address and a picture for links to it.
func TestBaseURL(t *testing.T) {
	files := filesOf(t, site.Options{BaseURL: strings.TrimSuffix(base, "/")})
	for name, text := range files {
		folder, isCard := strings.CutSuffix(name, render.CardFile)
		switch {
		case isCard:
			assert.Contains(t, files[folder+"index.html"], `property="og:image" content="`+base+name+`"`)
		case name == "404.html": // which has any address
			assert.Contains(t, text, `href="`+base+"style.", `content="noindex"`)
			assert.Lacks(t, text, "canonical")
		case path.Ext(name) == ".html":
			assert.Contains(t, text, `<link rel="canonical" href="`+base+strings.TrimSuffix(name, "index.html")+`">`)
			assert.Lacks(t, text, `content="noindex"`)
		}
	}
	_, ok := files["sockets/"+render.CardFile]
	assert.Equal(t, ok, true, "a page has a picture for links")
	for name, text := range filesOf(t, site.Options{}) {
		if strings.Contains(text, "canonical") && path.Ext(name) == ".html" {
			t.Errorf("%s says where the site will be, which nobody said", name)
		}
	}
}

func TestCheckBaseURL(t *testing.T) {
	for address, ok := range map[string]bool{base: true, "http://localhost:8080": true, "": false, "example.org": false,
		"/bench":             false,
		"ftp://example.org/": false, "https://example.org/?a": false, "https://example.org/#a": false, "https://": false} {
		assert.Equal(t, site.CheckBaseURL(address) == nil, ok, "%q is a base", address)
	}
}

// The search index has the title and address of each page, and the id, heading and text of each section, and its links
// work.
func TestSearchFile(t *testing.T) {
	files := filesOf(t, site.Options{})
	name := regexp.MustCompile(`data-pages="([^"]*)"`).FindStringSubmatch(files["index.html"])[1]
	var index struct {
		Pages []struct {
			T, U string
			S    [][3]string
		}
	}
	text := strings.TrimPrefix(strings.TrimSuffix(files[name], ";\n"), "window.benchbookSearch = ")
	must.Do(json.Unmarshal([]byte(text), &index))
	assert.Equal(t, len(index.Pages), 3, "pages are found")
	sections, words := 0, 0
	for _, p := range index.Pages {
		if p.T == "" || p.S[0][0] != "" || p.S[0][1] != p.T {
			t.Errorf("%s begins with %q", p.U, p.S[0])
		}
		for _, s := range p.S {
			if s[0] != "" && !strings.Contains(files[p.U], `id=`+html.EscapeString(s[0])+`>`) || s[1] == "" {
				t.Errorf("%s has no section %q", p.U, s)
			}
			sections, words = sections+1, words+len(strings.Fields(s[2]))
		}
	}
	if sections < 12 || words < 300 {
		t.Errorf("there are %d words in %d sections", words, sections)
	}
}

// Names of assets change with their contents, and pages name those that are there.
func TestAssetsHaveDigests(t *testing.T) {
	files := filesOf(t, site.Options{})
	style := regexp.MustCompile(`href="\.\./(style\.[0-9a-f]{10}\.css)"`).FindStringSubmatch(files["sockets/index.html"])[1]
	for _, name := range regexp.MustCompile(`url\(([^)]*)\)`).FindAllStringSubmatch(files[style], -1) {
		if files[name[1]] == "" || !regexp.MustCompile(`\.[0-9a-f]{10}\.woff2$`).MatchString(name[1]) {
			t.Errorf("the style sheet loads %s", name[1])
		}
	}
}

// A single file is self-contained: it loads nothing, and its links to data hold the data.
func TestSingleFile(t *testing.T) {
	pages := samplePages(t)
	for _, p := range pages { // as prose with raw HTML writes it
		p.HTML += `<img src="media/x.png" alt="x"/>`
		p.Files = append(p.Files, render.File{Path: "media/x.png", Data: []byte("x")})
	}
	files := texts(must.Get(site.Files(pages, site.Options{SingleFile: true})))
	assert.Equal(t, len(files), 3, "files")
	assert.Contains(t, files["sockets.html"], `<img src="data:image/png;base64,eA==" alt="x"/>`)
	text, downloads := files["sockets.html"], 0
	walk(must.Get(html.Parse(strings.NewReader(text))), func(n *html.Node) {
		if n.Data == "link" && attribute(n, "rel") == "stylesheet" || n.Data == "script" && attribute(n, "src") != "" {
			t.Errorf("it loads %v", n.Attr)
		}
		href := attribute(n, "href")
		switch {
		case n.Data != "a" || href == "" || strings.HasPrefix(href, "#") || strings.HasPrefix(href, "https:") ||
			strings.HasPrefix(href, "mailto:"):
		case strings.HasPrefix(href, "data:"):
			downloads++
			assert.Equal(t, attribute(n, "download") != "", true, "the data %.40s has a name", href)
		default:
			_, ok := files[href]
			assert.Equal(t, ok, true, "it links to %s", href)
		}
	})
	if downloads < 3 {
		t.Errorf("it has %d files of data", downloads)
	}
	assert.Equal(t, strings.Count(text, "url("), 5, "fonts, with all else that the style loads")
	assert.Equal(t, strings.Count(text, "url(data:font/woff2"), 5, "fonts in the file")
	assert.Contains(t, text, "<svg", `viewBox="`)
}

func TestTags(t *testing.T) {
	pages := []*render.Page{
		{Slug: "a", Title: "A", Tags: []string{"C++", "Zähler", "c--"}, Standing: render.StandingBadges()[0]},
		{Slug: "b", Title: "B", Tags: []string{"C++", "../x", "C++"}, Standing: render.StandingBadges()[0]},
	}
	built := must.Get(site.Files(pages, site.Options{}))
	for folder, articles := range map[string]int{"tags/c": 2, "tags/c-2": 1, "tags/zähler": 1, "tags/x": 1} {
		assert.Equal(t, strings.Count(string(built[folder+"/index.html"].Data), `class="acard`), articles,
			"articles in %s", folder)
	}
	if !strings.Contains(string(built["index.html"].Data), `href="tags/z%C3%A4hler/index.html"`) {
		t.Error("the index does not lead to a tag")
	}
}
