package site_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// The button of a listing copies it, from a disk as over plain http, where pages have no clipboard, and tells those who
// do not see the button change. Where the browser copies nothing at all the listing is selected.
func TestBrowserCopies(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	build(t, samplePages(t), dir)
	server := httptest.NewServer(http.FileServer(http.Dir(dir)))
	t.Cleanup(server.Close)
	elsewhere, err := url.Parse(server.URL + "/sockets/index.html")
	if err != nil {
		t.Fatal(err)
	}
	elsewhere.Host = "pages.test:" + elsewhere.Port() // pages of loopback itself are trusted with a clipboard
	ctx := browser(t, chromedp.Flag("host-resolver-rules", "MAP pages.test 127.0.0.1"))
	for _, tt := range []struct {
		name, address, before string
		clipboard             bool
		says                  string
	}{
		{"from a disk", (&url.URL{Scheme: "file",
			Path: filepath.ToSlash(filepath.Join(dir, "sockets", "index.html"))}).String(), "", true, "Copied"},
		{"from a disk, not allowed the clipboard", "",
			`navigator.clipboard.writeText = () => Promise.reject(new Error("no"))`, true, "Copied"},
		{"over http", elsewhere.String(), "", false, "Copied"},
		{"over http, in a browser that copies nothing", "", "document.execCommand = () => false", false, "Selected"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.address != "" {
				do(ctx, t, inFront(), chromedp.Navigate(tt.address), chromedp.WaitReady(chromedp.CSS("body")))
			}
			if got := ask[bool](ctx, t, tt.before+`; document.querySelectorAll("details").forEach(d => d.open = true); !!navigator.clipboard`); got != tt.clipboard {
				t.Fatalf("there is a clipboard: %t", got)
			}
			do(ctx, t, chromedp.Click(chromedp.CSS(".listing button")))
			got := ask[struct{ Button, Said, Listing, Selected string }](ctx, t, `new Promise(done => {
				const button = document.querySelector(".listing button"), pre = document.querySelector(".listing pre"), look = n => {
					if (button.textContent === "Copy" && n) return setTimeout(look, 25, n - 1);
					done({Button: button.textContent, Said: document.querySelector("[role=status]#announcement")?.textContent ?? "", Listing: pre.textContent, Selected: String(getSelection())});
				};
				look(40);
			})`)
			if got.Button != tt.says || got.Said != tt.says {
				t.Errorf("the button says %q, and those who do not see it hear %q; want %q", got.Button, got.Said, tt.says)
			}
			copied := got.Selected
			if tt.says == "Copied" {
				if got.Selected != "" {
					t.Errorf("%q stays selected", got.Selected)
				}
				do(ctx, t, pasted)
				copied = ask[string](ctx, t, `(() => { const box = document.activeElement, text = box.value; box.remove(); return text; })()`)
			}
			if !strings.Contains(got.Listing, "import socket") ||
				strings.TrimRight(copied, "\n") != strings.TrimRight(got.Listing, "\n") {
				t.Errorf("copied is %q, want %q", copied, got.Listing)
			}
			ask[bool](ctx, t, `new Promise(done => { const look = n => document.querySelector(".listing button").textContent === "Copy" || !n ? done(true) : setTimeout(look, 50, n - 1); look(60); })`)
		})
	}
}

// What repeats an article is copied as it is typed, without a prompt or anything else around it.
func TestBrowserCopiesCommand(t *testing.T) {
	t.Parallel()
	ctx := browser(t)
	dir := t.TempDir()
	build(t, samplePages(t), dir)
	do(ctx, t, inFront(), openIn(dir, "sockets/index.html", 1280, "light"), chromedp.Click(chromedp.CSS(".howto button")))
	ask[bool](ctx, t, `new Promise(done => setTimeout(done, 300, true))`)
	do(ctx, t, pasted)
	if got := ask[string](ctx, t, `document.activeElement.value`); got != "benchbook run sockets" {
		t.Errorf("copied is %q", got)
	}
}

// pasted makes a field in the page and presses the keys of paste in it.
func pasted(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool](
		`document.body.appendChild(document.createElement("textarea")).focus(); true`)); err != nil {
		return chromedp.Void{}, err
	}
	_, err := cdp.Call(ctx, t, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: "keyDown", Key: "v",
		Code: "KeyV", Commands: []string{"paste"}})
	return chromedp.Void{}, err
}
