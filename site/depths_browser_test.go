package site_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"

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
	"asyncio-worth-it": {12, 2}, "not-faster": {12, 2}, "load-generators": {12, 2}, "postgres-connections": {8, 2},
	"hello": {12, 2}}

// made is the site of the project itself, without its history, which all tests that look at it share.
var made struct {
	sync.Once
	dir string
}

func TestMain(m *testing.M) {
	status := m.Run()
	if err := os.RemoveAll(made.dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = max(status, 1)
	}
	os.Exit(status)
}

func committedSite(t testing.TB) string {
	t.Helper()
	made.Do(func() {
		r, err := render.New(theme.Files)
		if err != nil {
			t.Fatal(err)
		}
		articles, err := filepath.Glob(filepath.Join("..", "experiments", "*", "article.md"))
		if err != nil || len(articles) != len(committed) {
			t.Fatal(articles, err)
		}
		var pages []*render.Page
		for _, file := range articles {
			page, err := r.Page(rendertest.Committed(t, "..", filepath.Base(filepath.Dir(file))), render.Options{Apart: true})
			if err != nil {
				t.Fatal(err)
			}
			pages = append(pages, page)
		}
		if made.dir, err = os.MkdirTemp("", "benchbook-site-"); err != nil {
			t.Fatal(err)
		}
		if _, err := site.Build(pages, made.dir, theme.Files, site.Options{Docs: manual(t)}); err != nil {
			t.Fatal(err)
		}
	})
	return made.dir
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
	if elements > 8_150 || stops > 175 || pages > 17 || pages == 0 { // wanted are 6,000, 150 and 15
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

// What a reader wants of the longest article: nothing stands in the way of the answer, and the rest is a click away.
func TestBrowserReadersTasks(t *testing.T) {
	t.Parallel()
	ctx := browser(t)
	found := listen(ctx, t)
	file := filepath.Join(committedSite(t), "not-faster", "index.html")
	isSeen := `(e => { const b = e.getBoundingClientRect(); return b.height > 0 && b.top >= 0 && b.bottom <= innerHeight; })`
	look(ctx, t, file, 1280, 1000)
	if !ask[bool](ctx, t, `Array.from(document.querySelectorAll(".standing, .answers .claim-says, .answers .vw")).every(`+isSeen+`)`) {
		t.Error("whether the claims hold is not to be seen without a click")
	}
	follow := func(link, then string) bool {
		t.Helper()
		look(ctx, t, file, 1280, 1000)
		if !ask[bool](ctx, t, `(link => { setTimeout(() => link.click(), 0); return link.checkVisibility(); })(document.querySelector("`+link+`"))`) {
			t.Errorf("%s is not to be seen", link)
		}
		for range 100 {
			time.Sleep(20 * time.Millisecond)
			if yes, err := chromedp.Run(ctx, chromedp.Evaluate[bool](then)); err == nil && yes {
				return true
			}
		}
		return false
	}
	if !follow(".answer .meta a[href]", `location.pathname.endsWith("/evidence.html") && location.hash === "#method" && document.getElementById("method")?.getBoundingClientRect().top < innerHeight`) {
		t.Error("how it was measured is not one click away")
	}
	if !follow(".runit", isSeen+`(document.querySelector(".howto .cmd")) && /^benchbook run not-faster#\S+$/.test(document.querySelector(".howto .cmd").textContent)`) {
		t.Error("the command that runs an experiment here is not one click away")
	}
	look(ctx, t, file, 1280, 1000)
	for _, kind := range []string{"csv", "json"} {
		if n := ask[int](ctx, t, `Array.from(document.querySelectorAll("main a[href$='.`+kind+`']")).filter(e => e.checkVisibility()).length`); n == 0 {
			t.Errorf("no figure's data as %s are one click away", kind)
		}
	}
	found.report(t)
}
