package docker

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"github.com/distribution/reference"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/spec"
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

// imageOf is a build of a Dockerfile with these lines, and a file with random text.
func imageOf(lines ...string) engine.Image {
	return engine.Image{Build: &engine.Build{For: enginetest.Made(), Build: spec.Build{Dockerfile: "Dockerfile",
		Files: []spec.File{{Path: "Dockerfile", Data: []byte(strings.Join(lines, "\n") + "\n")},
			{Path: "mark", Data: []byte(rand.Text())}}}}}
}

// builders runs a test with BuildKit, if there is one, and with the classic builder.
func builders(t *testing.T, test func(t *testing.T, e *Engine)) {
	for _, name := range []string{"BuildKit", "classic"} {
		t.Run(name, func(t *testing.T) {
			e := thisEngine(t, nil)
			if name == "BuildKit" {
				enginetest.DockerWithBuildKit(t)
			} else {
				e.classic.Store(true)
			}
			t.Cleanup(func() { removeImages(t, e) })
			test(t, e)
		})
	}
}

// An image is built from the recorded bases and found again, and the build leaves nothing else behind.
func TestBuild(t *testing.T) {
	builders(t, func(t *testing.T, e *Engine) {
		lines := []string{"# syntax=docker/dockerfile:1", "FROM debian:bookworm-slim AS last", "ARG WORD",
			"COPY --from=debian:12 /etc/os-release /o", "RUN echo $WORD >/w && cp /o /e", "COPY file /f",
			`CMD ["sh", "-c", "cat /w /f; grep -c ^ID= /e"]`}
		if !e.classic.Load() {
			lines[1] = "FROM --platform=$BUILDPLATFORM debian:bookworm-slim AS last"
			lines[4] = "RUN --mount=type=cache,target=/c --mount=type=bind,from=debian:12,source=/etc,target=/x \\\n" +
				"  echo $WORD >/w && cp /x/os-release /e"
		}
		build := buildOf(lines...)
		var log bytes.Buffer
		prepared, err := e.Prepare(t.Context(), engine.Image{Build: &build}, &log)
		if err != nil {
			t.Fatalf("%v\n%s", err, &log)
		}
		if len(prepared.Bases) < 2 || prepared.Bases[1].Reference != "debian:12" || !prepared.Built {
			t.Errorf("got %+v, want an image that was built on two bases", prepared)
		}
		for _, base := range prepared.Bases {
			image, err := e.client.ImageInspect(t.Context(), base.ID)
			of := "benchbook.invalid/" + strings.TrimPrefix(prepared.Reference, ourRepositories) + "-" // other builds may go on
			if err != nil || strings.Contains(strings.Join(image.RepoTags, " "), of) {
				t.Errorf("the base %s is %q, %v", base.Reference, image.RepoTags, err)
			}
		}
		if said := log.String(); !strings.Contains(said, " FROM debian:bookworm-slim") ||
			!strings.Contains(said, "from=debian:12") || strings.Contains(said, "DONE") || strings.Contains(said, "--->") {
			t.Errorf("the log is\n%s", said)
		}
		service := idle("cat")
		service.Image, service.Completes, service.Command = prepared, true, nil
		c := start(t, openSpace(t, e), service)
		assert.Equal(t, string(must.Get(c.Logs(t.Context()))), "given\nfrom the context\n1\n")
		again, err := e.Prepare(t.Context(), engine.Image{Build: &build}, io.Discard)
		if err != nil || again.Built || again.ID != prepared.ID {
			t.Errorf("the second time it is %+v, %v", again, err)
		}
		for name, want := range map[string]string{prepared.Reference: prepared.ID, prepared.ID: prepared.ID,
			"registry.invalid/nothing:1": ""} {
			if id, err := e.Find(t.Context(), name); id != want || err != nil {
				t.Errorf("%s is %q, %v; want %q", name, id, err, want)
			}
		}
	})
}

