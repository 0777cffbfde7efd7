package enginetest

import (
	"fmt"
	"io"
	"strings"
	"time"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
)

func builtOnce(t *test) {
	prepare := func(data string) engine.Prepared {
		image := engine.Image{Executable: &engine.Executable{Name: Made(), Data: []byte(data)}}
		return must.Get(t.engine.Prepare(t.ctx, image, io.Discard))
	}
	unique := fmt.Sprint(time.Now().UnixNano())
	first, second, other := prepare(unique), prepare(unique), prepare(unique+" changed")
	if !first.Built || second.Built || !other.Built {
		t.Errorf("built %v, again %v, changed %v; want true, false, true", first.Built, second.Built, other.Built)
	}
	if first.ID == "" || first.Reference == "" || first.ID != second.ID || first.Reference != second.Reference {
		t.Errorf("the same image is %+v, then %+v", first, second)
	}
	if other.ID == first.ID || other.Reference == first.Reference {
		t.Errorf("a changed image is %+v like the first", other)
	}
	both := engine.Image{Name: "debian", Executable: &engine.Executable{Name: "x"}}
	for _, image := range []engine.Image{{}, both} {
		_, err := t.engine.Prepare(t.ctx, image, io.Discard)
		wantError[error](t, err)
	}
}

const base = "debian:bookworm-slim"

// build returns an image with a Dockerfile of these lines, which may copy file.txt.
func build(lines ...string) engine.Image {
	return engine.Image{Build: &engine.Build{For: "enginetest build", Build: spec.Build{Files: []spec.File{
		{Path: "Dockerfile", Data: []byte(strings.Join(lines, "\n") + "\n")},
		{Path: "file.txt", Data: []byte("from the context\n")},
	}, Dockerfile: "Dockerfile", Args: map[string]string{"BASE": base, "WORD": "given"}}}}
}

func dockerfile(t *test) {
	image := build("ARG BASE", "FROM ${BASE} AS first", "ARG WORD=default", "COPY file.txt /srv/",
		"RUN echo $WORD $(. /etc/os-release && echo $VERSION_CODENAME) >> /srv/file.txt",
		"FROM first", `CMD ["cat", "/srv/file.txt"]`)
	prepared := must.Get(t.engine.Prepare(t.ctx, image, t.Output()))
	if len(prepared.Bases) != 1 || prepared.Bases[0].Reference != base || prepared.Bases[0].ID == "" {
		t.Errorf("bases are %+v, want %s with its digest", prepared.Bases, base)
	}
	assert.Equal(t, must.Get(t.engine.Find(t.ctx, prepared.Reference)), prepared.ID, "Find(%q)", prepared.Reference)
	assert.Equal(t, must.Get(t.engine.Find(t.ctx, "benchbook/nothing:enginetest")), "",
		"Find of an image that is not here")
	if t.lacks(Execution) {
		return
	}
	cat := t.start(t.open(), engine.Service{Service: spec.Service{Name: "cat", Completes: true}, Image: prepared})
	t.wantLog(cat, "from the context\ngiven bookworm\n")
}

// failedBuild builds with a failing command, and without a Dockerfile. docker.TestBases tests other mistakes.
func failedBuild(t *test) {
	image := build("FROM "+base, "", "# comment", "RUN echo before && exit 7")
	_, err := t.engine.Prepare(t.ctx, image, io.Discard)
	failure := wantError[*engine.BuildError](t, err, "code: 7")
	if failure != nil && (!strings.Contains(failure.Tail, "before") || failure.Line != 4) {
		t.Errorf("got line %d and tail %q, want 4 and what came before", failure.Line, failure.Tail)
	}
	image.Build.Files = nil
	_, err = t.engine.Prepare(t.ctx, image, io.Discard)
	wantError[*engine.BuildError](t, err, "Dockerfile")
}

func unknownImage(t *test) {
	const unknown = "registry.invalid/nobody/nothing:1"
	for _, image := range []engine.Image{{Name: unknown}, build("FROM " + unknown)} {
		_, err := t.engine.Prepare(t.ctx, image, io.Discard)
		wantError[error](t, err, unknown)
	}
}

// machine runs programs that every machine has, and looks for traces.
func machine(t *test) {
	image := must.Get(t.engine.Prepare(t.ctx, engine.Image{Machine: true}, io.Discard))
	if image.Built || image.Reference == "" || image.ID == "" {
		t.Errorf("the machine was prepared as %+v", image)
	}
	t.Setenv("BENCHBOOK_ENGINETEST_SECRET", "secret")
	for script, want := range map[string]string{
		// A file written to its folder is gone the next time.
		"ls; echo x > benchbook-enginetest; cat benchbook-enginetest": "x\n",
		`echo "$BENCHBOOK_ENGINETEST_SECRET"`:                         "\n",
	} {
		for range 2 {
			shell := t.start(t.open(), engine.Service{Service: spec.Service{Name: "shell", Completes: true,
				Entrypoint: []string{"sh", "-c", script}}, Image: image})
			t.wantLog(shell, want)
		}
	}
	_, err := t.open().Start(t.ctx, engine.Service{Service: spec.Service{Name: "nothing"}, Image: image})
	wantError[*engine.RejectedError](t, err)
}
