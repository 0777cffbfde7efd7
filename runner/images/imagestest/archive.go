// Package imagestest makes archives of images, for tests of what reads them.
package imagestest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// A Layer has files by their paths. Those whose content begins with that of an executable can be executed.
type Layer map[string]string

// Debian is a layer with packages of Debian, each in version 1.
func Debian(packages ...string) Layer {
	var status strings.Builder
	for _, name := range packages {
		fmt.Fprintf(&status, "Package: %s\nStatus: install ok installed\nVersion: 1\n\n", name)
	}
	return Layer{"var/lib/dpkg/status": status.String()}
}

// Options say how an archive is written.
type Options struct {
	OCI    bool     // as later engines do: blobs by digest, compressed
	Linked bool     // every layer is a link to where it is
	Names  []string // of the image
}

// Archive is an image as docker save writes it, from the lowest layer up.
func Archive(t testing.TB, o Options, layers ...Layer) []byte {
	t.Helper()
	var out bytes.Buffer
	archive := tar.NewWriter(&out)
	var names, digests []string
	for i, l := range layers {
		data := l.tar(t)
		sum := sha256.Sum256(data)
		digests = append(digests, "sha256:"+hex.EncodeToString(sum[:]))
		name := fmt.Sprintf("%d/layer.tar", i)
		if o.OCI {
			var packed bytes.Buffer
			w := gzip.NewWriter(&packed)
			_, err := w.Write(data)
			check(t, err)
			check(t, w.Close())
			data, name = packed.Bytes(), "blobs/sha256/"+hex.EncodeToString(sum[:])
		}
		names = append(names, name)
		if o.Linked {
			check(t, archive.WriteHeader(&tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: fmt.Sprintf("../l%d", i)}))
			name = fmt.Sprintf("l%d", i)
		}
		write(t, archive, name, data)
	}
	config, err := json.Marshal(map[string]any{"rootfs": map[string]any{"diff_ids": digests}})
	check(t, err)
	write(t, archive, "config.json", config)
	manifest, err := json.Marshal([]map[string]any{{"Config": "config.json", "Layers": names, "RepoTags": o.Names}})
	check(t, err)
	write(t, archive, "manifest.json", manifest)
	check(t, archive.Close())
	return out.Bytes()
}

func (l Layer) tar(t testing.TB) []byte {
	var out bytes.Buffer
	archive := tar.NewWriter(&out)
	for _, name := range slices.Sorted(maps.Keys(l)) {
		write(t, archive, name, []byte(l[name]))
	}
	check(t, archive.Close())
	return out.Bytes()
}

func write(t testing.TB, archive *tar.Writer, name string, data []byte) {
	t.Helper()
	h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(data)), Mode: 0o644}
	if bytes.HasPrefix(data, []byte("\x7fELF")) {
		h.Mode = 0o755
	}
	check(t, archive.WriteHeader(h))
	_, err := archive.Write(data)
	check(t, err)
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
