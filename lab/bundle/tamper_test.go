package bundle_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"benchbook/lab/bundle"
)

// entry is one file of an archive.
type entry struct {
	header tar.Header
	data   []byte
}

// plain is what is compressed in a bundle.
func plain(t testing.TB, data []byte) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func compress(t testing.TB, archive []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(archive); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// edit changes the files of a bundle. Their sizes are those of their data.
func edit(t testing.TB, data []byte, change func([]entry) []entry) []byte {
	t.Helper()
	var list []entry
	r := tar.NewReader(bytes.NewReader(plain(t, data)))
	for {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, entry{tar.Header{Typeflag: h.Typeflag, Name: h.Name, Mode: h.Mode}, content})
	}
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, e := range change(list) {
		e.header.Size = int64(len(e.data))
		if err := w.WriteHeader(&e.header); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(e.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return compress(t, out.Bytes())
}

// editManifest changes the manifest alone.
func editManifest(t testing.TB, data []byte, change func(*bundle.Manifest)) []byte {
	t.Helper()
	return edit(t, data, func(list []entry) []entry {
		var m bundle.Manifest
		if err := json.Unmarshal(list[0].data, &m); err != nil {
			t.Fatal(err)
		}
		change(&m)
		text, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		list[0].data = text
		return list
	})
}

// Of the sample, file 2 of the archive is article.md, and file 3 benchbook.lock; in the manifest they are 1 and 2.
func TestTampering(t *testing.T) {
	files := func(change func([]entry) []entry) func(*testing.T, []byte) []byte {
		return func(t *testing.T, data []byte) []byte { return edit(t, data, change) }
	}
	manifest := func(change func(*bundle.Manifest)) func(*testing.T, []byte) []byte {
		return func(t *testing.T, data []byte) []byte { return editManifest(t, data, change) }
	}
	archive := func(change func([]byte) []byte) func(*testing.T, []byte) []byte {
		return func(t *testing.T, data []byte) []byte { return compress(t, change(plain(t, data))) }
	}
	header := func(change func(*tar.Header)) func(*testing.T, []byte) []byte {
		return files(func(list []entry) []entry {
			list[1].data = nil
			change(&list[1].header)
			return list
		})
	}
	const article, lock = "article.md", "benchbook.lock"
	images := func(list []bundle.File) *bundle.File { return &list[len(list)-1] }
	tests := []struct {
		name        string
		change      func(*testing.T, []byte) []byte
		path, words string
	}{
		{"content changed", files(func(l []entry) []entry { l[1].data[0] ^= 1; return l }), article, "content was changed"},
		{"content longer", files(func(l []entry) []entry { l[1].data = append(l[1].data, '!'); return l }), article,
			"has 9 bytes, and the manifest says 8"},
		{"content shorter", files(func(l []entry) []entry { l[1].data = l[1].data[1:]; return l }), article, "has 7 bytes"},
		{"last file changed", files(func(l []entry) []entry { l[len(l)-1].data[99] = '!'; return l }), "zz.tar",
			"content was changed"},
		{"file added", files(func(l []entry) []entry {
			return slices.Insert(l, 2, entry{tar.Header{Typeflag: tar.TypeReg, Name: "b", Mode: 0o644}, []byte("b")})
		}), "b", "and not in its manifest"},
		{"file added at the end", files(func(l []entry) []entry {
			return append(l, entry{tar.Header{Typeflag: tar.TypeReg, Name: "z", Mode: 0o644}, []byte("z")})
		}), "z", "and not in its manifest"},
		{"file removed", files(func(l []entry) []entry { return slices.Delete(l, 1, 2) }), article,
			`is missing, or not in its place: "benchbook.lock" comes instead`},
		{"last file removed", files(func(l []entry) []entry { return l[:len(l)-1] }), "zz.tar", "ends before it"},
		{"file renamed", files(func(l []entry) []entry { l[1].header.Name = "other.md"; return l }), "other.md",
			"and not in its manifest"},
		{"file moved outside", files(func(l []entry) []entry { l[1].header.Name = "../article.md"; return l }),
			"../article.md", "and not in its manifest"},
		{"order swapped", files(func(l []entry) []entry { l[1], l[2] = l[2], l[1]; return l }), article, "not in its place"},
		{"contents swapped", files(func(l []entry) []entry { l[1].data, l[2].data = l[2].data, l[1].data; return l }),
			article, "has 3 bytes"},
		{"file twice", files(func(l []entry) []entry { return slices.Insert(l, 2, l[1]) }), article,
			"is in the bundle twice"},
		{"file twice, at the end", files(func(l []entry) []entry { return append(l, l[1]) }), article,
			"is in the bundle twice"},
		{"manifest twice", files(func(l []entry) []entry { return append(l, l[0]) }), bundle.ManifestName,
			"is in the bundle twice"},
		{"manifest not first", files(func(l []entry) []entry { l[0], l[1] = l[1], l[0]; return l }), "",
			"does not begin with a file manifest.json"},
		{"manifest removed", files(func(l []entry) []entry { return l[1:] }), "", "does not begin with a file manifest.json"},
		{"symbolic link", header(func(h *tar.Header) { h.Typeflag, h.Linkname = tar.TypeSymlink, "/etc/passwd" }), article,
			"is not stored as a plain file"},
		{"hard link", header(func(h *tar.Header) { h.Typeflag, h.Linkname = tar.TypeLink, lock }), article,
			"is not stored as a plain file"},
		{"folder", header(func(h *tar.Header) { h.Typeflag = tar.TypeDir }), article, "is not stored as a plain file"},
		{"device", header(func(h *tar.Header) { h.Typeflag, h.Devmajor = tar.TypeChar, 1 }), article,
			"is not stored as a plain file"},
		{"named pipe", header(func(h *tar.Header) { h.Typeflag = tar.TypeFifo }), article, "is not stored as a plain file"},
		{"folder beside files", files(func(l []entry) []entry {
			return slices.Insert(l, 1, entry{tar.Header{Typeflag: tar.TypeDir, Name: "records/", Mode: 0o755}, nil})
		}), "records/", "and not in its manifest"},
		{"global header", files(func(l []entry) []entry {
			return slices.Insert(l, 1, entry{tar.Header{Typeflag: tar.TypeXGlobalHeader, Name: "g",
				PAXRecords: map[string]string{"comment": "x"}}, nil})
		}), "g", "and not in its manifest"},
		{"extended attributes", files(func(l []entry) []entry {
			l[1].header.PAXRecords = map[string]string{"SCHILY.xattr.user.x": "y"}
			return l
		}), article, "is not stored as a plain file"},
		{"executable bit set", files(func(l []entry) []entry { l[1].header.Mode = 0o755; return l }), article,
			"has the mode 0755, and the manifest says 0644"},
		{"set-user-ID bit set", files(func(l []entry) []entry { l[1].header.Mode = 0o4644; return l }), article,
			"has the mode 04644"},
		{"executable bit set in the manifest", manifest(func(m *bundle.Manifest) { m.Files[0].Executable = true }), article,
			"has the mode 0644, and the manifest says 0755"},
		{"digest edited", manifest(func(m *bundle.Manifest) { m.Files[0].SHA256 = m.Files[1].SHA256 }), article,
			"content was changed"},
		{"digest invalid", manifest(func(m *bundle.Manifest) { m.Files[0].SHA256 = "\x1b[2J" }), article, "invalid SHA-256"},
		{"digest missing", manifest(func(m *bundle.Manifest) { m.Files[0].SHA256 = "" }), article, "invalid SHA-256"},
		{"size edited", manifest(func(m *bundle.Manifest) { m.Files[0].Size++ }), article,
			"has 8 bytes, and the manifest says 9"},
		{"size negative", manifest(func(m *bundle.Manifest) { m.Files[0].Size = -1 }), article, "cannot have a size of -1"},
		{"size beyond all bounds", manifest(func(m *bundle.Manifest) { images(m.Files).Size = 1 << 62 }), "",
			"larger than 64GiB together"},
		{"file removed from the manifest", manifest(func(m *bundle.Manifest) { m.Files = slices.Delete(m.Files, 0, 1) }),
			article, "and not in its manifest"},
		{"file added to the manifest", manifest(func(m *bundle.Manifest) {
			m.Files = append(m.Files, bundle.File{Path: "z", SHA256: m.Files[0].SHA256})
		}), "z", "the bundle ends before it"},
		{"file twice in the manifest", manifest(func(m *bundle.Manifest) { m.Files = append(m.Files, m.Files[0]) }), article,
			"is listed twice"},
		{"no files in the manifest", manifest(func(m *bundle.Manifest) { m.Files = nil }), bundle.ManifestName, "no files"},
		{"article elsewhere", manifest(func(m *bundle.Manifest) { m.Article = "../../etc" }), bundle.ManifestName,
			"cannot be the name of a folder"},
		{"article that looks like a flag", manifest(func(m *bundle.Manifest) { m.Article = "--force" }), bundle.ManifestName,
			"cannot be the name of a folder"},
		{"manifest that is no JSON", files(func(l []entry) []entry { l[0].data = []byte("{}}"); return l }),
			bundle.ManifestName, "not JSON"},
		{"manifest without a format", manifest(func(m *bundle.Manifest) { m.Format = 0 }), bundle.ManifestName,
			`"benchbook_bundle" is missing`},
		{"manifest of a newer format", files(func(l []entry) []entry {
			l[0].data = []byte(`{"benchbook_bundle": 2, "files": "elsewhere"}`)
			return l
		}), "", "the bundle has format 2, and this benchbook knows format 1: update it"},
		{"manifest with other types", files(func(l []entry) []entry {
			l[0].data = []byte(`{"benchbook_bundle": 1, "files": "elsewhere"}`)
			return l
		}), bundle.ManifestName, "another type"},
		{"manifest with a list of nothing", files(func(l []entry) []entry {
			l[0].data = []byte(`{"benchbook_bundle": 1, "files": [` + strings.Repeat("{},", 1_000_000) + `{}]}`)
			return l
		}), bundle.ManifestName, "lists more than"},
		{"end of the archive removed", archive(func(b []byte) []byte { return b[:len(b)-1024] }), "", "ends too early"},
		{"archive cut off in a file", archive(func(b []byte) []byte { return b[:len(b)-2048] }), "zz.tar",
			"ends too early"},
		{"archive cut off in the manifest", archive(func(b []byte) []byte { return b[:700] }), bundle.ManifestName,
			"ends too early"},
		{"archive that goes on", archive(func(b []byte) []byte { return append(b, 0) }), "", "was appended"},
		{"second archive in the first", archive(func(b []byte) []byte { return append(b, b...) }), "", "was appended"},
		{"garbage in place of a header", archive(func(b []byte) []byte {
			at := bytes.Index(b, []byte(lock+"\x00"))
			copy(b[at:], "garbage")
			return b
		}), lock, "the bundle is damaged there"},
		{"bundle cut off", func(_ *testing.T, b []byte) []byte { return b[:len(b)/2] }, "*", "ends too early"},
		{"bundle cut off in its sum", func(_ *testing.T, b []byte) []byte { return b[:len(b)-3] }, "", "ends too early"},
		{"sum of the bundle edited", func(_ *testing.T, b []byte) []byte { b[len(b)-6] ^= 1; return b }, "", "is damaged"},
		{"garbage appended", func(_ *testing.T, b []byte) []byte { return append(b, "garbage"...) }, "", "was appended"},
		{"second bundle appended", func(_ *testing.T, b []byte) []byte { return append(b, b...) }, "", "was appended"},
		{"sparse file", header(func(h *tar.Header) { h.Typeflag = tar.TypeGNUSparse }), "article.md", "damaged there"},
		{"a terabyte that an extended header declares", archive(func(b []byte) []byte {
			at := bytes.Index(b, []byte(article+"\x00"))
			copy(b[at+124:], "\x80\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00") // the size, in base 256
			return checksummed(b, at)
		}), article, "has 1099511627776 bytes"},
		{"256 MiB of zeros in place of a file", func(t *testing.T, b []byte) []byte {
			b = plain(t, b)
			return compress(t, append(b[:bytes.Index(b, []byte(lock+"\x00"))], make([]byte, 1<<28)...))
		}, "benchbook.lock", "ends before it"},
		{"another bundle inside", files(func(l []entry) []entry {
			l[1].data = []byte("\x1f\x8b\x08\x00\x00\x00\x00\x00")
			return l
		}), article, "content was changed"},
		{"compressed with xz", func(*testing.T, []byte) []byte { return []byte("\xfd7zXZ\x00\x00\x04\x00\x00\x00\x00") }, "",
			"not compressed with gzip"},
		{"not compressed", func(t *testing.T, b []byte) []byte { return plain(t, b) }, "", "not compressed with gzip"},
		{"nothing", func(*testing.T, []byte) []byte { return nil }, "", "it is empty"},
		{"something else", func(*testing.T, []byte) []byte { return []byte("PK\x03\x04, something else") }, "",
			"not compressed with gzip"},
		{"something else, compressed", func(t *testing.T, _ []byte) []byte {
			return compress(t, bytes.Repeat([]byte("text "), 1000))
		}, "", "does not begin with a file manifest.json"},
	}
	sample := write(t, about(), inputs())
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			base := t.TempDir()
			r, err := bundle.Open(bytes.NewReader(tt.change(t, slices.Clone(sample))), bundle.Limits{})
			if err == nil {
				err = r.Extract(filepath.Join(base, "out"), nil)
			}
			if e, ok := errors.AsType[*bundle.Error](err); ok && tt.path == "*" {
				tt.path = e.Path // wherever it was cut
			}
			wantError(t, err, tt.path, tt.words)
			if left, _ := os.ReadDir(base); len(left) > 0 {
				t.Errorf("it left %v", left)
			}
		})
	}
}

