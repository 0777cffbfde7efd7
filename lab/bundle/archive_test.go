package bundle

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"benchbook/internal/slowtest"
	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

// contents has the files of the sample by path; serve.sh is executable.
var contents = map[string]string{
	"article.md":                "# Hello\n",
	"benchbook.lock":            "{}\n",
	"inputs/.dockerignore":      "",
	"inputs/a name: 50 %.csv":   "x,y\n",
	"inputs/prøve/日本.txt":       "here\n",
	"inputs/serve.sh":           "#!/bin/sh\n",
	"records/" + longName:       "packed",
	"zz.tar":                    strings.Repeat("layers", 1000),
	"records/c2-ecb3ae/1.jsonl": "{}\n",
}

var longName = strings.Repeat("long/", 20) + strings.Repeat("name", 40)

// made returns a bundle of files.
func made(t testing.TB, m manifest, contents map[string]string) []byte {
	t.Helper()
	dir := t.TempDir()
	for path, text := range contents {
		name, mode := filepath.Join(dir, path), os.FileMode(0o644)
		if path == "inputs/serve.sh" {
			mode = 0o755
		}
		must.Do(errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), mode)))
	}
	var out bytes.Buffer
	must.Get(write(t.Context(), &out, dir, &m))
	return out.Bytes()
}

func sample(t testing.TB) []byte { return made(t, manifest{Article: "hello"}, contents) }

// opened extracts a bundle into a new folder.
func opened(t testing.TB, from io.Reader) (*reader, string, error) {
	t.Helper()
	dir := t.TempDir()
	r, err := openArchive(from)
	if err == nil {
		err = r.extract(dir)
	}
	return r, dir, err
}

// tree returns the contents of the files in a folder. Executable files have a note; files that are not regular have
// their type instead.
func tree(t testing.TB, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	must.Do(filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
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
		if out[path] = string(data); info.Mode()&0o100 != 0 {
			out[path] += " (executable)"
		}
		return err
	}))
	return out
}

func TestRoundTrip(t *testing.T) {
	data := sample(t)
	r, dir := must.Two(opened(t, bytes.NewReader(data)))
	want := maps.Clone(contents)
	want["inputs/serve.sh"] += " (executable)"
	assert.Map(t, tree(t, dir), want, "extracted")
	m := r.manifest
	assert.Equal(t, [2]any{m.Article, m.Files}, [2]any{"hello", len(contents)}, "manifest")
	assert.Equal(t, bytes.Equal(data, sample(t)), true, "the same files make the same bundle")
}

// full is a disk with little room.
type full struct{ left int }

func (f *full) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, errors.New("no space left on device")
	}
	return len(p), nil
}

func TestWriteToAFullDisk(t *testing.T) {
	dir := t.TempDir()
	must.Do(os.WriteFile(filepath.Join(dir, "a"), bytes.Repeat([]byte("0123456789"), 1000), 0o644))
	for _, room := range []int{0, 20, 100} {
		m := manifest{Article: "hello"}
		_, err := write(t.Context(), &full{room}, dir, &m)
		assert.Error(t, err, "no space left")
	}
}

// entry is one file of an archive.
type entry struct {
	header tar.Header
	data   []byte
}

// unpacked returns the tar archive in a bundle.
func unpacked(t testing.TB, data []byte) []byte {
	t.Helper()
	r := must.Get(gzip.NewReader(bytes.NewReader(data)))
	return must.Get(io.ReadAll(r))
}

func compress(archive []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	must.Get(w.Write(archive))
	must.Do(w.Close())
	return out.Bytes()
}

// edit changes the entries of a bundle and updates their sizes.
func edit(t testing.TB, data []byte, change func([]entry) []entry) []byte {
	t.Helper()
	var list []entry
	r := tar.NewReader(bytes.NewReader(unpacked(t, data)))
	for {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		must.Do(err)
		list = append(list, entry{tar.Header{Typeflag: h.Typeflag, Name: h.Name, Mode: h.Mode}, must.Get(io.ReadAll(r))})
	}
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, e := range change(list) {
		e.header.Size = int64(len(e.data))
		must.Do(w.WriteHeader(&e.header))
		must.Get(w.Write(e.data))
	}
	must.Do(w.Close())
	return compress(out.Bytes())
}

// editManifest changes only the manifest.
func editManifest(t testing.TB, data []byte, change func(*manifest)) []byte {
	t.Helper()
	return edit(t, data, func(list []entry) []entry {
		var m manifest
		must.Do(json.Unmarshal(list[0].data, &m))
		change(&m)
		list[0].data = must.Get(json.Marshal(m))
		return list
	})
}

// plainFile returns an entry for a regular file.
func plainFile(name, text string) entry {
	return entry{tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644}, []byte(text)}
}

