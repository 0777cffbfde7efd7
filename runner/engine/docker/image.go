package docker

import (
	"archive/tar"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/jsonstream"
	"github.com/moby/moby/client"

	"benchbook/notebook/spec"
	"benchbook/runner/dockerfile"
	"benchbook/runner/engine"
)

// imageFormat goes into the digest of every image we build; raise it when the same inputs come to give another image.
const imageFormat = "1"

func (e *Engine) Prepare(ctx context.Context, image engine.Image, log io.Writer) (engine.Prepared, error) {
	prepared, err := e.prepare(ctx, image, log)
	if err == nil {
		prepared.Healthcheck, err = e.images.healthcheck(ctx, prepared.ID)
	}
	return prepared, err
}

func (e *Engine) prepare(ctx context.Context, image engine.Image, log io.Writer) (engine.Prepared, error) {
	switch {
	case !image.One():
		return engine.Prepared{}, errors.New("an image needs exactly one of a name, a build, an executable and the machine")
	case image.Machine:
		return engine.Prepared{}, &engine.ImageError{Reference: "this machine",
			Err:    errors.New("the engine docker runs no programs of this machine"),
			WayOut: "add an image or a build, or use the engine local"}
	case image.Build != nil:
		return e.images.build(ctx, *image.Build, log)
	case image.Executable != nil:
		build, err := executableBuild(*image.Executable)
		if err != nil {
			return engine.Prepared{}, err
		}
		return e.images.build(ctx, build, log)
	}
	base, err := e.images.base(ctx, image.Name, "", log)
	if err != nil {
		return engine.Prepared{}, err
	}
	p := engine.Prepared{Reference: image.Name, ID: base.ID, Bases: []engine.Base{base}}
	if base.Substitute != "" {
		p.Reference = base.Substitute
	}
	return p, nil
}

// healthcheck is the HEALTHCHECK of an image; zero if it has none.
//
// Source: Docker, daemon/health.go.
func (s *imageStore) healthcheck(ctx context.Context, id string) (spec.Ready, error) {
	image, err := s.client.ImageInspect(ctx, id)
	if err != nil {
		return spec.Ready{}, fmt.Errorf("looking at image %s: %w", id, err)
	}
	if image.Config == nil || image.Config.Healthcheck == nil || len(image.Config.Healthcheck.Test) < 2 {
		return spec.Ready{}, nil
	}
	check := image.Config.Healthcheck
	out := spec.Ready{Command: check.Test[1:], Interval: check.Interval, Timeout: check.Timeout, Retries: check.Retries,
		StartPeriod: check.StartPeriod, StartInterval: check.StartInterval}
	if check.Test[0] == "CMD-SHELL" {
		shell := image.Config.Shell
		if len(shell) == 0 {
			shell = []string{"/bin/sh", "-c"}
		}
		out.Command = append(slices.Clone(shell), check.Test[1])
	}
	return out, nil
}

