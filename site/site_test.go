package site_test

import (
	"errors"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
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

// The runs of the sample article that was measured twice.
const (
	earlierRun = "20261113T100000Z-prev"
	laterRun   = "20261120T100000Z-test"
)

// Of it there are also a run that was stopped, and one of another host and profile.
const (
	stoppedRun = "20261106T100000Z-stop"
	otherRun   = "20261118T100000Z-othr"
	otherHost  = "c4-ffffff"
)

// samples are the pages of samplePages once they are made.
var samples struct {
	sync.Mutex
	pages []*render.Page
}

// samplePages are one article in every state: measured, partly failed, and not run. Tests may change them and add to
// their lists: each gets its own.
func samplePages(t testing.TB) []*render.Page {
	t.Helper()
	samples.Lock()
	defer samples.Unlock()
	if samples.pages == nil {
		samples.pages = newSamplePages(t)
	}
	var pages []*render.Page
	for _, page := range samples.pages {
		own := *page
		own.Files = slices.Clip(page.Files)
		pages = append(pages, &own)
	}
	return pages
}

func newSamplePages(t testing.TB) []*render.Page {
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
		if slug == "sockets" { // an earlier run, in which async was slower
			before := rendertest.In(earlierRun, 13)
			b.Measure("full", "sockets", "sync", []float64{570, 561, 583, 567, 572}, before)
			b.Measure("full", "sockets", "async", []float64{511, 502, 514, 508, 509}, before)
			b.Measure("full", "sockets", "again", []float64{571, 566, 578, 568, 573}, before)
			b.Measure("full", "sockets", "threads", []float64{580, 551, 600, 562, 575}, before)
		}
		switch slug {
		case "sockets":
			b.Measure("full", "sockets", "async", []float64{600}, rendertest.In(stoppedRun, 6)) // and never resumed
			b.Measure("full", "sockets", "async", []float64{733, 741, 738}, rendertest.In(otherRun, 18),
				func(r *record.Record) { r.Host = otherHost })
			b.Measure("full", "sockets", "threads", []float64{582, 549, 601, 560, 577})
		case "failed":
			b.Measure("full", "sockets", "threads", []float64{1, 1, 1, 1, 1},
				rendertest.Fails("the server ended with status 1 before it was ready", "Traceback <most recent call last>"))
		}
		page := must.Get(r.Page(b.Dataset(), render.Options{Address: base, Articles: []string{"sockets", "failed", "unmeasured"}}))
		pages = append(pages, page)
	}
	return pages
}

// longWords is an article of words that no page is wide enough for.
func longWords(t testing.TB) *render.Page {
	t.Helper()
	r := must.Get(render.New(theme.Files))
	word := "a" + strings.Repeat("verylong", 15) + "word"
	b := rendertest.New(t, "long", []byte("---\ntitle: "+word+"\ndescription: "+word+"\ntags: ["+word+"]\n---\n\n## "+word+
		"\n\n`{value} throughput{server=\"a\"}`\n\n"+
		"```dockerfile file=Dockerfile\nFROM debian:bookworm-slim\n```\n\n```yaml experiment\nname: "+word+
		"\nservices: {server: {build: ., expose: [\"8080\"]}}\nmatrix: {server: [a, b]}\n"+
		"load: {target: \"http://server:8080/\", connections: 10}\ncalibrate: false\n```\n"))
	b.Measure("full", word, "a", []float64{571, 562, 580}, func(r *record.Record) { r.Facts[word] = word })
	return must.Get(r.Page(b.Dataset(), render.Options{}))
}

// An index says what a page says at its top: a result that is not whole must not look like one.
func TestIndexHasNotices(t *testing.T) {
	dir := t.TempDir()
	build(t, samplePages(t), dir)
	_, index, _ := strings.Cut(files(t, dir)["index.html"], `<ul class="cards-list">`)
	for slug, want := range map[string]string{"sockets": "", "failed": `<span class="notice">Failed or not valid</span>`,
		"unmeasured": ""} {
		end := strings.Index(index, `href="`+slug+`/index.html"`)
		if end < 0 {
			t.Fatalf("no entry of %s", slug)
		}
		entry := index[strings.LastIndex(index[:end], `<li class="acard`):end]
		if got := strings.Contains(entry, "notice"); got != (want != "") || !strings.Contains(entry, want) {
			t.Errorf("the entry of %s is %s, want %q in it", slug, entry, want)
		}
	}
}