// Entry 1 of the sample is article.md, and entry 2 benchbook.lock.
func TestTampering(t *testing.T) {
	type change = func(*testing.T, []byte) []byte
	entries := func(change func([]entry) []entry) change {
		return func(t *testing.T, data []byte) []byte { return edit(t, data, change) }
	}
	inManifest := func(change func(*manifest)) change {
		return func(t *testing.T, data []byte) []byte { return editManifest(t, data, change) }
	}
	archive := func(change func([]byte) []byte) change {
		return func(t *testing.T, data []byte) []byte { return compress(change(unpacked(t, data))) }
	}
	header := func(kind byte) change {
		return entries(func(list []entry) []entry {
			list[1].data, list[1].header.Typeflag, list[1].header.Linkname = nil, kind, "/etc/passwd"
			if kind != tar.TypeSymlink && kind != tar.TypeLink {
				list[1].header.Linkname = ""
			}
			return list
		})
	}
	text := func(manifest string) change {
		return entries(func(l []entry) []entry { l[0].data = []byte(manifest); return l })
	}
	raw := func(data []byte) change { return func(*testing.T, []byte) []byte { return data } }
	tests := []struct {
		name   string
		change change
		words  string
	}{
		{"file added", entries(func(l []entry) []entry { return slices.Insert(l, 2, plainFile("b", "b")) }), "more files or"},
		{"content longer", entries(func(l []entry) []entry { l[1].data = append(l[1].data, '!'); return l }), "more files or"},
		{"file removed", entries(func(l []entry) []entry { return slices.Delete(l, 1, 2) }), "incomplete"},
		{"file moved outside", entries(func(l []entry) []entry { l[1].header.Name = "../article.md"; return l }),
			`"../article.md" cannot be a path`},
		{"file twice", entries(func(l []entry) []entry { l[2] = l[1]; return l }), "file exists"},
		{"manifest not first", entries(func(l []entry) []entry { l[0], l[1] = l[1], l[0]; return l }), "does not begin"},
		{"symbolic link", header(tar.TypeSymlink), "not a plain"}, {"hard link", header(tar.TypeLink), "not a plain"},
		{"folder", header(tar.TypeDir), "not a plain"}, {"device", header(tar.TypeChar), "not a plain"},
		{"named pipe", header(tar.TypeFifo), "not a plain"}, {"sparse file", header(tar.TypeGNUSparse), "damaged"},
		{"extended attributes", entries(func(l []entry) []entry {
			l[1].header.PAXRecords = map[string]string{"SCHILY.xattr.user.x": "y"}
			return l
		}), "not a plain"},
		{"set-user-ID bit", entries(func(l []entry) []entry { l[1].header.Mode = 0o4644; return l }), "not a plain"},
		{"fewer bytes than there are", inManifest(func(m *manifest) { m.Bytes-- }), "more files or bytes"},
		{"fewer files than there are", inManifest(func(m *manifest) { m.Files-- }), "more files or bytes"},
		{"bytes negative", inManifest(func(m *manifest) { m.Bytes = -1 }), "may have 1 to"},
		{"bytes beyond the limit", inManifest(func(m *manifest) { m.Bytes = maxBytes + 1 }), "may have 1 to"},
		{"too many files", inManifest(func(m *manifest) { m.Files = maxFiles + 1 }), "may have 1 to"},
		{"no files", inManifest(func(m *manifest) { m.Files = 0 }), "may have 1 to"},
		{"article elsewhere", inManifest(func(m *manifest) { m.Article = "../../etc" }), "cannot be the name of a folder"},
		{"article like a flag", inManifest(func(m *manifest) { m.Article = "--force" }), "cannot be the name of a folder"},
		{"manifest that is not JSON", text("{}}"), "manifest.json is not"},
		{"manifest of another format", text(`{"benchbook_bundle": 2, "files": []}`), "not of format 4"},
		{"archive without its end", archive(func(b []byte) []byte { return b[:len(b)-4096] }), "damaged"},
		{"bundle cut off", func(_ *testing.T, b []byte) []byte { return b[:len(b)/2] }, "unexpected EOF"},
		{"256 MiB of zeros instead of a file", func(t *testing.T, b []byte) []byte {
			slowtest.SkipSequential(t)
			b = unpacked(t, b)
			return compress(append(b[:bytes.Index(b, []byte("benchbook.lock\x00"))], make([]byte, 1<<28)...))
		}, "damaged"},
		{"compressed with xz", raw([]byte("\xfd7zXZ\x00\x00\x04\x00\x00\x00\x00")), "not a bundle"},
		{"nothing", raw(nil), "not a bundle"},
		{"another archive", raw(compress(bytes.Repeat([]byte("text "), 1000))), "does not begin with a file manifest.json"},
	}
	data := sample(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := opened(t, bytes.NewReader(tt.change(t, slices.Clone(data))))
			assert.Error(t, err, tt.words)
			assert.Equal(t, strings.ContainsAny(fmt.Sprint(err), "\x1b\x00"), false, "control characters in %q", err)
		})
	}
}

