package docker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/client"

	"benchbook/notebook/spec"
	"benchbook/runner/dockerfile"
	"benchbook/runner/engine"
	"benchbook/runner/engine/enginetest"
)

// buildOf is a build of a Dockerfile with these lines, and a file.
func buildOf(lines ...string) engine.Build {
	return engine.Build{For: enginetest.Made(), Build: spec.Build{Dockerfile: "sub/Dockerfile", Target: "last",
		Args: map[string]string{"WORD": "given"}, Files: []spec.File{
			{Path: "sub/Dockerfile", Data: []byte(strings.Join(lines, "\n") + "\n")},
			{Path: "file", Data: []byte("from the context\n")}}}}
}

// An engine with BuildKit builds what the classic builder cannot, on the bases that are recorded, and nothing else is
// left of it.
func TestBuildKit(t *testing.T) {
	e := open(t)
	enginetest.DockerWithBuildKit(t)
	build := buildOf("# syntax=docker/dockerfile:1", "FROM --platform=$BUILDPLATFORM debian:bookworm-slim AS last",
		"ARG WORD", "RUN --mount=type=cache,target=/c --mount=type=bind,from=debian:12,source=/etc,target=/e \\",
		"  echo $WORD >/w && cp /e/os-release /o", "COPY --chmod=0600 file /f",
		`CMD ["sh", "-c", "cat /w /f && stat -c %a /f && grep -c ^ID= /o; find /c /e -type f 2>/dev/null; true"]`)
	var log bytes.Buffer
	prepared, err := e.Prepare(t.Context(), engine.Image{Build: &build}, &log)
	if err != nil {
		t.Fatalf("%v\n%s", err, &log)
	}
	defer func() {
		if _, err := e.client.ImageRemove(context.WithoutCancel(t.Context()), prepared.ID,
			client.ImageRemoveOptions{Force: true}); err != nil {
			t.Error(err)
		}
	}()
	if len(prepared.Bases) != 2 || prepared.Bases[1].Reference != "debian:12" || !prepared.Built {
		t.Errorf("got %+v, want an image that was built on two bases", prepared)
	}
	for _, base := range prepared.Bases {
		image, err := e.client.ImageInspect(t.Context(), base.ID)
		if err != nil || strings.Contains(strings.Join(image.RepoTags, " "), "invalid") {
			t.Errorf("the base %s is %q, %v", base.Reference, image.RepoTags, err)
		}
	}
	if said := log.String(); !strings.Contains(said, "[last 1/3] FROM debian:bookworm-slim") ||
		!strings.Contains(said, ",from=debian:12,source=/etc") || strings.Contains(said, "DONE") {
		t.Errorf("the log is\n%s", said)
	}
	opened, err := e.Open(t.Context(), "buildkit")
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close(context.WithoutCancel(t.Context()))
	exit, err := opened.Run(t.Context(), engine.Program{Name: "cat", Image: prepared}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(exit.Stdout), "given\nfrom the context\n600\n1\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	again, err := e.Prepare(t.Context(), engine.Image{Build: &build}, io.Discard)
	if err != nil || again.Built || again.ID != prepared.ID {
		t.Errorf("the second time it is %+v, %v", again, err)
	}
}

// What BuildKit cannot build is said at its line.
func TestBuildKitFails(t *testing.T) {
	e := open(t)
	enginetest.DockerWithBuildKit(t)
	const base = "FROM debian:bookworm-slim AS last"
	for _, tt := range []struct {
		name, want, tail string
		line             int
		lines            []string
	}{
		{"a command", "exit code: 7", "before", 3, []string{base, "ARG WORD",
			"RUN --mount=type=cache,target=/c echo before $WORD; \\", "exit 7"}},
		{"an unknown instruction", "unknown instruction: FLY", "", 3, []string{base,
			"RUN --mount=type=cache,target=/c true", "FLY away"}},
		{"another frontend", "registry.invalid", "", 0, []string{"# syntax=registry.invalid/other:1", base}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			build := buildOf(tt.lines...)
			_, err := e.Prepare(t.Context(), engine.Image{Build: &build}, io.Discard)
			var failed *engine.BuildError
			if !errors.As(err, &failed) {
				t.Fatalf("got %v, want a BuildError", err)
			}
			if !strings.Contains(err.Error(), tt.want) || !strings.Contains(failed.Tail, tt.tail) || failed.Line != tt.line {
				t.Errorf("got %q at line %d with tail\n%s", err, failed.Line, failed.Tail)
			}
		})
	}
	if t.Failed() {
		return
	}
	// Heredocs came with Docker 23. Before, it is BuildKit that does not understand them.
	build := buildOf(base, "COPY <<EOF /f", "FROM nothing", "EOF")
	_, err := e.Prepare(t.Context(), engine.Image{Build: &build}, io.Discard)
	const refused = "Dockerfile line 2: the heredoc <<EOF needs a newer BuildKit than this engine has"
	old := e.version.Version < "23"
	if old && (err == nil || !strings.Contains(err.Error(), refused)) || !old && err != nil {
		t.Errorf("Docker %s: got %v", e.version.Version, err)
	}
}

