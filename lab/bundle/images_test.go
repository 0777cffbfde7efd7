package bundle

import (
	"archive/tar"
	"bytes"
	"errors"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

// archiveOf returns a tar archive of files.
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
	assert.Error(t, checkNameless(bytes.NewReader(named)), "debian:latest")
	for name, text := range map[string]string{"repositories": `{"debian":{"latest":"1"}}`, "manifest.json": "{",
		"index.json": `{"manifests":[{"annotations":{"io.containerd.image.name":"docker.io/library/debian:1"}}]}`} {
		assert.Error(t, checkNameless(bytes.NewReader(archiveOf(map[string]string{name: text}))), "")
	}
	for _, h := range []tar.Header{{Name: "//manifest.json"}, {Name: "./repositories"}, {Name: "../manifest.json"},
		{Name: "x", Typeflag: tar.TypeSymlink, Linkname: "."},
		{Name: "x", Typeflag: tar.TypeLink, Linkname: "manifest.json"}} {
		var out bytes.Buffer
		w := tar.NewWriter(&out)
		must.Do(errors.Join(w.WriteHeader(&h), w.Close()))
		assert.Error(t, checkNameless(&out), "")
	}
	// Two manifests are not taken for one.
	assert.Error(t, checkNameless(bytes.NewReader(append(plain[:len(plain)-1024:len(plain)-1024], plain...))), "")
}
