package kubernetes

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	inmemory "github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"benchbook/notebook/spec"
	"benchbook/runner/engine"
)

// savedOnly is an engine that has built one image, and one of our program.
type savedOnly struct {
	engine.Engine
	engine.Carrier
	archive []byte
	mu      sync.Mutex
	saves   int
}

func (s *savedOnly) Prepare(_ context.Context, image engine.Image, _ io.Writer) (engine.Prepared, error) {
	if image.Executable != nil {
		return engine.Prepared{Reference: "benchbook/" + image.Executable.Name + ":1", ID: "sha256:b"}, nil
	}
	return engine.Prepared{Reference: "benchbook/apart-server:1", ID: "sha256:a"}, nil
}

func (s *savedOnly) Save(context.Context, engine.Prepared) (io.ReadCloser, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.saves++
	return io.NopCloser(bytes.NewReader(s.archive)), nil
}

// builtImage is an engine whose image is larger than what a pipe holds, and has a user of a name.
func builtImage(t *testing.T) *savedOnly {
	t.Helper()
	noise := make([]byte, 256<<10)
	if _, err := rand.Read(noise); err != nil {
		t.Fatal(err)
	}
	var files bytes.Buffer
	w := tar.NewWriter(&files)
	for path, data := range map[string][]byte{"etc/passwd": []byte("root:x:0:0::/:\nweb:x:1000:2000::/:\n"),
		"noise": noise} {
		err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: path, Mode: 0o644, Size: int64(len(data))})
		_, writeErr := w.Write(data)
		if err := errors.Join(err, writeErr); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser,
		error) {
		return io.NopCloser(bytes.NewReader(files.Bytes())), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	image, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		t.Fatal(err)
	}
	if image, err = mutate.Config(image, v1.Config{Entrypoint: []string{"/server"}}); err != nil {
		t.Fatal(err)
	}
	tag, err := name.NewTag("benchbook/apart-server:1")
	if err != nil {
		t.Fatal(err)
	}
	var archive bytes.Buffer
	if err := tarball.Write(tag, image, &archive); err != nil {
		t.Fatal(err)
	}
	return &savedOnly{archive: archive.Bytes()}
}

// registryHere is a registry in memory, and how often an image was pushed to it.
func registryHere(t *testing.T) (address string, pushed func() int) {
	t.Helper()
	var mu sync.Mutex
	manifests := 0
	handler := inmemory.New(inmemory.Logger(log.New(io.Discard, "", 0)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/manifests/") {
			mu.Lock()
			manifests++
			mu.Unlock()
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://"), func() int {
		mu.Lock()
		defer mu.Unlock()
		return manifests
	}
}

// pulling is an Engine on the server whose images are in a registry.
func pulling(t *testing.T, a *api, builder *savedOnly, address string) *Engine {
	t.Helper()
	e, err := a.connect(t, func(o *Options) {
		o.Builder, o.Registry = builder, address
		o.Agent = func() ([]byte, error) { return []byte("program"), nil }
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return e
}

// An image is pushed once, and what it says of itself is read from the registry.
func TestImageIsPushedOnce(t *testing.T) {
	ctx, a, builder := bounded(t), newAPI(t), builtImage(t)
	address, pushed := registryHere(t)
	wanted := engine.Image{Name: "server"}
	var said bytes.Buffer
	prepared, err := pulling(t, a, builder, address).Prepare(ctx, wanted, &said)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(prepared.Reference, address+"/benchbook@sha256:") || prepared.ID != "sha256:a" ||
		!prepared.Built {
		t.Errorf("prepared is %+v, want it built, by its digest, with the id sha256:a", prepared)
	}
	if !strings.Contains(said.String(), "pushing it to "+address+"/benchbook") {
		t.Errorf("it says %q", &said)
	}
	e := pulling(t, a, builder, address)
	known, err := e.images.config(ctx, prepared)
	if err != nil {
		t.Fatal(err)
	}
	if got := known.argsOf(nil, []string{"on"}); !slices.Equal(got, []string{"/server", "on"}) {
		t.Errorf("it begins with %q", got)
	}
	uid, gid, err := known.ids("web")
	if err != nil || uid == nil || *uid != 1000 || gid == nil || *gid != 2000 {
		t.Errorf("user web is %v and %v, %v; want 1000 and 2000", uid, gid, err)
	}
	again, err := e.Prepare(ctx, wanted, io.Discard)
	if err != nil || again.Built || again.Reference != prepared.Reference {
		t.Errorf("prepared again it is %+v, %v", again, err)
	}
	if pushed() != 1 || builder.saves != 1 {
		t.Errorf("after the second time it was saved %d times, and pushed %d times; want 1", builder.saves, pushed())
	}
	// A registry that has lost it gets it again.
	other, pushedThere := registryHere(t)
	if again, err = pulling(t, a, builder, other).Prepare(ctx, wanted, io.Discard); err != nil || !again.Built ||
		pushedThere() != 1 {
		t.Errorf("prepared for a registry that lacks it, it is %+v, %v, pushed %d times", again, err, pushedThere())
	}
}

// A registry that nobody answers at is a fault with what to do.
func TestRegistryOutOfReach(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	e := pulling(t, newAPI(t), builtImage(t), listener.Addr().String())
	_, err = e.Prepare(bounded(t), engine.Image{Name: "server"}, io.Discard)
	wantFault(t, err, "could not be used", "see that it runs and is reached from here")
}

// An interrupted push ends with the interruption, and not as a fault of the registry.
func TestPushThatIsInterrupted(t *testing.T) {
	address, _ := registryHere(t)
	e := pulling(t, newAPI(t), builtImage(t), address)
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	cancel(enough)
	if _, err := e.Prepare(ctx, engine.Image{Name: "server"}, io.Discard); !errors.Is(err, enough) ||
		errors.As(err, new(*Fault)) {
		t.Errorf("got %v, want %v", err, enough)
	}
}

// Our program is in the layer of ours, so a container that needs it as a file, as commands do, gets no object for it.
func TestFilesOfContainers(t *testing.T) {
	program := bytes.Repeat([]byte("x"), maxFiles+1)
	e := &Engine{images: imageStore{agent: func() ([]byte, error) { return program, nil }}}
	small := spec.File{Path: "/etc/small", Data: []byte("y")}
	for _, test := range []struct {
		name  string
		files []spec.File
		kept  int
		err   string
	}{
		{"our program", []spec.File{{Path: agentProgram, Exec: true, Data: program}, small}, 1, ""},
		{"another one in its place", []spec.File{{Path: agentProgram, Data: program[1:]}}, 1, ""},
		{"as large a one elsewhere", []spec.File{{Path: "/large", Data: program}}, 0, "file /large has"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := &container{service: engine.Service{Service: spec.Service{Name: "command", Configs: test.files}}}
			err := e.surround(c, "run", nil)
			if (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
				t.Fatalf("got %v, want %q", err, test.err)
			}
			if n := len(c.main.VolumeMounts); n != test.kept {
				t.Errorf("%d files are mounted, want %d", n, test.kept)
			}
		})
	}
}