// checksummed corrects the sum of the tar header at an offset.
func checksummed(b []byte, at int) []byte {
	sum := 8 * int(' ')
	for i, c := range b[at : at+512] {
		if i < 148 || i >= 156 {
			sum += int(c)
		}
	}
	copy(b[at+148:], fmt.Sprintf("%06o\x00 ", sum))
	return b
}

// A bundle that ends at any block, or has any bit flipped, is refused and leaves nothing, unless the bit says nothing:
// those of the name and time of what was compressed, and those that fill up a block of the archive.
func TestDamageAnywhere(t *testing.T) {
	sample := write(t, about(), inputs())
	whole := plain(t, sample)
	damaged := map[string][]byte{}
	for at := 0; at < len(whole); at += 512 {
		damaged[fmt.Sprintf("archive ends at %d", at)] = compress(t, whole[:at])
	}
	for at := 0; at < len(sample); at += max(1, len(sample)/200) {
		damaged[fmt.Sprintf("bundle ends at %d", at)] = sample[:at]
		flipped := slices.Clone(sample)
		flipped[at] ^= 1 << (at % 8)
		damaged[fmt.Sprintf("bit of byte %d", at)] = flipped
	}
	good := open(t, sample).Digest()
	for name, data := range damaged {
		base := t.TempDir()
		r, err := bundle.Open(bytes.NewReader(data), bundle.Limits{})
		if err == nil {
			err = r.Extract(filepath.Join(base, "out"), nil)
		}
		left, _ := os.ReadDir(base)
		if err == nil && (strings.HasPrefix(name, "bit") && r.Digest() == good) {
			continue
		}
		if _, ok := errors.AsType[*bundle.Error](err); !ok || len(left) > 0 {
			t.Errorf("%s: %v, and it left %v", name, err, left)
		}
	}
}

