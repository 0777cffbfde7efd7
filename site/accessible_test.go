package site_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"benchbook/notebook/record"
	"benchbook/render"
	"benchbook/render/rendertest"
	"benchbook/site/theme"
)

// axe is the script of axe-core. It is empty where axe-core is not installed, unless BENCHBOOK_TEST_REQUIRE asks for
// it.
func axe(t *testing.T) string {
	t.Helper()
	source, err := os.ReadFile(filepath.Join(tools, "axe-core", "axe.min.js"))
	if err != nil && strings.Contains(os.Getenv("BENCHBOOK_TEST_REQUIRE"), "axe") {
		t.Fatalf("BENCHBOOK_TEST_REQUIRE asks for axe: %v", err)
	}
	if err != nil {
		t.Log("axe-core is missing, so nothing checks what it would find; get it with make tools")
	}
	return string(source)
}

// crowdedRow is a page with a table whose last number has a mark and whose row has notes, which are links side by side.
func crowdedRow(t testing.TB) *render.Page {
	t.Helper()
	r, err := render.New(theme.Files)
	if err != nil {
		t.Fatal(err)
	}
	b := rendertest.New(t, "crowded", []byte("---\ntitle: A crowded row\n---\n\n`{value} throughput{server=\"a\"}`\n\n"+
		"```dockerfile file=Dockerfile\nFROM debian:bookworm-slim\n```\n\n"+
		"```yaml experiment\nname: servers\nservices: {server: {build: ., expose: [\"8080\"]}}\nmatrix: {server: [a, b]}\n"+
		"repetitions: 5\n"+
		"load: {target: \"http://server:8080/\", connections: 10}\ncalibrate: false\n```\n\n"+
		"```yaml table\n{label: tbl-few, experiment: servers, rows: [server], columns: [throughput, latency.p99]}\n```\n\n"+
		"```yaml table\n{label: tbl-many, experiment: servers, rows: [server], columns: [throughput, throughput.per_core, "+
		"memory.server, latency.p50, latency.p99]}\n```\n"))
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

// inFront lets a page that has the focus look like it though other windows are in front.
func inFront() chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetFocusEmulationEnabled,
			emulation.SetFocusEmulationEnabledParams{Enabled: true})
		return err
	})
}

// examine lists what axe finds in a page with the tooltips of some values open, laid into the text so that all of them
// are to be seen at once, and with the focus at one; it must be able to tell the contrast of what stands in each. It
// does not look at the inks of drawings, so that those of the words in figures are compared here.
const examine = `(async () => {
	const wrong = [], seen = q => Array.from(document.querySelectorAll(q)).filter(e => e.checkVisibility());
	const owners = [".m.missing", ".given", ".m:not(.missing)"].flatMap(q => seen(q).slice(0, 5)), inTooltip = n => document.querySelector(n.target[0])?.closest(".tooltip");
	for (const owner of owners) Object.assign(owner.querySelector(".tooltip").style, {display: "block", position: "relative", inset: "auto"});
	if (owners.length) owners[0].focus();
	const found = await axe.run({preload: false, runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]});
	found.violations.forEach(v => v.nodes.slice(0, 3).forEach(n => wrong.push(v.id + " (" + v.nodes.length + "): " + n.failureSummary + " " + n.html.slice(0, 300))));
	const told = new Set(found.passes.concat(found.violations).filter(v => v.id === "color-contrast").flatMap(v => v.nodes).map(inTooltip));
	owners.filter(o => !told.has(o.querySelector(".tooltip"))).forEach(o => wrong.push("no contrast was told in the tooltip of " + o.outerHTML.slice(0, 300)));
	const hit = seen("svg .hit")[0];
	if (hit) {
		hit.focus();
		const light = ink => {
			const [r, g, b] = ink.match(/[\d.]+/g).map(c => c / 255).map(c => c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4);
			return .2126 * r + .7152 * g + .0722 * b + .05;
		};
		const paper = light(getComputedStyle(hit.querySelector(".tip .paper")).fill);
		for (const text of hit.querySelectorAll(".tip text")) {
			const ink = light(getComputedStyle(text).fill), contrast = Math.max(ink, paper) / Math.min(ink, paper);
			if (!text.getClientRects().length || !(contrast >= 4.5)) wrong.push("in a figure the contrast of " + text.textContent + " is " + contrast);
		}
	}
	for (const owner of owners) Object.assign(owner.querySelector(".tooltip").style, {display: "", position: "", inset: ""});
	return wrong;
})()`
