package site_test

import (
	"context"
	"fmt"
	"html/template"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"

	"benchbook/internal/slowtest"
	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/render"
	"benchbook/render/rendertest"
	"benchbook/site"
	"benchbook/site/theme"
)

// hostilePages are the pages of articles with hostile records and hostile words, with the pages that belong to them.
// Those of records are many to a page.
func hostilePages(t *testing.T) []*render.Page {
	t.Helper()
	const perPage = 24 * 6 // headings: those that belong to a page have one each
	var pages []*render.Page
	small := hostileText(t, "sockets.md") // package render tries the records of one with all kinds of figures
	of, tried := 0, 0
	for h := range rendertest.HostileRecords(t, small, small) {
		page := hostilePage(t, h.Bench)
		tried++
		for i, f := range page.Files { // of pages that stand in different folders
			of++
			page.Files[i].Path = fmt.Sprintf("%d/%s", of, f.Path)
		}
		if last := len(pages) - 1; last >= 0 && strings.Count(string(pages[last].HTML), "<h1") < perPage {
			pages[last].HTML += page.HTML
			pages[last].Files = append(pages[last].Files, page.Files...)
			continue
		}
		page.Slug = fmt.Sprintf("records-%d", len(pages))
		pages = append(pages, page)
	}
	return slices.Concat(pages, hostileArticles(t, "everything.md", rendertest.Evil), hostileArticles(t, "sockets.md",
		rendertest.EvilLinks()...))
}

// hostileArticles are the pages of an article with payloads in the place of its words.
func hostileArticles(t *testing.T, name string, payloads ...string) []*render.Page {
	t.Helper()
	var pages []*render.Page
	for h := range rendertest.HostileArticles(t, hostileText(t, name), payloads, func(int, int) {}) {
		page := hostilePage(t, h.Bench)
		page.Slug = fmt.Sprintf("%s-%d", strings.TrimSuffix(name, ".md"), len(pages))
		pages = append(pages, page)
	}
	return pages
}

func hostileText(t *testing.T, name string) []byte {
	t.Helper()
	return must.Get(os.ReadFile("../render/testdata/" + name))
}

// hostilePage is the page of an article.
func hostilePage(t *testing.T, b *rendertest.Bench) *render.Page {
	t.Helper()
	r := must.Get(render.New(theme.Files))
	d := b.Dataset()
	return must.Get(r.Page(d, render.Options{}))
}

// harmlessSite reports whatever in the files of a site is more than text, and whether something hostile is in none of
// some kind.
func harmlessSite(t *testing.T, files map[string]string) {
	t.Helper()
	kinds := map[string]string{"index": `^index\.html$`, "tag": `^tags/.*\.html$`, "article": `^[^/]*/index\.html$`,
		"feed": `^feed\.xml$`, "search": `^search\..*\.js$`, "SVG": `\.svg$`,
		"CSV": `\.csv$`}
	for name, data := range files {
		if name == "404.html" { // which is shown at any address, so that it names what is ours in full
			data = strings.ReplaceAll(data, `"https://example.org/`, `"`)
		}
		rendertest.HarmlessFile(t, name, []byte(data))
		for kind, pattern := range kinds {
			if strings.Contains(data, "evil") && regexp.MustCompile(pattern).MatchString(name) {
				delete(kinds, kind)
			}
		}
	}
	for kind := range kinds {
		t.Errorf("nothing hostile is in any file of the kind %q", kind)
	}
}

// Nothing hostile is more than text in any file of a site.
func TestHostileSite(t *testing.T) {
	slowtest.SkipSequential(t)
	built := must.Get(site.Files(hostileArticles(t, "sockets.md", rendertest.Evil, rendertest.Acting),
		site.Options{BaseURL: "https://example.org/"}))
	text := map[string]string{}
	for name, data := range built {
		text[name] = string(data.Data)
	}
	harmlessSite(t, text)
}

