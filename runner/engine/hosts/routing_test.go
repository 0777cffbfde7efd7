package hosts

import (
	"context"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/engine/enginetest/fake"
)

// carrier is an engine in memory whose images can be brought to another one.
type carrier struct {
	*fake.Engine
	prefix string // of the ids that images have here
	here   map[string]bool
	got    []engine.Location
	loads  int
}

func (c *carrier) Has(_ context.Context, image engine.Prepared) (string, bool, error) {
	here := c.here[image.ID]
	time.Sleep(time.Millisecond) // it is asked over a network
	return c.prefix + image.ID, here, nil
}

func (c *carrier) Save(_ context.Context, image engine.Prepared) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader(image.ID)), nil
}

func (c *carrier) Load(_ context.Context, image engine.Prepared, saved io.Reader) (string, error) {
	data, err := io.ReadAll(saved)
	c.here[string(data)] = true
	c.loads++
	return c.prefix + image.ID, err
}

func newCarrier(prefix string) *carrier {
	c := &carrier{prefix: prefix, here: map[string]bool{}}
	c.Engine = fake.New(fake.Script{
		Start: func(_ context.Context, s engine.Service) error { c.got = append(c.got, s.Location); return nil },
		Leftovers: []engine.Leftover{
			{Kind: "container", Name: "left"},
		},
	})
	return c
}

// What is started goes to the engine of its host, with the addresses of the others and the image as it is known there.
func TestRouting(t *testing.T) {
	home, far := newCarrier(""), newCarrier("far ")
	e, err := New(engine.Host{Name: "far", Engine: far, Address: "10.0.0.2"}, engine.Host{Engine: home})
	if err != nil {
		t.Fatal(err)
	}
	image, err := e.Prepare(t.Context(), engine.Image{Name: "x", Hosts: []string{"far"}}, t.Output())
	if err != nil || !far.here[image.ID] {
		t.Fatalf("it was not brought there: %v, %v", far.here, err)
	}
	outer, err := e.Open(t.Context(), "run")
	if err != nil {
		t.Fatal(err)
	}
	space, err := outer.Inner(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	at := engine.Location{Host: "far", Published: true}
	if _, err := space.Start(t.Context(), engine.Service{Service: spec.Service{Name: "server"},
		Image:    image,
		Location: at}); err != nil {
		t.Fatal(err)
	}
	client := engine.Location{Peers: []engine.Peer{{Name: "server", Host: "far"}}}
	if _, err := space.Start(t.Context(), engine.Service{Service: spec.Service{Name: "client"},
		Image:    image,
		Location: client}); err != nil {
		t.Fatal(err)
	}
	if got := far.got; len(got) != 1 || got[0].Address != "10.0.0.2" || !got[0].Published {
		t.Errorf("there it is started at %+v", got)
	}
	if got := home.got; len(got) != 1 || len(got[0].Peers) != 1 || got[0].Peers[0].Address != "10.0.0.2" {
		t.Errorf("here it is started at %+v", got)
	}
	if client.Peers[0].Address != "" {
		t.Error("the caller's own peers were changed")
	}
	for name, wrong := range map[string]engine.Service{
		`no host "moon"`: {Service: spec.Service{Name: "other"}, Image: image,
			Location: engine.Location{Host: "moon"}},
		"this machine has no address": {Service: spec.Service{Name: "other"}, Image: image,
			Location: engine.Location{Published: true}},
		`there is a "server" on host`: {Service: spec.Service{Name: "server"}, Image: image},
		"was not brought to host far": {Service: spec.Service{Name: "other"}, Image: engine.Prepared{ID: "y", Reference: "y"},
			Location: engine.Location{Host: "far"}},
	} {
		if _, err := space.Start(t.Context(), wrong); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("got %v, want an error with %q", err, name)
		}
	}
	if err := outer.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if calls := far.Calls(); !slices.Contains(calls, "open run") || !slices.Contains(calls, "close run") {
		t.Errorf("there it was asked to %q", calls)
	}
	if _, err := outer.Inner(t.Context()); err == nil {
		t.Error("a space that is closed was entered")
	}
	left, err := e.Sweep(t.Context(), true)
	if err != nil || len(left) != 2 || left[0].Host != "" || left[1].Host != "far" {
		t.Errorf("left behind are %+v, %v", left, err)
	}
}

func TestImageIsBroughtOnce(t *testing.T) {
	home, far := newCarrier(""), newCarrier("far ")
	e, err := New(engine.Host{Name: "far", Engine: far, Address: "10.0.0.2"}, engine.Host{Engine: home})
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 20 { // as several articles prepare the same at once
		all.Go(func() {
			if _, err := e.Prepare(t.Context(), engine.Image{Name: "x", Hosts: []string{"far"}}, io.Discard); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if far.loads != 1 {
		t.Errorf("it was brought %d times", far.loads)
	}
}
