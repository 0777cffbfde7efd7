package render_test

import (
	"flag"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"testing"
	"testing/fstest"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/record"
	"benchbook/render"
	"benchbook/render/rendertest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// rendererOnce makes the renderer of all tests, as a preview has one for all pages.
var rendererOnce = sync.OnceValues(func() (*render.Renderer, error) { return render.New(os.DirFS("../site/theme")) })

func newRenderer(t testing.TB) *render.Renderer {
	t.Helper()
	return must.Get(rendererOnce())
}

func sockets(t testing.TB) *rendertest.Bench {
	t.Helper()
	text := must.Get(os.ReadFile("testdata/sockets.md"))
	return rendertest.New(t, "sockets", text)
}

func measuredSockets(t testing.TB, profile string, changes ...func(*record.Record)) *rendertest.Bench {
	b := sockets(t)
	b.Measure(profile, "sockets", "sync", []float64{571, 562, 580, 566, 574}, changes...)
	b.Measure(profile, "sockets", "async", []float64{751, 762, 744, 758, 749}, changes...)
	b.Measure(profile, "sockets", "threads", []float64{582, 549, 601, 560, 577}, changes...)
	b.Measure(profile, "sockets", "again", []float64{573, 565, 577, 569, 571}, changes...)
	return b
}

func TestPage(t *testing.T) {
	for _, test := range []struct {
		name string
		make func(t testing.TB) *rendertest.Bench
	}{
		{"measured", func(t testing.TB) *rendertest.Bench { return measuredSockets(t, "full") }},
		{"not measured", sockets},
	} {
		t.Run(test.name, func(t *testing.T) {
			page := must.Get(newRenderer(t).Page(test.make(t).Dataset(), render.Options{}))
			for _, w := range page.Warnings {
				t.Errorf("warning: %s", w)
			}
			golden(t, filepath.Join("testdata", filepath.Base(t.Name())+".html"), []byte(page.HTML))
		})
	}
}

// golden compares with a file, or writes it.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	if *update {
		must.Do(os.WriteFile(name, got, 0o644))
	}
	want := must.Get(os.ReadFile(name))
	assert.Equal(t, string(got), string(want), "differs from %s; look at it with go test -update and git diff", name)
}

// A page depends on its input alone, and a Renderer may be shared.
func TestPageIsStable(t *testing.T) {
	r, d := newRenderer(t), measuredSockets(t, "full").Dataset()
	pages := make([]*render.Page, 4)
	var group sync.WaitGroup
	for i := range pages {
		group.Go(func() {
			page, err := r.Page(d, render.Options{})
			if err != nil {
				t.Error(err)
			}
			pages[i] = page
		})
	}
	group.Wait()
	if t.Failed() {
		return
	}
	for _, p := range pages[1:] {
		if !reflect.DeepEqual(p, pages[0]) {
			t.Error("the same article comes out differently")
		}
	}
}

func TestNewRefuses(t *testing.T) {
	theme := os.DirFS("../site/theme")
	whole := fstest.MapFS{}
	for _, name := range []string{"article.html"} {
		data := must.Get(fs.ReadFile(theme, name))
		whole[name] = &fstest.MapFile{Data: data}
	}
	for _, test := range []struct {
		name   string
		change func(fstest.MapFS)
		want   string
	}{
		{"no templates", func(m fstest.MapFS) { delete(m, "article.html") }, "templates"},
		{"a template that is broken", func(m fstest.MapFS) { m["x.html"] = &fstest.MapFile{Data: []byte("{{if}}")} },
			"x.html"},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := maps.Clone(whole)
			test.change(m)
			_, err := render.New(m)
			assert.Error(t, err, test.want)
		})
	}
}