// A build that is cancelled ends at once, with what it started.
func TestBuildKitIsCancelled(t *testing.T) {
	e := open(t)
	enginetest.DockerWithBuildKit(t)
	debian(t, e)
	mark := fmt.Sprintf("sleep %d", 1e6+time.Now().UnixNano()%1e6)
	build := buildOf("FROM debian:bookworm-slim AS last", "RUN --mount=type=tmpfs,target=/c "+mark)
	ctx, cancel := context.WithCancelCause(t.Context())
	interrupt := errors.New("interrupted")
	go func() {
		for !runs(mark) && ctx.Err() == nil {
			time.Sleep(10 * time.Millisecond)
		}
		cancel(interrupt)
	}()
	time.AfterFunc(30*time.Second, func() { cancel(errors.New("it never began")) })
	_, err := e.Prepare(ctx, engine.Image{Build: &build}, io.Discard)
	if !errors.Is(err, interrupt) {
		t.Errorf("got %v", err)
	}
	for began := time.Now(); runs(mark); time.Sleep(10 * time.Millisecond) {
		if time.Since(began) > 10*time.Second {
			t.Fatal("it goes on in the engine")
		}
	}
}

// runs says whether a process of this machine has these words.
func runs(words string) bool {
	processes, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	return slices.ContainsFunc(processes, func(name string) bool {
		line, _ := os.ReadFile(name)
		return bytes.HasPrefix(bytes.ReplaceAll(line, []byte{0}, []byte{' '}), []byte(words))
	})
}

