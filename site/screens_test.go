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
	dir := siteOfReport(t)
	must.Do(os.MkdirAll(*screens, 0o755))
	for _, scheme := range []string{"light", "dark"} { // in two browsers at once
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			ctx := browser(t)
			for _, page := range pagesBelow(t, dir) {
				for _, view := range views {
					if view.scheme == scheme {
						takePicture(ctx, t, dir, page, view)
					}
				}
			}
		})
	}
}

func takePicture(ctx context.Context, t *testing.T, dir, page string, v view) {
	t.Helper()
	do(ctx, t, openIn(dir, page, v.width, v.scheme))
	ask[bool](ctx, t, `document.fonts.ready.then(() => true)`)
	picture := must.Get(chromedp.Run(ctx, wholePage()))
	name := fmt.Sprintf("%s-%d-%s.png", strings.ReplaceAll(strings.TrimSuffix(page, "/index.html"), "/", "-"), v.width,
		v.scheme)
	must.Do(os.WriteFile(filepath.Join(*screens, strings.Replace(name, ".html", "", 1)), picture, 0o644))
}

// wholePage takes a picture of all of a page, as chromedp.FullScreenshot does, but lets the file be larger: to pack a
// long page small takes longer than to load it.
func wholePage() chromedp.Action[[]byte] {
	return func(ctx context.Context, target *chromedp.Target) ([]byte, error) {
		yes := true
		taken, err := cdp.Call(ctx, target, page.CaptureScreenshot,
			page.CaptureScreenshotParams{CaptureBeyondViewport: &yes, FromSurface: &yes, OptimizeForSpeed: &yes})
		return taken.Data, err
	}
}
