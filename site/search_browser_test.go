package site_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"benchbook/slowtest"
)

// foundView is a result of a search, as a reader sees it.
type foundView struct {
	Heading, Page, Excerpt string
	Marked                 []string // in the excerpt
}

type searchView struct {
	Results     []foundView
	Count, More string
	Foreign     int     // elements that are no part of the list of results
	Took        float64 // milliseconds from the last letter to the results
}

// searchFor types words into the field, and waits for what there is to find.
func searchFor(ctx context.Context, t *testing.T, words string) searchView {
	t.Helper()
	quoted, err := json.Marshal(words)
	if err != nil {
		t.Fatal(err)
	}
	return ask[searchView](ctx, t, `(words => new Promise(done => {
		const input = document.getElementById("find"), list = document.getElementById("found");
		const text = (of, q) => of.querySelector(q)?.textContent ?? "";
		let n = 0;
		const look = () => {
			if (!window.benchbookSearch) return ++n > 200 ? done({Count: "not loaded"}) : setTimeout(look, 25);
			const began = performance.now();
			input.value = words;
			input.dispatchEvent(new InputEvent("input"));
			done({Took: performance.now() - began, Count: document.getElementById("found-count").textContent, More: text(list, ".more"),
				Foreign: list.querySelectorAll(":not(li):not(span):not(mark)").length,
				Results: Array.from(list.querySelectorAll("[role=option]")).map(o => ({Heading: text(o, ".words"), Page: text(o, ".in"), Excerpt: text(o, ".excerpt"),
					Marked: Array.from(o.querySelectorAll(".excerpt mark")).map(m => m.textContent)}))});
		};
		look();
	}))(`+string(quoted)+`)`)
}

// Whoever looks for a word finds where it stands, from a disk, in the articles of the project.
func TestBrowserSearch(t *testing.T) {
	t.Parallel()
	ctx := browser(t)
	dir := committedSite(t)
	found := listen(ctx, t)
	do(ctx, t, openIn(dir, "index.html", 1280, "light"))
	if ask[bool](ctx, t, `!!window.benchbookSearch || performance.getEntriesByType("resource").some(e => /search\./.test(e.name))`) {
		t.Error("what there is to find is loaded before anybody searches")
	}
	began := time.Now()
	do(ctx, t, chromedp.KeyEvent("/")) // a script's focus() says nothing in a window that has no focus
	if !ask[bool](ctx, t, `new Promise(done => {
		const from = performance.now(), look = () => window.benchbookSearch ? done(true) :
			performance.now() - from > 10_000 ? done(false) : setTimeout(look, 1);
		look();
	})`) {
		t.Fatal("what there is to find is not loaded when somebody comes to the field")
	}
	t.Logf("what there is to find is loaded in %s", time.Since(began).Round(time.Millisecond))
	for _, test := range []struct {
		words, first, page string // heading of the first result, and its page unless that is the heading
		marked             string // in each excerpt that has all words, in lower case
	}{
		{"greenlet", "The stack", "Is async Python faster behind a real stack?", "greenlet"},
	} {
		s := searchFor(ctx, t, test.words)
		t.Logf("%q: %s in %.1f ms", test.words, s.Count, s.Took)
		if len(s.Results) == 0 {
			t.Errorf("%q finds nothing: %+v", test.words, s)
			continue
		}
		if first := s.Results[0]; first.Heading != test.first || first.Page != test.page {
			t.Errorf("%q finds %+v first, and not %s of %s", test.words, first, test.first, test.page)
		}
		for _, r := range s.Results {
			for _, m := range r.Marked {
				if test.marked != "" && strings.ToLower(m) != test.marked {
					t.Errorf("%q finds %q, in %+v", test.words, m, r)
				}
			}
			if len(r.Marked) == 0 && !strings.Contains(strings.ToLower(r.Heading), strings.ToLower(test.words)) {
				t.Errorf("%q is not to be seen in %+v", test.words, r)
			}
		}
	}
	t.Run("a word that is not finished", func(t *testing.T) {
		if s := searchFor(ctx, t, "pgbounc"); len(s.Results) == 0 || !strings.HasSuffix(s.Count, " that begin with this") {
			t.Errorf("it finds %+v", s)
		}
	})
	t.Run("hostile words", func(t *testing.T) {
		for _, words := range []string{"<img src=x onerror=alert(1)>", "</script><b>", `\`, "(((", "[a-", ".*", "^", "$&", "a|b", "{1,2",
			`"`, "'", "__proto__", "constructor", "\u202e", "😀", strings.Repeat("a", 10_000), strings.Repeat("a ", 200), "\u0000"} {
			if s := searchFor(ctx, t, words); s.Foreign > 0 || s.Count == "" || s.Took > 2000 {
				t.Errorf("%.40q: %+v", words, s)
			}
		}
		found.report(t)
	})
	if script := axe(t); script != "" {
		searchFor(ctx, t, "p99")
		do(ctx, t, chromedp.KeyEvent(kb.ArrowDown))
		ask[bool](ctx, t, script+"; true")
		for _, wrong := range ask[[]string](ctx, t, examine) {
			t.Error(wrong)
		}
	}
	found.report(t)
}

// What there is to find of the project's articles is small enough to be loaded by a telephone; of a thousand
// articles too, since the older ones are found by less.
func TestSearchIsSmall(t *testing.T) {
	slowtest.SkipSequential(t)
	const most = 300_000
	dir := committedSite(t)
	text, packed := searchSize(t, dir)
	t.Logf("%d bytes, %d compressed", text, packed)
	if packed > most {
		t.Errorf("what there is to find has %d bytes compressed, more than %d", packed, most)
	}
}

// searchSize is the size of what there is to find, as it is and compressed.
func searchSize(t testing.TB, dir string) (text, packed int) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "search.*.js"))
	if err != nil || len(names) != 1 {
		t.Fatal(names, err)
	}
	data, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return len(data), b.Len()
}