// Whoever edits a bundle can edit its manifest as well. The digest tells.
func TestDigestTells(t *testing.T) {
	sample := write(t, about(), inputs())
	original := open(t, sample).Digest()
	other := about()
	other.Claims[0].Verdict = "contradicted"
	changed := slices.Clone(inputs())
	changed[0] = text("article.md", "# Hell\n")
	for name, data := range map[string][]byte{
		"verdict edited":               write(t, other, inputs()),
		"file and its digest edited":   write(t, about(), changed),
		"title edited in the manifest": editManifest(t, sample, func(m *bundle.Manifest) { m.Title = "Other" }),
		"a blank in the manifest": edit(t, sample, func(l []entry) []entry {
			l[0].data = append(l[0].data, ' ')
			return l
		}),
	} {
		r := open(t, data)
		if err := r.Extract(filepath.Join(t.TempDir(), "out"), nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if r.Digest() == original {
			t.Errorf("%s: the digest is the same", name)
		}
	}
	// How it is compressed makes none.
	if got := open(t, compress(t, plain(t, sample))).Digest(); got != original {
		t.Errorf("compressed otherwise, the digest is %s, want %s", got, original)
	}
}

func TestNames(t *testing.T) {
	deep := strings.Repeat("d/", 31) + "f"
	tests := []struct {
		name  string
		paths []string
		words string // of the error; empty for none
	}{
		{"ordinary", []string{"a", "b/c", "b/d.tar.gz"}, ""},
		{"hidden", []string{".dockerignore", "x/.env", ".gitignore", ".gitattributes", ".github/w.yml", "..."}, ""},
		{"of many scripts", []string{"日本/prøve", "α", "a b", "a:b", "~", "-rf"}, ""},
		{"deep", []string{deep}, ""},
		{"too deep", []string{"d/" + deep}, "more than 32 folders deep"},
		{"too long", []string{strings.Repeat("a/", 500) + "a"}, "longer than 1000 bytes"},
		{"with a long element", []string{strings.Repeat("a", 256)}, "more than 255 bytes"},
		{"empty", []string{""}, "it is empty"},
		{"absolute", []string{"/etc/passwd"}, "absolute"},
		{"upwards", []string{"../a"}, `".."`},
		{"upwards inside", []string{"a/../../b"}, `".."`},
		{"upwards at the end", []string{"a/.."}, `".."`},
		{"of the folder itself", []string{"."}, `"."`},
		{"with a dot inside", []string{"a/./b"}, `"."`},
		{"with an empty element", []string{"a//b"}, "two slashes"},
		{"with a slash at the end", []string{"a/"}, "two slashes in a row, or one at its end"},
		{"with a backslash", []string{`a\b`}, "backslash"},
		{"with a drive and backslash", []string{`C:\Windows`}, "backslash"},
		{"with NUL", []string{"a\x00b"}, "invisible"},
		{"with a new line", []string{"a\nb"}, "invisible"},
		{"with an escape sequence", []string{"\x1b[2J"}, "invisible"},
		{"with text turned round", []string{"a\u202egpj.sh"}, "invisible"},
		{"with a zero-width space", []string{"a\u200bb"}, "invisible"},
		{"with a C1 control", []string{"a\u0085b"}, "invisible"},
		{"git hooks", []string{".git/hooks/post-checkout"}, "version control"},
		{"git hooks below", []string{"a/.git/config"}, "version control"},
		{"git elsewhere", []string{"a/.git"}, "version control"},
		{"git in capitals", []string{".GIT/config"}, "version control"},
		{"git on Windows", []string{".git. /config", "git~1/config"}, "version control"},
		{"git with characters that macOS leaves out", []string{".g\ufe0fit/config"}, "version control"},
		{"Mercurial", []string{".hg/hgrc"}, "version control"},
		{"state of benchbook", []string{"x/.benchbook/state"}, "belongs to benchbook"},
		{"bare repository", []string{"r/HEAD", "r/config", "r/objects/x", "r/refs/x"}, "a Git repository"},
		{"bare repository in capitals", []string{"r/config", "r/head", "r/OBJECTS/x"}, "a Git repository"},
		{"bare repository in a folder like the one above", []string{"\u2025/HEAD", "\u2025/objects/x"}, "a Git repository"},
		{"bare repository at the root", []string{"HEAD", "config", "objects/x", "refs/x"}, "a Git repository"},
		{"work tree of a repository", []string{"r/HEAD", "r/commondir"}, "a Git repository"},
		{"HEAD alone", []string{"r/HEAD", "objects/x"}, ""},
		{"file and folder", []string{"a", "a/b"}, "both a file and a folder"},
		{"folder and file", []string{"a/b", "a/b/c"}, "both a file and a folder"},
		{"twice", []string{"a", "a"}, "is listed twice"},
		{"differing in case", []string{"READ", "read"}, "would be the same"},
		{"folders differing in case", []string{"A/x", "a/y"}, "would be the same"},
		{"file and folder differing in case", []string{"A", "a/y"}, "would be the same"},
		{"differing in composition", []string{"e\u0301", "\u00e9"}, "would be the same"},
		{"differing in case and composition", []string{"E\u0301", "\u00e9"}, "would be the same"},
		{"sharp s", []string{"STRASSE", "straße"}, "would be the same"},
		{"long s and the sign of kelvin", []string{"ſ\u212a", "sk"}, "would be the same"},
		{"the manifest's", []string{"manifest.json"}, "listed twice"},
		{"the manifest's in capitals", []string{"MANIFEST.JSON"}, "would be the same"},
		{"below the manifest", []string{"manifest.json/x"}, "both a file and a folder"},
	}
	sample := write(t, about(), []bundle.Input{text("first", "")})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			data := editManifest(t, sample, func(m *bundle.Manifest) {
				for _, path := range tt.paths {
					m.Files = append(m.Files, bundle.File{Path: path, SHA256: m.Files[0].SHA256})
				}
			})
			_, err := bundle.Open(bytes.NewReader(data), bundle.Limits{})
			var list []bundle.Input
			for _, path := range tt.paths {
				list = append(list, text(path, ""))
			}
			_, _, writing := bundle.Write(io.Discard, about(), list)
			if tt.words == "" {
				if err != nil || writing != nil {
					t.Errorf("refused: %v, %v", err, writing)
				}
				return
			}
			e, ok := errors.AsType[*bundle.Error](err)
			if !ok {
				t.Fatalf("got the error %v, want %q", err, tt.words)
			}
			wantError(t, err, e.Path, tt.words)
			if writing == nil {
				t.Error("it can be written")
			}
		})
	}
	notText := edit(t, sample, func(l []entry) []entry {
		l[0].data = bytes.Replace(l[0].data, []byte(`"path": "fi`), []byte("\"path\": \"\xff"), 1)
		return l
	})
	if err := open(t, notText).Extract(filepath.Join(t.TempDir(), "out"), nil); err == nil {
		t.Error("a name that is no text was extracted")
	}
}

