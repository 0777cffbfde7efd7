package site_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"benchbook/site"
	"benchbook/site/theme"
)

// browser starts a browser with a fresh profile, and with more options if there are some. Whatever only looks at pages runs beside others, which keeps all CPUs at work.
func browser(t *testing.T, more ...chromedp.ExecAllocatorOption) context.Context {
	t.Helper()
	if testing.Short() {
		t.Skip("a browser takes its time; run without -short")
	}
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			program = found
			break
		}
	}
	if program == "" && strings.Contains(os.Getenv("BENCHBOOK_TEST_REQUIRE"), "browser") {
		t.Fatal("there is no browser, and BENCHBOOK_TEST_REQUIRE asks for one")
	}
	if program == "" {
		t.Skip("there is no browser; install one with apt-get install chromium")
	}
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(program), chromedp.UserDataDir(t.TempDir()), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.NoFirstRun, chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
	}
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), append(options, more...)...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 25*time.Minute) // sooner than go test, so that it is ended; a site has any number of pages
	t.Cleanup(cancel)
	return ctx
}

// trouble collects what a browser complains about.
type trouble struct {
	mu   sync.Mutex
	list []string
}

func (b *trouble) add(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.list = append(b.list, fmt.Sprintf(format, args...))
}

func (b *trouble) listen(event any) {
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		b.add("exception: %v", e.ExceptionDetails)
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			b.add("console: %v", e.Args)
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			b.add("log: %s %s", e.Entry.Text, e.Entry.URL)
		}
	case *network.EventLoadingFailed:
		b.add("a request failed: %s %s", e.ErrorText, e.BlockedReason)
	case *network.EventRequestWillBeSent:
		if !strings.HasPrefix(e.Request.URL, "file:") && !strings.HasPrefix(e.Request.URL, "data:") {
			b.add("a request left the site: %s", e.Request.URL)
		}
	}
}

func (b *trouble) report(t *testing.T) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, words := range b.list {
		t.Error(words)
	}
	b.list = nil
}

// A site works from a disk, at every width and in both colours: nothing scrolls sideways, nothing fails or is
// complained about, and every measured value opens its slip when it is reached by Tab.
func TestBrowser(t *testing.T) {
	t.Parallel()
	ctx := browser(t)
	dir := t.TempDir()
	build(t, append(samplePages(t), longWords(t)), dir)
	found := listen(ctx, t)
	lookAtAll(ctx, t, found, dir, lightAndDark, always([]string{"index.html", "sockets/index.html", "failed/index.html", "unmeasured/index.html", "long/index.html",
		"sockets/history/index.html", "sockets/runs/" + earlierRun + "/index.html", "sockets/compare/" + earlierRun + "-" + laterRun + "/index.html",
		"tags/python/index.html"}))
	t.Run("the table sorts", func(t *testing.T) {
		sorts(ctx, t, filepath.Join(dir, "sockets", "index.html"))
		found.report(t)
	})
	t.Run("the theme changes and is kept", func(t *testing.T) {
		changesTheme(ctx, t, filepath.Join(dir, "index.html"))
		found.report(t)
	})
	t.Run("the history sorts", func(t *testing.T) {
		sortsRuns(ctx, t, filepath.Join(dir, "sockets", "history", "index.html"))
		found.report(t)
	})
	for _, page := range []string{"index.html", "sockets/index.html", "sockets/runs/" + earlierRun + "/index.html"} {
		t.Run("search from "+page+", by the keyboard alone", func(t *testing.T) {
			searches(ctx, t, filepath.Join(dir, page), dir)
			found.report(t)
		})
	}
}