// A failed build names its line and its last output.
func TestBuildFails(t *testing.T) {
	const base = "FROM debian:bookworm-slim AS last"
	builders(t, func(t *testing.T, e *Engine) {
		for _, tt := range []struct {
			name, want, tail string
			line             int
			lines            []string
		}{
			{"a command", "code: 7", "before", 3, []string{base, "ARG WORD", "RUN echo before $WORD; \\", "exit 7"}},
			{"no such file", "nothing", "", 2, []string{base, "COPY nothing /f"}},
			{"an unknown instruction", "unknown instruction: FLY", "", 3, []string{base, "RUN true", "FLY away"}},
			{"another frontend", "registry.invalid", "", 0, []string{"# syntax=registry.invalid/other:1", base}},
		} {
			if e.classic.Load() && tt.line == 0 {
				continue // it knows no other frontends
			}
			build := buildOf(tt.lines...)
			_, err := e.Prepare(t.Context(), engine.Image{Build: &build}, io.Discard)
			var failed *engine.BuildError
			if !errors.As(err, &failed) || !strings.Contains(err.Error(), tt.want) || failed.Line != tt.line ||
				!strings.Contains(failed.Tail, tt.tail) {
				t.Errorf("%s: got %+v", tt.name, err)
			}
		}
	})
}

// A build can be run without a network: this one fails if it has other interfaces than it should.
func TestBuildWithoutNetwork(t *testing.T) {
	builders(t, func(t *testing.T, e *Engine) {
		for network, want := range map[string]string{"": "eth0 lo", spec.NoNetwork: "lo"} {
			build := buildOf("FROM debian:bookworm-slim AS last",
				fmt.Sprintf("RUN [ \"$(echo $(ls /sys/class/net))\" = \"%s\" ] # %s", want, rand.Text()))
			build.Network = network
			must.Get(e.Prepare(t.Context(), engine.Image{Build: &build}, t.Output()))
		}
	})
}

// A cancelled build ends at once, in the engine too.
func TestBuildIsCancelled(t *testing.T) {
	builders(t, func(t *testing.T, e *Engine) {
		debian(t, e)
		mark := fmt.Sprintf("sleep %d", 1e6+time.Now().UnixNano()%1e6)
		build := buildOf("FROM debian:bookworm-slim AS last", "RUN "+mark)
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
		assert.Is(t, err, interrupt)
		for began := time.Now(); runs(mark); time.Sleep(10 * time.Millisecond) {
			if time.Since(began) > 10*time.Second {
				t.Fatal("it still runs in the engine")
			}
		}
	})
}

// runs reports whether a process of this machine has these words in its command line.
func runs(words string) bool {
	processes, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	return slices.ContainsFunc(processes, func(name string) bool {
		line, _ := os.ReadFile(name)
		return bytes.HasPrefix(bytes.ReplaceAll(line, []byte{0}, []byte{' '}), []byte(words))
	})
}

// The docker command builds on the endpoint of the engine, with BuildKit if it has it.
func TestDockerCommand(t *testing.T) {
	const (
		said = "echo \"$DOCKER_BUILDKIT $DOCKER_HOST $DOCKER_CONTEXT $*\" >&2\n"
		want = " unix:///bench-2.sock  build --file=sub/Dockerfile --tag=benchbook/x:1 --target=last --label=benchbook.image=" +
			"made --build-arg=WORD=given"
	)
	for _, tt := range []struct{ name, program, want string }{
		{"none", "", "there is no docker command: install Docker's command line (docker-ce-cli, or docker.io of Debian)"},
		{"with BuildKit", said + "exit 1\n", "1" + want + " --progress=plain -"},
		{"without it", "if [ $DOCKER_BUILDKIT = 1 ]; then echo 'ERROR: BuildKit is enabled but the buildx component is " +
			"missing or broken.'; else " + said + "fi; exit 1\n", "0" + want + " --force-rm -"},
	} {
		folder := t.TempDir()
		if tt.program != "" {
			must.Do(os.WriteFile(filepath.Join(folder, "docker"), []byte("#!/bin/sh\n"+tt.program), 0o755))
		}
		t.Setenv("PATH", folder)
		t.Setenv("DOCKER_CONTEXT", "elsewhere")
		for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"} {
			t.Setenv(name, "http://localhost:1") // which would be another machine in a container
			t.Setenv(strings.ToLower(name), "http://localhost:1")
		}
		build := buildOf("FROM scratch AS last")
		build.For = "made"
		e := &Engine{endpoint: &endpoint{host: "unix:///bench-2.sock", reached: "unix:///bench-2.sock"}}
		if err := e.dockerBuild(t.Context(), build, nil, "benchbook/x:1", io.Discard); err == nil || err.Error() != tt.want {
			t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
		}
	}
}

