package docker

import (
	"archive/tar"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
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
	"benchbook/runner/engine"
)

// imageFormat is part of the digest of every image we build. Increment it when the same inputs give a different image.
const imageFormat = "1"

// build builds an image, or finds one that was built from the same inputs.
func (e *Engine) build(ctx context.Context, build engine.Build, log io.Writer) (engine.Prepared, error) {
	at := slices.IndexFunc(build.Files, func(f spec.File) bool { return f.Path == build.Dockerfile })
	if at < 0 {
		return engine.Prepared{}, &engine.BuildError{For: build.For,
			Err: fmt.Errorf("%s is not among the files of the build context", build.Dockerfile)}
	}
	recipe, err := ReadDockerfile(build.Files[at].Data, build.Args, build.Target)
	if problem, ok := errors.AsType[*DockerfileError](err); ok {
		return engine.Prepared{}, &engine.BuildError{For: build.For, Line: problem.Line, Err: err}
	}
	var bases []engine.Base
	for _, from := range recipe.Bases {
		base, err := e.base(ctx, from.Reference, from.Platform, log)
		if errors.As(err, new(*engine.ImageError)) {
			return engine.Prepared{}, &engine.BuildError{For: build.For, Line: from.Line, Err: err}
		}
		if err != nil {
			return engine.Prepared{}, fmt.Errorf("building the image of %s: %w", build.For, err)
		}
		bases = append(bases, base)
	}
	tag := ourRepositories + repositoryName(build.For) + ":" + buildDigest(build, bases)
	done, err := e.alone(ctx, tag)
	if err != nil {
		return engine.Prepared{}, err
	}
	defer done()
	prepared := engine.Prepared{Reference: tag, Bases: bases}
	if prepared.ID, err = e.Find(ctx, tag); err != nil || prepared.ID != "" {
		return prepared, err
	}
	fmt.Fprintf(log, "building the image of %s\n", build.For)
	began := time.Now()
	said := &engine.Tail{Limit: 1 << 20}
	err = e.buildFrom(ctx, build, recipe, bases, tag, builderOutput{log: log, all: said})
	if ctx.Err() != nil {
		return engine.Prepared{}, fmt.Errorf("building the image of %s: %w", build.For, context.Cause(ctx))
	}
	if err != nil {
		return engine.Prepared{}, &engine.BuildError{For: build.For, Err: err,
			Line: recipe.failedLine(said.Bytes(), err), Tail: engine.EndOf(said.Bytes())}
	}
	fmt.Fprintf(log, "built the image of %s in %s\n", build.For, time.Since(began).Round(10*time.Millisecond))
	prepared.ID, err = e.Find(ctx, tag)
	if err == nil && prepared.ID == "" {
		err = errors.New("the docker command built the image elsewhere than on this engine: it is not Docker's own")
	}
	prepared.Built = true
	return prepared, err
}

// buildFrom builds an image from its bases. It tags them with names that no registry has, because BuildKit may ask the
// registry first and use a different image than the recorded one.
func (e *Engine) buildFrom(ctx context.Context, build engine.Build, recipe *Dockerfile, bases []engine.Base, tag string,
	output builderOutput) error {
	const ours = "benchbook.invalid/"
	var names, words []string
	defer func() {
		ctx, cancel := uncancelled(ctx)
		defer cancel()
		for _, name := range names {
			image, err := e.client.ImageInspect(ctx, name)
			// Removing its only name would remove the image.
			if err == nil && slices.ContainsFunc(slices.Concat(image.RepoTags, image.RepoDigests),
				func(other string) bool { return !strings.HasPrefix(other, ours) }) {
				_, _ = e.client.ImageRemove(ctx, name, client.ImageRemoveOptions{}) // an extra name does no harm
			}
		}
	}()
	for i, base := range bases {
		name := fmt.Sprintf("%s%s-%02d", ours, strings.TrimPrefix(tag, ourRepositories), i)
		if _, err := e.client.ImageTag(ctx, client.ImageTagOptions{Source: base.ID, Target: name}); err != nil {
			return fmt.Errorf("naming image %s: %w", base.Reference, err)
		}
		names, words = append(names, name), append(words, name, base.Reference)
	}
	output.words = strings.NewReplacer(words...)
	text := recipe.replace(names, false)
	err := e.dockerBuild(ctx, build, text, tag, output)
	full := recipe.replace(names, true) // the frontend of # syntax= may know more instructions
	if err != nil && lineMessage.MatchString(err.Error()) && ctx.Err() == nil && !bytes.Equal(full, text) {
		return e.dockerBuild(ctx, build, full, tag, output)
	}
	return err
}

