package bundle

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// archiveOf is an archive with one image of no or one name.
func archiveOf(t *testing.T, names string) []byte {
	t.Helper()
	manifest := fmt.Sprintf(`[{"Config": "config.json", "Layers": [], "RepoTags": [%s]}]`, names)
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, file := range []struct{ name, text string }{{"config.json", "{}"}, {"manifest.json", manifest}} {
		err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: file.name, Size: int64(len(file.text)), Mode: 0o644})
		if err == nil {
			_, err = w.Write([]byte(file.text))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// An archive that would give a name on the engine another meaning is told from one that does not.
func TestCheckNameless(t *testing.T) {
	plain := archiveOf(t, "")
	if err := checkNameless(bytes.NewReader(plain)); err != nil {
		t.Error(err)
	}
	named := archiveOf(t, `"debian:latest"`)
	if err := checkNameless(bytes.NewReader(named)); err == nil || !strings.Contains(err.Error(), "debian:latest") {
		t.Error(err)
	}
	for file, text := range map[string]string{"repositories": `{"debian":{"latest":"1"}}`, "manifest.json": "{",
		"index.json": `{"manifests":[{"annotations":{"io.containerd.image.name":"docker.io/library/debian:1"}}]}`} {
		if checkNames(file, []byte(text)) == nil {
			t.Errorf("%s %s is taken for one without names", file, text)
		}
	}
	for _, h := range []tar.Header{{Name: "//manifest.json"}, {Name: "./repositories"}, {Name: "../manifest.json"},
		{Name: "x", Typeflag: tar.TypeSymlink, Linkname: "."},
		{Name: "x", Typeflag: tar.TypeLink, Linkname: "manifest.json"}} {
		var out bytes.Buffer
		w := tar.NewWriter(&out)
		if err := errors.Join(w.WriteHeader(&h), w.Close()); err != nil {
			t.Fatal(err)
		}
		if err := checkNameless(&out); err == nil {
			t.Errorf("an archive with %+v is let pass", h)
		}
	}
	if err := checkNameless(bytes.NewReader(append(plain[:len(plain)-1024:len(plain)-1024], plain...))); err == nil {
		t.Error("two manifests are taken for one")
	}
}