// An image that is prepared several times at once is built once.
func TestBuiltOnce(t *testing.T) {
	e := thisEngine(t, nil)
	t.Cleanup(func() { removeImages(t, e) })
	image := imageOf("FROM scratch", "COPY mark /mark")
	built := make(chan engine.Prepared, 4)
	for range cap(built) {
		go func() {
			prepared, err := e.Prepare(t.Context(), image, io.Discard)
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
	done := must.Get(e.alone(t.Context(), "a"))
	defer done()
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := e.alone(cancelled, "a")
	assert.Is(t, err, context.Canceled)
}

// Saved images can be loaded under their names.
func TestSaveAndLoad(t *testing.T) {
	e := thisEngine(t, nil)
	t.Cleanup(func() { removeImages(t, e) })
	image := imageOf("FROM scratch", "COPY mark /mark")
	made := must.Get(e.Prepare(t.Context(), image, io.Discard))
	saved := must.Get(e.SaveAll(t.Context(), []string{made.Reference}))
	archive := must.Get(io.ReadAll(saved))
	removeImages(t, e)
	if id, err := e.Find(t.Context(), made.Reference); id != "" || err != nil {
		t.Fatalf("removed it is %q, %v", id, err)
	}
	must.Do(e.LoadAll(t.Context(), bytes.NewReader(archive)))
	if id, err := e.Find(t.Context(), made.Reference); id != made.ID || err != nil {
		t.Errorf("loaded it is %q, %v, want %q", id, err, made.ID)
	}
	assert.Error(t, e.LoadAll(t.Context(), strings.NewReader("nonsense")), "")
}

// The HEALTHCHECK of an image comes with it, whether it was built now or before.
func TestHealthcheckOfAnImage(t *testing.T) {
	e := thisEngine(t, nil)
	t.Cleanup(func() { removeImages(t, e) })
	for _, tt := range []struct {
		name, lines string
		want        spec.Ready
	}{
		{"none", "", spec.Ready{}},
		{"disabled", "HEALTHCHECK CMD true\nHEALTHCHECK NONE\n", spec.Ready{}},
		{"a command", `HEALTHCHECK --interval=2s --timeout=3s --start-period=4s --retries=5 CMD ["test", "-e", "/up"]` + "\n",
			spec.Ready{Command: []string{"test", "-e", "/up"}, Interval: 2 * time.Second, Timeout: 3 * time.Second,
				StartPeriod: 4 * time.Second, Retries: 5}},
		{"words of a shell", "HEALTHCHECK CMD test -e /up || exit 1\n",
			spec.Ready{Command: []string{"/bin/sh", "-c", "test -e /up || exit 1"}}},
		{"words of its own shell", "SHELL [\"/bin/bash\", \"-ec\"]\nHEALTHCHECK CMD test -e /up\n",
			spec.Ready{Command: []string{"/bin/bash", "-ec", "test -e /up"}}},
	} {
		image := imageOf("FROM debian:bookworm-slim", tt.lines)
		for range 2 {
			assert.Deep(t, must.Get(e.Prepare(t.Context(), image, t.Output())).Healthcheck, tt.want, "%s", tt.name)
		}
	}
}

// A missing image is an ImageError, or a BuildError at its line; a Debian has a substitute under its own name.
func TestMissingImages(t *testing.T) {
	e := thisEngine(t, nil)
	if base := debian(t, e).Bases[0]; base.Substitute != "" {
		_, err := e.client.ImageInspect(t.Context(), base.Reference)
		assert.Equal(t, errdefs.IsNotFound(err), true, "only %s was made for %s (%v)", base.Substitute, base.Reference,
			err)
		_, noted := e.unreachable.Load("docker.io")
		assert.Equal(t, noted, true, "the next image does not wait for the registry")
	}
	e.unreachable.Store("docker.io", errNoAnswer) // so that nobody waits
	_, err := e.Prepare(t.Context(), engine.Image{Name: "benchbook/nosuchimage:1"}, t.Output())
	if missing := (*engine.ImageError)(nil); !errors.As(err, &missing) || missing.Reference != "benchbook/nosuchimage:1" {
		t.Errorf("got %v, want an ImageError", err)
	}
	_, err = e.Prepare(t.Context(), imageOf("# a base", "FROM benchbook/nosuchimage:1"), t.Output())
	if failed := (*engine.BuildError)(nil); !errors.As(err, &failed) || failed.Line != 2 {
		t.Errorf("got %v, want a BuildError at line 2", err)
	}
}

func TestBuildDigest(t *testing.T) {
	digest := func(change func(*engine.Build, *[]engine.Base)) string {
		build := engine.Build{For: "server", Build: spec.Build{
			Files:      []spec.File{{Path: "Dockerfile", Data: []byte("FROM a")}, {Path: "b", Data: []byte("c")}},
			Dockerfile: "Dockerfile", Args: map[string]string{"x": "1", "y": "2"}}}
		bases := []engine.Base{{Reference: "a", ID: "sha256:1"}}
		change(&build, &bases)
		return buildDigest(build, bases)
	}
	same := digest(func(*engine.Build, *[]engine.Base) {})
	seen := map[string]string{same: "nothing"}
	for name, change := range map[string]func(*engine.Build, *[]engine.Base){
		"a file":            func(b *engine.Build, _ *[]engine.Base) { b.Files[1].Data = []byte("d") },
		"a mode":            func(b *engine.Build, _ *[]engine.Base) { b.Files[1].Exec = true },
		"a path and a file": func(b *engine.Build, _ *[]engine.Base) { b.Files[1] = spec.File{Path: "bc"} },
		"an argument":       func(b *engine.Build, _ *[]engine.Base) { b.Args["y"] = "3" },
		"a target":          func(b *engine.Build, _ *[]engine.Base) { b.Target = "x" },
		"no network":        func(b *engine.Build, _ *[]engine.Base) { b.Network = spec.NoNetwork },
		"a base":            func(_ *engine.Build, bases *[]engine.Base) { (*bases)[0].ID = "sha256:2" },
	} {
		got := digest(change)
		if other, ok := seen[got]; ok {
			t.Errorf("changing %s gives the digest of changing %s", name, other)
		}
		seen[got] = name
	}
	for name, change := range map[string]func(*engine.Build, *[]engine.Base){
		"another purpose": func(b *engine.Build, _ *[]engine.Base) { b.For = "client" },
		"a substitute":    func(_ *engine.Build, bases *[]engine.Base) { (*bases)[0].Substitute = "benchbook/debootstrap:x" },
	} {
		assert.Equal(t, digest(change), same, "digest, %s", name)
	}
}

func TestRepositoryName(t *testing.T) {
	for words, want := range map[string]string{
		"async-101 server": "async-101-server", "  Ünïcode & more!": "n-code-more", "名前": "image", "": "image",
		strings.Repeat("a", 59) + " b": strings.Repeat("a", 59),
	} {
		assert.Equal(t, repositoryName(words), want, "%q", words)
	}
}

func TestBuildContext(t *testing.T) {
	for _, bad := range []string{"", "/", "/a", "../a", "a/../b", "a//b", "a/"} {
		_, err := tarFiles([]spec.File{{Path: bad}})
		assert.Error(t, err, "")
	}
	_, err := tarFiles([]spec.File{{Path: "a"}, {Path: "a"}})
	assert.Error(t, err, "")
	got := proxyArgs([]string{"HTTP_PROXY=http://proxy.example:3128", "https_proxy=http://localhost:3128",
		"no_proxy=.example", "MY_PROXY=x", "PATH=/bin"})
	want := map[string]string{"HTTP_PROXY": "http://proxy.example:3128", "no_proxy": ".example"}
	assert.Deep(t, got, want)
}

// Only lines that begin an instruction are passed on, and only the last lines are kept with an error.
func TestBuilderOutput(t *testing.T) {
	var log, all bytes.Buffer
	output := builderOutput{&log, &all, strings.NewReplacer("benchbook.invalid/x:1", "debian")}
	messages := []string{"Step 1/2 : FROM benchbook.invalid/x:1", "\n", " ---> 5fd00f29a\n", "Step 2/2 : RUN make\n",
		"make: nothing to do\n", "#4 [last 1/2] FROM benchbook.invalid/x:1\n#4 DONE 0.1s\n\n#5 [2/2] RUN x\r\n#5 0.1 [1/2] x\n"}
	for _, message := range messages {
		if n, err := output.Write([]byte(message)); n != len(message) || err != nil {
			t.Fatalf("%q: %d, %v", message, n, err)
		}
	}
	const want = "Step 1/2 : FROM debian\nStep 2/2 : RUN make\n#4 [last 1/2] FROM debian\n#5 [2/2] RUN x\n"
	if log.String() != want || all.String() != output.words.Replace(strings.Join(messages, "")) {
		t.Errorf("got %q and %q, want %q", &log, &all, want)
	}
}

func TestDebianRelease(t *testing.T) {
	const pin = "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	for image, want := range map[string]string{
		"debian:bookworm": "bookworm", "debian:bookworm-slim": "bookworm", "debian:12": "bookworm",
		"debian:12.9-slim": "bookworm", "debian:stable-slim": "stable", "debian": "stable", "library/debian:13": "trixie",
		"docker.io/library/debian:11": "bullseye", "debian:bookworm-20250520": "", "debian:bookworm-backports": "",
		"debian:1": "", "debian" + pin: "", "debian:12" + pin: "", "python:3.11-bookworm": "", "somebody/debian:12": "",
		"mirror.example/library/debian:12": "",
	} {
		named := must.Get(reference.ParseNormalizedNamed(image))
		assert.Equal(t, debianRelease(reference.TagNameOnly(named)), want, "%s", image)
	}
}

func TestUnreachable(t *testing.T) {
	for text, want := range map[string]bool{
		`Get "https://r.example/v2/": dial tcp: lookup r.example on 10.0.0.2:53: no such host`: true,
		"dial tcp 10.0.0.1:443: connect: connection refused":                                   true,
		"x509: certificate signed by unknown authority":                                        true, // by a machine in between
		"unexpected status: 403 Forbidden":                                                     true, // by a proxy
		"manifest for debian:nothing not found: manifest unknown":                              false,
		"pull access denied for x, repository does not exist or may require 'docker login'":    false,
		"toomanyrequests: you have reached your pull rate limit":                               false,
		"write /var/lib/docker/tmp/x: no space left on device":                                 false,
	} {
		assert.Equal(t, unreachable(errors.New(text)), want, "%s", text)
	}
	assert.Equal(t, unreachable(fmt.Errorf("pulling: %w", errNoAnswer)), true, "a registry that is silent")
}
