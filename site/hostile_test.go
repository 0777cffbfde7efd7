package site_test

import (
	"fmt"
	"html/template"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"regexp"
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

// hostilePages are the pages of articles with hostile records, many to a page, and with hostile words.
func hostilePages(t *testing.T) (pages []*render.Page) {
	t.Helper()
	const perPage = 24 * 6 // headings: those that belong to a page have one each
	r := must.Get(render.New(theme.Files))
	page := func(b *rendertest.Bench) *render.Page { return must.Get(r.Page(b.Dataset(), render.Options{})) }
	text := func(name string) []byte { return must.Get(os.ReadFile("../render/testdata/" + name)) }
	small, of := text("sockets.md"), 0 // package render tries the records of one with all kinds of figures
	for h := range rendertest.HostileRecords(t, small, small) {
		page := page(h.Bench)
		for i, f := range page.Files { // of pages that stand in different folders
			of++
			page.Files[i].Path = fmt.Sprintf("%d/%s", of, f.Path)
		}
		if last := len(pages) - 1; last >= 0 && strings.Count(string(pages[last].HTML), "<h1") < perPage {
			pages[last].HTML += page.HTML
			pages[last].Files = append(pages[last].Files, page.Files...)
			continue
		}
		pages = append(pages, page)
	}
	for name, payloads := range map[string][]string{"everything.md": {rendertest.Evil},
		"sockets.md": append(rendertest.EvilLinks(), rendertest.Evil, rendertest.Acting)} {
		for h := range rendertest.HostileArticles(t, text(name), payloads...) {
			pages = append(pages, page(h.Bench))
		}
	}
	for i, page := range pages {
		page.Slug = fmt.Sprintf("hostile-%d", i)
	}
	return pages
}

// Nothing hostile is more than text in any file of a site, and nothing runs, loads or shows in a browser, on any page or
// in any drawing that a reader opens by itself.
func TestHostileSite(t *testing.T) {
	t.Parallel()
	slowtest.SkipSequential(t)
	dir := t.TempDir()
	must.Get(site.Build(hostilePages(t), dir, site.Options{BaseURL: "https://example.org/"}))
	kinds := map[string]string{"index": `^index\.html$`, "tag": `^tags/.*\.html$`, "article": `^[^/]*/index\.html$`,
		"feed": `^feed\.xml$`, "search": `^search\..*\.js$`, "SVG": `\.svg$`, "CSV": `\.csv$`}
	all := files(dir)
	for name, data := range all {
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
	ctx := browser(t)
	found := listen(ctx, t, "")
	drawings := 0
	for name := range all {
		switch path.Ext(name) {
		case ".svg":
			if drawings++; drawings > 50 {
				continue // the others differ from these in numbers
			}
		case ".html":
			if name == "404.html" {
				continue // it loads what is ours from its address
			}
		default:
			continue
		}
		t.Run(name, func(t *testing.T) {
			do(ctx, t, chromedp.Navigate(inFile(dir, name)))
			if ask[bool](ctx, t, `window.evil === 1`) {
				t.Error("a hostile script has run")
			}
			if n := ask[int](ctx, t, `document.querySelectorAll("evil-x, #evil, .evil, base, [onload], [onerror], [onclick], [onmouseover], a[href^='javascript:' i], a[href^='data:' i]").length`); n > 0 {
				t.Errorf("%d elements are of a hostile hand", n)
			}
			found.report(t, name)
		})
	}
}

// If something hostile got into a page anyway, the page's policy would stop it from running or calling anybody.
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
	do(ctx, t, loaded(inFile(dir, "broken/index.html")))
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
	files := filesOf(t, site.Options{})
	for name, data := range files {
		if policy := policyOf(data); path.Ext(name) == ".html" && (!strings.HasPrefix(policy, "default-src 'none'; ") ||
			strings.Contains(policy, "connect-src") || strings.Contains(policy, "unsafe-eval")) {
			t.Errorf("%s allows itself %q", name, policy)
		}
	}
	response := must.Get(http.Get(serve(t, map[string]site.File{"index.html": {Data: []byte(files["index.html"])}})))
	defer response.Body.Close()
	assert.Contains(t, policyOf(string(must.Get(io.ReadAll(response.Body)))), "default-src 'none'; ", "connect-src 'self'")
}

func policyOf(page string) string {
	_, rest, _ := strings.Cut(page, `http-equiv="Content-Security-Policy" content="`)
	policy, _, _ := strings.Cut(rest, `"`)
	return strings.ReplaceAll(policy, "&#39;", "'")
}
