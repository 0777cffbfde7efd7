package site_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"benchbook/notebook/record"
	"benchbook/render"
	"benchbook/render/rendertest"
	"benchbook/site/theme"
)

// wideTable is an article with a table of many rows and columns, published ones and notes among them. Changes are made
// to each record.
func wideTable(t testing.TB, changes ...func(*record.Record)) *render.Page {
	t.Helper()
	r, err := render.New(theme.Files)
	if err != nil {
		t.Fatal(err)
	}
	servers := []string{"aiohttp", "daphne", "gevent", "gunicorn", "meinheld", "sanic", "uvicorn", "waitress"}
	var published strings.Builder
	for i, server := range servers {
		fmt.Fprintf(&published, "- {server: %s, throughput: %d/s, latency.p50: %dms, latency.p99: %dms}\n", server,
			1234+100*i, 17+i, 31+10*i)
	}
	b := rendertest.New(t, "wide", []byte("---\ntitle: Wide\n---\n\n`{value} throughput{server=\"sanic\"}`\n\n"+
		"```yaml experiment\n"+
		"name: servers\nservices: {server: {image: \"debian:bookworm-slim\", command: run, expose: [\"80\"]}}\n"+
		"matrix: {server: ["+strings.Join(servers, ", ")+
		"]}\nload: {target: \"http://server/\", duration: 10s, connections: 10}\n"+
		"repetitions: 5\ncalibrate: false\n```\n\n```yaml table\nlabel: tbl-wide\nrows: [server]\nsort: throughput\n"+
		"published: true\n"+
		"columns: [throughput, latency.p50, latency.p99, failed, cpu.server, memory.server]\n```\n\n```yaml published\n"+
		"source: Somebody\nrows:\n"+
		published.String()+"```\n"))
	for i, server := range servers {
		x := float64(1000 + 150*i)
		b.Measure("full", "servers", server, []float64{x, 1.01 * x, 0.99 * x, 1.5 * x, x}, changes...)
	}
	page, err := r.Page(b.Dataset(), render.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return page
}

// closeCells lists neighbours in a row whose words, marks aside, are less than 6 pixels apart.
const closeCells = `Array.from(document.querySelectorAll("#tbl-wide tr")).flatMap(row => {
	const words = Array.from(row.cells).map(cell => {
		const boxes = [], walk = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
		for (let text; (text = walk.nextNode());) {
			if (text.parentElement.closest(".ref, svg, .only-narrow") || !text.data.trim()) continue;
			const range = document.createRange();
			range.selectNodeContents(text);
			boxes.push(...range.getClientRects());
		}
		return { said: cell.innerText.trim(), left: Math.min(...boxes.map(b => b.left)), right: Math.max(...boxes.map(b => b.right)) };
	}).filter(w => isFinite(w.left));
	return words.slice(1).flatMap((w, i) => w.left - words[i].right < 6 ? [words[i].said + " | " + w.said] : []);
})`

// A table with all that it can have fits its page without scrolling, marks included. Its rows can be picked and, where
// there are no heads to sort by, sorted all the same.
func TestBrowserTable(t *testing.T) {
	t.Parallel()
	ctx := browser(t)
	dir := t.TempDir()
	build(t, []*render.Page{wideTable(t)}, dir)
	found := listen(ctx, t)
	file := filepath.Join(dir, "wide", "index.html")
	shown := func() string {
		return ask[string](ctx, t, `Array.from(document.querySelectorAll("#tbl-wide tbody tr")).filter(r => r.offsetHeight > 0)
			.map(r => r.cells[0].textContent.slice(0, 3)).join(" ")`)
	}
	for _, width := range []int{1280, 768, 375} {
		do(ctx, t, open(file, width, "light"))
		if over := ask[int](ctx, t, `(() => { const s = document.querySelector("#tbl-wide .scroll"); return s.scrollWidth - s.clientWidth })()`); over > 0 {
			t.Errorf("%d wide: the table is %d wider than its place", width, over)
		}
		if close := ask[[]string](ctx, t, closeCells); width > 640 && len(close) > 0 {
			t.Errorf("%d wide: the words of these neighbours run into each other: %q", width, close)
		}
		if marks := ask[int](ctx, t, `document.querySelectorAll("#tbl-wide td .ref a").length`); marks == 0 {
			t.Errorf("%d wide: no value is marked", width)
		}
	}
	const sorted = "wai uvi san mei gun gev dap aio"
	if got := shown(); got != sorted {
		t.Errorf("rows are %s, want %s", got, sorted)
	}
	ask[bool](ctx, t, `(() => { const by = document.querySelector("#tbl-wide select"); by.value = "0"; return by.dispatchEvent(new Event("change")) })()`)
	if got, want := shown(), "aio dap gev gun mei san uvi wai"; got != want {
		t.Errorf("sorted by name rows are %s, want %s", got, want)
	}
	ask[bool](ctx, t, `(() => { const box = document.querySelector("#tbl-wide input"); box.value = "gun"; return box.dispatchEvent(new Event("input")) })()`)
	if got, want := shown(), "gun"; got != want {
		t.Errorf("picked rows are %s, want %s", got, want)
	}
	if got := ask[string](ctx, t, `document.querySelector("#tbl-wide [role=status]").textContent`); got != "1 of 8 rows" {
		t.Errorf("it says %q, want %q", got, "1 of 8 rows")
	}
	found.report(t)
}

// A column sorts by numbers where all that stands in it is one, and else by words; what was not measured comes last
// either way.
func TestBrowserTableSorts(t *testing.T) {
	t.Parallel()
	ctx := browser(t)
	r, err := render.New(theme.Files)
	if err != nil {
		t.Fatal(err)
	}
	b := rendertest.New(t, "mixed", []byte("---\ntitle: Mixed\n---\n\n```yaml experiment\nname: servers\n"+
		"services: {server: {image: \"debian:bookworm-slim\", command: run, expose: [\"80\"]}}\n"+
		"matrix: {server: [{name: a, depth: 10, wait: 0.5ms, kind: v10, share: 0.5}, {name: b, depth: 9, wait: 0.45ms, "+
		"kind: v9, share: 0.45}, {name: c, depth: 100, wait: 20ms, kind: none, share: none}, {name: d, depth: 2, wait: "+
		"1s, kind: 7, share: 0.05}]}\n"+
		"load: {target: \"http://server/\", duration: 10s, connections: 10}\nrepetitions: 3\ncalibrate: false\n```\n\n"+
		"```yaml table\n{label: tbl-mixed, rows: [server], columns: [depth, kind, wait, share, throughput]}\n```\n"))
	for i, server := range []string{"a", "b", "d"} {
		x := []float64{300, 1200, 90}[i]
		b.Measure("full", "servers", server, []float64{x, 1.01 * x, .99 * x})
	}
	page, err := r.Page(b.Dataset(), render.Options{})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	build(t, []*render.Page{page}, dir)
	do(ctx, t, open(filepath.Join(dir, "mixed", "index.html"), 1280, "light"))
	for _, tt := range []struct{ column, once, twice string }{
		{"depth", "c a b d", "d b a c"}, {"kind", "a b c d", "d c b a"}, {"wait", "c d a b", "b a d c"},
		{"share", "c a b d", "d b a c"}, {"throughput", "b a d c", "d a b c"},
	} {
		got := ask[[]string](ctx, t, fmt.Sprintf(`(() => {
			const button = Array.from(document.querySelectorAll("#tbl-mixed thead th")).find(th => th.textContent.toLowerCase().startsWith(%q)).querySelector("button");
			return [0, 1].map(() => {
				button.click();
				return Array.from(document.querySelectorAll("#tbl-mixed tbody tr")).map(row => row.cells[0].innerText.trim()).join(" ") + " " + button.parentNode.getAttribute("aria-sort");
			});
		})()`, tt.column))
		if want := []string{tt.once + " descending", tt.twice + " ascending"}; !slices.Equal(got, want) {
			t.Errorf("by %s rows are %q, want %q", tt.column, got, want)
		}
	}
}

// Words that belong together stay in one line, and the mark at a number keeps apart from the letter of the group beside
// it.
func TestBrowserTableKeepsWordsTogether(t *testing.T) {
	t.Parallel()
	ctx := browser(t)
	dir := t.TempDir()
	build(t, []*render.Page{wideTable(t, func(r *record.Record) { r.Load.ForeignCPU = 0.08 })}, dir)
	for _, width := range []int{1280, 768, 375} {
		do(ctx, t, open(filepath.Join(dir, "wide", "index.html"), width, "light"))
		lines := ask[[]int](ctx, t, `Array.from(document.querySelectorAll("#tbl-wide .why a")).filter(a => a.firstChild.data === "foreign CPU").map(a => {
			const range = document.createRange();
			range.selectNodeContents(a.firstChild);
			return range.getClientRects().length;
		})`)
		if len(lines) == 0 || slices.Max(lines) > 1 {
			t.Errorf("%d wide: the names of checks take %d lines, want one each", width, lines)
		}
		if width < 640 { // where the letter stands above
			continue
		}
		gaps := ask[[]float64](ctx, t, `Array.from(document.querySelectorAll("#tbl-wide tbody tr")).filter(row => row.querySelector(".rps .ref") && row.querySelector(".grp"))
			.map(row => row.querySelector(".grp").getBoundingClientRect().left - row.querySelector(".rps .ref").getBoundingClientRect().right)`)
		if len(gaps) == 0 || slices.Min(gaps) < 6 {
			t.Errorf("%d wide: the letters of groups stand %.1f pixels from the marks before them", width, gaps)
		}
	}
}

// The head of a page takes one line where there is room, and two on a telephone, with the name and the button for the
// look in the first.
func TestBrowserMast(t *testing.T) {
	t.Parallel()
	ctx := browser(t)
	dir := t.TempDir()
	build(t, []*render.Page{wideTable(t)}, dir)
	for width, want := range map[int]int{1280: 1, 768: 1, 375: 2} {
		do(ctx, t, open(filepath.Join(dir, "wide", "index.html"), width, "light"))
		lines := ask[[]string](ctx, t, `(() => {
			const lines = [];
			for (const part of document.querySelectorAll(".mast .name, .mast nav a, .mast .find input, .mast #theme")) {
				const box = part.getBoundingClientRect(), middle = (box.top + box.bottom) / 2;
				let line = lines.find(l => middle > l.top && middle < l.bottom);
				if (!line) lines.push(line = { top: box.top, bottom: box.bottom, words: [] });
				line.top = Math.min(line.top, box.top);
				line.bottom = Math.max(line.bottom, box.bottom);
				line.words.push(part.textContent || part.placeholder);
			}
			return lines.map(l => l.words.join(" "));
		})()`)
		if len(lines) != want || want == 2 && lines[0] != "benchbook Auto" {
			t.Errorf("%d wide: the head has the lines %q, want %d", width, lines, want)
		}
	}
}

// What changed takes about three lines above the articles, and leads to each of them.
func TestBrowserNews(t *testing.T) {
	t.Parallel()
	ctx := browser(t)
	dir := t.TempDir()
	build(t, samplePages(t), dir)
	do(ctx, t, open(filepath.Join(dir, "index.html"), 1280, "light"))
	links := ask[[]string](ctx, t, `Array.from(document.querySelectorAll(".changes-line a")).map(a => a.getAttribute("href"))`)
	if !slices.Contains(links, "sockets/index.html") {
		t.Errorf("what changed leads to %q", links)
	}
	if height := ask[float64](ctx, t, `document.querySelector(".changes-line").getBoundingClientRect().height`); height > 90 {
		t.Errorf("what changed is %.0f pixels high", height)
	}
}