// A single file needs nothing beside it: from a folder of its own it shows its figures, its fonts, and its slips.
func TestBrowserOnSingleFile(t *testing.T) {
	t.Parallel()
	ctx := browser(t)
	built, err := site.Files(samplePages(t), theme.Files, site.Options{SingleFile: true})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "mail.html"), built["sockets.html"], 0o644); err != nil {
		t.Fatal(err)
	}
	found := listen(ctx, t)
	lookAtAll(ctx, t, found, dir, lightAndDark, always([]string{"mail.html"}))
	t.Run("its table sorts", func(t *testing.T) {
		sorts(ctx, t, filepath.Join(dir, "mail.html"))
		found.report(t)
	})
}

// The same holds for a site that was made of real records: CI names the one that its report made.
func TestBrowserOnReport(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("BENCHBOOK_TEST_SITE")
	if dir == "" {
		t.Skip("BENCHBOOK_TEST_SITE names no site: make report, and set it to the folder _site")
	}
	pages, err := filepath.Glob(filepath.Join(dir, "*", "index.html"))
	if err != nil || len(pages) < 2 {
		t.Fatalf("%d articles in %s, %v", len(pages), dir, err)
	}
	names := []string{"index.html"}
	for _, page := range pages {
		slug := filepath.Base(filepath.Dir(page))
		if slug == docsFolder { // where nothing is measured
			continue
		}
		names = append(names, filepath.Join(slug, "index.html"))
		if history := filepath.Join(slug, "history", "index.html"); isFile(filepath.Join(dir, history)) {
			names = append(names, history)
		}
	}
	for _, scheme := range lightAndDark { // in two browsers at once
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			ctx := browser(t)
			found := listen(ctx, t)
			lookAtAll(ctx, t, found, dir, []string{scheme}, always(names))
		})
	}
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

func listen(ctx context.Context, t *testing.T) *trouble {
	t.Helper()
	found := &trouble{}
	if err := chromedp.Listen(ctx, found.listen); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	return found
}

// lookAtAll looks at pages at all widths. Where Tab leads to does not depend on colours, and takes most of the time: it is pressed in light
// alone. That slips are to be seen in both is what TestBrowserSlips is about.
func lookAtAll(ctx context.Context, t *testing.T, found *trouble, dir string, schemes []string, pages looked) {
	t.Helper()
	eachLook(t, threeWidths, schemes, pages, func(t *testing.T, page string, width int, scheme string) {
		if file := filepath.Join(dir, page); scheme == "light" {
			look(ctx, t, file, width, scheme, kindOf(page) != "history" && kindOf(page) != "compare" && kindOf(page) != "tags" && page != "index.html")
		} else {
			glance(ctx, t, file, width, scheme)
		}
		found.report(t)
	})
}

// lightAndDark are the colour schemes of a system.
var lightAndDark = []string{"light", "dark"}

// threeWidths are those of a desk, a tablet and a telephone, in CSS pixels.
var threeWidths = []int{1280, 768, 375}

// eachLook runs a test of pages at each width, in each colour scheme. pages says which ones at one width in one scheme.
func eachLook(t *testing.T, widths []int, schemes []string, pages looked, test func(t *testing.T, page string, width int, scheme string)) {
	t.Helper()
	for _, width := range widths {
		for _, scheme := range schemes {
			for _, page := range pages(width, scheme) {
				t.Run(fmt.Sprintf("%s, %d wide, %s", page, width, scheme), func(t *testing.T) { test(t, page, width, scheme) })
			}
		}
	}
}

// looked says at which pages to look at a width in a colour scheme.
type looked func(width int, scheme string) []string

// always looks at all pages at every width in each scheme.
func always(pages []string) looked { return func(int, string) []string { return pages } }

