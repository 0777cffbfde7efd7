package render_test

import (
	"html"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/golden"
	"benchbook/internal/test/must"
	"benchbook/notebook/record"
	"benchbook/render"
	"benchbook/render/rendertest"
)

// TestMain collects garbage less often than usual, as tests allocate little that lives long.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	os.Exit(m.Run())
}

// rendererOnce makes the renderer of all tests, as a preview has one for all pages.
var rendererOnce = sync.OnceValues(func() (*render.Renderer, error) { return render.New(os.DirFS("../site/theme")) })

func newRenderer(t testing.TB) *render.Renderer {
	t.Helper()
	return must.Get(rendererOnce())
}

// rendered returns the page of an article.
func rendered(t testing.TB, b *rendertest.Bench) *render.Page {
	t.Helper()
	return must.Get(newRenderer(t).Page(b.Dataset(), render.Options{}))
}

// experiment is the least that an article can measure, and calibrated has an A/A pair too.
const experiment = "```dockerfile file=Dockerfile\nFROM debian:bookworm-slim\n```\n\n" + "```yaml experiment\n" + `name: servers
services: {server: {build: ., expose: ["8080"]}}
matrix: {server: [a, b]}
load: {target: "http://server:8080/", connections: 10}
repetitions: 3
calibrate: false
` + "```\n\n"

var calibrated = strings.Replace(experiment, "calibrate: false\n", "", 1)

// trials are the requests per second in each repetition, by trial.
type trials map[string][]float64

var (
	three = trials{"a": {500, 490, 510}, "b": {600, 590, 610}}
	pair  = trials{"a": {500, 490, 510}, "again": {500, 490, 510}, "b": {600, 590, 610}}
)

// measured is an article with records of trials of the experiment servers, changed before they are kept.
func measured(t testing.TB, front, body string, of trials, changes ...func(*record.Record)) *rendertest.Bench {
	t.Helper()
	if !strings.HasPrefix(front, "title: ") {
		front = "title: Sample\n" + front
	}
	b := rendertest.New(t, "sample", []byte("---\n"+front+"---\n\n"+body))
	for _, trial := range slices.Sorted(maps.Keys(of)) {
		b.Measure("full", "servers", trial, of[trial], changes...)
	}
	return b
}

// narrow makes narrow spaces ordinary ones.
var narrow = strings.NewReplacer("\u00a0", " ", "\u202f", " ")

var tag = regexp.MustCompile(`(?s)<svg.*?</svg>|<[^>]*>`)

// wordsOf returns the text of markup.
func wordsOf(markup string) string {
	return strings.Join(strings.Fields(narrow.Replace(html.UnescapeString(tag.ReplaceAllString(markup, "")))), " ")
}

func fileOf(t testing.TB, p *render.Page, path string) string {
	t.Helper()
	for _, f := range p.Files {
		if f.Path == path {
			return string(f.Data)
		}
	}
	t.Errorf("the page has no file %s", path)
	return ""
}

func textOf(name string) string {
	return must.Read(filepath.Join("testdata", name))
}

func measuredSockets(t testing.TB) *rendertest.Bench {
	b := rendertest.New(t, "sockets", []byte(textOf("sockets.md")))
	b.Measure("full", "sockets", "sync", []float64{571, 562, 580, 566, 574})
	b.Measure("full", "sockets", "async", []float64{751, 762, 744, 758, 749})
	b.Measure("full", "sockets", "threads", []float64{582, 549, 601, 560, 577})
	b.Measure("full", "sockets", "again", []float64{573, 565, 577, 569, 571})
	return b
}

func TestPage(t *testing.T) {
	for name, b := range map[string]*rendertest.Bench{"measured": measuredSockets(t),
		"not_measured": rendertest.New(t, "sockets", []byte(textOf("sockets.md")))} {
		page := rendered(t, b)
		assert.Slice(t, page.Warnings, nil, "%s: warnings", name)
		golden.Equal(t, filepath.Join("testdata", name+".html"), string(page.HTML))
	}
}

// A page depends on its input alone, and a Renderer may be shared.
func TestPageIsStable(t *testing.T) {
	r, d := newRenderer(t), measuredSockets(t).Dataset()
	pages := make([]*render.Page, 4)
	var group sync.WaitGroup
	for i := range pages {
		group.Go(func() { pages[i] = must.Get(r.Page(d, render.Options{})) })
	}
	group.Wait()
	for _, p := range pages[1:] {
		assert.Deep(t, p, pages[0], "the same article")
	}
}
