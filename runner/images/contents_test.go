package images

import (
	"archive/tar"
	"bytes"
	"errors"
	"strings"
	"testing"

	"benchbook/runner/images/imagestest"
)

// An archive that would give a name on the engine another meaning is told from one that does not.
func TestCheckNameless(t *testing.T) {
	plain := imagestest.Archive(t, imagestest.Options{}, imagestest.Debian("libc6"))
	if err := CheckNameless(bytes.NewReader(plain)); err != nil {
		t.Error(err)
	}
	named := imagestest.Archive(t, imagestest.Options{Names: []string{"debian:latest"}}, imagestest.Debian("libc6"))
	if err := CheckNameless(bytes.NewReader(named)); err == nil || !strings.Contains(err.Error(), "debian:latest") {
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
		if err := CheckNameless(&out); err == nil {
			t.Errorf("an archive with %+v is let pass", h)
		}
	}
	if err := CheckNameless(bytes.NewReader(append(plain[:len(plain)-1024:len(plain)-1024], plain...))); err == nil {
		t.Error("two manifests are taken for one")
	}
}
