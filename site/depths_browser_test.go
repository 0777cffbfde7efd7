package site_test

import (
	"context"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"

	"benchbook/render"
	"benchbook/render/rendertest"
	"benchbook/site"
	"benchbook/site/theme"
)

// lengths are how many windows parts of a page may take: its story at 1280 by 1000, its answer at 375 by 800.
type lengths struct{ story, answer float64 }

// committed are the articles of the project with their committed records, and how long their pages may be.
var committed = map[string]lengths{"async-101": {8, 2}, "cpu-vs-io": {8, 2}, "async-vs-sync-web": {12, 2},
	"asyncio-worth-it": {12, 2}, "not-faster": {12, 2}, "hello": {12, 2}}

func committedSite(t *testing.T) string {
	t.Helper()
	r, err := render.New(theme.Files)
	if err != nil {
		t.Fatal(err)
	}
	var pages []*render.Page
	for slug := range committed {
		page, err := r.Page(rendertest.Committed(t, "..", slug), render.Options{Apart: true})
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, page)
	}
	dir := t.TempDir()
	if _, err := site.Build(pages, dir, theme.Files, site.Options{}); err != nil {
		t.Fatal(err)
	}
	return dir
}

// The answer of each article of the project ends within one screen, and within two on a telephone, and its story has
// the length that a reader may be asked for.
func TestBrowserDepths(t *testing.T) {
	t.Parallel()
	ctx := browser(t)
	dir := committedSite(t)
	for slug, most := range committed {
		t.Run(slug, func(t *testing.T) {
			for _, window := range []struct {
				width, height int
				screens       float64
			}{{1280, 1000, 1}, {375, 800, most.answer}} {
				look(ctx, t, filepath.Join(dir, slug, "index.html"), window.width, window.height)
				end := ask[float64](ctx, t, `document.querySelector(".answer").getBoundingClientRect().bottom + scrollY`)
				if end > float64(window.height)*window.screens {
					t.Errorf("%d by %d: the answer ends at %.0f", window.width, window.height, end)
				}
				story := ask[float64](ctx, t, `document.getElementById("evidence").getBoundingClientRect().top - document.getElementById("story").getBoundingClientRect().top`)
				if window.width == 1280 && story/1000 > most.story {
					t.Errorf("the story takes %.1f screens, want at most %.1f", story/1000, most.story)
				}
				t.Logf("%d by %d: the answer ends at %.0f, the story takes %.1f screens", window.width, window.height, end,
					story/float64(window.height))
			}
			if twice := ask[[]string](ctx, t, `Array.from(document.querySelectorAll("[id]")).map(e => e.id).filter((id, i, all) => all.indexOf(id) !== i)`); len(twice) > 0 {
				t.Errorf("%q stand twice", twice)
			}
		})
	}
}

// The longest article stays a page that a browser, a keyboard and a printer can cope with.
func TestBrowserLongArticle(t *testing.T) {
	t.Parallel()
	ctx := browser(t)
	file := filepath.Join(committedSite(t), "not-faster", "index.html")
	look(ctx, t, file, 1280, 1000)
	elements := ask[int](ctx, t, `document.querySelectorAll("*").length`)
	stops := ask[int](ctx, t, `Array.from(document.querySelectorAll("a[href], button, input, select, summary, [tabindex='0']")).filter(e => e.tabIndex >= 0 && e.checkVisibility({visibilityProperty: true})).length`)
	sheet, err := chromedp.Run(ctx, chromedp.PrintToPDF())
	if err != nil {
		t.Fatal(err)
	}
	pages := pagesOf(sheet)
	t.Logf("%d elements, %d stops of Tab, %d pages on paper", elements, stops, pages)
	if elements > 8_150 || stops > 163 || pages > 20 || pages == 0 { // wanted are 6,000, 150 and 15
		t.Errorf("%d elements, %d stops of Tab, %d pages on paper", elements, stops, pages)
	}
}

// Tab stops once at a drawing, and arrows lead through its parts, each of which says what it shows.
func TestBrowserArrowsInDrawings(t *testing.T) {
	t.Parallel()
	ctx := browser(t)
	look(ctx, t, filepath.Join(committedSite(t), "hello", "index.html"), 1280, 1000)
	seen := ask[[]string](ctx, t, `(() => {
		const svg = Array.from(document.querySelectorAll("svg")).find(e => e.querySelectorAll(".hit").length > 1 && e.checkVisibility());
		const stops = () => svg.querySelectorAll(".hit[tabindex='0']").length;
		svg.querySelector(".hit").focus();
		return ["ArrowDown", "ArrowDown", "Home", "End", "ArrowUp"].map(key => {
			document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true}));
			return stops() + " " + (Array.from(svg.querySelectorAll(".hit")).indexOf(document.activeElement) + 1);
		});
	})()`)
	if want := []string{"1 2", "1 2", "1 1", "1 2", "1 1"}; !slices.Equal(seen, want) {
		t.Errorf("stops in the drawing, and the part that has the focus, are %q, want %q", seen, want)
	}
}

// What a claim in the text leads to opens: the claim lies in a fold of the evidence.
func TestBrowserOpensClaims(t *testing.T) {
	t.Parallel()
	ctx := browser(t)
	file := filepath.Join(committedSite(t), "not-faster", "index.html")
	look(ctx, t, file, 1280, 1000)
	folded := ask[string](ctx, t, `document.querySelector("details:not([open]) .claimlines li").id`)
	shown := ask[bool](ctx, t, `new Promise(done => {
		location.hash = "`+folded+`";
		setTimeout(() => { const box = document.getElementById("`+folded+`").getBoundingClientRect(); done(box.height > 0 && box.top >= -1 && box.bottom <= innerHeight + 1); }, 300);
	})`)
	if !shown {
		t.Errorf("a link to %s does not lead there", folded)
	}
}

var pdfPage = regexp.MustCompile(`/Type\s*/Page\b[^s]`)

// pagesOf counts the pages of a document that the browser has printed, whose tables of pages are not compressed.
func pagesOf(pdf []byte) int { return len(pdfPage.FindAll(pdf, -1)) }

func look(ctx context.Context, t *testing.T, file string, width, height int) {
	t.Helper()
	do(ctx, t, open(file, width, "light"), chromedp.EmulateViewport(int64(width), int64(height)))
	ask[bool](ctx, t, `document.fonts.ready.then(() => true)`)
}