// inTurn looks at the pages of articles, at the index, and at the first page of each other kind, such as runs, at all of the widths in each
// scheme. It looks once at any other page, each at another width or in another scheme than the one of its kind before: they are made alike.
func inTurn(pages []string, widths []int) looked {
	var turns []string
	for _, width := range widths {
		for _, scheme := range lightAndDark {
			turns = append(turns, scheme+strconv.Itoa(width))
		}
	}
	pages = slices.Sorted(slices.Values(pages))
	of, seen := map[string]string{}, map[string]int{}
	for _, page := range pages {
		kind := kindOf(page)
		if seen[kind]++; kind != "" && seen[kind] > 1 {
			of[page] = turns[seen[kind]%len(turns)]
		}
	}
	return func(width int, scheme string) []string {
		return slices.DeleteFunc(slices.Clone(pages), func(page string) bool {
			turn, some := of[page]
			return some && turn != scheme+strconv.Itoa(width)
		})
	}
}

// kindOf is what many pages of a site have in common: "docs", "tags", "history", "runs" or "compare"; "" of the index and of articles.
func kindOf(page string) string {
	parts := strings.Split(page, "/")
	switch {
	case parts[0] == docsFolder || parts[0] == "tags":
		return parts[0]
	case len(parts) > 2:
		return parts[1]
	}
	return ""
}

// openIn loads a page of a site.
func openIn(dir, page string, width int, scheme string) chromedp.Action[chromedp.Void] {
	return open(filepath.Join(dir, filepath.FromSlash(page)), width, scheme)
}

// open loads a page at a width, in a colour scheme of the system.
func open(file string, width int, scheme string) chromedp.Action[chromedp.Void] {
	address := url.URL{Scheme: "file", Path: filepath.ToSlash(file)}
	return chromedp.Steps(
		chromedp.EmulateViewport(int64(width), 900),
		chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
			return err
		}),
		chromedp.Navigate(address.String()),
		chromedp.WaitReady(chromedp.CSS("body")),
	)
}

// runScripts says whether pages run theirs.
func runScripts(yes bool) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !yes})
		return err
	})
}

// do runs what returns nothing, ask what returns something; neither goes on after an error.
func do(ctx context.Context, t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

func ask[T any](ctx context.Context, t *testing.T, script string) T {
	t.Helper()
	answer, err := chromedp.Run(ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%v, asking %s", err, script)
	}
	return answer
}

func look(ctx context.Context, t *testing.T, file string, width int, scheme string, isArticle bool) {
	t.Helper()
	glance(ctx, t, file, width, scheme)
	values := ask[int](ctx, t, `document.querySelectorAll(".m").length`)
	if isArticle && values == 0 {
		t.Error("the page has no measured values")
	}
	ask[int](ctx, t, watchStops)
	opened, done := map[string]bool{}, false
	// Tab visits every stop once and comes to an end; the bound is for a page that never does.
	for tries := 0; tries < 40 && !done; tries++ {
		do(ctx, t, pressTab(50))
		for _, at := range ask[[]stop](ctx, t, takeStops) {
			if done = at.Done || opened[at.ID]; done {
				break
			}
			if at.ID == "" {
				continue
			}
			if opened[at.ID] = true; !at.Open || !at.Visible {
				t.Errorf("the slip %s is not to be seen when its value has the focus", at.ID)
			}
		}
	}
	if len(opened) != values {
		t.Errorf("Tab reached %d of %d values", len(opened), values)
	}
}

// glance loads a page, opens what is folded, and looks at its width and its fonts.
func glance(ctx context.Context, t *testing.T, file string, width int, scheme string) {
	t.Helper()
	do(ctx, t, open(file, width, scheme))
	scroll := ask[int](ctx, t, `document.querySelectorAll("details").forEach(d => d.open = true); document.documentElement.scrollWidth`)
	if scroll > width {
		t.Errorf("the page is %d wide", scroll)
	}
	if ask[int](ctx, t, `document.fonts.ready.then(() => Array.from(document.fonts).filter(f => f.status === "loaded").length)`) == 0 {
		t.Error("no font of the theme was loaded")
	}
}

// A stop is where Tab has led to: at a value, whose slip has an ID, at something else, or out of the page.
type stop struct {
	ID                  string
	Open, Visible, Done bool
}

// watchStops has a page note each stop when the next Tab is about to leave it: pages have hundreds of values, and to ask after each key
// takes more calls than the keys. When all were visited it lets no Tab do anything more.
const watchStops = `(() => {
	const at = () => {
		const e = document.activeElement;
		if (!e || e === document.body) return {Done: true};
		if (!e.classList.contains("m")) return {};
		const slip = e.querySelector(".pop"), box = slip.getBoundingClientRect();
		return {ID: slip.id, Open: getComputedStyle(slip).display !== "none",
			Visible: box.width > 100 && box.left >= 0 && box.right <= innerWidth};
	};
	let begun = false, done = false;
	window.stops = [];
	addEventListener("keydown", e => {
		if (begun && !done) {
			const stop = at();
			done = !!stop.Done;
			stops.push(stop);
		}
		begun = true;
		if (done) e.preventDefault();
	}, true);
	return 0;
})()`

// takeStops takes what was noted so far, and whether Tab has led out of the page, which may hear of no further key then.
const takeStops = `stops.splice(0).concat(document.activeElement && document.activeElement !== document.body ? [] : [{Done: true}])`

// pressTab presses Tab so many times, and does not let it go: no page listens to that.
func pressTab(times int) chromedp.Action[chromedp.Void] {
	down := kb.Encode('\t')[0]
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		for range times {
			if _, err := cdp.Call(ctx, t, input.DispatchKeyEvent, *down); err != nil {
				return err
			}
		}
		return nil
	})
}

