package site_test

import (
	"context"
	"html"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"benchbook/render"
	"benchbook/render/rendertest"
	"benchbook/site"
	"benchbook/site/theme"
	"benchbook/slowtest"
)

// The table of a history with three values, the most that an article has, and two runs side by side are seen whole.
func TestBrowserLayout(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../render/testdata/sockets.md")
	if err != nil {
		t.Fatal(err)
	}
	const one = "  - {value: speedup, is: as many requests per second from the asyncio server}\n"
	b := rendertest.New(t, "sockets", []byte(strings.Replace(string(text), one, one+
		"  - {value: 'throughput{server=\"sync\"}', is: requests per second from the blocking server}\n", 1)))
	before := rendertest.In(earlierRun, 13)
	for _, server := range []string{"sync", "async", "again", "threads"} {
		b.Measure("full", "sockets", server, []float64{571, 562, 580, 566, 574})
		b.Measure("full", "sockets", server, []float64{561, 572, 560, 576, 564}, before)
	}
	r, err := render.New(theme.Files)
	if err != nil {
		t.Fatal(err)
	}
	page, err := r.Page(b.Dataset(), render.Options{Moments: b.Moments()})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	build(t, []*render.Page{page}, dir)
	ctx := browser(t)

	for _, width := range []int{1280, 1440} {
		do(ctx, t, openIn(dir, "sockets/history/index.html", width, "light"))
		if cut := ask[int](ctx, t, `(() => { const s = document.querySelector("#tbl-runs .scroll"); return s.scrollWidth - s.clientWidth; })()`); cut > 0 {
			t.Errorf("of the runs %d pixels are cut at %d", cut, width)
		}
		if wide := ask[int](ctx, t, `document.documentElement.scrollWidth - innerWidth`); wide > 0 {
			t.Errorf("the history scrolls sideways by %d pixels at %d", wide, width)
		}
	}

	do(ctx, t, openIn(dir, "sockets/compare/"+earlierRun+"-"+laterRun+"/index.html", 375, "light"))
	facts := ask[[]struct{ Name, Text, Room float64 }](ctx, t, `[...document.querySelectorAll(".two .facts")].map(l => {
		const box = e => e.getBoundingClientRect(), [dt, dd] = [l.querySelector("dt"), l.querySelector("dd")];
		return {Name: box(dt).right, Text: box(dd).left, Room: box(dd).width / box(l).width};
	})`)
	if len(facts) != 2 {
		t.Fatalf("there are %d lists of facts", len(facts))
	}
	for _, f := range facts {
		if f.Text < f.Name || f.Room < .5 {
			t.Errorf("beside a name that ends at %.0f, its fact begins at %.0f and has %.2f of the width", f.Name, f.Text,
				f.Room)
		}
	}
}

// A listing with prompts is copied as it is typed, also where there is no clipboard to write to.
func TestBrowserCopiesWithoutPrompts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := site.Build(samplePages(t), dir, theme.Files, site.Options{Docs: manual(t)}); err != nil {
		t.Fatal(err)
	}
	ctx := browser(t)
	for _, before := range []string{"", `navigator.clipboard.writeText = () => Promise.reject(new Error("no"))`} {
		do(ctx, t, inFront(), openIn(dir, "docs/trouble/index.html", 1280, "light"))
		ask[bool](ctx, t, before+`; document.querySelector(".listing pre").textContent =
			"$ benchbook run \\\n    --quick\nmeasured\n$ benchbook show # $ 3\nshown\n"; true`)
		do(ctx, t, chromedp.Click(chromedp.CSS(".listing button")))
		ask[bool](ctx, t, `new Promise(done => setTimeout(done, 300, true))`)
		do(ctx, t, pasted)
		const want = "benchbook run \\\n    --quick\nbenchbook show # $ 3"
		if got := ask[string](ctx, t, `document.activeElement.value`); got != want {
			t.Errorf("after %q copied is %q, want %q", before, got, want)
		}
	}
}

// Where the system forces its colours, drawings keep theirs, on the paper that they were chosen for, and what is
// selected is seen.
func TestBrowserForcedColours(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	build(t, samplePages(t), dir)
	ctx := browser(t)
	for _, scheme := range []string{"light", "dark"} {
		do(ctx, t, openIn(dir, "sockets/index.html", 1280, scheme),
			chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
				_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
					Features: []*emulation.MediaFeature{{Name: "forced-colors", Value: "active"},
						{Name: "prefers-color-scheme", Value: scheme}}})
				return err
			}))
		got := ask[struct {
			Forced            bool
			Drawings          int
			Plain             []string
			Selected, Pointed string
		}](ctx, t, `(() => {
			const style = e => getComputedStyle(e), drawings = [...document.querySelectorAll(".plot > svg, .plot > details > svg, svg.cell")];
			const list = document.getElementById("found");
			list.hidden = false;
			list.innerHTML = "<li role=option aria-selected=false>a<li role=option aria-selected=true>b";
			return {Forced: matchMedia("(forced-colors: active)").matches, Drawings: drawings.length,
				Plain: drawings.filter(e => style(e).forcedColorAdjust !== "none" || style(e).backgroundColor === "rgba(0, 0, 0, 0)").map(e => e.id || e.className.baseVal),
				Selected: style(list.lastChild).outlineStyle, Pointed: style(list.firstChild).outlineStyle};
		})()`)
		if !got.Forced || got.Drawings < 3 || len(got.Plain) > 0 || got.Selected != "solid" || got.Pointed != "none" {
			t.Errorf("in %s it is %+v", scheme, got)
		}
	}
}

var (
	cardTables = regexp.MustCompile(`(?s)<table class="[^"]*\bcards\b.*?</table>`)
	tableParts = regexp.MustCompile(`<(table|thead|tbody|tr|td|th)\b[^>]*>`)
	tableHeads = regexp.MustCompile(`(?s)<th\b[^>]*role="columnheader"([^>]*)>(.*?)</th>`)
)

// On a telephone the rows of tables are cards, which are no table to a screen reader: so all parts of tables say what
// they are. And each column has a head, but for drawings.
func TestTablePartsHaveRoles(t *testing.T) {
	slowtest.SkipSequential(t)
	samples := t.TempDir()
	build(t, samplePages(t), samples)
	tables := 0
	for _, pattern := range []string{committedSite(t) + "/*/index.html", committedSite(t) + "/*/evidence.html",
		samples + "/*/index.html", samples + "/*/*/index.html", samples + "/*/*/*/index.html"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			t.Fatal(pattern, names, err)
		}
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, table := range cardTables.FindAllString(string(data), -1) {
				tables++
				for _, part := range tableParts.FindAllString(table, -1) {
					if !strings.Contains(part, " role=") {
						t.Errorf("%s: %s has no role", path.Base(filepath.Dir(name)), part)
					}
				}
				for _, head := range tableHeads.FindAllStringSubmatch(table, -1) {
					if words := strings.TrimSpace(html.UnescapeString(head[2])); words == "" && !strings.Contains(head[1], "axis-h") {
						t.Errorf("%s: a column has no head: %.300s", path.Base(filepath.Dir(name)), table)
					}
				}
			}
		}
	}
	if tables < 50 {
		t.Errorf("there are %d tables", tables)
	}
}
