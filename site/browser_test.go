package site_test

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"benchbook/internal/slowtest"
	"benchbook/internal/test/must"
)

// browser starts a browser with a fresh profile.
func browser(t *testing.T) context.Context {
	t.Helper()
	slowtest.SkipSequential(t)
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			program = found
			break
		}
	}
	if program == "" {
		slowtest.Missing(t, "browser", "install one with apt-get install chromium", exec.ErrNotFound)
	}
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(program), chromedp.UserDataDir(t.TempDir()), chromedp.Headless, chromedp.NoSandbox,
		chromedp.DisableGPU,
		chromedp.NoFirstRun, chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
	}
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	// sooner than go test, so that it is ended; a site has any number of pages
	ctx, cancel = context.WithTimeout(ctx, 25*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// trouble collects the complaints of a browser.
type trouble struct {
	mu     sync.Mutex
	list   []string
	served string // address of a preview; empty if there is none
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
		if !strings.HasPrefix(e.Request.URL, "file:") && !strings.HasPrefix(e.Request.URL, "data:") &&
			(b.served == "" || !strings.HasPrefix(e.Request.URL, b.served)) {
			b.add("a request left the site: %s", e.Request.URL)
		}
	}
}

// report fails the test with the collected complaints and clears them.
func (b *trouble) report(t *testing.T, view any) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, words := range b.list {
		t.Errorf("%v: %s", view, words)
	}
	b.list = nil
}

func listen(ctx context.Context, t *testing.T, served string) *trouble {
	t.Helper()
	found := &trouble{served: served}
	must.Do(chromedp.Listen(ctx, found.listen))
	must.Get(chromedp.Call(ctx, network.Enable, network.EnableParams{}))
	return found
}

// do runs actions without a result, ask a script with one. Both stop the test at an error.
func do(ctx context.Context, t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	must.Do(chromedp.Do(ctx, steps...))
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
