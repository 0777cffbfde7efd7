package site_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"benchbook/render"
	"benchbook/site"
	"benchbook/site/theme"
)

// A view is a way to see a page: the width of the window in CSS pixels, and the colour scheme of the system.
type view struct {
	width  int
	scheme string
}

// lightAndDark are the colour schemes of a system.
var lightAndDark = []string{"light", "dark"}

// everyView is each width in each colour scheme.
var everyView = slices.Concat(viewsAt(1280), viewsAt(768), viewsAt(375))

// narrowAndWide are the ends of the widths in each colour scheme.
var narrowAndWide = slices.Concat(viewsAt(1280), viewsAt(375))

func viewsAt(width int) (views []view) {
	for _, scheme := range lightAndDark {
		views = append(views, view{width, scheme})
	}
	return views
}

// viewsByKind shows the index, articles and the first page of each other kind, such as runs, in all views. Every other
// page, which is made like the first of its kind, is shown in one view, each in the next one.
func viewsByKind(pages []string, views []view) map[string][]view {
	shown, seen := map[string][]view{}, map[string]int{}
	for _, page := range slices.Sorted(slices.Values(pages)) {
		kind := kindOf(page)
		if seen[kind]++; kind == "" || seen[kind] == 1 {
			shown[page] = views
		} else {
			shown[page] = views[seen[kind]%len(views):][:1]
		}
	}
	return shown
}

// kindOf is what many pages of a site have in common: "docs", "tags", "history", "hosts", "runs" or "compare"; "" for
// the index and for articles.
func kindOf(page string) string {
	parts := strings.Split(page, "/")
	switch {
	case parts[0] == "tags":
		return parts[0]
	case len(parts) > 2:
		return parts[1]
	}
	return ""
}

// hasValues tells whether a page must show measured values: articles do, not what stands beside them.
func hasValues(page string) bool {
	return kindOf(page) == "" && !slices.Contains([]string{"index.html", "404.html"}, page)
}

// visit loads each page once, in two browsers side by side, and checks it in all its views: it fits its width, a font
// of the theme is loaded, axe finds nothing, Tab reaches every value and opens its tooltip, and the browser has nothing
// to complain about. More checks, if there are some, run in each view before axe, which changes the page.
func visit(t *testing.T, dir string, pages map[string][]view, more ...func(ctx context.Context, t *testing.T,
	page string)) {
	t.Helper()
	source := axe(t)
	names := slices.SortedFunc(maps.Keys(pages),
		func(a, b string) int { return strings.Compare(kindOf(a)+a, kindOf(b)+b) })
	var next atomic.Int64
	for worker := range 2 {
		t.Run(fmt.Sprintf("browser %d", worker+1), func(t *testing.T) {
			t.Parallel()
			ctx := browser(t)
			found := listen(ctx, t)
			for i := int(next.Add(1)) - 1; i < len(names); i = int(next.Add(1)) - 1 {
				page := names[i]
				t.Run(page, func(t *testing.T) {
					views := slices.Clone(pages[page])
					turn := i % len(views) // so that pages are loaded in each of the views
					v := &visitor{ctx: ctx, page: page, axe: source}
					for n, view := range append(views[turn:], views[:turn]...) {
						if v.view = view; n == 0 {
							do(ctx, t, inFront(), openIn(dir, page, view.width, view.scheme))
						} else {
							do(ctx, t, seenIn(view))
						}
						v.check(t, more)
						for _, words := range found.take() {
							t.Errorf("%v: %s", view, words)
						}
					}
				})
			}
		})
	}
}

// A visitor looks at one loaded page, at present in one view.
type visitor struct {
	ctx       context.Context
	page, axe string
	view      view
	hasAxe    bool // its script is in the page
}

func (v *visitor) check(t *testing.T, more []func(context.Context, *testing.T, string)) {
	t.Helper()
	v.fits(t)
	if v.view.scheme == "light" { // colours do not change where Tab leads to, and pressing it takes most of the time
		v.tabs(t)
	}
	for _, check := range more {
		check(v.ctx, t, v.page)
	}
	if v.view.width != 768 && v.axe != "" { // between the ends of the widths nothing is laid out in a way of its own
		v.accessible(t)
	}
	ask[int](v.ctx, t, `document.activeElement?.blur(); scrollTo(0, 0); 0`)
}

// fits checks that nothing scrolls sideways, folds open, and that a font of the theme is there.
func (v *visitor) fits(t *testing.T) {
	t.Helper()
	const openFolds = `document.querySelectorAll("details").forEach(d => d.open = true); document.documentElement.scrollWidth`
	if width := ask[int](v.ctx, t, openFolds); width > v.view.width {
		t.Errorf("%v: the page is %d wide", v.view, width)
	}
	const fonts = `document.fonts.ready.then(() => Array.from(document.fonts).filter(f => f.status === "loaded").length)`
	if ask[int](v.ctx, t, fonts) == 0 {
		t.Errorf("%v: no font of the theme was loaded", v.view)
	}
}