// dockerBuild builds an image from a modified Dockerfile with the docker command. It uses BuildKit if the command or
// its plugin docker-buildx has it, and the classic builder otherwise.
func (e *Engine) dockerBuild(ctx context.Context, build engine.Build, dockerfile []byte, tag string, log io.Writer) error {
	files := slices.Clone(build.Files)
	for i := range files {
		if files[i].Path == build.Dockerfile {
			files[i].Data = dockerfile
		}
	}
	archive, err := tarFiles(files)
	if err != nil {
		return err
	}
	arguments := []string{"build", "--file=" + build.Dockerfile, "--tag=" + tag, "--target=" + build.Target,
		"--label=" + engine.LabelImage + "=" + build.For}
	if build.Network != "" {
		arguments = append(arguments, "--network="+build.Network)
	}
	args := proxyArgs(os.Environ())
	maps.Copy(args, build.Args)
	for _, name := range slices.Sorted(maps.Keys(args)) {
		arguments = append(arguments, "--build-arg="+name+"="+args[name])
	}
	if !e.classic.Load() {
		said, err := e.docker(ctx, append(arguments, "--progress=plain", "-"), archive, log, "DOCKER_BUILDKIT=1")
		if !bytes.Contains(said, []byte("buildx component is missing or broken")) {
			return err
		}
		e.classic.Store(true)
	}
	_, err = e.docker(ctx, append(arguments, "--force-rm", "-"), archive, log, "DOCKER_BUILDKIT=0")
	return err
}

// docker runs the docker command on the engine and returns the end of its output.
func (e *Engine) docker(ctx context.Context, arguments []string, stdin []byte, log io.Writer, environment ...string) (
	[]byte, error) {
	said := &engine.Tail{Limit: 64 << 10}
	command := exec.CommandContext(ctx, "docker", arguments...)
	// An attestation would make every build a different image. A context or builder chosen by the user may be another
	// engine.
	command.Env = slices.Concat(os.Environ(), environment, []string{client.EnvOverrideHost + "=" + e.endpoint.reached,
		"DOCKER_CONTEXT=", "DOCKER_CLI_HINTS=false", "BUILDX_BUILDER=default", "BUILDX_NO_DEFAULT_ATTESTATIONS=1"})
	command.Stdin, command.Stdout = bytes.NewReader(stdin), io.MultiWriter(log, said)
	command.Stderr = command.Stdout
	// Kill the whole group: up to version 20.10 the command waits for the end of the build.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
	command.WaitDelay = time.Second
	err := command.Run()
	if errors.Is(err, exec.ErrNotFound) {
		err = errors.New("there is no docker command: install Docker's command line (docker-ce-cli, or docker.io of Debian)")
	} else if err != nil {
		err = errors.New(strings.ReplaceAll(cmp.Or(builderError(said.Bytes()), err.Error()), e.endpoint.reached,
			e.endpoint.host))
	}
	return said.Bytes(), err
}

// Patterns for the errors of the docker command, and for the prefixes of their cause.
var (
	errorMessage = regexp.MustCompile(`(?m)^ERROR: (.+)`)
	errorPrefix  = regexp.MustCompile(`^(?:failed to (?:solve|build|create LLB definition)[^:]*: |` +
		`rpc error: code = \w+ desc = |Error response from daemon: )+`)
)

// builderError extracts why a build failed from the output of the docker command.
func builderError(output []byte) string {
	lines := bytes.Split(bytes.TrimSpace(output), []byte("\n"))
	message := string(lines[len(lines)-1]) // of the classic builder, and up to version 20.10
	if all := errorMessage.FindAllSubmatch(output, -1); len(all) > 0 {
		message = string(all[len(all)-1][1])
	}
	return errorPrefix.ReplaceAllString(message, "")
}

// builderOutput is a writer for a builder's output. It replaces words, writes everything to all, and lines that begin
// an instruction to log.
type builderOutput struct {
	log, all io.Writer
	words    *strings.Replacer
}

// stepMessage matches a line that begins an instruction, of the classic builder or of BuildKit.
var stepMessage = regexp.MustCompile(`(?m)^(?:Step \d+/\d+ : |#\d+ \[(?:[^\]]+ )?\d+/\d+\] ).*`)