// Nothing hostile runs, loads or shows in a browser, on any page or in any drawing that a reader opens by itself.
func TestBrowserOnHostile(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("a page for every text that a record can hold takes its time; run without -short")
	}
	dir := t.TempDir()
	build(t, hostilePages(t), dir)
	harmlessSite(t, files(t, dir))
	ctx := browser(t)
	found := listen(ctx, t, "")
	drawings := 0
	for name := range files(t, dir) {
		switch filepath.Ext(name) {
		case ".svg":
			if drawings++; drawings > 50 {
				continue // the others differ from these in numbers
			}
		case ".html":
		default:
			continue
		}
		t.Run(name, func(t *testing.T) {
			address := url.URL{Scheme: "file", Path: filepath.ToSlash(filepath.Join(dir, name))}
			do(ctx, t, chromedp.Navigate(address.String()))
			unharmed(ctx, t)
			found.report(t)
		})
	}
}

// unharmed reports what of rendertest.Evil became more than text.
func unharmed(ctx context.Context, t *testing.T) {
	t.Helper()
	if ask[bool](ctx, t, `window.evil === 1`) {
		t.Error("a hostile script has run")
	}
	if n := ask[int](ctx, t, `document.querySelectorAll("evil-x, #evil, .evil, base, [onload], [onerror], [onclick], [onmouseover], a[href^='javascript:' i], a[href^='data:' i]").length`); n > 0 {
		t.Errorf("%d elements are of a hostile hand", n)
	}
}

// Were something hostile to get into a page all the same, the page's policy would keep it from running and from calling
// anybody.
func TestPolicy(t *testing.T) {
	t.Parallel()
	ctx := browser(t)
	var calls atomic.Int32
	listener := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls.Add(1) }))
	defer listener.Close()
	_, evil, _ := strings.Cut(rendertest.Evil, "</table>") // what stands before would close nothing here
	hostile := `<link rel=stylesheet href=` + listener.URL + `><script src=` + listener.URL +
		`></script><iframe src=` + listener.URL + `></iframe><object data=` + listener.URL + `></object><form action=` +
		listener.URL +
		`><button id=send>x</button></form><link rel=prefetch href=` + listener.URL + `><video src=` + listener.URL +
		` autoplay></video>` +
		strings.ReplaceAll(evil, "//evil.example", listener.URL)
	dir := t.TempDir()
	build(t, []*render.Page{{Slug: "broken", Title: "Broken", HTML: template.HTML("<main>" + hostile + "</main>")}}, dir)
	do(ctx, t, openIn(dir, "broken/index.html", 1280, "light"))
	ask[int](ctx, t, `document.getElementById("send").click(); fetch("`+listener.URL+
		`").catch(() => 0).then(() => new Promise(r => setTimeout(r, 300))).then(() => 0)`)
	if ask[bool](ctx, t, `window.evil === 1`) {
		t.Error("a script has run")
	}
	if n := calls.Load(); n > 0 {
		t.Errorf("the page made %d requests", n)
	}
	assert.Equal(t, ask[string](ctx, t, `getComputedStyle(document.body).backgroundImage`), "none",
		"a style sheet in the page has painted")
}

// Pages of a site allow themselves nothing but its files; only the preview lets its own script listen to the server.
func TestPolicyOfPreview(t *testing.T) {
	dir := t.TempDir()
	build(t, samplePages(t), dir)
	for name, data := range files(t, dir) {
		if strings.HasSuffix(name, ".html") {
			policy := policyOf(t, data)
			if slices.ContainsFunc(policy, func(d string) bool {
				return strings.HasPrefix(d, "connect-src") ||
					strings.Contains(d, "unsafe-eval")
			}) {
				t.Errorf("%s allows itself %q", name, policy)
			}
		}
	}
	whole := must.Get(site.Files(nil, site.Options{}))
	address := serve(t, whole)
	response := must.Get(http.Get(address))
	defer response.Body.Close()
	var page strings.Builder
	must.Do(response.Write(&page))
	if policy := policyOf(t, page.String()); !slices.Contains(policy, "connect-src 'self'") {
		t.Errorf("the preview allows pages only %q", policy)
	}
}

func policyOf(t *testing.T, page string) []string {
	t.Helper()
	_, rest, found := strings.Cut(page, `http-equiv="Content-Security-Policy" content="`)
	policy, _, _ := strings.Cut(rest, `"`)
	directives := strings.Split(strings.ReplaceAll(policy, "&#39;", "'"), "; ")
	if !found || directives[0] != "default-src 'none'" {
		t.Errorf("the policy begins with %q, and should allow nothing", directives[0])
	}
	return directives
}
