package docker

import (
	"context"
	"testing"

	"github.com/moby/moby/client"

	"benchbook/notebook/spec"
	"benchbook/runner/engine"
)

// What was built is found by its name; what is not here is not pulled.
func TestFind(t *testing.T) {
	e := open(t)
	prepared, err := e.Prepare(t.Context(), engine.Image{Build: &engine.Build{For: "keeping test",
		Build: spec.Build{Dockerfile: "Dockerfile", Files: []spec.File{
			{Path: "Dockerfile", Data: []byte("FROM scratch\nCOPY note /note\n")},
			{Path: "note", Data: []byte(t.Name() + engine.Owner())}}}}}, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := e.client.ImageRemove(context.WithoutCancel(t.Context()), prepared.ID,
			client.ImageRemoveOptions{Force: true}); err != nil {
			t.Error(err)
		}
	})
	for name, want := range map[string]string{prepared.Reference: prepared.ID, "registry.invalid/nothing:1": ""} {
		if id, err := e.Find(t.Context(), name); id != want || err != nil {
			t.Errorf("%s is %q, %v; want %q", name, id, err, want)
		}
	}
}
