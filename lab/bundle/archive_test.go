package bundle_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"benchbook/lab/bundle"
)

// text is an input with some content.
func text(path, content string) bundle.Input {
	return bundle.Input{Path: path, Open: func() (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(content)), nil
	}}
}

func about() bundle.About {
	ratio, lo, hi := 1.33, 1.21, 1.46
	return bundle.About{Article: "hello", Title: "Hello <world> & all", Author: "the authors", Hosts: []string{"c2-ecb3ae"},
		Date: time.Date(2026, 11, 23, 14, 5, 6, 7, time.FixedZone("", 3600)),
		Claims: []bundle.Claim{{Name: "faster", Verdict: "supported", Host: "c2-ecb3ae",
			Headline: true, Effect: &ratio, Lo: &lo, Hi: &hi}}}
}

// contents are the inputs of the sample, by path.
var contents = map[string]string{
	"article.md":                  "# Hello\n",
	"benchbook.lock":              "{}\n",
	"zz.tar":                      strings.Repeat("layers", 1000),
	"inputs/.dockerignore":        "",
	"inputs/a name: 50 %.csv":     "x,y\n",
	"inputs/prøve/日本.txt":         "here\n",
	"inputs/serve.sh":             "#!/bin/sh\n",
	"records/c2-ecb3ae/1.jsonl":   "{}\n",
	"records/" + longName + ".gz": "packed",
}

var longName = strings.Repeat("long/", 30) + strings.Repeat("name", 40)

func inputs() (list []bundle.Input) {
	for _, path := range slices.Sorted(maps.Keys(contents)) {
		in := text(path, contents[path])
		in.Executable = path == "inputs/serve.sh"
		list = append(list, in)
	}
	return list
}