// tabs checks that Tab reaches every value of a page, and that its tooltip is to be seen then.
func (v *visitor) tabs(t *testing.T) {
	t.Helper()
	values := ask[int](v.ctx, t, `document.querySelectorAll(".m").length`)
	if hasValues(v.page) && values == 0 {
		t.Errorf("%v: the page has no measured values", v.view)
	}
	if values == 0 {
		return
	}
	ask[int](v.ctx, t, watchStops)
	opened, done := map[string]bool{}, false
	// Tab visits every stop once and comes to an end; the bound is for a page that never does.
	for tries := 0; tries < 40 && !done; tries++ {
		do(v.ctx, t, pressTab(50))
		for _, at := range ask[[]stop](v.ctx, t, takeStops) {
			if done = at.Done || opened[at.ID]; done {
				break
			}
			if at.ID == "" {
				continue
			}
			if opened[at.ID] = true; !at.Open || !at.Visible {
				t.Errorf("%v: the tooltip %s is not to be seen when its value has the focus", v.view, at.ID)
			}
		}
	}
	ask[int](v.ctx, t, `unwatchStops(); 0`)
	if len(opened) != values {
		t.Errorf("%v: Tab reached %d of %d values", v.view, len(opened), values)
	}
}

// accessible checks that axe finds nothing against WCAG 2.2 AA.
func (v *visitor) accessible(t *testing.T) {
	t.Helper()
	if !v.hasAxe {
		ask[int](v.ctx, t, v.axe+"; 0")
		v.hasAxe = true
	}
	for _, violation := range ask[[]string](v.ctx, t, examine) {
		t.Errorf("%v: %s", v.view, violation)
	}
}

// seenIn shows the loaded page in another view, once it has been laid out anew.
func seenIn(v view) chromedp.Action[chromedp.Void] {
	return chromedp.Steps(
		chromedp.EmulateViewport(int64(v.width), 900),
		chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: v.scheme}}})
			return err
		}),
		chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := chromedp.Evaluate[int](
				`new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(0))))`,
				chromedp.EvalAwaitPromise)(ctx, t)
			return err
		}),
	)
}

// A stop is where Tab has led to: at a value, whose tooltip has an ID, at something else, or out of the page.
type stop struct {
	ID                  string
	Open, Visible, Done bool
}

// watchStops has a page note each stop when the next Tab is about to leave it: pages have hundreds of values, and to
// ask after each key takes more calls than the keys. When all were visited it lets no Tab do anything more, until
// unwatchStops.
const watchStops = `(() => {
	const at = () => {
		const e = document.activeElement;
		if (!e || e === document.body) return {Done: true};
		if (!e.classList.contains("m")) return {};
		const tooltip = e.querySelector(".tooltip"), box = tooltip.getBoundingClientRect();
		return {ID: tooltip.id, Open: getComputedStyle(tooltip).display !== "none",
			Visible: box.width > 100 && box.left >= 0 && box.right <= innerWidth};
	};
	let begun = false, done = false;
	const watch = e => {
		if (begun && !done) {
			const stop = at();
			done = !!stop.Done;
			stops.push(stop);
		}
		begun = true;
		if (done) e.preventDefault();
	};
	const start = document.createElement("span"); // to begin anew at the top, which taking the focus away would not do
	start.tabIndex = -1;
	document.body.prepend(start);
	start.focus();
	window.stops = [];
	window.unwatchStops = () => { removeEventListener("keydown", watch, true); start.remove(); };
	addEventListener("keydown", watch, true);
	return 0;
})()`

// takeStops takes what was noted so far, and whether Tab has led out of the page, which may hear of no further key
// then.
const takeStops = `stops.splice(0).concat(document.activeElement && document.activeElement !== document.body ? [] : [{Done: true}])`

// A site works from a disk, in every view of it.
func TestVisitSamples(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	build(t, slices.Concat(samplePages(t), severalHosts(t), []*render.Page{longWords(t), crowdedRow(t)}), dir)
	pages := map[string][]view{}
	for _, page := range pagesBelow(t, dir) {
		pages[page] = narrowAndWide
	}
	for _, page := range []string{"index.html", "sockets/index.html", "failed/index.html", "unmeasured/index.html",
		"long/index.html", "hosts-5/index.html", "tags/python/index.html"} {
		if pages[page] == nil {
			t.Errorf("there is no page %s", page)
		}
		pages[page] = everyView
	}
	visit(t, dir, pages)
}

// A single file needs nothing beside it: from a folder of its own it shows its figures, its fonts, and its tooltips.
func TestVisitSingleFile(t *testing.T) {
	t.Parallel()
	built, err := site.Files(newSamplePages(t), theme.Files, site.Options{SingleFile: true})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "mail.html"), built["sockets.html"], 0o644); err != nil {
		t.Fatal(err)
	}
	visit(t, dir, map[string][]view{"mail.html": everyView})
	t.Run("its table sorts", func(t *testing.T) {
		t.Parallel()
		ctx := browser(t)
		found := listen(ctx, t)
		sorts(ctx, t, filepath.Join(dir, "mail.html"))
		found.report(t)
	})
}

// The same holds for the site of this project's articles, which is made of real records: BENCHBOOK_TEST_SITE names its
// folder.
func TestVisitReport(t *testing.T) {
	t.Parallel()
	dir := siteOfReport(t)
	pages := withoutLikes(pagesBelow(t, dir))
	shown := viewsByKind(pages, narrowAndWide)
	articles := 0
	for page := range shown {
		if kind := kindOf(page); kind == "" || kind == "history" {
			articles++
			shown[page] = everyView
		}
	}
	if articles < 3 {
		t.Fatalf("there are %d articles and histories in %s", articles, dir)
	}
	visit(t, dir, shown)
}
