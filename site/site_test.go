package site_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/claim"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
	"benchbook/render"

	"benchbook/render/rendertest"
	"benchbook/site"
	"benchbook/site/theme"
)

// samplePages returns an article in every state: measured, partly failed, and not run.
func samplePages(t testing.TB) []*render.Page {
	t.Helper()
	r := must.Get(render.New(theme.Files))
	text := must.Get(os.ReadFile("../render/testdata/sockets.md"))
	var pages []*render.Page
	for _, slug := range []string{"sockets", "failed", "unmeasured"} {
		b := rendertest.New(t, slug, text)
		if slug != "unmeasured" {
			b.Measure("full", "sockets", "sync", []float64{571, 562, 580, 566, 574})
			b.Measure("full", "sockets", "async", []float64{751, 762, 744, 758, 749})
			b.Measure("full", "sockets", "again", []float64{573, 565, 577, 569, 571})
		}
		switch slug {
		case "sockets": // also in an earlier run, in which async was slower, and in one of another host
			before := rendertest.In("20261113T100000Z-prev", 13)
			b.Measure("full", "sockets", "sync", []float64{570, 561, 583, 567, 572}, before)
			b.Measure("full", "sockets", "async", []float64{511, 502, 514, 508, 509}, before)
			b.Measure("full", "sockets", "async", []float64{733, 741, 738}, rendertest.In("20261118T100000Z-othr", 18),
				func(r *record.Record) { r.Host = "c4-ffffff" })
			b.Measure("full", "sockets", "threads", []float64{582, 549, 601, 560, 577})
		case "failed":
			b.Measure("full", "sockets", "threads", []float64{1, 1, 1, 1, 1},
				rendertest.Fails("the server ended with status 1 before it was ready", "Traceback <most recent call last>"))
		}
		pages = append(pages, must.Get(r.Page(b.Dataset(), render.Options{Address: base,
			Articles: []string{"sockets", "failed", "unmeasured"}})))
	}
	return pages
}

// An index shows the notice of a page, so that an incomplete result does not look complete.
func TestIndexHasNotices(t *testing.T) {
	_, index, _ := strings.Cut(filesOf(t, site.Options{})["index.html"], `<ul class="cards-list">`)
	for entry := range strings.SplitSeq(index, `<li class="acard`) {
		assert.Equal(t, strings.Contains(entry, `<span class="notice">Failed or not valid</span>`),
			strings.Contains(entry, `href="failed/index.html"`), "the notice in %s", entry)
	}
	assert.Equal(t, strings.Count(index, `class="notice"`), 1, "notices")
}

func build(t testing.TB, pages []*render.Page, dir string) site.Report {
	t.Helper()
	return must.Get(site.Build(pages, dir, site.Options{Version: "0.0"}))
}

// files reads all files below a folder.
func files(dir string) map[string]string {
	out := map[string]string{}
	must.Do(filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			out[filepath.ToSlash(must.Get(filepath.Rel(dir, name)))] = must.Read(name)
		}
		return err
	}))
	return out
}

// A second build from the same records writes nothing, and one elsewhere makes the same files.
func TestBuildTwice(t *testing.T) {
	dir, other, pages := filepath.Join(t.TempDir(), "a"), t.TempDir(), samplePages(t)
	first := build(t, pages, dir)
	assert.Equal(t, len(first.Written), first.Files, "files that the first build wrote")
	before := files(dir)
	old := time.Now().Add(-time.Hour)
	for name := range before {
		must.Do(os.Chtimes(filepath.Join(dir, name), old, old))
	}
	if second := build(t, samplePages(t), dir); len(second.Written)+len(second.Removed) > 0 {
		t.Errorf("the second build wrote %q and removed %q", second.Written, second.Removed)
	}
	for name := range before {
		assert.Equal(t, must.Get(os.Stat(filepath.Join(dir, name))).ModTime().After(old.Add(time.Second)), false,
			"%s was touched", name)
	}
	build(t, pages, other)
	after := files(other)
	for name, data := range before {
		assert.Equal(t, after[name], data, "%s comes out differently the second time", name)
	}
}

// A build removes files of the last build that it does not write, and keeps files of others. A failed build leaves the
// site as it was.
func TestBuildRemovesItsOwn(t *testing.T) {
	dir, pages := t.TempDir(), samplePages(t)
	build(t, pages, dir)
	must.Write(filepath.Join(dir, "failed", "notes.txt"), "mine")
	build(t, pages[:1], dir)
	left := files(dir)
	for name := range left {
		if name != "failed/notes.txt" && (strings.HasPrefix(name, "failed/") || strings.HasPrefix(name, "unmeasured/")) {
			t.Errorf("%s is left", name)
		}
	}
	assert.Equal(t, left["failed/notes.txt"], "mine", "a file that we did not write")
	_, err := os.Stat(filepath.Join(dir, "unmeasured"))
	assert.Is(t, err, fs.ErrNotExist)
	twice := &render.Page{Slug: "x", Title: "x", Files: []render.File{{Path: "Index.html"}}}
	_, err = site.Build(append(pages, twice), dir, site.Options{})
	assert.Error(t, err, "twice")
	assert.Map(t, files(dir), left, "the site")
}