// A number in a title, a heading or the title of a table is told without markup wherever it is read apart from its
// page.
func TestValuesInTitlesElsewhere(t *testing.T) {
	r := must.Get(render.New(theme.Files))
	const value = "`{value} throughput{server=\"a\"} | interval`"
	b := rendertest.New(t, "sample", []byte("---\ntitle: 'Title "+value+" & *so*'\n---\n\n## Heading "+value+
		"\n\n```dockerfile file=Dockerfile\nFROM debian:bookworm-slim\n```\n\n"+
		"```yaml experiment\nname: servers\nservices: {server: {build: ., expose: [\"8080\"]}}\nmatrix: {server: [a]}\n"+
		"repetitions: 3\n"+
		"load: {target: \"http://server:8080/\", connections: 10}\ncalibrate: false\n```\n\n"+
		"```yaml table\nlabel: tbl-t\nrows: [server]\ncolumns: [throughput]\ntitle: Table "+value+"\n```\n"))
	b.Measure("full", "servers", "a", []float64{500, 490, 510})
	page := must.Get(r.Page(b.Dataset(), render.Options{}))
	dir := t.TempDir()
	build(t, []*render.Page{page}, dir)
	const words = "500/s [476–525]"
	seen := map[string]int{}
	for name, text := range files(t, dir) {
		kind := name
		switch {
		case strings.HasPrefix(name, "search."):
			assert.Contains(t, strings.ReplaceAll(text, `\u0026`, "&"), `"t":"Title `+words+` & so"`, `,"Heading `+words+`"`, `Table `+words+` `)
		case name == "feed.xml":
			if want := "Title " + words + " &amp; so</title>"; !strings.Contains(text, want) {
				t.Errorf("the feed has no %s: %s", want, text)
			}
		case strings.HasSuffix(name, ".html"):
			_, title, _ := strings.Cut(text, "<title>")
			if title, _, _ = strings.Cut(title, "</title>"); name != "index.html" && name != "404.html" &&
				!strings.Contains(title, "Title "+words+" &amp; so") {
				t.Errorf("the title of %s is %q", name, title)
			}
			kind = "page"
		default:
			continue
		}
		seen[kind]++
		if strings.Contains(text, "{value}") && kind != "page" { // which shows its source
			t.Errorf("%s has the value as it was written", name)
		}
	}
	if len(seen) != 3 || seen["page"] < 3 {
		t.Errorf("looked at %v", seen)
	}
}

func build(t testing.TB, pages []*render.Page, dir string) site.Report {
	t.Helper()
	return must.Get(site.Build(pages, dir, site.Options{Version: "0.0"}))
}

// files reads all files below a folder.
func files(t testing.TB, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	must.Do(filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		relative, _ := filepath.Rel(dir, name)
		out[filepath.ToSlash(relative)] = string(data)
		return err
	}))
	return out
}

// A second build from the same records writes nothing, and one elsewhere makes the same files.
func TestBuildTwice(t *testing.T) {
	dir, other := filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b")
	first := build(t, samplePages(t), dir)
	if len(first.Written) != first.Files {
		t.Errorf("the first build wrote %d of %d files", len(first.Written), first.Files)
	}
	before := files(t, dir)
	old := time.Now().Add(-time.Hour)
	for name := range before {
		must.Do(os.Chtimes(filepath.Join(dir, name), old, old))
	}
	if second := build(t, samplePages(t), dir); len(second.Written)+len(second.Removed) > 0 {
		t.Errorf("the second build wrote %q and removed %q", second.Written, second.Removed)
	}
	for name := range before {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.ModTime().After(old.Add(time.Second)) {
			t.Errorf("%s was touched: %v", name, err)
		}
	}
	build(t, samplePages(t), other)
	after := files(t, other)
	for name, data := range before {
		assert.Equal(t, after[name], data, "%s comes out differently the second time", name)
	}
}

