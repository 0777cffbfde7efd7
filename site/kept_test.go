package site_test

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"benchbook/render"
	"benchbook/site"
	"benchbook/site/theme"
)

// A page that a site keeps comes back as it was, for the inputs that it was made of and for no others, and only if it is whole.
func TestKept(t *testing.T) {
	pages := samplePages(t)
	for _, p := range pages {
		p.Inputs = "inputs-of-" + p.Slug
	}
	pages[2].Inputs = "" // nobody knows what it was made of
	dir := t.TempDir()
	report := build(t, pages, dir)
	for _, name := range report.Written {
		if strings.HasPrefix(name, ".") {
			t.Errorf("%s counts as written", name)
		}
	}
	for _, p := range pages[:2] {
		kept, ok := site.Kept(dir, p.Slug, p.Inputs)
		if !ok {
			t.Fatalf("the page of %s does not come back", p.Slug)
		}
		if whole, err := kept.Unpack(); err != nil || !reflect.DeepEqual(whole, p) {
			t.Errorf("the page of %s comes back as another: %v", p.Slug, err)
		}
		if kept.Page.Title != p.Title || len(kept.Page.HTML)+len(kept.Page.Files) > 0 || len(kept.Page.Subpages) != len(p.Subpages) {
			t.Errorf("what an index tells of %s is %+v", p.Slug, kept.Page)
		}
	}
	if _, ok := site.Kept(dir, pages[2].Slug, ""); ok {
		t.Error("a page is kept of which nobody knows what it was made of")
	}
	if _, ok := site.Kept(dir, pages[0].Slug, pages[1].Inputs); ok {
		t.Error("a page was given for inputs of another")
	}
	if _, ok := site.Kept(filepath.Join(dir, "none"), pages[0].Slug, pages[0].Inputs); ok {
		t.Error("a page was given for a site that is not there")
	}
	name := filepath.Join(dir, ".benchbook-pages", pages[0].Slug)
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for at := 0; at < len(whole); at += 1 + len(whole)/50 {
		broken := append([]byte{}, whole...)
		broken[at] ^= 1
		if err := os.WriteFile(name, broken, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, ok := site.Kept(dir, pages[0].Slug, pages[0].Inputs); ok {
			t.Errorf("a page was given whose byte %d is broken", at)
		}
	}
	// What is broken is written anew with the next build, and what is not stays as it is.
	if build(t, pages, dir); !reflect.DeepEqual(must(t, name), whole) {
		t.Error("a page that was broken is not kept again")
	}
	if build(t, pages[1:], dir); len(files(t, filepath.Join(dir, ".benchbook-pages"))) != 1 {
		t.Error("the page of an article that is gone is kept")
	}
}

func must(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// A file that the page of a run has from the page of the article is kept once, and both have it when they come back.
func TestKeptFileOfTwoPages(t *testing.T) {
	const size = 1 << 17
	random := rand.NewChaCha8([32]byte{7})
	data := make([]byte, size)
	_, _ = random.Read(data) // it never fails
	own, other := render.File{Path: "data/a.csv", Data: data}, render.File{Path: "data/a.csv", Data: []byte("x")}
	page := &render.Page{Slug: "a", Inputs: "inputs", HTML: "a theme may not be in \xff UTF-8", Files: []render.File{own}, Subpages: []render.Subpage{
		{Path: "history"}, {Path: "runs/2", Files: []render.File{{Path: own.Path, Data: bytes.Clone(data)}}}, {Path: "runs/1", Files: []render.File{other}}}}
	before := *page
	before.Subpages = slices.Clone(page.Subpages)
	dir := t.TempDir()
	build(t, []*render.Page{page}, dir)
	if !reflect.DeepEqual(page, &before) {
		t.Error("packing changes the page")
	}
	if kept := len(must(t, filepath.Join(dir, ".benchbook-pages", "a"))); kept > size*3/2 {
		t.Errorf("%d bytes are kept of a file of %d", kept, size)
	}
	kept, ok := site.Kept(dir, "a", "inputs")
	if !ok {
		t.Fatal("the page does not come back")
	}
	if whole, err := kept.Unpack(); err != nil || !reflect.DeepEqual(whole, page) {
		t.Errorf("the page comes back as another: %v", err)
	}
}

// A site is the same, and keeps the same, whether its pages waited packed or as they were.
func TestWhole(t *testing.T) {
	pages := samplePages(t)
	var whole []*site.Packed
	for _, p := range pages {
		p.Inputs = "inputs-of-" + p.Slug
		whole = append(whole, site.Whole(p))
	}
	want, got := t.TempDir(), t.TempDir()
	build(t, pages, want)
	if _, err := site.Build(whole, got, theme.Files, site.Options{Version: "0.0"}); err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(files(t, got), files(t, want)) {
		t.Error("pages that waited as they were make another site")
	}
	for i, p := range whole {
		if page, err := p.Unpack(); err != nil || page != pages[i] {
			t.Errorf("the page of %s comes back as another: %v", pages[i].Slug, err)
		}
		if len(p.Page.HTML)+len(p.Page.Files) > 0 || len(p.Page.Subpages) != len(pages[i].Subpages) {
			t.Errorf("what an index tells of %s is %+v", pages[i].Slug, p.Page)
		}
	}
}