var fileName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._-]*$`)

// executableBuild says how to put an executable into an empty image.
func executableBuild(executable engine.Executable) (engine.Build, error) {
	name := executable.Name
	if !fileName.MatchString(name) {
		return engine.Build{}, fmt.Errorf("executable %q: its name must be made of letters, digits, '.', '_' and '-'", name)
	}
	return engine.Build{For: name, Build: spec.Build{Files: []spec.File{
		{Path: "Dockerfile", Data: fmt.Appendf(nil, "FROM scratch\nCOPY root/%s /%s\nENTRYPOINT [\"/%s\"]\n", name, name,
			name)},
		{Path: "root/" + name, Exec: true, Data: executable.Data},
	}, Dockerfile: "Dockerfile"}}, nil
}

// recipeOf reads the Dockerfile of a build.
func recipeOf(build engine.Build) (dockerfile.File, error) {
	at := slices.IndexFunc(build.Files, func(f spec.File) bool { return f.Path == build.Dockerfile })
	if at < 0 {
		return dockerfile.File{}, fmt.Errorf("%s is not among the files of the build context", build.Dockerfile)
	}
	return dockerfile.Parse(string(build.Files[at].Data), build.Args, build.Target)
}

// build builds an image, unless one was built from the same inputs before.
func (s *imageStore) build(ctx context.Context, build engine.Build, log io.Writer) (engine.Prepared, error) {
	recipe, err := recipeOf(build)
	if err != nil {
		return engine.Prepared{}, buildFailure(build, recipe, nil, err)
	}
	var bases []engine.Base
	substitutes := make(map[int]string)
	for i, from := range recipe.Bases {
		base, err := s.base(ctx, from.Reference, from.Platform, log)
		if errors.As(err, new(*engine.ImageError)) {
			return engine.Prepared{}, &engine.BuildError{For: build.For, Line: from.First + 1, Err: err}
		}
		if err != nil {
			return engine.Prepared{}, fmt.Errorf("building the image of %s: %w", build.For, err)
		}
		if base.Substitute != "" {
			substitutes[i] = base.Substitute
		}
		bases = append(bases, base)
	}
	tag := buildTag(build, bases)
	done, err := s.alone(ctx, tag)
	if err != nil {
		return engine.Prepared{}, err
	}
	defer done()
	id, err := s.id(ctx, tag)
	if err != nil {
		return engine.Prepared{}, err
	}
	prepared := engine.Prepared{Reference: tag, ID: id, Bases: bases}
	if id != "" {
		return prepared, nil
	}

	fmt.Fprintf(log, "building the image of %s\n", build.For)
	began := time.Now()
	said := &engine.Tail{Limit: 1 << 20}
	if say := io.MultiWriter(steps{log}, said); len(recipe.Needs) > 0 {
		err = s.buildKit(ctx, build, recipe, bases, tag, say)
	} else {
		err = s.buildImage(ctx, build, recipe.Replace(substitutes), tag, say)
	}
	if ctx.Err() != nil {
		return engine.Prepared{}, fmt.Errorf("building the image of %s: %w", build.For, context.Cause(ctx))
	}
	if err != nil {
		return engine.Prepared{}, buildFailure(build, recipe, said.Bytes(), err)
	}
	fmt.Fprintf(log, "built the image of %s in %s\n", build.For, roundTime(time.Since(began)))
	if prepared.ID, err = s.id(ctx, tag); err != nil {
		return engine.Prepared{}, err
	}
	prepared.Built = true
	return prepared, nil
}

// buildFailure says where in the Dockerfile a build failed, and what the builder said last, unless it was not asked.
func buildFailure(build engine.Build, recipe dockerfile.File, said []byte, err error) *engine.BuildError {
	failure := &engine.BuildError{For: build.For, Err: err}
	if p, ok := errors.AsType[*dockerfile.Problem](err); ok {
		failure.Line = p.Line
		return failure
	}
	failure.Line = failedLine(recipe, said, err)
	if len(said) > 0 {
		failure.Tail = lastLines(said, 20)
	}
	return failure
}

// withFiles makes an image of another and files, and returns its id.
func (s *imageStore) withFiles(ctx context.Context, image, name string, files []spec.File) (string, error) {
	build := engine.Build{For: name + " with its files", Build: spec.Build{Dockerfile: "Dockerfile"}}
	text := fmt.Appendf(nil, "FROM %s\n", image)
	// One by one: copying whole folders would change those that are there.
	for i, file := range slices.SortedFunc(slices.Values(files), func(a, b spec.File) int {
		return strings.Compare(a.Path, b.Path)
	}) {
		source := "files/" + strconv.Itoa(i)
		text = fmt.Appendf(text, "COPY [%q, %q]\n", source, file.Path)
		build.Files = append(build.Files, spec.File{Path: source, Exec: file.Exec, Data: file.Data})
	}
	build.Files = append(build.Files, spec.File{Path: build.Dockerfile, Data: text})
	prepared, err := s.build(ctx, build, io.Discard)
	return prepared.ID, err
}

// What the builder says as it comes to an instruction, and of one that it does not understand.
var (
	stepMessage = regexp.MustCompile(`(?m)^(?:Step (\d+)/\d+ : |` + // Docker's
		`#\d+ \[(?:[^\]]+ )?\d+/\d+\] )`) // BuildKit's, which counts anew in each stage
	lineMessage = regexp.MustCompile(`parse error(?: on)? line (\d+)`)
)

// failedLine finds the line of the Dockerfile at which the builder failed, or returns 0.
func failedLine(recipe dockerfile.File, output []byte, err error) int {
	if line := parseLine(err); line > 0 {
		return line
	}
	if len(recipe.Needs) > 0 {
		return buildKitLine(recipe, output)
	}
	steps := stepMessage.FindAllSubmatch(output, -1)
	if len(steps) == 0 {
		return 0
	}
	last := steps[len(steps)-1]
	step, _ := strconv.Atoi(string(last[1]))
	if step < 1 || step > len(recipe.Steps) {
		return 0 // builders have steps of their own, such as for our labels
	}
	return recipe.Steps[step-1].Line
}

// parseLine is the line of a Dockerfile that a builder did not understand; 0 if the error is another one.
func parseLine(err error) int {
	m := lineMessage.FindStringSubmatch(err.Error())
	if m == nil {
		return 0
	}
	line, _ := strconv.Atoi(m[1])
	return line
}