func TestLimits(t *testing.T) {
	sample := write(t, about(), inputs())
	_, err := bundle.Open(bytes.NewReader(sample), bundle.Limits{Files: 5})
	wantError(t, err, "", "has 9 files, and 5 are the most allowed")
	_, err = bundle.Open(bytes.NewReader(sample), bundle.Limits{Bytes: 5000})
	wantError(t, err, "", "larger than 4.883KiB together")
	if _, err = bundle.Open(bytes.NewReader(sample), bundle.Limits{Files: 10, Bytes: 20_000}); err != nil {
		t.Error(err)
	}
	folders := editManifest(t, sample, func(m *bundle.Manifest) {
		for i := range 4000 {
			path := strings.Repeat(fmt.Sprintf("%d/", i), 30) + "f"
			m.Files = append(m.Files, bundle.File{Path: path, SHA256: m.Files[0].SHA256})
		}
	})
	_, err = bundle.Open(bytes.NewReader(folders), bundle.Limits{Files: 5000})
	wantError(t, err, "", "more than 100000 folders")

	var large bytes.Buffer // the header of a manifest, without what it announces
	w := tar.NewWriter(&large)
	if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: bundle.ManifestName, Size: 1 << 40}); err != nil {
		t.Fatal(err)
	}
	_, err = bundle.Open(bytes.NewReader(compress(t, large.Bytes())), bundle.Limits{})
	wantError(t, err, bundle.ManifestName, "is larger than 16 MiB")
}

