package bundle

import (
	"archive/tar"
	"bytes"
	"errors"
	"strings"
	"testing"

	"benchbook/internal/test/must"
)

// archiveOf is an archive with some files.
func archiveOf(files map[string]string) []byte {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for name, text := range files {
		must.Do(w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(text)), Mode: 0o644}))
		must.Get(w.Write([]byte(text)))
	}
	must.Do(w.Close())
	return out.Bytes()
}

// An archive of images with names is refused.
func TestCheckNameless(t *testing.T) {
	plain := archiveOf(map[string]string{"config.json": "{}",
		"manifest.json": `[{"Config": "config.json", "Layers": [], "RepoTags": []}]`})
	must.Do(checkNameless(bytes.NewReader(plain)))
	named := archiveOf(map[string]string{"manifest.json": `[{"RepoTags": ["debian:latest"]}]`})
	if err := checkNameless(bytes.NewReader(named)); err == nil || !strings.Contains(err.Error(), "debian:latest") {
		t.Error(err)
	}
	for name, text := range map[string]string{"repositories": `{"debian":{"latest":"1"}}`, "manifest.json": "{",
		"index.json": `{"manifests":[{"annotations":{"io.containerd.image.name":"docker.io/library/debian:1"}}]}`} {
		if err := checkNameless(bytes.NewReader(archiveOf(map[string]string{name: text}))); err == nil {
			t.Errorf("%s %s is accepted", name, text)
		}
	}
	for _, h := range []tar.Header{{Name: "//manifest.json"}, {Name: "./repositories"}, {Name: "../manifest.json"},
		{Name: "x", Typeflag: tar.TypeSymlink, Linkname: "."},
		{Name: "x", Typeflag: tar.TypeLink, Linkname: "manifest.json"}} {
		var out bytes.Buffer
		w := tar.NewWriter(&out)
		must.Do(errors.Join(w.WriteHeader(&h), w.Close()))
		if err := checkNameless(&out); err == nil {
			t.Errorf("an archive with %+v is let pass", h)
		}
	}
	if err := checkNameless(bytes.NewReader(append(plain[:len(plain)-1024:len(plain)-1024], plain...))); err == nil {
		t.Error("two manifests are taken for one")
	}
}