// What a former build wrote and this one did not is removed; what others put there stays.
func TestBuildRemovesItsOwn(t *testing.T) {
	dir := t.TempDir()
	pages := samplePages(t)
	build(t, pages, dir)
	theirs := filepath.Join(dir, "failed", "notes.txt")
	must.Do(os.WriteFile(theirs, []byte("mine"), 0o644))
	report := build(t, pages[:1], dir)
	var gone []string
	for _, name := range report.Removed {
		if strings.HasPrefix(name, "search.") {
			continue // there is another one, with less to find
		}
		if !strings.HasPrefix(name, "failed/") && !strings.HasPrefix(name, "unmeasured/") {
			t.Errorf("%s was removed", name)
		}
		gone = append(gone, name)
	}
	if len(gone) == 0 {
		t.Error("nothing was removed")
	}
	if _, err := os.Stat(theirs); err != nil {
		t.Errorf("a file that we did not write: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "unmeasured")); err == nil {
		t.Error("an empty folder is left")
	}
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
		{"the slug of tags", page("tags"), nil, "cannot be the slug"},
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

// A build that fails leaves the site as it was.
func TestBuildFails(t *testing.T) {
	dir := t.TempDir()
	pages := samplePages(t)
	build(t, pages[:1], dir)
	before := files(t, dir)
	twice := &render.Page{Slug: "x", Title: "x", Files: []render.File{{Path: "Index.html"}}}
	if _, err := site.Build(append(pages, twice), dir, site.Options{}); err == nil {
		t.Fatal("a file is in the site twice")
	}
	if after := files(t, dir); !maps.Equal(after, before) {
		t.Errorf("the site has changed: it had %d files and has %d", len(before), len(after))
	}
}

// Every link and every file that a page loads is there, relative, and within the site; only links that a reader
// follows lead elsewhere. No id is there twice, and what describes or labels something is.
func TestLinks(t *testing.T) {
	dir := t.TempDir()
	build(t, samplePages(t), dir)
	all := files(t, dir)
	ids := map[string]map[string]bool{}
	trees := map[string]*html.Node{}
	for name, data := range all {
		if path.Ext(name) != ".html" {
			continue
		}
		tree := must.Get(html.Parse(strings.NewReader(data)))
		trees[name], ids[name] = tree, map[string]bool{}
		walk(tree, func(n *html.Node) {
			if id := attribute(n, "id"); id != "" {
				if ids[name][id] {
					t.Errorf("%s: the id %q is there twice", name, id)
				}
				ids[name][id] = true
			}
		})
	}
	for name, tree := range trees {
		walk(tree, func(n *html.Node) {
			for _, key := range []string{"aria-describedby", "aria-labelledby"} {
				for _, id := range strings.Fields(attribute(n, key)) {
					if !ids[name][id] {
						t.Errorf("%s: %s=%q leads to nothing", name, key, id)
					}
				}
			}
			for _, key := range []string{"href", "src"} {
				written := attribute(n, key)
				if written == "" {
					continue
				}
				u, err := url.Parse(written)
				if err != nil {
					t.Errorf("%s: %s=%q: %v", name, key, written, err)
					continue
				}
				if u.Scheme != "" || u.Host != "" || strings.HasPrefix(u.Path, "/") {
					assert.Equal(t, n.Data, "a", "%s loads %q", name, written)
					continue
				}
				target := name
				if u.Path != "" {
					target = path.Join(path.Dir(name), u.Path)
				}
				if _, ok := all[target]; !ok {
					t.Errorf("%s: %q leads to no file", name, written)
				}
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

// Records are many megabytes: a copy is made again only if the file has changed.
func TestCopies(t *testing.T) {
	dir, from := t.TempDir(), filepath.Join(t.TempDir(), "run.jsonl")
	at := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	for _, step := range []struct {
		name, text string
		at         time.Time
		written    bool
	}{{"new", "one\n", at, true}, {"as it was", "one\n", at, false}, {"longer", "one\ntwo\n", at, true},
		{"of another time", "two\none\n", at.Add(time.Second), true}} {
		must.Do(os.WriteFile(from, []byte(step.text), 0o600))
		must.Do(os.Chtimes(from, step.at, step.at))
		page := &render.Page{Slug: "a", Title: "A", Standing: render.StandingBadges()[0],
			Copies: []render.Copy{{Path: "records/run.jsonl", From: from, Size: int64(len(step.text))}}}
		report := must.Get(site.Build([]*render.Page{page}, dir, site.Options{}))
		const name = "a/records/run.jsonl"
		if written := slices.Contains(report.Written, name); written != step.written {
			t.Errorf("%s: written is %t, want %t", step.name, written, step.written)
		}
		if text, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(text) != step.text {
			t.Errorf("%s: the copy has %q, %v", step.name, text, err)
		}
	}
}
