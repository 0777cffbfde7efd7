package site_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/render"
	"benchbook/render/rendertest"
	"benchbook/site"
	"benchbook/site/preview"
	"benchbook/site/theme"
)

// A view is a way to see a page: the width of the window in CSS pixels, and the colour scheme of the system.
type view struct {
	width  int
	scheme string
}

var views = []view{{1280, "light"}, {1280, "dark"}, {768, "light"}, {768, "dark"}, {375, "light"}, {375, "dark"}}

// TestVisit shows the index, an article, the preview and a single file in every view. Each fits its width, loads a font
// of the theme, and passes axe; Tab reaches every value and shows its tooltip; each claim has the command that measures
// it; the browser has nothing to complain of.
func TestVisit(t *testing.T) {
	t.Parallel()
	axe := axe(t)
	ctx := browser(t)
	renderer := must.Get(render.New(theme.Files))
	page := must.Get(renderer.Page(rendertest.Committed(t, "..", "async-101"), render.Options{}))
	pages, dir := []*render.Page{page}, t.TempDir()
	build(t, pages, dir)
	mail := filepath.Join(t.TempDir(), "mail.html") // nothing lies beside it
	must.Do(os.WriteFile(mail, must.Get(site.Files(pages, site.Options{SingleFile: true}))["async-101.html"].Data, 0o644))
	served := serve(t, must.Get(site.Files(pages, site.Options{})))
	found := listen(ctx, t, served)
	for _, page := range []struct {
		kind, address string
		hasValues     bool
	}{
		{"index", inFile(dir, "index.html"), false},
		{"article", inFile(dir, "async-101/index.html"), true},
		{"preview", served + "async-101/index.html", true},
		{"single file", inFile(mail), true},
	} {
		t.Run(page.kind, func(t *testing.T) {
			do(ctx, t, inFront(), seenIn(views[0]), loaded(page.address))
			for i, view := range views {
				v := &visitor{ctx: ctx, view: view}
				do(ctx, t, seenIn(view))
				v.fits(t)
				if page.hasValues && i == 0 { // pressing Tab takes most of the time
					v.tabs(t)
					v.repeats(t)
				}
				if page.kind == "index" && i == 0 {
					v.finds(t, "slow-client")
				}
				if axe != "" {
					v.accessible(t, axe)
				}
				ask[int](ctx, t, `document.activeElement?.blur(); scrollTo(0, 0); 0`)
				found.report(t, view)
			}
		})
	}
}

// serve previews a site until the test ends.
func serve(t *testing.T, files map[string]site.File) (address string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	started, ended := make(chan string), make(chan struct{})
	p := preview.Preview{Build: func(context.Context) preview.Built { return preview.Built{Files: files} }}
	go func() {
		defer close(ended)
		must.Do(p.Serve(ctx, func(url string) { started <- url }))
	}()
	t.Cleanup(func() { cancel(); <-ended })
	return <-started
}

// loaded loads a page.
func loaded(address string) chromedp.Action[chromedp.Void] {
	return chromedp.Steps(chromedp.Navigate(address), chromedp.WaitReady(chromedp.CSS("body")))
}

// inFile is the address of a file.
func inFile(parts ...string) string {
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(filepath.Join(parts...))}).String()
}

// axe is the script of axe-core. It is empty where axe-core is not installed, unless BENCHBOOK_TEST_REQUIRE asks for
// it.
func axe(t *testing.T) string {
	t.Helper()
	source, err := os.ReadFile(filepath.Join(tools, "axe-core", "axe.min.js"))
	if err != nil && strings.Contains(os.Getenv("BENCHBOOK_TEST_REQUIRE"), "axe") {
		t.Fatalf("BENCHBOOK_TEST_REQUIRE asks for axe: %v", err)
	}
	if err != nil {
		t.Log("axe-core is missing, so nothing checks what it would find; get it with make tools")
	}
	return string(source)
}

// A visitor looks at the loaded page in a view.
type visitor struct {
	ctx  context.Context
	view view
}

// fits checks that nothing scrolls sideways, folds open, and that a font of the theme is there.
func (v *visitor) fits(t *testing.T) {
	t.Helper()
	const openFolds = `document.querySelectorAll("details").forEach(d => d.open = true); document.documentElement.scrollWidth`
	if width := ask[int](v.ctx, t, openFolds); width > v.view.width {
		t.Errorf("%v: the page is %d wide", v.view, width)
	}
	const fonts = `document.fonts.ready.then(() => Array.from(document.fonts).filter(f => f.status === "loaded").length)`
	assert.Equal(t, ask[int](v.ctx, t, fonts) > 0, true, "%v: a font of the theme was loaded", v.view)
}

