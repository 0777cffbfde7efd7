package site_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"benchbook/internal/test/must"
)

var screens = flag.String("screens", "",
	"folder for a picture of every page of the site that BENCHBOOK_TEST_SITE names")

// TestScreens makes pictures of pages, for people to look at; see make screens.
func TestScreens(t *testing.T) {
	if *screens == "" {
		t.Skip("-screens names no folder")
	}
	dir := os.Getenv("BENCHBOOK_TEST_SITE")
	must.Do(os.MkdirAll(*screens, 0o755))
	ctx := browser(t)
	for _, page := range pagesBelow(dir) {
		for _, view := range views {
			do(ctx, t, seenIn(view), loaded(inFile(page)))
			ask[bool](ctx, t, `document.fonts.ready.then(() => true)`)
			name := strings.TrimSuffix(strings.TrimSuffix(must.Get(filepath.Rel(dir, page)), "/index.html"), ".html")
			file := filepath.Join(*screens, fmt.Sprintf("%s-%d-%s.png", strings.ReplaceAll(name, "/", "-"), view.width, view.scheme))
			must.Do(os.WriteFile(file, must.Get(chromedp.Run(ctx, wholePage)), 0o644))
		}
	}
}

// wholePage takes a picture of all of a page, as chromedp.FullScreenshot does, but lets the file be larger: to pack a
// long page small takes longer than to load it.
var wholePage chromedp.Action[[]byte] = func(ctx context.Context, target *chromedp.Target) ([]byte, error) {
	yes := true
	taken, err := cdp.Call(ctx, target, page.CaptureScreenshot,
		page.CaptureScreenshotParams{CaptureBeyondViewport: &yes, FromSurface: &yes, OptimizeForSpeed: &yes})
	return taken.Data, err
}
