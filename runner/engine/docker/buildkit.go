package docker

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/moby/moby/client"

	"benchbook/notebook/spec"
	"benchbook/runner/dockerfile"
	"benchbook/runner/engine"
)

// errNoBuildKit is a machine whose docker command cannot build with BuildKit.
var errNoBuildKit = errors.New("no docker command with BuildKit")

// buildKit builds what the classic builder cannot, by the docker command: BuildKit is spoken to in a protocol of its
// own, whose client is larger than all of ours. Up to version 20.10 the command has that client itself, later it is in
// the plugin docker-buildx.
//
// # syntax= of the usual Dockerfiles is left out first: what the engine has is recorded, needs no registry, and does
// for most. The error is a *dockerfile.Problem where the Dockerfile needs what cannot be had here.
func (s *imageStore) buildKit(
	ctx context.Context, build engine.Build, recipe dockerfile.File, bases []engine.Base, tag string, log io.Writer,
) error {
	by, done, err := s.nameBases(ctx, bases, tag)
	if err != nil {
		return err
	}
	defer done()
	var names []string
	for i, name := range by {
		names = append(names, name, bases[i].Reference)
	}
	log = renamed{log, strings.NewReplacer(names...)}
	refused := func(n dockerfile.Need, why string) error {
		return &dockerfile.Problem{Line: n.First, Message: fmt.Sprintf("%s needs %s, or %s", n.What, why, n.Instead)}
	}
	failed := s.dockerBuild(ctx, build, recipe.WithoutSyntax(by), tag, log)
	n := unmet(recipe, failed)
	switch {
	case errors.Is(failed, errNoBuildKit):
		return refused(recipe.Needs[0], "BuildKit, and no docker command here builds with it: install docker-buildx")
	case n == nil || ctx.Err() != nil:
		return failed
	case recipe.Syntax == 0:
		return refused(*n, fmt.Sprintf("a newer BuildKit than this engine has (%v): update Docker", failed))
	}
	err = s.dockerBuild(ctx, build, recipe.Replace(by), tag, log)
	if err != nil && strings.Contains(err.Error(), "docker/dockerfile") {
		return refused(*n, fmt.Sprintf("a newer BuildKit than this engine has, and that of # syntax= cannot be had (%s): "+
			"update Docker", registryWords(err)))
	}
	return err
}

// renamed passes on what is written with other words for some.
type renamed struct {
	to    io.Writer
	words *strings.Replacer
}

func (r renamed) Write(data []byte) (int, error) {
	_, err := io.WriteString(r.to, r.words.Replace(string(data))) // as one piece
	return len(data), err
}

// unmet is the need that a builder did not understand; nil if it failed by something else.
func unmet(recipe dockerfile.File, err error) *dockerfile.Need {
	if err == nil {
		return nil
	}
	line := parseLine(err)
	at := slices.IndexFunc(recipe.Needs,
		func(n dockerfile.Need) bool { return n.First <= line && line <= n.Last })
	if at < 0 {
		return nil
	}
	return &recipe.Needs[at]
}

// nameBases gives bases names that no registry has, by their index, until done is called: where the engine keeps images
// as containerd does, BuildKit asks the registry first, and would take another image than the one that is recorded.
func (s *imageStore) nameBases(
	ctx context.Context, bases []engine.Base, tag string,
) (by map[int]string, done func(), err error) {
	const ours = "benchbook.invalid/"
	by = make(map[int]string)
	done = func() {
		ctx, cancel := uncancelled(ctx)
		defer cancel()
		for _, name := range by {
			image, err := s.client.ImageInspect(ctx, name)
			// One that has no other name would be removed with this one.
			if err == nil && slices.ContainsFunc(slices.Concat(image.RepoTags, image.RepoDigests),
				func(other string) bool { return !strings.HasPrefix(other, ours) }) {
				_, _ = s.client.ImageRemove(ctx, name, client.ImageRemoveOptions{}) // a name more does no harm
			}
		}
	}
	for i, base := range bases {
		name := fmt.Sprintf("%s%s-%02d", ours, strings.TrimPrefix(tag, ourRepositories), i)
		if _, err := s.client.ImageTag(ctx, client.ImageTagOptions{Source: base.ID, Target: name}); err != nil {
			done()
			return nil, nil, fmt.Errorf("naming image %s: %w", base.Reference, err)
		}
		by[i] = name
	}
	return by, done, nil
}