func (s *imageStore) buildImage(
	ctx context.Context, build engine.Build, dockerfile, tag string, output io.Writer,
) error {
	buildContext, err := tarFiles(withDockerfile(build, dockerfile))
	if err != nil {
		return err
	}
	response, err := s.client.ImageBuild(ctx, buildContext, client.ImageBuildOptions{
		Tags:        []string{tag},
		Dockerfile:  build.Dockerfile,
		BuildArgs:   buildArgs(build),
		Target:      build.Target,
		Labels:      map[string]string{engine.LabelImage: build.For},
		Remove:      true,
		ForceRemove: true,
	})
	if err != nil {
		return err
	}
	defer response.Body.Close()
	return readMessages(response.Body, output)
}

// readMessages writes what the engine says about a long operation for people to read; the error is the operation's.
func readMessages(stream io.Reader, output io.Writer) error {
	decoder := json.NewDecoder(stream)
	for {
		var message jsonstream.Message
		if err := decoder.Decode(&message); err == io.EOF {
			return nil
		} else if err != nil {
			return fmt.Errorf("reading the engine's messages: %w", err)
		}
		if message.Error != nil {
			return message.Error
		}
		if _, err := io.WriteString(output, message.Stream); err != nil {
			return err
		}
	}
}

// buildArgs are the arguments that a build gets.
func buildArgs(build engine.Build) map[string]*string {
	args := proxyArgs(os.Environ())
	for name, value := range build.Args {
		args[name] = &value
	}
	return args
}

// proxyVariables are build arguments that every Dockerfile has and that enter neither the image nor the builder's cache
// (Dockerfile reference, "Predefined ARGs").
var proxyVariables = regexp.MustCompile(`^(?i:http|https|ftp|no|all)_(?i:proxy)$`)

// proxyArgs passes the proxies of our environment to a build, so that packages can be downloaded in it as they can
// here. A proxy on this machine's loopback would be another one in there.
func proxyArgs(environment []string) map[string]*string {
	args := make(map[string]*string)
	for _, entry := range environment {
		name, value, _ := strings.Cut(entry, "=")
		if proxyVariables.MatchString(name) && !loopback.MatchString(value) {
			args[name] = &value
		}
	}
	return args
}

var notInName = regexp.MustCompile(`[^a-z0-9]+`)

// repositoryName makes the name of a repository from words for people: "async-101 server" is async-101-server.
func repositoryName(words string) string {
	name := strings.Trim(notInName.ReplaceAllString(strings.ToLower(words), "-"), "-")
	name = strings.Trim(name[:min(len(name), 60)], "-")
	return cmp.Or(name, "image")
}

// ourRepositories begins the names of all images that we make.
const ourRepositories = "benchbook/"

// buildTag is the name by which an image of ours is found again.
func buildTag(build engine.Build, bases []engine.Base) string {
	return ourRepositories + repositoryName(build.For) + ":" + buildDigest(build, bases)
}

func buildDigest(build engine.Build, bases []engine.Base) string {
	digest := sha256.New()
	add := func(parts ...string) {
		for _, part := range parts {
			fmt.Fprintf(digest, "%d:%s", len(part), part)
		}
	}
	add(imageFormat, build.Dockerfile, build.Target)
	for _, name := range slices.Sorted(maps.Keys(build.Args)) {
		add("arg", name, build.Args[name])
	}
	for _, base := range bases {
		add("base", base.Reference, base.ID)
	}
	for _, file := range build.Files {
		add("file", file.Path, file.Mode().String(), string(file.Data))
	}
	return fmt.Sprintf("%x", digest.Sum(nil)[:12])
}

// tarFiles makes an archive of files, always the same for the same files. Paths are relative, or absolute ones to be
// unpacked in the root folder.
func tarFiles(files []spec.File) (io.Reader, error) {
	var buffer bytes.Buffer
	archive := tar.NewWriter(&buffer)
	seen := make(map[string]bool)
	for _, file := range files {
		name := strings.TrimPrefix(file.Path, "/")
		if !fs.ValidPath(name) || name == "." {
			return nil, fmt.Errorf("%q is not the path of a file", file.Path)
		}
		if seen[name] {
			return nil, fmt.Errorf("there are two files %q", file.Path)
		}
		seen[name] = true
		header := &tar.Header{
			Typeflag: tar.TypeReg, Name: name, Mode: int64(file.Mode()), Size: int64(len(file.Data)), Format: tar.FormatPAX,
		}
		if err := archive.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := archive.Write(file.Data); err != nil {
			return nil, err
		}
	}
	return &buffer, archive.Close()
}

// gone says whether an error means that something is not there any more, which suits whoever removes it.
func gone(err error) bool { return errdefs.IsNotFound(err) }

// loopback is an address that means another machine inside a container.
var loopback = regexp.MustCompile(`(?i)//(localhost|127\.|\[::1\])`)