func sorts(ctx context.Context, t *testing.T, file string) {
	t.Helper()
	names := func() string {
		return ask[string](ctx, t, `Array.from(document.querySelectorAll("#tbl-sockets tbody th")).map(th => th.firstChild.textContent).join(" ")`)
	}
	click := chromedp.Click(chromedp.CSS(`#tbl-sockets thead th[aria-sort] button`))
	do(ctx, t, open(file, 1280, "light"))
	written := names()
	do(ctx, t, click)
	once := names()
	do(ctx, t, click)
	twice := names()
	for _, test := range []struct{ name, got, want string }{
		{"as written", written, "async threads sync"}, {"once", once, "sync threads async"}, {"twice", twice, "async threads sync"},
	} {
		if test.got != test.want {
			t.Errorf("%s: the rows are %s, want %s", test.name, test.got, test.want)
		}
	}
}

func changesTheme(ctx context.Context, t *testing.T, file string) {
	t.Helper()
	paper := func() string { return ask[string](ctx, t, `getComputedStyle(document.body).backgroundColor`) }
	click := chromedp.Click(chromedp.CSS("#theme"))
	do(ctx, t, open(file, 1280, "dark"))
	system := paper()
	do(ctx, t, click)
	light := paper()
	do(ctx, t, click)
	dark := paper()
	if light == system || dark != system {
		t.Errorf("paper is %s by the system's dark, then light %s, then dark %s", system, light, dark)
	}
	do(ctx, t, open(file, 1280, "light"))
	if kept := paper(); kept != dark {
		t.Errorf("after a reload paper is %s, want %s: the choice is not kept", kept, dark)
	}
}

// sortsRuns turns the runs around.
func sortsRuns(ctx context.Context, t *testing.T, file string) {
	t.Helper()
	runs := func() string {
		return ask[string](ctx, t, `Array.from(document.querySelectorAll("#tbl-runs tbody code")).map(c => c.textContent).join(" ")`)
	}
	do(ctx, t, open(file, 1280, "light"))
	written := []string{laterRun, otherRun, earlierRun, stoppedRun}
	if got := runs(); got != strings.Join(written, " ") {
		t.Errorf("as written the runs are %s", got)
	}
	do(ctx, t, chromedp.Click(chromedp.CSS(`#tbl-runs thead th[aria-sort] button`)))
	slices.Reverse(written)
	if got := runs(); got != strings.Join(written, " ") {
		t.Errorf("turned around they are %s", got)
	}
}

