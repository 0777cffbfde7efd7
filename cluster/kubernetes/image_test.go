package kubernetes

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	inmemory "github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/runner/engine"
)

// builderOf returns an engine that has built one image.
type builderOf struct {
	engine.Engine
	archive []byte
	saves   int
}

func (b *builderOf) Prepare(context.Context, engine.Image, io.Writer) (engine.Prepared, error) {
	return engine.Prepared{Reference: "benchbook/apart-server:1", ID: "sha256:a"}, nil
}

func (b *builderOf) SaveAll(context.Context, []string) (io.ReadCloser, error) {
	b.saves++
	return io.NopCloser(bytes.NewReader(b.archive)), nil
}

func builder(t *testing.T) *builderOf {
	t.Helper()
	tag := must.Get(name.NewTag("benchbook/apart-server:1"))
	var archive bytes.Buffer
	must.Do(tarball.Write(tag, testImage(t), &archive))
	return &builderOf{archive: archive.Bytes()}
}

func pushing(b Builder, registry string) *Engine {
	return newEngine(Options{Cluster: engine.Cluster{Registry: registry}, Builder: b})
}

// An image is pushed once, as it is, and again to a registry that lacks it.
func TestImageIsPushedOnce(t *testing.T) {
	ctx, built := bounded(t), builder(t)
	for registries := 1; registries <= 2; registries++ {
		var pushed atomic.Int64
		handler := inmemory.New(inmemory.Logger(log.New(io.Discard, "", 0)))
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/manifests/") {
				pushed.Add(1)
			}
			handler.ServeHTTP(w, r)
		}))
		t.Cleanup(server.Close)
		address := strings.TrimPrefix(server.URL, "http://")
		for range 2 {
			e := pushing(built, address)
			prepared := must.Get(e.Prepare(ctx, engine.Image{Name: "server"}, io.Discard))
			if !strings.HasPrefix(prepared.Reference, address+"/benchbook@sha256:") || prepared.ID != "sha256:a" {
				t.Errorf("prepared is %+v, want it by its digest, with the id sha256:a", prepared)
			}
			image := must.Get(remote.Image(must.Get(name.NewDigest(prepared.Reference))))
			assert.Equal(t, len(must.Get(image.Layers())), 1, "layers")
		}
		if pushed.Load() != 1 || built.saves != registries {
			t.Errorf("registry %d: pushed %d times, saved %d times", registries, pushed.Load(), built.saves)
		}
	}
}

// A registry that rejects an image is a fault with a way out; an interrupted push is not.
func TestPushThatFails(t *testing.T) {
	listener := must.Get(net.Listen("tcp", "127.0.0.1:0"))
	listener.Close()
	_, err := pushing(builder(t), listener.Addr().String()).Prepare(bounded(t), engine.Image{Name: "server"}, io.Discard)
	wantFault(t, err, "could not be used", "see that it runs and is reached from here")

	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
	}))
	t.Cleanup(refusing.Close)
	address := strings.TrimPrefix(refusing.URL, "http://")
	_, err = pushing(builder(t), address).Prepare(bounded(t), engine.Image{Name: "server"}, io.Discard)
	wantFault(t, err, "does not let us push", "docker login")

	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	cancel(enough)
	_, err = pushing(builder(t), address).Prepare(ctx, engine.Image{Name: "server"}, io.Discard)
	if !errors.Is(err, enough) || errors.As(err, new(*Fault)) {
		t.Errorf("got %v, want %v", err, enough)
	}
}
