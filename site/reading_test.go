package site_test

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// Without scripts a page says all that it says with them, on a telephone too, and offers nothing that would need one.
func TestBrowserWithoutScript(t *testing.T) {
	t.Parallel()
	ctx := browser(t)
	dir := t.TempDir()
	build(t, samplePages(t), dir)
	do(ctx, t, runScripts(false))
	for _, page := range pagesBelow(t, dir) {
		t.Run(page, func(t *testing.T) {
			do(ctx, t, openIn(dir, page, 375, "light"))
			// What needs a script is not there without a style sheet either.
			for _, control := range ask[[]string](ctx, t,
				`Array.from(document.querySelectorAll("html.js, button, input, .needs-js")).filter(e => e.getClientRects().length > 0 || !e.closest("[hidden]")).map(e => e.outerHTML)`) {
				t.Errorf("a control that does nothing is to be seen: %.200s", control)
			}
			switch words := ask[string](ctx, t, `document.body.innerText`); {
			case page == "sockets/index.html" && !strings.Contains(words, "How this was measured"):
				t.Error("the page does not say how it was measured")
			case page == "index.html" && strings.Count(words, "One socket at a time, or all at once?") < 3:
				t.Error("not all articles are listed")
			}
			if width := ask[int](ctx, t, `document.querySelectorAll("details").forEach(d => d.open = true); document.documentElement.scrollWidth`); width > 375 {
				t.Errorf("the page is %d wide", width)
			}
			for _, words := range ask[[]string](ctx, t, badCells) {
				t.Error(words)
			}
		})
	}
	for width, want := range map[int]string{1280: "margin", 375: "below"} {
		do(ctx, t, openIn(dir, "sockets/index.html", width, "light"))
		if got := ask[[]string](ctx, t, notes); len(got) == 0 ||
			slices.ContainsFunc(got, func(place string) bool { return place != want }) {
			t.Errorf("%d wide notes are %q, want all %s", width, got, want)
		}
	}
}

// badCells lists cells that a telephone shows without saying what stands in them. A row is a card there, and has its
// heads in each cell; the words of letters of groups and of notes say it themselves, and a small drawing is told by the
// number beside it.
const badCells = `(() => {
	const wrong = [];
	for (const table of document.querySelectorAll("main table")) {
		if (!table.checkVisibility()) continue;
		const cards = table.classList.contains("cards"), heads = getComputedStyle(table.tHead ?? table).display !== "none";
		if (cards === heads) wrong.push("heads of " + (table.closest("[id]")?.id ?? "a table") + " shown: " + heads);
		for (const cell of table.querySelectorAll("tbody td, tbody th")) {
			if (!cell.checkVisibility()) continue;
			const box = cell.getBoundingClientRect(), said = cell.outerHTML.slice(0, 120);
			if (box.left < -1 || box.right > innerWidth + 1) wrong.push("beyond the window: " + said);
			if (!cards || cell.matches("th, :first-child, .cellc, .grpc, .why, :empty")) continue;
			const before = getComputedStyle(cell, "::before");
			if (!cell.dataset.l || !before.content.includes(cell.dataset.l) || before.display === "none") wrong.push("no heading: " + said);
		}
		if (table.parentElement.scrollWidth > table.parentElement.clientWidth + 1) wrong.push("scrolls sideways: " + table.outerHTML.slice(0, 80));
	}
	return wrong;
})()`

// Footnotes stand in the margin at the height of what they belong to where there is room, and else below it.
const notes = `Array.from(document.querySelectorAll(".with-notes")).flatMap(beside => {
	const text = beside.firstElementChild.getBoundingClientRect();
	return Array.from(beside.querySelectorAll(".note")).map(note => {
		const box = note.getBoundingClientRect(), within = box.left >= 0 && box.right <= innerWidth && box.width > 150 && box.height > 15;
		return !within ? "outside" : box.left >= text.right ? Math.abs(box.top - text.top) < 40 || note.previousElementSibling ? "margin" : "lower" : box.top >= text.bottom ? "below" : "over";
	});
})`

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
			if tooltips := ask[[]string](
				ctx, t, `Array.from(document.querySelectorAll(".tooltip")).filter(e => e.getClientRects().length > 0).map(e => e.parentNode.innerText)`); len(tooltips) > 0 {
				t.Errorf("tooltips, which the values in the text have in a list too, stand within sentences: %.200q", tooltips)
			}
			if hidden := ask[[]string](ctx, t, hidesDrawing); len(hidden) > 0 {
				t.Errorf("of the drawings, which are black where nothing says otherwise, %q", hidden)
			}
		})
	}
}

// hidesDrawing lists what would cover drawings or be missing in them: shapes that lie over others, words for the
// pointer, lines without ink.
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
	for (const e of document.querySelectorAll("a svg, .tooltip svg, .effect svg")) {
		if (e.getBoundingClientRect().width > 400) wrong.push("a small drawing " + e.getBoundingClientRect().width + " wide");
	}
	return [...new Set(wrong)];
})()`

// On paper claims are open and files folded, links say where they lead, controls are gone, and no figure is cut in two.
func TestBrowserPrints(t *testing.T) {
	t.Parallel()
	const paperWidth, paperHeight = 673, 986 // of A4 within its margins, in pixels of CSS
	ctx := browser(t)
	dir := t.TempDir()
	build(t, samplePages(t), dir)
	for _, page := range pagesBelow(t, dir) {
		t.Run(page, func(t *testing.T) {
			do(ctx, t, openIn(dir, page, paperWidth, "dark"),
				chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
					_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
					return err
				}))
			// The words of a column's head stand in a button, and are printed.
			for name, script := range map[string]string{
				"folds are closed":       `Array.from(document.querySelectorAll("details.fold > .inner")).filter(e => !e.closest("#method, .paperfold") && e.getBoundingClientRect().height === 0)`,
				"files are printed":      `Array.from(document.querySelectorAll("details.file:not([open]) pre, #method .inner")).filter(e => e.getBoundingClientRect().height > 0)`,
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