// Where no docker command builds with BuildKit, the first thing that needs it is refused.
func TestWithoutBuildKit(t *testing.T) {
	const (
		nothing = "no docker command"
		broken  = "#!/bin/sh\necho 'ERROR: BuildKit is enabled but the buildx component is missing or broken.' >&2\nexit 1\n"
		other   = "#!/bin/sh\necho \"$DOCKER_HOST $DOCKER_CONTEXT $*\" >&2\nexit 1\n"
	)
	for _, tt := range []struct{ program, want string }{
		{nothing, "Dockerfile line 2: RUN --mount needs BuildKit, and no docker command here builds with it: install " +
			"docker-buildx, or COPY what it mounts; without a cache it only takes longer"},
		{broken, "Dockerfile line 2: RUN --mount needs BuildKit, and no docker command here builds with it: install " +
			"docker-buildx, or COPY what it mounts; without a cache it only takes longer"},
		{other, "unix:///bench-2.sock  build --progress=plain --file=sub/Dockerfile --tag=benchbook/x:1 --target=last " +
			"--label=benchbook.image=" + enginetest.Made() + " --build-arg=WORD=given -"},
	} {
		folder := t.TempDir()
		if tt.program != nothing {
			if err := os.WriteFile(filepath.Join(folder, "docker"), []byte(tt.program), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		t.Setenv("PATH", folder)
		t.Setenv("DOCKER_CONTEXT", "elsewhere")
		for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"} {
			t.Setenv(name, "http://localhost:1") // which nothing in a container is told of
			t.Setenv(strings.ToLower(name), "http://localhost:1")
		}
		build := buildOf("FROM scratch AS last", "RUN --mount=type=cache,target=/c <<EOF", "EOF")
		recipe, err := recipeOf(build)
		if err != nil {
			t.Fatal(err)
		}
		err = newImageStore(nil, environment("unix:///bench-2.sock")).buildKit(t.Context(), build, recipe, nil,
			"benchbook/x:1", io.Discard)
		if err == nil || err.Error() != tt.want {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
}

func TestBuilderError(t *testing.T) {
	const (
		docker20 = "#5 [last 2/2] RUN --mount=type=cache,target=/c   echo got 7; exit 3\n#5 ERROR: executor failed\n" +
			"------\n > [last 2/2] RUN --mount=type=cache,target=/c   echo got 7; exit 3:\n------\n" +
			"executor failed running [/bin/sh -c exit 3]: exit code: 3\n"
		docker28 = "#5 ERROR: failed\n------\n > [last 2/2] RUN --mount=type=cache echo got 7; exit 3:\n0.4 got 7\n" +
			"------\nDockerfile:3\n--------------------\n   2 |     ARG V=7\n   3 | >>> RUN --mount=type=cache \\\n" +
			"   4 | >>>   echo got $V; exit 3\n   5 |     \n--------------------\n" +
			"ERROR: failed to build: failed to solve: process \"exit 3\" did not complete successfully: exit code: 3\n\n" +
			"View build details: somewhere\n"
		syntax = "#2 DONE 0.1s\nERROR: failed to solve: rpc error: code = Unknown desc = failed to solve with frontend " +
			"dockerfile.v0: failed to create LLB definition: dockerfile parse error line 5: unknown instruction: FLY\n"
		elsewhere = "ERROR: failed to solve: debian: error getting credentials\n"
	)
	recipe, err := dockerfile.Parse("FROM debian\nARG V=7\n"+
		"RUN --mount=type=cache,target=/c \\\n  echo got $V; exit 3\nRUN x\n", nil, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		output, want string
		line         int
	}{
		{docker20, "executor failed running [/bin/sh -c exit 3]: exit code: 3", 3},
		{docker28, `process "exit 3" did not complete successfully: exit code: 3`, 3},
		{syntax, "dockerfile parse error line 5: unknown instruction: FLY", 5},
		{elsewhere, "debian: error getting credentials", 0},
		{"", "", 0},
	} {
		got := builderError([]byte(tt.output))
		if line := failedLine(recipe, []byte(tt.output), errors.New(got)); got != tt.want || line != tt.line {
			t.Errorf("got %q at line %d, want %q at line %d", got, line, tt.want, tt.line)
		}
	}
}

// The usual # syntax= is left out, and lines keep their numbers.
func TestWithoutSyntax(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"# syntax=docker/dockerfile:1\nFROM a\n", "\nFROM b\n"},
		{"# syntax=docker/dockerfile:1\n# escape=`\nFROM a\n", "# syntax=docker/dockerfile:1\n# escape=`\nFROM b\n"},
		{"# syntax=example/other:1\nFROM a\n", "# syntax=example/other:1\nFROM b\n"},
		{"FROM a\n", "FROM b\n"},
	} {
		recipe, err := dockerfile.Parse(tt.text, nil, "")
		if err != nil {
			t.Fatal(err)
		}
		if got := recipe.WithoutSyntax(map[int]string{0: "b"}); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
		if again := recipe.Replace(nil); again != tt.text {
			t.Errorf("what was read has become %q", again)
		}
	}
}