// endless goes on with the same bytes after a beginning.
type endless struct {
	begin  io.Reader
	repeat []byte
	read   int
}

func (e *endless) Read(p []byte) (int, error) {
	n, err := e.begin.Read(p)
	if err == io.EOF {
		e.begin = bytes.NewReader(e.repeat)
		err = nil
	}
	e.read += n
	return n, err
}

// What never ends is not read for ever: neither headers before a file nor what follows the last one.
func TestEndless(t *testing.T) {
	sample := plain(t, write(t, about(), inputs()))
	manifest := sample[:bytes.Index(sample, []byte("article.md\x00"))]
	var header bytes.Buffer // one for the next file, that none follows
	w := tar.NewWriter(&header)
	if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: strings.Repeat("p", 300)}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name        string
		begin       []byte
		repeat      []byte
		path, words string
	}{
		{"headers", manifest, header.Bytes()[:1024], "article.md", "is damaged there"},
		{"headers before the manifest", nil, header.Bytes()[:1024], bundle.ManifestName, "is damaged there"},
		{"zeros after the end", sample, make([]byte, 512), "", "was appended"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			from := &endless{begin: bytes.NewReader(tt.begin), repeat: tt.repeat}
			pipe, into := io.Pipe()
			stopped := make(chan struct{})
			go func() {
				defer close(stopped)
				compressed := gzip.NewWriter(into)
				io.Copy(compressed, from) // until nobody reads any more
			}()
			r, err := bundle.Open(pipe, bundle.Limits{})
			if err == nil {
				err = r.Extract(filepath.Join(t.TempDir(), "out"), nil)
			}
			pipe.Close()
			<-stopped
			wantError(t, err, tt.path, tt.words)
		})
	}
}