// dockerBuild builds an image of the files of a build, with another text of the Dockerfile, by the docker command.
func (s *imageStore) dockerBuild(
	ctx context.Context, build engine.Build, dockerfile, tag string, log io.Writer,
) error {
	buildContext, err := tarFiles(withDockerfile(build, dockerfile))
	if err != nil {
		return err
	}
	arguments := []string{"build", "--progress=plain", "--file=" + build.Dockerfile, "--tag=" + tag,
		"--target=" + build.Target, "--label=" + engine.LabelImage + "=" + build.For}
	args := buildArgs(build)
	for _, name := range slices.Sorted(maps.Keys(args)) {
		arguments = append(arguments, "--build-arg="+name+"="+*args[name])
	}
	said := &engine.Tail{Limit: 64 << 10} // by this command alone
	command := exec.CommandContext(ctx, "docker", append(arguments, "-")...)
	// An attestation would make another image of each build. A context or builder that somebody chose is another engine.
	command.Env = slices.Concat(os.Environ(), s.environment, []string{"DOCKER_BUILDKIT=1", "DOCKER_CONTEXT=",
		"DOCKER_CLI_HINTS=false", "BUILDX_BUILDER=default", "BUILDX_NO_DEFAULT_ATTESTATIONS=1"})
	command.Stdin, command.Stdout = buildContext, io.MultiWriter(log, said)
	command.Stderr = command.Stdout
	// The engine stops as soon as nobody listens. The command itself, up to version 20.10, would wait for the end.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
	command.WaitDelay = time.Second
	err = command.Run()
	switch {
	case errors.Is(err, exec.ErrNotFound), bytes.Contains(said.Bytes(), []byte("buildx component is missing or broken")):
		return errNoBuildKit
	case err != nil:
		return errors.New(cmp.Or(builderError(said.Bytes()), err.Error()))
	}
	if id, err := s.id(ctx, tag); err != nil || id != "" {
		return err
	}
	return errors.New("the docker command built the image elsewhere than on this engine: it is not Docker's own")
}

// withDockerfile are the files of a build, with another text of its Dockerfile.
func withDockerfile(build engine.Build, text string) []spec.File {
	files := slices.Clone(build.Files)
	for i := range files {
		if files[i].Path == build.Dockerfile {
			files[i].Data = []byte(text)
		}
	}
	return files
}

// The errors of the docker command, and what comes before their cause.
var (
	errorMessage = regexp.MustCompile(`(?m)^ERROR: (.+)`)
	errorPrefix  = regexp.MustCompile(`^(?:failed to (?:solve|build|create LLB definition)[^:]*: |` +
		`rpc error: code = \w+ desc = )+`)
)

// builderError is why a build failed, by the output of the docker command.
func builderError(output []byte) string {
	lines := bytes.Split(bytes.TrimSpace(output), []byte("\n"))
	message := string(lines[len(lines)-1]) // up to version 20.10
	if all := errorMessage.FindAllSubmatch(output, -1); len(all) > 0 {
		message = string(all[len(all)-1][1])
	}
	return errorPrefix.ReplaceAllString(message, "")
}

// What BuildKit says of an instruction that failed: its lines, and before that (up to Docker 20.10) its text, in which
// variables have their values.
var (
	failedExcerpt = regexp.MustCompile(`(?s).*\n-{20}\n.*?(\d+) \| >>> `)
	failedStep    = regexp.MustCompile(`(?s).*\n > \[[^\]\n]*\] ([^\n]+):\n`)
)

// buildKitLine finds the line of the instruction that BuildKit says it failed at, or returns 0.
func buildKitLine(recipe dockerfile.File, output []byte) (line int) {
	if m := failedExcerpt.FindSubmatch(output); m != nil {
		line, _ = strconv.Atoi(string(m[1]))
		return line
	}
	m := failedStep.FindSubmatch(output)
	if m == nil {
		return 0
	}
	failed, longest := strings.Join(strings.Fields(string(m[1])), " "), 0
	for _, step := range recipe.Steps {
		begins, _, _ := strings.Cut(step.Text, "$")
		if strings.HasPrefix(failed, begins) && len(begins) > longest {
			line, longest = step.Line, len(begins)
		}
	}
	return line
}
