package site_test

import (
	"benchbook/render"
	"benchbook/render/rendertest"
	"benchbook/site"
	"benchbook/site/theme"
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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
)

// browser starts a browser with a fresh profile, and with more options if there are some. Whatever only looks at pages
// runs beside others, which keeps all CPUs at work.
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
		chromedp.ExecPath(program), chromedp.UserDataDir(t.TempDir()), chromedp.Headless, chromedp.NoSandbox,
		chromedp.DisableGPU,
		chromedp.NoFirstRun, chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
	}
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), append(options, more...)...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	// sooner than go test, so that it is ended; a site has any number of pages
	ctx, cancel = context.WithTimeout(ctx, 25*time.Minute)
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

// take empties the list.
func (b *trouble) take() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := b.list
	b.list = nil
	return list
}

func (b *trouble) report(t *testing.T) {
	t.Helper()
	for _, words := range b.take() {
		t.Error(words)
	}
}

// What needs a script works from a disk: sorting, the theme, the search.
func TestBrowser(t *testing.T) {
	t.Parallel()
	ctx := browser(t)
	dir := t.TempDir()
	build(t, samplePages(t), dir)
	found := listen(ctx, t)
	t.Run("the table sorts", func(t *testing.T) {
		sorts(ctx, t, filepath.Join(dir, "sockets", "index.html"))
		found.report(t)
	})
	t.Run("the theme changes and is kept", func(t *testing.T) {
		changesTheme(ctx, t, filepath.Join(dir, "index.html"))
		found.report(t)
	})
	for _, page := range []string{"index.html", "sockets/index.html"} {
		t.Run("search from "+page+", by the keyboard alone", func(t *testing.T) {
			searches(ctx, t, filepath.Join(dir, page), dir)
			found.report(t)
		})
	}
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
		_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled,
			emulation.SetScriptExecutionDisabledParams{Value: !yes})
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
		{"as written", written, "async threads sync"}, {"once", once, "sync threads async"},
		{"twice", twice, "async threads sync"},
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

// searches finds a section from a page and goes there, without a mouse. Whatever is shown is said to those who do not
// see it.
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
		if !ask[bool](ctx, t, `new Promise(done => { let n = 0; const ask = () => (`+script+
			`) ? done(true) : ++n > 200 ? done(false) : setTimeout(ask, 25); ask(); })`) {
			t.Fatalf("%s: %+v, at %s", what, look(), ask[string](ctx, t, `location.href`))
		}
	}
	// A key with its text, as a keyboard sends it: whoever takes the key keeps the text from being typed.
	slash := chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: "keyDown", Key: "/",
			Code: "Slash", Text: "/"})
		return err
	})
	do(ctx, t, open(file, 1280, "light"), slash)
	if s := look(); s.Focus != "find" || s.Shown || s.Expanded != "false" || s.Value != "" {
		t.Fatalf("after / it is %+v", s)
	}
	await("what there is to find was not loaded", `window.benchbookSearch`)
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
	do(ctx, t, chromedp.KeyEvent(kb.Escape), chromedp.KeyEvent(kb.Escape), chromedp.KeyEvent("slow clients"))
	s := look()
	at := slices.IndexFunc(s.Options, func(o string) bool { return strings.Contains(o, "slow clients") })
	if at < 0 {
		t.Fatalf("the section is not found: %+v", s)
	}
	for range at + 1 {
		do(ctx, t, chromedp.KeyEvent(kb.ArrowDown))
	}
	do(ctx, t, chromedp.KeyEvent(kb.Enter))
	await("Enter does not lead to the section",
		`location.pathname.endsWith("/index.html") && document.querySelector("h2:target, h3:target") && document.readyState === "complete"`)
	if got := ask[string](ctx, t, `decodeURIComponent(location.pathname)`); filepath.Dir(
		filepath.Dir(filepath.FromSlash(got))) != dir {
		t.Errorf("it leads to %s, below %s", got, dir)
	}
}

// made is the site of the committed records.
var made struct {
	sync.Once
	dir string
}

// committedSite makes the site of the articles and committed records of this repository, once for all tests.
func committedSite(t testing.TB) string {
	t.Helper()
	made.Do(func() {
		r, err := render.New(theme.Files)
		if err != nil {
			t.Fatal(err)
		}
		articles, err := filepath.Glob(filepath.Join("..", "experiments", "*", "article.md"))
		if err != nil || len(articles) < 8 {
			t.Fatal(articles, err)
		}
		var pages []*render.Page
		for _, file := range articles {
			page, err := r.Page(rendertest.Committed(t, "..", filepath.Base(filepath.Dir(file))), render.Options{})
			if err != nil {
				t.Fatal(err)
			}
			pages = append(pages, page)
		}
		if made.dir, err = os.MkdirTemp("", "benchbook-site-"); err != nil {
			t.Fatal(err)
		}
		if _, err := site.Build(pages, made.dir, theme.Files, site.Options{}); err != nil {
			t.Fatal(err)
		}
	})
	return made.dir
}

func TestMain(m *testing.M) {
	status := m.Run()
	if err := os.RemoveAll(made.dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = max(status, 1)
	}
	os.Exit(status)
}