func write(t testing.TB, about bundle.About, inputs []bundle.Input) []byte {
	t.Helper()
	var out bytes.Buffer
	if _, _, err := bundle.Write(&out, about, inputs); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func open(t testing.TB, data []byte) *bundle.Reader {
	t.Helper()
	r, err := bundle.Open(bytes.NewReader(data), bundle.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// tree is what a folder holds: content and mode of files by path, links as such.
func tree(t testing.TB, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		path, _ := filepath.Rel(dir, name)
		info, err := e.Info()
		if err != nil {
			return err
		}
		if !e.Type().IsRegular() {
			out[path] = e.Type().String()
			return nil
		}
		data, err := os.ReadFile(name)
		out[path] = string(data)
		if info.Mode()&0o100 != 0 {
			out[path] += " (executable)"
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// wantError fails unless an error is about a path and has some words in it.
func wantError(t *testing.T, err error, path, words string) {
	t.Helper()
	e, ok := errors.AsType[*bundle.Error](err)
	if !ok {
		t.Fatalf("got the error %v (%T), want an *Error with %q", err, err, words)
	}
	if e.Path != path || !strings.Contains(e.Error(), words) {
		t.Errorf("got the error %q about %q, want %q about %q", e, e.Path, words, path)
	}
	if strings.ContainsAny(e.Error(), "\n\x1b\x00") || strings.HasSuffix(e.Error(), ".") {
		t.Errorf("it is not one plain sentence: %q", e)
	}
}

func TestRoundTrip(t *testing.T) {
	var out bytes.Buffer
	written, digest, err := bundle.Write(&out, about(), inputs())
	if err != nil {
		t.Fatal(err)
	}
	r := open(t, out.Bytes())
	m := r.Manifest()
	if r.Digest() != digest || !strings.HasPrefix(digest, "sha256:") || len(digest) != 7+64 {
		t.Errorf("its digest is %s, and %s was said when it was written", r.Digest(), digest)
	}
	if !m.Date.Equal(time.Date(2026, 11, 23, 13, 5, 6, 0, time.UTC)) || m.Date.Location() != time.UTC {
		t.Errorf("the date is %v", m.Date)
	}
	if m.Title != about().Title || len(m.Claims) != 1 || *m.Claims[0].Hi != 1.46 {
		t.Errorf("it says of itself %+v", m.About)
	}
	if !slices.Equal(m.Files, written.Files) {
		t.Errorf("got the files %v, want %v", m.Files, written.Files)
	}
	var paths []string
	for _, f := range m.Files {
		paths = append(paths, f.Path)
	}
	want := slices.Sorted(maps.Keys(contents))
	if !slices.Equal(paths, want) {
		t.Errorf("got the order %q, want %q", paths, want)
	}

	dir := filepath.Join(t.TempDir(), "out")
	if err := r.Extract(dir, nil); err != nil {
		t.Fatal(err)
	}
	got := tree(t, dir)
	for path, content := range contents {
		if path == "inputs/serve.sh" {
			content += " (executable)"
		}
		if got[path] != content {
			t.Errorf("%s has %q, want %q", path, got[path], content)
		}
	}
	if len(got) != len(contents)+1 || got[bundle.ManifestName] == "" {
		t.Errorf("got the files %q", slices.Sorted(maps.Keys(got)))
	}
	wantError(t, r.Extract(dir+"2", nil), "", "read already")
}

func TestSameInputsSameBytes(t *testing.T) {
	first := write(t, about(), inputs())
	other := inputs()
	slices.Reverse(other)
	if !bytes.Equal(first, write(t, about(), other)) {
		t.Error("the order of inputs makes a difference")
	}
	unpacked, err := gzip.NewReader(bytes.NewReader(first))
	if err != nil {
		t.Fatal(err)
	}
	if unpacked.Name != "" || !unpacked.ModTime.IsZero() {
		t.Errorf("the header of gzip has %+v", unpacked.Header)
	}
	archive := tar.NewReader(unpacked)
	for i := 0; ; i++ {
		h, err := archive.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.ModTime.Unix() != 0 || h.Uid != 0 || h.Gid != 0 || h.Uname != "" || h.Gname != "" {
			t.Errorf("%s has %+v", h.Name, h)
		}
		if want := []string{bundle.ManifestName, "article.md"}; i < 2 && h.Name != want[i] {
			t.Errorf("file %d is %s, want %s", i, h.Name, want[i])
		}
	}
}

// changing is an input that has another content each time it is opened.
func changing(path string, contents ...string) bundle.Input {
	n := 0
	return bundle.Input{Path: path, Open: func() (io.ReadCloser, error) {
		n++
		if contents[n-1] == "gone" {
			return nil, &fs.PathError{Op: "open", Path: "/home/somebody/file", Err: fs.ErrNotExist}
		}
		return io.NopCloser(strings.NewReader(contents[n-1])), nil
	}}
}

type full struct{ left int }

func (f *full) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, errors.New("no space left on device")
	}
	return len(p), nil
}

func TestWriteErrors(t *testing.T) {
	nan := math.NaN()
	tests := []struct {
		name        string
		w           io.Writer
		change      func(*bundle.About)
		inputs      []bundle.Input
		path, words string
	}{
		{"an input is missing", nil, nil, []bundle.Input{changing("a", "gone")}, "a", "cannot be read: file does not exist"},
		{"an input vanishes", nil, nil, []bundle.Input{changing("a", "1", "gone")}, "a", "cannot be read"},
		{"an input grows", nil, nil, []bundle.Input{changing("a", "1", "12")}, "a", "changed while"},
		{"an input shrinks", nil, nil, []bundle.Input{changing("a", "12", "1")}, "a", "changed while"},
		{"an input changes", nil, nil, []bundle.Input{changing("a", "1", "2")}, "a", "changed while"},
		{"two inputs of one name", nil, nil, []bundle.Input{text("a", ""), text("a", "")}, "a", "is listed twice"},
		{"an input outside", nil, nil, []bundle.Input{text("../a", "")}, "../a", `it has ".." in it`},
		{"an input named as the manifest", nil, nil, []bundle.Input{text("Manifest.json", "")}, "Manifest.json", "rename it"},
		{"no article", nil, func(a *bundle.About) { a.Article = "" }, nil, bundle.ManifestName, "cannot be the name"},
		{"a host that is a path", nil, func(a *bundle.About) { a.Hosts = []string{"../x"} }, nil, bundle.ManifestName,
			"cannot be the name"},
		{"a number that JSON does not have", nil, func(a *bundle.About) { a.Claims[0].Effect = &nan }, nil,
			bundle.ManifestName, "out of range"},
		{"a full disk", &full{}, nil, []bundle.Input{text("a", "")}, "", "the bundle cannot be written: no space left"},
		{"a disk that fills up", &full{300}, nil, inputs(), "", "the bundle cannot be written: no space left"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := about()
			if tt.change != nil {
				tt.change(&a)
			}
			if tt.w == nil {
				tt.w = io.Discard
			}
			_, _, err := bundle.Write(tt.w, a, tt.inputs)
			wantError(t, err, tt.path, tt.words)
			if err != nil && strings.Contains(err.Error(), "/home") {
				t.Errorf("it has a path of the machine: %v", err)
			}
		})
	}
}

func TestExtractSkips(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	data := write(t, about(), inputs())
	err := open(t, data).Extract(dir, func(f bundle.File) bool { return f.Path != "article.md" })
	if err != nil {
		t.Fatal(err)
	}
	if got := slices.Sorted(maps.Keys(tree(t, dir))); !slices.Equal(got, []string{"article.md", bundle.ManifestName}) {
		t.Errorf("got the files %q", got)
	}
	// What is skipped is checked all the same.
	changed := edit(t, data, func(list []entry) []entry { list[2].data[0] ^= 1; return list })
	err = open(t, changed).Extract(dir+"2", func(bundle.File) bool { return true })
	wantError(t, err, "benchbook.lock", "its content was changed")
}

func TestExtractPlaces(t *testing.T) {
	data := write(t, about(), inputs())
	broken := edit(t, data, func(list []entry) []entry { return list[:len(list)-1] })
	base := t.TempDir()
	in := func(name string) string { return filepath.Join(base, name) }
	err := errors.Join(os.Mkdir(in("full"), 0o755),
		os.WriteFile(in("full/mine"), []byte("mine"), 0o644), os.WriteFile(in("file"), nil, 0o644))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, dir string
		data      []byte
		words     string // of the error; empty for none
		stays     bool
	}{
		{"a full folder", "full", data, "cannot extract into", true},
		{"a file", "file", data, "cannot extract into", true},
		{"a folder without a parent", "no/out", data, "cannot extract into", false},
		{"a new folder", "new", data, "", true},
		{"a new folder for a broken bundle", "new2", broken, "is missing", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := open(t, tt.data).Extract(in(tt.dir), nil)
			if (err == nil) != (tt.words == "") || err != nil && !strings.Contains(err.Error(), tt.words) {
				t.Errorf("got the error %v, want %q", err, tt.words)
			}
			if _, err := os.Lstat(in(tt.dir)); (err == nil) != tt.stays {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
	if got := tree(t, in("full")); !maps.Equal(got, map[string]string{"mine": "mine"}) {
		t.Errorf("the full folder has %q", got)
	}
}

// A link that somebody else puts into the folder meanwhile is not followed.
func TestExtractBesideOthers(t *testing.T) {
	data := write(t, about(), inputs())
	base := t.TempDir()
	in := func(name string) string { return filepath.Join(base, name) }
	if err := os.Mkdir(in("outside"), 0o755); err != nil {
		t.Fatal(err)
	}
	err := open(t, data).Extract(in("linked"), func(f bundle.File) bool {
		if f.Path == "inputs/serve.sh" {
			err := errors.Join(os.RemoveAll(in("linked/inputs")), os.Symlink("../outside", in("linked/inputs")))
			if err != nil {
				t.Error(err)
			}
		}
		return false
	})
	wantError(t, err, "inputs/serve.sh", "cannot be written")
	if got := tree(t, in("outside")); len(got) > 0 {
		t.Errorf("outside there is %q", got)
	}
}
