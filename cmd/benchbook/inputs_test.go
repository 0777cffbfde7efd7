package main

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"benchbook/notebook/article"
	"benchbook/render"
	"benchbook/render/rendertest"
	"benchbook/site"
	"benchbook/site/theme"
)

// keptProject is a project of two articles, the first with records and files, all of them written long ago.
func keptProject(t *testing.T) string {
	t.Helper()
	text := "---\ntitle: Kept\n---\n\n```dockerfile file=Dockerfile\nFROM debian:bookworm-slim\n```\n\n```yaml experiment\nname: servers\n" +
		"services: {server: {build: ., expose: [\"8080\"]}}\nmatrix: {server: [a, b]}\nload: {target: \"http://server:8080/\", connections: 10}\n" +
		"repetitions: 3\ncalibrate: false\n```\n\n```yaml table\nlabel: tbl-t\nrows: [server]\ncolumns: [throughput]\n```\n\n![A picture](picture.png)\n"
	b := rendertest.New(t, "first", []byte(text))
	b.MeasureAll()
	dir := t.TempDir()
	put(t, filepath.Join(dir, article.ProjectFile), "title: Kept\n")
	put(t, filepath.Join(dir, "experiments", "first", article.FileName), text)
	put(t, filepath.Join(dir, "experiments", "first", "picture.png"), "picture")
	put(t, filepath.Join(dir, "experiments", "second", article.FileName), "---\ntitle: Second\ndraft: true\n---\n\nNothing is measured here.\n")
	for _, r := range b.Records {
		data, err := r.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		put(t, filepath.Join(dir, "experiments", "first", "records", r.Path()), string(data))
	}
	age(t, dir)
	return dir
}

func put(t *testing.T, name, data string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(data), 0o644); err != nil {
		t.Fatal(err)
	}
}

