package site_test

import (
	"context"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// Without scripts a page says all that it says with them, and offers nothing that would need one.
func TestBrowserWithoutScript(t *testing.T) {
	t.Parallel()
	ctx := browser(t)
	dir := t.TempDir()
	build(t, samplePages(t), dir)
	do(ctx, t, runScripts(false))
	for _, page := range pagesBelow(t, dir) {
		t.Run(page, func(t *testing.T) {
			do(ctx, t, openIn(dir, page, 1280, "light"))
			// Nor is it where there is no style sheet either.
			for _, control := range ask[[]string](ctx, t, `Array.from(document.querySelectorAll("button, input, .needs-js")).filter(e => e.getClientRects().length > 0 || !e.closest("[hidden]")).map(e => e.outerHTML)`) {
				t.Errorf("a control that does nothing is to be seen: %.200s", control)
			}
			if page == "sockets/index.html" && !strings.Contains(ask[string](ctx, t, `document.body.innerText`), "How this was measured") {
				t.Error("the page does not say how it was measured")
			}
		})
	}
}

// Without its style sheet a page still fits its window and says everything in order.
func TestBrowserWithoutStyle(t *testing.T) {
	t.Parallel()
	ctx := browser(t)
	dir := t.TempDir()
	build(t, samplePages(t), dir)
	listen(ctx, t) // enables the network's events, and so its blocking
	do(ctx, t, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, network.SetBlockedURLs, network.SetBlockedURLsParams{
			URLPatterns: []*network.BlockPattern{{URLPattern: "file://*/*.css", Block: true}}})
		return err
	}))
	for _, page := range pagesBelow(t, dir) {
		t.Run(page, func(t *testing.T) {
			do(ctx, t, openIn(dir, page, 1280, "light"))
			if ask[string](ctx, t, `getComputedStyle(document.body).margin`) == "0px" {
				t.Fatal("the style sheet was loaded")
			}
			if width := ask[int](ctx, t, `document.documentElement.scrollWidth`); width > 1280 {
				t.Errorf("the page is %d wide", width)
			}
			if hidden := ask[[]string](ctx, t, hidesDrawing); len(hidden) > 0 {
				t.Errorf("of the drawings, which are black where nothing says otherwise, %q", hidden)
			}
		})
	}
}

// hidesDrawing lists what would cover drawings or be missing in them: shapes that lie over others, words for the pointer, lines without ink.
const hidesDrawing = `(() => {
	const wrong = [];
	for (const e of document.querySelectorAll(".plot .area, .plot .band, .plot .tip, .plot .axis, .plot .line")) {
		const style = getComputedStyle(e), kind = e.getAttribute("class");
		if (e.matches(".area") && style.fill !== "none") wrong.push(kind + " filled " + style.fill);
		if (e.matches(".band") && style.fill === "rgb(0, 0, 0)") wrong.push(kind + " filled black");
		if (e.matches(".tip") && style.display !== "none") wrong.push(kind + " shown");
		if (e.matches(".axis, .line") && (style.fill !== "none" || style.stroke === "none")) wrong.push(kind + " not a line");
	}
	for (const e of document.querySelectorAll('svg[viewBox="0 0 16 16"]')) {
		if (e.getBoundingClientRect().width > 20) wrong.push("a mark " + e.getBoundingClientRect().width + " wide");
	}
	for (const e of document.querySelectorAll("a svg, .pop svg, .effect svg")) {
		if (e.getBoundingClientRect().width > 400) wrong.push("a small drawing " + e.getBoundingClientRect().width + " wide");
	}
	return [...new Set(wrong)];
})()`

// On paper folds are open, links say where they lead, controls are gone, and no figure is cut in two.
func TestBrowserPrints(t *testing.T) {
	t.Parallel()
	const paperWidth, paperHeight = 673, 986 // of A4 within its margins, in pixels of CSS
	ctx := browser(t)
	dir := t.TempDir()
	build(t, samplePages(t), dir)
	for _, page := range pagesBelow(t, dir) {
		t.Run(page, func(t *testing.T) {
			do(ctx, t, openIn(dir, page, paperWidth, "dark"), chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
				_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
				return err
			}))
			// The words of a column's head stand in a button, and are printed.
			for name, script := range map[string]string{
				"folds are closed":       `Array.from(document.querySelectorAll("details.fold > .inner")).filter(e => e.getBoundingClientRect().height === 0)`,
				"controls are printed":   `Array.from(document.querySelectorAll("button:not(th button), input, .skip, .toc-fold")).filter(e => e.getClientRects().length > 0)`,
				"links say not where to": `Array.from(document.querySelectorAll(".text a[href^='http']")).filter(e => !getComputedStyle(e, "::after").content.includes(e.getAttribute("href")))`,
				"figures may be cut":     `Array.from(document.querySelectorAll("figure.fig")).filter(e => getComputedStyle(e).breakInside !== "avoid" || e.getBoundingClientRect().height > ` + strconv.Itoa(paperHeight) + `)`,
				"drawings are too wide":  `Array.from(document.querySelectorAll("svg, img, table")).filter(e => e.getBoundingClientRect().right > innerWidth + 1)`,
			} {
				if n := ask[int](ctx, t, script+".length"); n > 0 {
					t.Errorf("%s: %d", name, n)
				}
			}
			if got := ask[string](ctx, t, `getComputedStyle(document.body).backgroundColor`); got != "rgb(255, 255, 255)" {
				t.Errorf("the paper is %s", got)
			}
			sheet, err := chromedp.Run(ctx, chromedp.PrintToPDF())
			if err != nil || len(sheet) == 0 {
				t.Errorf("printing: %d bytes, %v", len(sheet), err)
			}
		})
	}
}