func (o builderOutput) Write(message []byte) (int, error) {
	text := o.words.Replace(string(message)) // this assumes that lines arrive whole
	for _, line := range stepMessage.FindAllString(text, -1) {
		fmt.Fprintln(o.log, strings.TrimRight(line, "\r"))
	}
	_, err := io.WriteString(o.all, text)
	return len(message), err
}

// executableBuild returns the build of an image that contains only an executable.
func executableBuild(executable engine.Executable) engine.Build {
	name := executable.Name
	return engine.Build{For: name, Build: spec.Build{Files: []spec.File{
		{Path: "Dockerfile", Data: fmt.Appendf(nil, "FROM scratch\nCOPY root/%s /%s\nENTRYPOINT [\"/%s\"]\n", name, name,
			name)},
		{Path: "root/" + name, Exec: true, Data: executable.Data},
	}, Dockerfile: "Dockerfile"}}
}

// withFiles builds an image that adds files to another, and returns its ID.
func (e *Engine) withFiles(ctx context.Context, image, name string, files []spec.File) (string, error) {
	build := engine.Build{For: name + " with its files", Build: spec.Build{Dockerfile: "Dockerfile"}}
	text := fmt.Appendf(nil, "FROM %s\n", image)
	// Copy one by one: copying whole folders would change existing ones.
	for i, file := range slices.SortedFunc(slices.Values(files), func(a, b spec.File) int {
		return strings.Compare(a.Path, b.Path)
	}) {
		source := "files/" + strconv.Itoa(i)
		text = fmt.Appendf(text, "COPY [%q, %q]\n", source, file.Path)
		build.Files = append(build.Files, spec.File{Path: source, Exec: file.Exec, Data: file.Data})
	}
	build.Files = append(build.Files, spec.File{Path: build.Dockerfile, Data: text})
	prepared, err := e.build(ctx, build, io.Discard)
	return prepared.ID, err
}

// proxyVariables matches build arguments that every Dockerfile has, and that affect neither the image nor the builder's
// cache (Dockerfile reference, "Predefined ARGs").
var proxyVariables = regexp.MustCompile(`^(?i:http|https|ftp|no|all)_(?i:proxy)$`)

// loopback matches URLs of this machine, which inside a container mean the container.
var loopback = regexp.MustCompile(`(?i)//(localhost|127\.|\[::1\])`)

// proxyArgs returns the proxies of an environment as build arguments, so that builds can download packages. It leaves
// out proxies on loopback.
func proxyArgs(environment []string) map[string]string {
	args := make(map[string]string)
	for _, entry := range environment {
		name, value, _ := strings.Cut(entry, "=")
		if proxyVariables.MatchString(name) && !loopback.MatchString(value) {
			args[name] = value
		}
	}
	return args
}

var notInName = regexp.MustCompile(`[^a-z0-9]+`)

// repositoryName turns words into the name of a repository: "async-101 server" becomes async-101-server.
func repositoryName(words string) string {
	name := strings.Trim(notInName.ReplaceAllString(strings.ToLower(words), "-"), "-")
	return cmp.Or(strings.Trim(name[:min(len(name), 60)], "-"), "image")
}

// buildDigest returns a digest of the inputs of a build.
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
	if build.Network != "" {
		add("network", build.Network)
	}
	for _, file := range build.Files {
		add("file", file.Path, file.Mode().String(), string(file.Data))
	}
	return fmt.Sprintf("%x", digest.Sum(nil)[:12])
}

// tarFiles returns a reproducible archive of files. Their paths must be relative.
func tarFiles(files []spec.File) ([]byte, error) {
	var buffer bytes.Buffer
	archive := tar.NewWriter(&buffer)
	seen := make(map[string]bool)
	for _, file := range files {
		if !fs.ValidPath(file.Path) || file.Path == "." {
			return nil, fmt.Errorf("%q is not the path of a file", file.Path)
		}
		if seen[file.Path] {
			return nil, fmt.Errorf("there are two files %q", file.Path)
		}
		seen[file.Path] = true
		header := &tar.Header{Typeflag: tar.TypeReg, Name: file.Path, Mode: int64(file.Mode()), Size: int64(len(file.Data)),
			Format: tar.FormatPAX}
		if err := archive.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := archive.Write(file.Data); err != nil {
			return nil, err
		}
	}
	return buffer.Bytes(), archive.Close()
}