// age makes all files below a folder look as if nobody had touched them for long.
func age(t testing.TB, dir string) {
	t.Helper()
	old := time.Now().Add(-time.Hour)
	err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.Type() == fs.ModeSymlink {
			return err
		}
		return os.Chtimes(name, old, old)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func renderTo(t *testing.T, dir, out string, flags ...string) {
	t.Helper()
	var said bytes.Buffer
	if status := run(append([]string{"render", "-C", dir, "--out", out}, flags...), io.Discard, &said, wiring{}); status != 0 {
		t.Fatalf("status %d: %s", status, said.String())
	}
}

// mark writes into the page that the site keeps, so that whoever uses it can be told from whoever renders.
func mark(t *testing.T, out string) {
	t.Helper()
	name := filepath.Join(out, ".benchbook-pages", "first")
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	inputs, _, _ := strings.Cut(string(whole), " ")
	kept, ok := site.Kept(out, "first", inputs)
	if !ok {
		t.Fatal("the site keeps no page")
	}
	page, err := kept.Unpack()
	if err != nil {
		t.Fatal(err)
	}
	page.HTML += "<p>kept</p>"
	marked, beside := site.Whole(page), t.TempDir()
	if _, err := site.Build([]*site.Packed{marked}, beside, theme.Files, site.Options{}); err != nil {
		t.Fatal(err)
	}
	again, err := os.ReadFile(filepath.Join(beside, ".benchbook-pages", "first"))
	if err != nil {
		t.Fatal(err)
	}
	put(t, name, string(again))
}

// An article is rendered again if anything that enters its page has changed, and only then.
func TestRenderKeepsPages(t *testing.T) {
	if testing.Short() {
		t.Skip("every case renders twice; run without -short")
	}
	first := func(dir string, name ...string) string {
		return filepath.Join(append([]string{dir, "experiments", "first"}, name...)...)
	}
	aRecord := func(t *testing.T, dir string) string {
		var found []string
		err := filepath.WalkDir(first(dir, "records"), func(name string, e fs.DirEntry, err error) error {
			if err == nil && !e.IsDir() {
				found = append(found, name)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(found) == 0 {
			t.Fatal("there are no records")
		}
		return found[0]
	}
	replace := func(t *testing.T, name, old, new string) {
		data, err := os.ReadFile(name)
		if err != nil || !strings.Contains(string(data), old) {
			t.Fatalf("%s has no %q: %v", name, old, err)
		}
		put(t, name, strings.Replace(string(data), old, new, 1))
	}
	tests := []struct {
		name   string
		change func(t *testing.T, dir, out string)
		flags  []string
		kept   bool
	}{
		{"nothing", func(*testing.T, string, string) {}, nil, true},
		{"the output", func(t *testing.T, _, out string) { put(t, filepath.Join(out, "first", "index.html"), "x") }, nil, true},
		{"the words of the article", func(t *testing.T, dir, _ string) {
			replace(t, first(dir, article.FileName), "A picture", "The picture")
		}, nil, false},
		{"a record", func(t *testing.T, dir, _ string) { replace(t, aRecord(t, dir), "Sample CPU", "Other CPU") }, nil, false},
		{"one record less", func(t *testing.T, dir, _ string) {
			if err := os.Remove(aRecord(t, dir)); err != nil {
				t.Fatal(err)
			}
		}, nil, false},
		{"a file that it shows", func(t *testing.T, dir, _ string) { put(t, first(dir, "picture.png"), "another") }, nil, false},
		{"a file beside it", func(t *testing.T, dir, _ string) { put(t, first(dir, "more.txt"), "x") }, nil, false},
		{"the mode of a file", func(t *testing.T, dir, _ string) {
			if err := os.Chmod(first(dir, "picture.png"), 0o755); err != nil {
				t.Fatal(err)
			}
		}, nil, false},
		{"a link beside it", func(t *testing.T, dir, _ string) {
			if err := os.Symlink("picture.png", first(dir, "records", "link.png")); err != nil {
				t.Fatal(err)
			}
		}, nil, false},
		{"the project", func(t *testing.T, dir, _ string) { put(t, filepath.Join(dir, article.ProjectFile), "title: Other\n") }, nil, false},
		{"the articles there are", func(*testing.T, string, string) {}, []string{"--drafts"}, false},
		{"the host that is shown", func(*testing.T, string, string) {}, []string{"--host", rendertest.Host}, false},
		{"what is kept, cut off", func(t *testing.T, _, out string) {
			if err := os.Truncate(filepath.Join(out, ".benchbook-pages", "first"), 200); err != nil {
				t.Fatal(err)
			}
		}, nil, false},
		{"what is kept, emptied", func(t *testing.T, _, out string) { put(t, filepath.Join(out, ".benchbook-pages", "first"), "") }, nil, false},
		{"what is kept, gone", func(t *testing.T, _, out string) {
			if err := os.RemoveAll(filepath.Join(out, ".benchbook-pages")); err != nil {
				t.Fatal(err)
			}
		}, nil, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir, out := keptProject(t), filepath.Join(t.TempDir(), "site")
			renderTo(t, dir, out)
			mark(t, out)
			test.change(t, dir, out)
			age(t, dir)
			renderTo(t, dir, out, test.flags...)
			page, err := os.ReadFile(filepath.Join(out, "first", "index.html"))
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Contains(string(page), "<p>kept</p>"); got != test.kept {
				t.Errorf("the page that was kept is shown: %v, want %v", got, test.kept)
			}
		})
	}
	t.Run("a change just now", func(t *testing.T) {
		dir, out := keptProject(t), filepath.Join(t.TempDir(), "site")
		put(t, first(dir, "picture.png"), "picture")
		renderTo(t, dir, out)
		if _, err := os.Stat(filepath.Join(out, ".benchbook-pages", "first")); err == nil {
			t.Error("a page is kept whose inputs may have changed while it was rendered")
		}
	})
}

// What all pages have in common enters the digest, and so do the machines of each: each theme has another, and each host.
func TestInputsKnowThemeAndHost(t *testing.T) {
	dir := keptProject(t)
	project, err := article.OpenProject(dir)
	if err != nil {
		t.Fatal(err)
	}
	style, err := fs.ReadFile(theme.Files, "style.css")
	if err != nil {
		t.Fatal(err)
	}
	on := func(host string, files fstest.MapFS) string {
		in, err := newInputs(new(app).session, project, files, renderFlags{}, render.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return in.of(project.ArticleDir("first"), host, time.Now()).digest
	}
	digest := func(files fstest.MapFS) string { return on("c1", files) }
	look := fstest.MapFS{"style.css": {Data: style}, "x.html": {Data: []byte("x")}}
	same, other := maps.Clone(look), maps.Clone(look)
	other["x.html"] = &fstest.MapFile{Data: []byte("y")}
	if digest(look) == "" || digest(look) != digest(same) {
		t.Error("the same theme has two digests, or none")
	}
	if digest(look) == digest(other) {
		t.Error("two themes have the same digest")
	}
	if on("c2", look) == digest(look) {
		t.Error("two hosts have the same digest")
	}
}

// A page is made of what its folder held before, if the folder is as it was when the page is done.
func TestPageInputsStay(t *testing.T) {
	tests := []struct {
		name   string
		change func(t *testing.T, folder string)
		want   bool
	}{
		{"nothing", func(*testing.T, string) {}, true},
		{"a file that is written again", func(t *testing.T, folder string) { put(t, filepath.Join(folder, "picture.png"), "another") }, false},
		{"a file more", func(t *testing.T, folder string) { put(t, filepath.Join(folder, "more.txt"), "x") }, false},
		{"a file less", func(t *testing.T, folder string) {
			if err := os.Remove(filepath.Join(folder, "picture.png")); err != nil {
				t.Fatal(err)
			}
		}, false},
		{"the mode of a file", func(t *testing.T, folder string) {
			if err := os.Chmod(filepath.Join(folder, "picture.png"), 0o755); err != nil {
				t.Fatal(err)
			}
		}, false},
		{"a file that is as old and as long in the place of another", func(t *testing.T, folder string) {
			name := filepath.Join(folder, "picture.png")
			was, err := os.Stat(name)
			if err != nil {
				t.Fatal(err)
			}
			in, err := os.Stat(folder)
			if err != nil {
				t.Fatal(err)
			}
			put(t, name+".new", "another")
			if err := errors.Join(os.Rename(name+".new", name), os.Chtimes(name, was.ModTime(), was.ModTime()), os.Chtimes(folder, in.ModTime(), in.ModTime())); err != nil {
				t.Fatal(err)
			}
		}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			folder := filepath.Join(keptProject(t), "experiments", "first")
			in := (&inputs{}).of(folder, "c1", time.Now())
			if in.digest == "" {
				t.Fatal("the folder has no digest")
			}
			test.change(t, folder)
			if got := in.stay(); got != test.want {
				t.Errorf("it stays as it was: %v, want %v", got, test.want)
			}
		})
	}
}