// searches finds a figure from a page and goes there, without a mouse. Whatever is shown is said to those who do not see it.
func searches(ctx context.Context, t *testing.T, file, dir string) {
	t.Helper()
	type state struct {
		Focus, Expanded, Active, Chosen, Count, Value string
		Shown                                         bool
		Options                                       []string
	}
	look := func() state {
		return ask[state](ctx, t, `(() => {
			const input = document.getElementById("find"), list = document.getElementById("found");
			const chosen = list.querySelector("[aria-selected=true]");
			return {Focus: document.activeElement.id, Expanded: input.getAttribute("aria-expanded"), Shown: !list.hidden && list.getBoundingClientRect().height > 0,
				Active: input.getAttribute("aria-activedescendant") || "", Chosen: chosen ? chosen.id : "", Value: input.value,
				Count: document.getElementById("found-count").textContent,
				Options: Array.from(list.querySelectorAll("[role=option]")).map(o => o.textContent)};
		})()`)
	}
	await := func(what string, script string) {
		t.Helper()
		if !ask[bool](ctx, t, `new Promise(done => { let n = 0; const ask = () => (`+script+`) ? done(true) : ++n > 200 ? done(false) : setTimeout(ask, 25); ask(); })`) {
			t.Fatalf("%s: %+v", what, look())
		}
	}
	// A key with its text, as a keyboard sends it: whoever takes the key keeps the text from being typed.
	slash := chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: "keyDown", Key: "/", Code: "Slash", Text: "/"})
		return err
	})
	do(ctx, t, open(file, 1280, "light"), slash)
	if s := look(); s.Focus != "find" || s.Shown || s.Expanded != "false" || s.Value != "" {
		t.Fatalf("after / it is %+v", s)
	}
	await("what there is to find was not loaded", `window.benchbookPages`)
	do(ctx, t, chromedp.KeyEvent("asyncio more"))
	if s := look(); !s.Shown || s.Expanded != "true" || len(s.Options) == 0 || !strings.HasSuffix(s.Count, "results") {
		t.Fatalf("after typing it is %+v", s)
	}
	do(ctx, t, chromedp.KeyEvent(kb.ArrowDown))
	if s := look(); s.Active == "" || s.Active != s.Chosen {
		t.Errorf("after an arrow it is %+v", s)
	}
	do(ctx, t, chromedp.KeyEvent(kb.Escape))
	if s := look(); s.Shown || s.Expanded != "false" || s.Value == "" || s.Active != "" {
		t.Errorf("after Escape it is %+v", s)
	}
	do(ctx, t, chromedp.KeyEvent(kb.Escape), chromedp.KeyEvent("zzz"))
	if s := look(); len(s.Options) != 0 || s.Count != "0 results" {
		t.Errorf("of what is nowhere it finds %+v", s)
	}
	do(ctx, t, chromedp.KeyEvent(kb.Escape), chromedp.KeyEvent(kb.Escape), chromedp.KeyEvent("third more"))
	s := look()
	at := slices.IndexFunc(s.Options, func(o string) bool { return strings.HasPrefix(o, "figure") && strings.Contains(o, "third more") })
	if at < 0 {
		t.Fatalf("the figure is not found: %+v", s)
	}
	for range at + 1 {
		do(ctx, t, chromedp.KeyEvent(kb.ArrowDown))
	}
	do(ctx, t, chromedp.KeyEvent(kb.Enter))
	await("Enter does not lead to the figure", `location.pathname.endsWith("/index.html") && location.hash === "#fig-throughput" && document.readyState === "complete"`)
	if got := ask[string](ctx, t, `decodeURIComponent(location.pathname)`); filepath.Dir(filepath.Dir(filepath.FromSlash(got))) != dir {
		t.Errorf("it leads to %s, below %s", got, dir)
	}
}