func TestBuildRefuses(t *testing.T) {
	page := func(slug string, files ...render.File) []*render.Page {
		return []*render.Page{{Slug: slug, Title: "x",
			Standing: render.StandingBadge(claim.Standing{Is: stats.Holds}), Files: files}}
	}
	for _, test := range []struct {
		name  string
		pages []*render.Page
		make  func(dir string) error
		want  string
	}{
		{"a folder with files of others", nil, func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "thesis.txt"), nil, 0o644)
		}, "no build of a site wrote"},
		{"a manifest that leads out", nil, func(dir string) error {
			return os.WriteFile(filepath.Join(dir, ".benchbook-site.json"), []byte(`{"schema_version":1,"files":["../x"]}`),
				0o644)
		}, "not a file of a site"},
		{"a manifest of another version", nil, func(dir string) error {
			return os.WriteFile(filepath.Join(dir, ".benchbook-site.json"), []byte(`{"schema_version":9}`), 0o644)
		}, "not a manifest that this version knows"},
		{"a slug that leads out", page("../x"), nil, "cannot be the slug"},
		{"a slug of ours", page("fonts"), nil, "cannot be the slug"},
		{"a file that leads out", page("x", render.File{Path: "../../x"}), nil, "outside its folder"},
		{"a file twice", page("x", render.File{Path: "index.html"}), nil, "twice"},
		{"a folder that is a link", page("x"), func(dir string) error {
			if _, err := site.Build(nil, dir, site.Options{}); err != nil {
				return err
			}
			return os.Symlink(os.TempDir(), filepath.Join(dir, "x"))
		}, "writing the site"},
		{"a file of somebody else in the way", page("x"), func(dir string) error {
			_, err := site.Build(nil, dir, site.Options{})
			return errors.Join(err, os.Mkdir(filepath.Join(dir, "x"), 0o755),
				os.WriteFile(filepath.Join(dir, "x", "index.html"), []byte("theirs"), 0o644))
		}, "that no build of a site wrote: move it away"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			if test.make != nil {
				must.Do(test.make(dir))
			}
			_, err := site.Build(test.pages, dir, site.Options{})
			assert.Error(t, err, test.want)
		})
	}
}

// Every link and every file that a page loads is there, relative, and within the site; only links that a reader
// follows lead elsewhere. No id is there twice, and what describes or labels something is.
func TestLinks(t *testing.T) {
	all := filesOf(t, site.Options{})
	ids, trees := map[string]map[string]bool{}, map[string]*html.Node{}
	for name, data := range all {
		if path.Ext(name) != ".html" {
			continue
		}
		trees[name], ids[name] = must.Get(html.Parse(strings.NewReader(data))), map[string]bool{}
		walk(trees[name], func(n *html.Node) {
			if id := attribute(n, "id"); id != "" {
				assert.Equal(t, ids[name][id], false, "%s: the id %q was there before", name, id)
				ids[name][id] = true
			}
		})
	}
	for name, tree := range trees {
		walk(tree, func(n *html.Node) {
			for _, id := range strings.Fields(attribute(n, "aria-describedby") + " " + attribute(n, "aria-labelledby")) {
				assert.Equal(t, ids[name][id], true, "%s: the label %q leads to something", name, id)
			}
			for _, written := range []string{attribute(n, "href"), attribute(n, "src")} {
				u := must.Get(url.Parse(written))
				if u.Scheme != "" || u.Host != "" || strings.HasPrefix(u.Path, "/") {
					assert.Equal(t, n.Data, "a", "%s loads %q", name, written)
					continue
				}
				target := name
				if u.Path != "" {
					target = path.Join(path.Dir(name), u.Path)
				}
				_, ok := all[target]
				assert.Equal(t, ok, true, "%s: %q leads to a file", name, written)
				if u.Fragment != "" && !ids[target][u.Fragment] {
					t.Errorf("%s: %q leads to no part of the page", name, written)
				}
			}
		})
	}
}

func walk(n *html.Node, visit func(*html.Node)) {
	if n.Type == html.ElementNode {
		visit(n)
	}
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		walk(child, visit)
	}
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// A copy is made again only if the file has changed.
func TestCopies(t *testing.T) {
	dir, from := t.TempDir(), filepath.Join(t.TempDir(), "run.jsonl")
	for _, step := range []struct {
		name, text string
		written    bool
	}{{"new", "one\n", true}, {"as it was", "one\n", false}, {"longer", "one\ntwo\n", true}, {"as long", "two\none\n", true}} {
		must.Do(os.WriteFile(from, []byte(step.text), 0o600))
		page := &render.Page{Slug: "a", Title: "A", Standing: render.StandingBadges()[0],
			Copies: []render.Copy{{Path: "records/run.jsonl.gz", From: from, Size: int64(len(step.text))}}}
		report := must.Get(site.Build([]*render.Page{page}, dir, site.Options{}))
		const name = "a/records/run.jsonl.gz"
		assert.Equal(t, slices.Contains(report.Written, name), step.written, "%s: it is written", step.name)
		packed := must.Get(gzip.NewReader(bytes.NewReader(must.Get(os.ReadFile(filepath.Join(dir, name))))))
		assert.Equal(t, string(must.Get(io.ReadAll(packed))), step.text, "%s: the copy", step.name)
	}
}