// A bundle that ends early or has a flipped bit is refused, unless the bit has no meaning, as in padding.
func TestDamageAnywhere(t *testing.T) {
	data := sample(t)
	_, whole := must.Two(opened(t, bytes.NewReader(data)))
	good := tree(t, whole)
	for at := 0; at < len(data); at += max(1, len(data)/200) {
		flipped := slices.Clone(data)
		flipped[at] ^= 1 << (at % 8)
		if _, dir, err := opened(t, bytes.NewReader(flipped)); err == nil && !maps.Equal(tree(t, dir), good) {
			t.Errorf("a flipped bit of byte %d changes the files", at)
		}
		if _, dir, err := opened(t, bytes.NewReader(data[:at])); err == nil && !maps.Equal(tree(t, dir), good) {
			t.Errorf("a bundle of %d bytes lacks files", at)
		}
	}
}

func TestBadPath(t *testing.T) {
	for _, name := range []string{"a", "b/c.tar.gz", ".dockerignore", ".gitignore", ".github/w.yml", "...", "日本/prøve", "a b",
		"a:b", "~", "-rf", "head/x", strings.Repeat("d/", 31) + "f"} {
		assert.Equal(t, badPath(name), "", "%q is refused", name)
	}
	for _, name := range []string{"", "/etc/passwd", "../a", "a/../../b", "a/..", "a/./b", "a//b", "a/", `a\b`, `C:\Windows`,
		"a\x00b", "a\nb", "\x1b[2J", "a\u202egpj.sh", "a\u200bb", "a\u0085b", "a\xff", strings.Repeat("a/", 500) + "a",
		strings.Repeat("d/", 32) + "f", ".git/hooks/post-checkout", "a/.git/config", "a/.git", ".GIT/config", ".git. /config",
		"git~1/config", ".g\ufe0fit/config", ".hg/hgrc", "x/.benchbook/state", ".benchboo\u212a/x", "r/HEAD", "r/head"} {
		assert.Equal(t, badPath(name) != "", true, "%q is refused", name)
	}
}

// endless is a reader that repeats bytes for ever after a beginning.
type endless struct {
	begin  io.Reader
	repeat []byte
}

func (e *endless) Read(p []byte) (int, error) {
	n, err := e.begin.Read(p)
	if err == io.EOF {
		e.begin, err = bytes.NewReader(e.repeat), nil
	}
	return n, err
}

// Reading an endless bundle ends.
func TestEndless(t *testing.T) {
	archive := unpacked(t, sample(t))
	var header bytes.Buffer // with a long name, which takes a header of its own
	w := tar.NewWriter(&header)
	must.Do(w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: strings.Repeat("p", 300)}))
	for name, begin := range map[string][]byte{"headers": archive[:bytes.Index(archive, []byte("article.md\x00"))],
		"headers before the manifest": nil} {
		t.Run(name, func(t *testing.T) {
			pipe, into := io.Pipe()
			stopped := make(chan struct{})
			go func() {
				defer close(stopped)
				_, _ = io.Copy(gzip.NewWriter(into), &endless{bytes.NewReader(begin), header.Bytes()[:1024]}) // until pipe is closed
			}()
			_, _, err := opened(t, pipe)
			pipe.Close()
			<-stopped
			assert.Error(t, err, "")
		})
	}
}

// A symbolic link that another program puts into the folder is not followed.
func TestExtractFollowsNoLinks(t *testing.T) {
	outside, dir := t.TempDir(), t.TempDir()
	must.Do(os.Symlink(outside, filepath.Join(dir, "inputs")))
	assert.Error(t, must.Get(openArchive(bytes.NewReader(sample(t)))).extract(dir), "")
	assert.Equal(t, len(tree(t, outside)), 0, "files outside")
}

// An extracted bundle has as many files as its manifest says.
func FuzzOpen(f *testing.F) {
	data := made(f, manifest{Article: "a"}, map[string]string{"a/b": "1", "c": "2"})
	f.Add(data, true)
	f.Add(unpacked(f, data), false)
	f.Add(unpacked(f, editManifest(f, data, func(m *manifest) { m.Bytes = 1 << 40 })), false)
	f.Fuzz(func(t *testing.T, data []byte, compressed bool) {
		if !compressed {
			data = compress(data)
		}
		if r, dir, err := opened(t, bytes.NewReader(data)); err == nil && len(tree(t, dir)) != r.manifest.Files {
			t.Errorf("it leaves %d files, want %d", len(tree(t, dir)), r.manifest.Files)
		}
	})
}
