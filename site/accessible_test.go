package site_test

import (
	"context"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"benchbook/notebook/record"
	"benchbook/render"
	"benchbook/render/rendertest"
	"benchbook/site/theme"
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
	build(t, append(samplePages(t), longWords(t), crowdedRow(t)), dir)
	accessible(t, source, dir, always(pagesBelow(t, dir)))
}

// crowdedRow is a page with a table whose last number has a mark and whose row has notes, which are links side by side.
func crowdedRow(t testing.TB) *render.Page {
	t.Helper()
	r, err := render.New(theme.Files)
	if err != nil {
		t.Fatal(err)
	}
	b := rendertest.New(t, "crowded", []byte("---\ntitle: A crowded row\n---\n\n```dockerfile file=Dockerfile\nFROM debian:bookworm-slim\n```\n\n"+
		"```yaml experiment\nname: servers\nservices: {server: {build: ., expose: [\"8080\"]}}\nmatrix: {server: [a, b]}\nrepetitions: 5\n"+
		"load: {target: \"http://server:8080/\", connections: 10}\ncalibrate: false\n```\n\n"+
		"```yaml table\n{label: tbl-few, experiment: servers, rows: [server], columns: [throughput, latency.p99]}\n```\n\n"+
		"```yaml table\n{label: tbl-many, experiment: servers, rows: [server], columns: [throughput, throughput.per_core, memory.server, latency.p50, latency.p99]}\n```\n"))
	for _, trial := range []string{"a", "b"} {
		b.Measure("full", "servers", trial, []float64{300, 520, 505, 900, 495}, func(r *record.Record) {
			if r.Repetition == 3 {
				r.Load.ForeignCPU = 0.12 // which makes it invalid
			}
		})
	}
	page, err := r.Page(b.Dataset(), render.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if row := regexp.MustCompile(`data-l="latency p99, ms"[^>]*><span><b>[^<]*</b><sup class="ref"><a[^>]*>\d+</a></sup> <span class="ival">[^<]*</span></span></td><td role="cell" class="why" data-v="1"><a`); !row.MatchString(string(page.HTML)) {
		t.Fatalf("no row with a mark at its last number beside a note, in %s", page.HTML)
	}
	return page
}

// The same holds for a site that was made of real records. Its manual is that of TestManualAccessible.
func TestAccessibleOnReport(t *testing.T) {
	t.Parallel()
	dir := siteOfReport(t)
	pages := slices.DeleteFunc(withoutLikes(pagesBelow(t, dir)), func(page string) bool { return strings.HasPrefix(page, docsFolder+"/") })
	accessible(t, axe(t), dir, inTurn(pages, bothEnds))
}

// bothEnds are the narrowest and the widest of threeWidths.
var bothEnds = []int{1280, 375}

func accessible(t *testing.T, source, dir string, pages looked) {
	t.Helper()
	for _, scheme := range lightAndDark { // in two browsers at once
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			ctx := browser(t)
			eachLook(t, bothEnds, []string{scheme}, pages, func(t *testing.T, page string, width int, scheme string) {
				accessibleAt(ctx, t, source, dir, page, width, scheme)
			})
		})
	}
}

// withoutLikes leaves out the pages of runs between the first and the last of an article, which are made as those are.
func withoutLikes(pages []string) []string {
	slices.Sort(pages)
	return slices.DeleteFunc(slices.Clone(pages), func(page string) bool {
		article, _, isRun := strings.Cut(page, "/runs/")
		if !isRun {
			return false
		}
		i, of := slices.Index(pages, page), article+"/runs/"
		return strings.HasPrefix(pages[max(i-1, 0)], of) && strings.HasPrefix(pages[min(i+1, len(pages)-1)], of)
	})
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
