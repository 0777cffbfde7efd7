package images

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/engine/docker"
)

// A real tag that is moved to another image is seen, with both ids: one that a service names, and one in whose place a
// substitute stood.
func TestRealTagIsMoved(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a Docker engine: run without -short")
	}
	e, err := docker.New(t.Context(), docker.Options{})
	if errors.Is(err, engine.ErrUnavailable) && !strings.Contains(os.Getenv("BENCHBOOK_TEST_REQUIRE"), "engine") {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	made := func(text string) string {
		t.Helper()
		p, err := e.Prepare(t.Context(), engine.Image{Build: &engine.Build{For: "present", Build: spec.Build{
			Dockerfile: "Dockerfile", Files: []spec.File{{Path: "Dockerfile", Data: []byte("FROM scratch\nCOPY x /\n")},
				{Path: "x", Data: []byte(text)}}}}}, t.Output())
		if err != nil {
			t.Fatal(err)
		}
		return p.ID
	}
	tag := fmt.Sprintf("benchbook-test-present:%d", os.Getpid())
	move := func(id string) {
		t.Helper()
		if out, err := exec.CommandContext(t.Context(), "docker", "tag", id, tag).CombinedOutput(); err != nil {
			t.Fatalf("docker tag: %v: %s", err, out)
		}
	}
	t.Cleanup(func() {
		_ = exec.CommandContext(context.Background(), "docker", "rmi", tag).Run() // the images are ours, and stay
	})
	first, second := made("first"), made("second")
	move(first)
	prepared, err := e.Prepare(t.Context(), engine.Image{Name: tag}, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	measured := &record.Record{Facts: map[string]string{record.FactBase + "app": tag + " " + prepared.ID}}
	before := tag + record.ReplacedBy + "benchbook/x:1 sha256:0123"
	replaced := &record.Record{Facts: map[string]string{record.FactBase + "app": before}}
	changes := func(r *record.Record) []string {
		t.Helper()
		p := PresentOn(e)
		if err := p.Look(t.Context(), []*record.Record{r}); err != nil {
			t.Fatal(err)
		}
		return p.Changes(r)
	}
	if got := changes(measured); len(got) > 0 {
		t.Errorf("the same image has changed: %q", got)
	}
	move(second)
	for _, r := range []*record.Record{measured, replaced} {
		if got := changes(r); len(got) != 1 || !strings.Contains(got[0], shortID(second)) {
			t.Errorf("of %v the changes are %q", r.Facts, got)
		}
	}
	if got := changes(measured); len(got) != 1 || !strings.Contains(got[0], shortID(first)) {
		t.Errorf("the image that it was is not named: %q", got)
	}
}