// failing is a source that breaks.
type failing struct{ io.Reader }

func (f failing) Read(p []byte) (int, error) {
	n, err := f.Reader.Read(p)
	if err == io.EOF {
		err = &os.PathError{Op: "read", Path: "/dev/sr0", Err: errors.New("input/output error")}
	}
	return n, err
}

func TestUnreadable(t *testing.T) {
	sample := write(t, about(), inputs())
	for _, size := range []int{0, 5, 100, len(sample) / 2, len(sample) - 4, len(sample)} {
		r, err := bundle.Open(failing{bytes.NewReader(sample[:size])}, bundle.Limits{})
		if err == nil {
			err = r.Extract(filepath.Join(t.TempDir(), "out"), nil)
		}
		wantError(t, err, "", "the bundle cannot be read: input/output error")
	}
}

// Whatever a bundle holds, it is refused and leaves nothing, or leaves the files that it lists and nothing else.
func FuzzOpen(f *testing.F) {
	sample := write(f, bundle.About{Article: "a"}, []bundle.Input{text("a/b", "1"), text("c", "2")}) // small, to be quick
	f.Add(sample, true)
	f.Add(plain(f, sample), false)
	f.Add(plain(f, write(f, about(), inputs())), false)
	for _, change := range []func(*bundle.Manifest){
		func(m *bundle.Manifest) { m.Files[0].Path = "../outside" },
		func(m *bundle.Manifest) { m.Files[0].Path = "/tmp/outside" },
		func(m *bundle.Manifest) { m.Files[0].Size = 1 << 40 },
	} {
		f.Add(plain(f, editManifest(f, sample, change)), false)
	}
	f.Add(plain(f, edit(f, sample, func(l []entry) []entry {
		l[1].data, l[1].header.Typeflag, l[1].header.Linkname = nil, tar.TypeSymlink, ".."
		return l
	})), false)
	f.Fuzz(func(t *testing.T, data []byte, compressed bool) {
		if !compressed {
			data = compress(t, data)
		}
		base := t.TempDir()
		dir := filepath.Join(base, "out")
		r, err := bundle.Open(bytes.NewReader(data), bundle.Limits{Files: 100, Bytes: 1 << 20})
		if err == nil {
			err = r.Extract(dir, nil)
		}
		around, _ := os.ReadDir(base)
		if err != nil {
			if _, ok := errors.AsType[*bundle.Error](err); !ok {
				t.Errorf("the error is a %T: %v", err, err)
			}
			if len(around) > 0 {
				t.Errorf("it left %v in spite of %v", around, err)
			}
			return
		}
		got := tree(t, dir)
		for _, file := range append(r.Manifest().Files, bundle.File{Path: bundle.ManifestName}) {
			if _, ok := got[filepath.FromSlash(file.Path)]; !ok {
				t.Errorf("%q is missing", file.Path)
			}
			delete(got, filepath.FromSlash(file.Path))
		}
		if len(got) > 0 || len(around) != 1 {
			t.Errorf("there is more than the manifest lists: %q beside %v", got, around)
		}
	})
}