// finds searches for a word, which is on the page.
func (v *visitor) finds(t *testing.T, word string) {
	t.Helper()
	const search = `new Promise(done => {
		const find = document.getElementById("find"), found = document.getElementById("found-count");
		new MutationObserver(() => found.textContent && done(parseInt(found.textContent))).observe(found, {childList: true});
		find.focus(); find.value = %q; find.dispatchEvent(new Event("input", {bubbles: true}));
		setTimeout(() => done(-1), 10000);
	})`
	if n := ask[int](v.ctx, t, fmt.Sprintf(search, word)); n < 1 {
		t.Errorf("the search for %s finds %d", word, n)
	}
}

// tabs checks that Tab reaches every value of a page and shows its tooltip.
func (v *visitor) tabs(t *testing.T) {
	t.Helper()
	values := ask[int](v.ctx, t, `document.querySelectorAll(".m").length`)
	if values == 0 {
		t.Fatalf("%v: the page has no measured values", v.view)
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
	assert.Equal(t, len(opened), values, "%v: values that Tab reached", v.view)
}

// accessible checks that axe finds nothing against WCAG 2.2 AA.
func (v *visitor) accessible(t *testing.T, axe string) {
	t.Helper()
	ask[int](v.ctx, t, "if (!window.axe) {"+axe+"}; 0")
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

// watchStops makes a page record each stop when the next Tab leaves it, as asking after each key would double the
// calls, and pages have hundreds of values. After all stops, it disables Tab until unwatchStops.
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

// takeStops returns and clears the stops recorded so far, and whether Tab has left the page, which may get no further
// keys.
const takeStops = `stops.splice(0).concat(document.activeElement && document.activeElement !== document.body ? [] : [{Done: true}])`

// inFront makes a page behave as if focused, even if other windows are in front.
func inFront() chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetFocusEmulationEnabled,
			emulation.SetFocusEmulationEnabledParams{Enabled: true})
		return err
	})
}

// examine lists what axe finds in a page with the tooltips of some values open, laid into the text so that all of them
// are to be seen at once, and with the focus at one; it must be able to tell the contrast of what stands in each. It
// does not look at the inks of drawings, so that those of the words in figures are compared here.
const examine = `(async () => {
	const wrong = [], seen = q => Array.from(document.querySelectorAll(q)).filter(e => e.checkVisibility());
	const owners = [".m.missing", ".given", ".m:not(.missing)"].flatMap(q => seen(q).slice(0, 5)), inTooltip = n => document.querySelector(n.target[0])?.closest(".tooltip");
	for (const owner of owners) Object.assign(owner.querySelector(".tooltip").style, {display: "block", position: "relative", inset: "auto"});
	if (owners.length) owners[0].focus();
	const found = await axe.run({preload: false, runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]});
	found.violations.forEach(v => v.nodes.slice(0, 3).forEach(n => wrong.push(v.id + " (" + v.nodes.length + "): " + n.failureSummary + " " + n.html.slice(0, 300))));
	const told = new Set(found.passes.concat(found.violations).filter(v => v.id === "color-contrast").flatMap(v => v.nodes).map(inTooltip));
	owners.filter(o => !told.has(o.querySelector(".tooltip"))).forEach(o => wrong.push("no contrast was told in the tooltip of " + o.outerHTML.slice(0, 300)));
	for (const owner of owners) Object.assign(owner.querySelector(".tooltip").style, {display: "", position: "", inset: ""});
	return wrong;
})()`

// repeats expects each claim of async-101 to have the command that measures it.
func (v *visitor) repeats(t *testing.T) {
	t.Helper()
	commands := ask[[]string](v.ctx, t, `Array.from(document.querySelectorAll(".claimlines > li"),
		claim => claim.querySelector(".cmd")?.textContent ?? "none: " + claim.id)`)
	command := regexp.MustCompile(`^benchbook run async-101#[\w-]+( async-101#[\w-]+)*$`)
	if wrong := slices.DeleteFunc(slices.Clone(commands), command.MatchString); len(commands) == 0 || len(wrong) > 0 {
		t.Errorf("of the commands of %d claims, these are wrong: %q", len(commands), wrong)
	}
}
