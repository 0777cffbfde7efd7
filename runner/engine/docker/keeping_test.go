package docker

import (
	"testing"

	"benchbook/notebook/spec"
	"benchbook/runner/engine"
)

func TestStack(t *testing.T) {
	image := func(id string, size int64, layers ...string) *layered {
		return &layered{BuiltImage: engine.BuiltImage{ID: id}, layers: layers, size: size}
	}
	base, server, files := image("base", 100, "a"), image("server", 150, "a", "b"), image("files", 151, "a", "b", "c")
	other, alone, empty := image("other", 130, "a", "x"), image("alone", 7, "z"), image("empty", 0)
	stack([]*layered{base, server, files, other, alone, empty})
	for _, tt := range []struct {
		image *layered
		base  string
		own   int64
		above int
	}{{base, "", 100, 2}, {server, "base", 50, 1}, {files, "server", 1, 0}, {other, "base", 30, 0}, {alone, "", 7, 0},
		{empty, "", 0, 0}} {
		if i := tt.image; i.Base != tt.base || i.Own != tt.own || i.Above != tt.above {
			t.Errorf("%s is built on %q with %d bytes of its own below %d images, want %q, %d, %d", i.ID, i.Base, i.Own, i.Above,
				tt.base, tt.own, tt.above)
		}
	}
}

// What was built is found again without building, and is listed; what is not here is neither pulled nor built.
func TestFindAndKeep(t *testing.T) {
	e := open(t)
	build := func(text string) engine.Image {
		return engine.Image{Build: &engine.Build{For: "keeping test", Build: spec.Build{Dockerfile: "Dockerfile",
			Files: []spec.File{{Path: "Dockerfile", Data: []byte("FROM scratch\nCOPY note /note\n")},
				{Path: "note", Data: []byte(text)}}}}}
	}
	image := build(t.Name() + engine.Owner())
	if _, ok, err := e.Find(t.Context(), image); ok || err != nil {
		t.Fatalf("found before it was built: %v, %v", ok, err)
	}
	prepared, err := e.Prepare(t.Context(), image, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	found, ok, err := e.Find(t.Context(), image)
	if err != nil || !ok || found.ID != prepared.ID || found.Reference != prepared.Reference {
		t.Errorf("found %+v, %v, %v; want %+v", found, ok, err, prepared)
	}
	kept := func() (engine.BuiltImage, bool) {
		t.Helper()
		all, err := e.Built(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range all {
			if k.ID == prepared.ID {
				return k, true
			}
		}
		return engine.BuiltImage{}, false
	}
	k, ok := kept()
	if !ok || k.Reference != prepared.Reference || k.For != "keeping test" || k.Above != 0 || k.Own <= 0 {
		t.Errorf("kept %+v, %v", k, ok)
	}
	if err := e.Discard(t.Context(), k); err != nil {
		t.Fatal(err)
	}
	if _, ok := kept(); ok {
		t.Error("it is still there")
	}
	for _, absent := range []engine.Image{{Name: "registry.invalid/nothing:1"}, build("another")} {
		if _, ok, err := e.Find(t.Context(), absent); ok || err != nil {
			t.Errorf("%+v: %v, %v", absent, ok, err)
		}
	}
}
