package site_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"benchbook/render"
	"benchbook/render/rendertest"
	"benchbook/site"
	"benchbook/site/theme"
)

var update = flag.Bool("update", false, "draw the pictures of a page in docs/page anew")

const (
	guideForReaders = "../docs/results.md" // explains each number of the pictures
	annotatedWidth  = 800
)

// annotatedPictures are the pictures of a page, from its top to its end, by the parts that they begin with.
var annotatedPictures = []struct{ name, from string }{
	{"page/head.png", "body"}, {"page/claim.png", "#story"}, {"page/table.png", "#evidence"},
}

// annotatedParts are the parts of a page that the guide for readers explains, by their numbers.
var annotatedParts = []string{
	".standing .status", ".answer .meta", ".answers .vw", ".beside-it b", ".answer .fig .plot", ".answer .more",
	".cautions", ".runit", ".text .said", ".text .m", ".results tbody .ival", ".results tbody .grp",
	".howto .cmd", ".claimlines .words", ".claimlines .out", "#method",
}

// The pictures of a page, made of committed records, have a number at each part that the guide for readers explains.
// With -update they are drawn anew.
func TestAnnotatedPage(t *testing.T) {
	guide, err := os.ReadFile(guideForReaders)
	if err != nil {
		t.Fatal(err)
	}
	_, legend, _ := bytes.Cut(guide, []byte("\n## The page from top to bottom\n"))
	legend, _, _ = bytes.Cut(legend, []byte("\n## "))
	for i, m := range regexp.MustCompile(`(?m)^(\d+)\. `).FindAllSubmatch(legend, -1) {
		if string(m[1]) != strconv.Itoa(i+1) || i >= len(annotatedParts) {
			t.Errorf("the legend explains part %s after %d others, and the page has %d", m[1], i, len(annotatedParts))
		}
	}
	if !bytes.Contains(legend, fmt.Appendf(nil, "\n%d. ", len(annotatedParts))) {
		t.Errorf("the legend does not explain all of %d parts", len(annotatedParts))
	}
	ctx := browser(t)
	dir := t.TempDir()
	renderer, err := render.New(theme.Files)
	if err != nil {
		t.Fatal(err)
	}
	shown, err := renderer.Page(rendertest.Committed(t, "..", "hello"), render.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := site.Build([]*render.Page{shown}, dir, theme.Files, site.Options{Version: "0.0"}); err != nil {
		t.Fatal(err)
	}
	do(ctx, t, openIn(dir, "hello/index.html", annotatedWidth, "light"))
	ask[bool](ctx, t, `document.fonts.ready.then(() => true)`)
	parts, err := json.Marshal(annotatedParts)
	if err != nil {
		t.Fatal(err)
	}
	if missing := ask[[]string](ctx, t, `(`+markParts+`)(`+string(parts)+`)`); len(missing) > 0 {
		t.Errorf("the page does not show %q", missing)
	}
	if *update {
		drawAnnotated(ctx, t)
	}
	var size int64
	for _, p := range annotatedPictures {
		info, err := os.Stat(filepath.Join("..", "docs", p.name))
		if err != nil || !bytes.Contains(legend, []byte("]("+p.name+")\n")) {
			t.Fatalf("the guide does not show %s, %v", p.name, err)
		}
		size += info.Size()
	}
	if size >= 300_000 {
		t.Errorf("the pictures have %d bytes", size)
	}
}

// markParts puts numbers at parts of a page, and returns those that it does not show. A part of a line or of a table
// has its number before its words, any other at its left.
const markParts = `parts => {
	document.querySelectorAll("details:not(.fold:has(.claimlines))").forEach(d => d.open = false);
	document.querySelector(".toc-fold").remove();
	const found = parts.map(selector => document.querySelector(selector));
	const isShown = part => part?.getBoundingClientRect().height > 0;
	const missing = parts.filter((_, i) => !isShown(found[i]));
	const mark = i => {
		const m = document.createElement("b");
		m.textContent = i + 1;
		Object.assign(m.style, {display: "inline-block", minWidth: "20px", font: "700 13px/20px sans-serif",
			textAlign: "center", borderRadius: "10px", background: "#b3005e", color: "#fff"});
		return m;
	};
	const isInline = part => getComputedStyle(part).display.startsWith("inline") && !(part instanceof SVGElement);
	found.forEach((part, i) => {
		if (isShown(part) && isInline(part)) part.before(mark(i), " ");
	});
	found.forEach((part, i) => {
		if (!isShown(part) || isInline(part)) return;
		if (part.matches("td *")) return part.prepend(mark(i), " ");
		const box = part.getBoundingClientRect(), m = document.body.appendChild(mark(i));
		const left = Math.max(4, box.left - 26) + "px", top = box.top + scrollY + "px";
		Object.assign(m.style, {position: "absolute", left, top});
	});
	return missing;
}`

// drawAnnotated takes the pictures of the page, in the few colours that a page has, so that the files are small.
func drawAnnotated(ctx context.Context, t *testing.T) {
	t.Helper()
	const space = 12 // above and below what is shown
	top := func(selector string) float64 {
		return ask[float64](ctx, t, `document.querySelector("`+selector+`").getBoundingClientRect().top + scrollY - `+
			strconv.Itoa(space))
	}
	end := ask[float64](ctx, t, `document.querySelector(".text").getBoundingClientRect().bottom + scrollY + 2 * `+
		strconv.Itoa(space))
	for i, p := range annotatedPictures {
		from, to := max(top(p.from), 0), end
		if i+1 < len(annotatedPictures) {
			to = top(annotatedPictures[i+1].from)
		}
		clip := page.Viewport{Y: from, Width: annotatedWidth, Height: to - from, Scale: 1.5}
		taken, err := chromedp.Run(ctx, clippedPage(clip))
		if err != nil {
			t.Fatal(err)
		}
		full, err := png.Decode(bytes.NewReader(taken))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join("..", "docs", p.name), framed(t, full), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// framed encodes a picture with a thin frame, so that it stands apart from the page that it is shown on.
func framed(t *testing.T, full image.Image) []byte {
	t.Helper()
	grey := color.RGBA{R: 0xb8, G: 0xb4, B: 0xab, A: 0xff}
	few := image.NewPaletted(full.Bounds(), append(frequentColours(full, 127), grey))
	draw.Draw(few, few.Bounds(), image.NewUniform(grey), image.Point{}, draw.Src)
	inner := few.Bounds().Inset(2)
	draw.Draw(few, inner, full, inner.Min, draw.Src)
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, few); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func clippedPage(clip page.Viewport) chromedp.Action[[]byte] {
	return func(ctx context.Context, target *chromedp.Target) ([]byte, error) {
		yes := true
		taken, err := cdp.Call(ctx, target, page.CaptureScreenshot,
			page.CaptureScreenshotParams{CaptureBeyondViewport: &yes, FromSurface: &yes, Clip: &clip})
		return taken.Data, err
	}
}

// frequentColours are the n colours that most pixels have.
func frequentColours(m image.Image, n int) color.Palette {
	pixels := map[color.RGBA]int{}
	for y := m.Bounds().Min.Y; y < m.Bounds().Max.Y; y++ {
		for x := m.Bounds().Min.X; x < m.Bounds().Max.X; x++ {
			pixels[color.RGBAModel.Convert(m.At(x, y)).(color.RGBA)]++
		}
	}
	colours := slices.Collect(maps.Keys(pixels))
	slices.SortFunc(colours, func(a, b color.RGBA) int { return pixels[b] - pixels[a] })
	var out color.Palette
	for _, c := range colours[:min(n, len(colours))] {
		out = append(out, c)
	}
	return out
}
