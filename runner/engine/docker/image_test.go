package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/client"

	"benchbook/notebook/spec"
	"benchbook/runner/engine"
)

func TestRepositoryName(t *testing.T) {
	tests := []struct{ words, want string }{
		{"async-101 server", "async-101-server"},
		{"  Ünïcode & more!", "n-code-more"},
		{"名前", "image"},
		{"", "image"},
		{strings.Repeat("a", 59) + " b", strings.Repeat("a", 59)},
	}
	for _, tt := range tests {
		if got := repositoryName(tt.words); got != tt.want {
			t.Errorf("repositoryName(%q) = %q, want %q", tt.words, got, tt.want)
		}
	}
}

func TestBuildDigest(t *testing.T) {
	make := func(change func(*engine.Build, *[]engine.Base)) string {
		build := engine.Build{For: "server", Build: spec.Build{
			Files:      []spec.File{{Path: "Dockerfile", Data: []byte("FROM a")}, {Path: "b", Data: []byte("c")}},
			Dockerfile: "Dockerfile", Args: map[string]string{"x": "1", "y": "2"}}}
		bases := []engine.Base{{Reference: "a", ID: "sha256:1"}}
		change(&build, &bases)
		return buildDigest(build, bases)
	}
	same := make(func(*engine.Build, *[]engine.Base) {})
	unchanged := map[string]func(*engine.Build, *[]engine.Base){
		"another purpose":   func(b *engine.Build, _ *[]engine.Base) { b.For = "client" },
		"the file's digest": func(b *engine.Build, _ *[]engine.Base) { b.Files[1].Digest = "x" },
		"a substitute of the same digest": func(_ *engine.Build, bases *[]engine.Base) {
			(*bases)[0].Substitute = "benchbook/debootstrap:x"
		},
	}
	for name, change := range unchanged {
		if make(change) != same {
			t.Errorf("%s: the digest changed", name)
		}
	}
	changed := map[string]func(*engine.Build, *[]engine.Base){
		"a file":            func(b *engine.Build, _ *[]engine.Base) { b.Files[1].Data = []byte("d") },
		"a mode":            func(b *engine.Build, _ *[]engine.Base) { b.Files[1].Exec = true },
		"a path and a file": func(b *engine.Build, _ *[]engine.Base) { b.Files[1] = spec.File{Path: "bc"} },
		"an argument":       func(b *engine.Build, _ *[]engine.Base) { b.Args["y"] = "3" },
		"a target":          func(b *engine.Build, _ *[]engine.Base) { b.Target = "x" },
		"a base":            func(_ *engine.Build, bases *[]engine.Base) { (*bases)[0].ID = "sha256:2" },
	}
	seen := map[string]string{same: "nothing"}
	for name, change := range changed {
		digest := make(change)
		if other, ok := seen[digest]; ok {
			t.Errorf("changing %s gives the digest of changing %s", name, other)
		}
		seen[digest] = name
	}
}

func TestTarFiles(t *testing.T) {
	archive, err := tarFiles([]spec.File{{Path: "/srv/a.txt", Data: []byte("a")}, {Path: "b", Exec: true}})
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(archive)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for r := tar.NewReader(bytes.NewReader(data)); ; {
		header, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, header.FileInfo().Mode().String()+" "+header.Name)
	}
	if want := []string{"-rw-r--r-- srv/a.txt", "-rwxr-xr-x b"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, bad := range []string{"", "/", "../a", "a/../b", "a//b", "a/"} {
		if _, err := tarFiles([]spec.File{{Path: bad}}); err == nil {
			t.Errorf("path %q was taken", bad)
		}
	}
	if _, err := tarFiles([]spec.File{{Path: "a"}, {Path: "/a"}}); err == nil {
		t.Error("two files of one path were taken")
	}
}

func TestProxyArgs(t *testing.T) {
	got := proxyArgs([]string{
		"HTTP_PROXY=http://proxy.example:3128", "https_proxy=http://localhost:3128", "no_proxy=.example",
		"MY_PROXY=x", "PATH=/bin",
	})
	if len(got) != 2 || *got["HTTP_PROXY"] != "http://proxy.example:3128" || *got["no_proxy"] != ".example" {
		t.Errorf("got %v, want HTTP_PROXY and no_proxy", got)
	}
}

// One image is made by one of those that want it at the same time, while others go on, and whoever is told to stops
// waiting.
func TestAlone(t *testing.T) {
	e := &Engine{images: newImageStore(nil, nil)}
	done, err := e.images.alone(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	other, err := e.images.alone(t.Context(), "b")
	if err != nil {
		t.Fatal(err)
	}
	other()
	given, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.images.alone(given, "a"); !errors.Is(err, context.Canceled) {
		t.Errorf("waiting that was cancelled ended with %v", err)
	}
	inside := make(chan func())
	for range 2 {
		go func() {
			done, err := e.images.alone(t.Context(), "a")
			if err != nil {
				t.Error(err)
			}
			inside <- done
		}()
	}
	select {
	case <-inside:
		t.Fatal("a second one makes the image as well")
	case <-time.After(20 * time.Millisecond):
	}
	done()
	for range 2 {
		next := <-inside
		select {
		case <-inside:
			t.Fatal("two make the image at once")
		case <-time.After(20 * time.Millisecond):
		}
		next()
	}
}

// Several that want the same image at once get one that is built once.
func TestBuiltOnce(t *testing.T) {
	e := open(t)
	build := engine.Build{For: "built once", Build: spec.Build{Dockerfile: "Dockerfile", Files: []spec.File{
		{Path: "Dockerfile", Data: []byte("FROM scratch\nCOPY mark /mark\n")}, {Path: "mark", Data: []byte(rand.Text())}}}}
	built := make(chan engine.Prepared, 4)
	for range cap(built) {
		go func() {
			prepared, err := e.Prepare(t.Context(), engine.Image{Build: &build}, io.Discard)
			if err != nil {
				t.Error(err)
			}
			built <- prepared
		}()
	}
	count, ids := 0, map[string]bool{}
	for range cap(built) {
		prepared := <-built
		ids[prepared.ID] = true
		if prepared.Built {
			count++
		}
	}
	if count != 1 || len(ids) != 1 {
		t.Errorf("built %d times, as %d images", count, len(ids))
	}
	for id := range ids {
		if _, err := e.client.ImageRemove(t.Context(), id, client.ImageRemoveOptions{Force: true}); err != nil {
			t.Error(err)
		}
	}
}

func TestExecutableName(t *testing.T) {
	for _, bad := range []string{"", "a/b", "-x", "a b", `a"`} {
		if _, err := executableBuild(engine.Executable{Name: bad}); err == nil {
			t.Errorf("an executable named %q was taken", bad)
		}
	}
}
