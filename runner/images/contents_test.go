package images

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"benchbook/runner/images/imagestest"
)

const elf = "\x7fELF"

func TestReadContents(t *testing.T) {
	debian := imagestest.Debian("libc6", "curl")
	debian["var/lib/dpkg/info/curl.list"] = "/.\n/usr/bin\n/usr/bin/curl\n/bin/sh\n"
	debian["usr/bin/curl"], debian["usr/bin/sh"], debian["usr/local/bin/own"] = elf+"curl", elf+"sh", elf+"own"
	tests := []struct {
		name     string
		layers   []imagestest.Layer
		packages string // KIND: LIST; …
		programs string
	}{
		{"Debian, and a program of nobody", []imagestest.Layer{debian}, "debian: curl 1, libc6 1", "/usr/local/bin/own"},
		{"Debian without a shell", []imagestest.Layer{{"var/lib/dpkg/status.d/base": "Package: base-files\nVersion: 12\n"}},
			"debian: base-files 12", ""},
		{"removed, with its settings left", []imagestest.Layer{{"var/lib/dpkg/status": "Package: a\n" +
			"Status: deinstall ok config-files\nVersion: 1\n\nPackage: b\nStatus: hold ok installed\nVersion: 2\n" +
			"Description: of b\n Package: c\n"}}, "debian: b 2", ""},
		{"Alpine", []imagestest.Layer{{"lib/apk/db/installed": "P:musl\nV:1.2-r0\nF:lib\nR:ld.so\n\nP:busybox\n" +
			"V:1.36-r2\nF:bin\nR:busybox\n", "bin/busybox": elf, "lib/ld.so": elf, "srv/app": elf}},
			"alpine: busybox 1.36-r2, musl 1.2-r0", "/srv/app"},
		{"Python, with a program that a wheel brought", []imagestest.Layer{{
			"opt/env/lib/python3.12/site-packages/uwsgi-2.0.31.dist-info/RECORD": "../../../bin/uwsgi,sha256=x,1\n",
			"opt/env/bin/uwsgi": elf,
			"usr/lib/python3/dist-packages/apt-2.6.dist-info/RECORD":           "",
			"srv/pip/_vendor/rich-1.0.dist-info/RECORD":                        "",
			"usr/local/lib/python3.12/site-packages/old-1.0.egg-info/PKG-INFO": ""}}, "python: old 1.0, uwsgi 2.0.31", ""},
		{"Node.js", []imagestest.Layer{{"app/node_modules/express/package.json": `{"version":"5.1.0"}`,
			"app/node_modules/@x/y/package.json":                    `{"version":"1.0.0"}`,
			"app/node_modules/express/node_modules/ms/package.json": `{"version":"2.0.0"}`,
			"app/node_modules/express/lib/package.json":             `{"version":"9.0.0"}`,
			"app/node_modules/express/node_modules/ms/binding.node": elf,
			"app/package.json": `{"version":"3.0.0"}`,
			"app/node_modules/express/node_modules/part/esm/package.json": `{"type":"module"}`,
			"app/node_modules/express/node_modules/broken/package.json":   `{`}},
			"node: @x/y 1.0.0, express 5.1.0, ms 2.0.0", ""},
		{"layers", []imagestest.Layer{debian, {"usr/local/bin/.wh.own": "", "usr/local/bin/next": elf},
			{"usr/local/bin/next": "#!/bin/sh"}, {"var/lib/dpkg/status": "Package: libc6\nStatus: install ok installed\n" +
				"Version: 2\n"}}, "debian: libc6 2", ""},
		{"a folder that a layer empties", []imagestest.Layer{{"opt/a": elf, "srv/b": elf}, {"opt/.wh..wh..opq": "",
			"opt/c": elf}}, "", "/opt/c, /srv/b"},
		{"a folder that a layer removes", []imagestest.Layer{{"opt/x/a": elf, "opt/xy": elf}, {"opt/.wh.x": ""}}, "",
			"/opt/xy"},
		{"nothing", []imagestest.Layer{{}}, "", ""},
	}
	for _, test := range tests {
		for _, o := range []imagestest.Options{{}, {OCI: true}, {Linked: true}} {
			t.Run(fmt.Sprintf("%s %+v", test.name, o), func(t *testing.T) {
				c, err := ReadContents(bytes.NewReader(imagestest.Archive(t, o, test.layers...)))
				if err != nil {
					t.Fatal(err)
				}
				var packages []string
				for _, kind := range slices.Sorted(maps.Keys(c.Packages)) {
					packages = append(packages, kind+": "+strings.Join(c.Packages[kind], ", "))
				}
				programs := strings.Join(slices.Sorted(maps.Keys(c.Programs)), ", ")
				if got := strings.Join(packages, "; "); got != test.packages || programs != test.programs {
					t.Errorf("got %q and programs %q, want %q and %q", got, programs, test.packages, test.programs)
				}
				if len(c.Layers) != len(test.layers) {
					t.Errorf("%d layers", len(c.Layers))
				}
			})
		}
	}
}

// A program in Go says by which version of Go it was made.
func TestProgramInGo(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	archive := imagestest.Archive(t, imagestest.Options{}, imagestest.Layer{"app": string(data)})
	c, err := ReadContents(bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	if list := c.Packages["go"]; len(list) == 0 || list[0] != "go "+runtime.Version() ||
		!strings.HasPrefix(c.Programs["/app"], "sha256:") {
		t.Errorf("got %+v", c)
	}
}

func TestArchivesThatAreNone(t *testing.T) {
	whole := imagestest.Archive(t, imagestest.Options{}, imagestest.Debian("libc6"))
	for name, data := range map[string][]byte{"nothing": nil, "no archive": []byte(strings.Repeat("x", 2000)),
		"half of one": whole[:len(whole)/3]} {
		if _, err := ReadContents(bytes.NewReader(data)); err == nil {
			t.Errorf("%s is read as an image", name)
		}
	}
}

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
