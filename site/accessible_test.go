package site_test

import (
	"context"
	"os"
	"testing"
)

// axe is the script of axe-core, and empty where that is not installed.
func axe(t *testing.T) string {
	t.Helper()
	source, err := os.ReadFile(tool(t, "axe", "axe-core/axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	return string(source)
}

// Nobody is kept from reading: axe finds nothing against WCAG 2.2 AA at either end of the widths, in light and dark, folds open.
func TestAccessible(t *testing.T) {
	t.Parallel()
	source, dir := axe(t), t.TempDir()
	build(t, append(samplePages(t), longWords(t)), dir)
	accessible(t, source, dir)
}

// The same holds for a site that was made of real records.
func TestAccessibleOnReport(t *testing.T) {
	t.Parallel()
	dir := siteOfReport(t)
	accessible(t, axe(t), dir)
}

func accessible(t *testing.T, source, dir string) {
	t.Helper()
	for _, scheme := range lightAndDark { // in two browsers at once
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			ctx := browser(t)
			eachLook(t, []int{1280, 375}, []string{scheme}, pagesBelow(t, dir), func(t *testing.T, page string, width int, scheme string) {
				accessibleAt(ctx, t, source, dir, page, width, scheme)
			})
		})
	}
}

func accessibleAt(ctx context.Context, t *testing.T, source, dir, page string, width int, scheme string) {
	t.Helper()
	do(ctx, t, openIn(dir, page, width, scheme))
	ask[int](ctx, t, `document.querySelectorAll("details").forEach(d => d.open = true); 0`)
	ask[int](ctx, t, source+"; 0")
	for _, violation := range ask[[]string](ctx, t, `axe.run({resultTypes: ["violations"], runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
			.then(r => r.violations.flatMap(v => v.nodes.slice(0, 3).map(n => v.id + " (" + v.nodes.length + "): " + n.failureSummary + " " + n.html.slice(0, 300))))`) {
		t.Errorf("%s, %d wide, %s: %s", page, width, scheme, violation)
	}
}
