package site_test

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"benchbook/notebook/projects"
	"benchbook/notebook/source"
	"benchbook/render"
	"benchbook/site"
	"benchbook/site/theme"
)

// docsFolder is where a site has the pages beside its articles.
const docsFolder = "docs"

// manual is this project's own, with links to the articles that it has.
func manual(t testing.TB) []*render.DocsPage {
	t.Helper()
	project, err := projects.Open("..")
	if err != nil {
		t.Fatal(err)
	}
	var problems source.Problems
	docs := project.ReadDocs(&problems)
	if docs == nil || !problems.Empty() {
		t.Fatal(problems.Sorted())
	}
	r, err := render.New(theme.Files)
	if err != nil {
		t.Fatal(err)
	}
	slugs, err := project.Slugs()
	if err != nil {
		t.Fatal(err)
	}
	pages, err := r.Docs(docs, render.Options{Articles: slugs})
	if err != nil {
		t.Fatal(err)
	}
	return pages
}

// buildWithManual makes a site of the manual beside articles, and lists its pages, the first of the manual first.
func buildWithManual(t testing.TB, dir string) (names []string) {
	t.Helper()
	pages := manual(t)
	if _, err := site.Build(samplePages(t), dir, theme.Files, site.Options{Version: "0.0", Docs: pages}); err != nil {
		t.Fatal(err)
	}
	for _, p := range pages {
		for _, w := range p.Warnings {
			t.Error(w)
		}
		names = append(names, filepath.Join(docsFolder, p.Path, "index.html"))
	}
	return names
}

// The manual reads well wherever it is read.
func TestVisitManual(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pages := map[string][]view{}
	for i, name := range buildWithManual(t, dir) { // at each width, in one scheme
		for _, width := range threeWidths {
			pages[name] = append(pages[name], view{width, lightAndDark[i%2]})
		}
	}
	visit(t, dir, pages, func(ctx context.Context, t *testing.T, page string) {
		// Short words of code, such as flags, stay on one line.
		const broken = `Array.from(document.querySelectorAll("p code, li code")).filter(c => /^\S*-\S*$/.test(c.textContent) && c.textContent.length <= 24)
			.filter(c => c.getClientRects().length > 1).map(c => c.textContent)`
		if words := ask[[]string](ctx, t, broken); len(words) > 0 {
			t.Errorf("lines end within %q", words)
		}
		if titles := ask[int](ctx, t, `document.querySelectorAll("h1").length`); titles != 1 {
			t.Errorf("there are %d titles", titles)
		}
	})
}

// The manual is found and gone through by its list of pages, the keyboard and the search.
func TestBrowserOnManual(t *testing.T) {
	t.Parallel()
	ctx := browser(t)
	dir := t.TempDir()
	names := buildWithManual(t, dir)
	found := listen(ctx, t)
	t.Run("the list of pages", func(t *testing.T) {
		for _, width := range []int{1280, 375} {
			do(ctx, t, openIn(dir, "docs/load/index.html", width, "light"))
			got := ask[struct {
				Here     []string
				Pages    int
				Sections bool
			}](ctx, t, `(() => {
				document.querySelectorAll("details").forEach(d => d.open = true);
				const shown = Array.from(document.querySelectorAll(".toc-side a, .toc-fold a")).filter(a => a.getClientRects().length > 0);
				return {Here: shown.filter(a => a.getAttribute("aria-current") === "page").map(a => a.textContent),
					Pages: new Set(shown.map(a => a.pathname)).size,
					Sections: shown.some(a => a.hash === "#open-loops")};
			})()`)
			if !slices.Equal(got.Here, []string{"Load"}) || got.Pages != len(names) || !got.Sections {
				t.Errorf("%d wide, of %d pages: %+v", width, len(names), got)
			}
		}
		found.report(t)
	})
	t.Run("the head on a telephone", func(t *testing.T) {
		do(ctx, t, openIn(dir, "docs/load/index.html", 375, "light"))
		if !ask[bool](ctx, t, `(() => {
			const box = q => document.querySelector(q).getBoundingClientRect(), link = box(".mast nav a"), find = box(".find input");
			return find.top < link.bottom && find.bottom > link.top && find.width > 90;
		})()`) {
			t.Error("links and search do not share the second line")
		}
	})
	t.Run("by the keyboard alone", func(t *testing.T) {
		do(ctx, t, openIn(dir, "docs/index.html", 1280, "light"))
		visited := map[string]bool{}
		for range 500 {
			do(ctx, t, chromedp.KeyEvent(kb.Tab))
			at := ask[string](ctx, t, `document.activeElement === document.body ? "" : document.activeElement.href || document.activeElement.id`)
			if at == "" {
				break
			}
			visited[at] = true
			if strings.HasSuffix(at, "/docs/tutorial/index.html") {
				break
			}
			if box := ask[bool](ctx, t, `(() => { const s = getComputedStyle(document.activeElement); return s.outlineStyle !== "none" || document.activeElement.className === "skip" })()`); !box {
				t.Errorf("it is not to be seen that %s has the focus", at)
			}
		}
		do(ctx, t, chromedp.KeyEvent(kb.Enter))
		if !ask[bool](ctx, t, `new Promise(done => { let n = 0; const ask = () => document.title.startsWith("Your first article") ? done(true) : ++n > 200 ? done(false) : setTimeout(ask, 25); ask(); })`) {
			t.Errorf("Tab and Enter do not lead to the tutorial: %d stops", len(visited))
		}
		found.report(t)
	})
}

// All pages of the manual are HTML as its standard has it.
func TestManualValid(t *testing.T) {
	t.Parallel()
	command := validator(t)
	dir := t.TempDir()
	buildWithManual(t, dir)
	validate(t, command, dir)
}
