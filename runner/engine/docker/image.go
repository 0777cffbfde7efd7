package docker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"time"

	"github.com/containerd/errdefs"
	"github.com/distribution/reference"
	"github.com/moby/moby/client"
	"github.com/moby/moby/client/pkg/jsonmessage"

	"benchbook/notebook/spec"
	"benchbook/runner/engine"
)

// Limits on the time until a registry answers.
const (
	answerTimeout           = 15 * time.Second
	answerTimeoutSubstitute = 3 * time.Second // if a substitute is available
	reachTimeout            = 5 * time.Second // for Reach
)

// errNoAnswer means that a registry did not answer in time.
var errNoAnswer = errors.New("the registry does not answer")

// substituteRepository holds the images made by scripts/base that replace Debian's if no registry can be reached. The
// tag is the release.
const substituteRepository = "benchbook/debootstrap"

// ourRepositories is the prefix of the names of all images that we build.
const ourRepositories = "benchbook/"

func (e *Engine) Prepare(ctx context.Context, image engine.Image, log io.Writer) (p engine.Prepared, err error) {
	switch {
	case !image.One():
		return p, errors.New("an image needs exactly one of a name, a build, an executable and the machine")
	case image.Machine:
		return p, &engine.ImageError{Reference: "this machine",
			Err:    errors.New("the engine docker runs no programs of this machine"),
			WayOut: "add an image or a build, or use the engine local"}
	case image.Build != nil:
		p, err = e.build(ctx, *image.Build, log)
	case image.Executable != nil:
		p, err = e.build(ctx, executableBuild(*image.Executable), log)
	default:
		var base engine.Base
		base, err = e.base(ctx, image.Name, "", log)
		p = engine.Prepared{Reference: cmp.Or(base.Substitute, image.Name), ID: base.ID, Bases: []engine.Base{base}}
	}
	if err == nil {
		p.Healthcheck, err = e.healthcheck(ctx, p.ID)
	}
	return p, err
}

// healthcheck returns the HEALTHCHECK of an image, or the zero Ready if it has none.
//
// Source: Docker, daemon/health.go.
func (e *Engine) healthcheck(ctx context.Context, id string) (spec.Ready, error) {
	image, err := e.client.ImageInspect(ctx, id)
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

// Find returns the ID of an image given its name or ID, empty if the engine does not have the image.
func (e *Engine) Find(ctx context.Context, name string) (string, error) {
	image, err := e.client.ImageInspect(ctx, name)
	if errdefs.IsNotFound(err) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("looking for image %s: %w", name, err)
	}
	return image.ID, nil
}

// SaveAll returns an archive of images given by names or IDs. Images saved by ID have no name in it.
func (e *Engine) SaveAll(ctx context.Context, images []string) (io.ReadCloser, error) {
	saved, err := e.client.ImageSave(ctx, images)
	if err != nil {
		return nil, fmt.Errorf("saving images: %w", err)
	}
	return saved, nil
}

// LoadAll loads the images of an archive into the engine.
func (e *Engine) LoadAll(ctx context.Context, archive io.Reader) error {
	loaded, err := e.client.ImageLoad(ctx, archive, client.ImageLoadWithQuiet(true))
	if err == nil {
		defer loaded.Close()
		err = jsonmessage.DisplayStream(loaded, io.Discard)
	}
	if err != nil {
		return fmt.Errorf("loading images: %w", err)
	}
	return nil
}

// Reach asks a registry for an image, as a pull would. The error says why the image is not available.
func (e *Engine) Reach(ctx context.Context, image string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, reachTimeout, errNoAnswer)
	defer cancel()
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return fmt.Errorf("%q is not a reference of an image: %w", image, err)
	}
	_, err = e.client.DistributionInspect(ctx, reference.TagNameOnly(named).String(), client.DistributionInspectOptions{})
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// base finds an image on the engine or pulls it. If the registry cannot be reached, an image of scripts/base replaces a
// Debian image, unless a platform is given. Platform may be empty.
func (e *Engine) base(ctx context.Context, name, platform string, log io.Writer) (engine.Base, error) {
	done, err := e.alone(ctx, name)
	if err != nil {
		return engine.Base{}, err
	}
	defer done()
	id, err := e.Find(ctx, name)
	if err != nil || id != "" {
		return engine.Base{Reference: name, ID: id}, err
	}
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return engine.Base{}, &engine.ImageError{Reference: name, WayOut: "write it as debian:bookworm-slim",
			Err: fmt.Errorf("%q is not a reference of an image: %w", name, err)}
	}
	named = reference.TagNameOnly(named)
	release, substitute, bound := debianRelease(named), engine.Base{Reference: name}, answerTimeout
	if release != "" && platform == "" {
		substitute.Substitute = substituteRepository + ":" + release
		if substitute.ID, err = e.Find(ctx, substitute.Substitute); err != nil {
			return engine.Base{}, err
		}
		if substitute.ID != "" {
			bound = answerTimeoutSubstitute
		}
	}
	err = e.pull(ctx, named, platform, bound, log)
	switch {
	case err == nil:
		id, err := e.Find(ctx, name)
		if err == nil && id == "" {
			err = fmt.Errorf("image %s is not there after a pull that succeeded", name)
		}
		return engine.Base{Reference: name, ID: id}, err
	case ctx.Err() != nil:
		return engine.Base{}, fmt.Errorf("pulling image %s: %w", name, context.Cause(ctx))
	case unreachable(err) && substitute.ID != "":
		fmt.Fprintf(log, "the registry of %s cannot be reached; using %s\n", name, substitute.Substitute)
		return substitute, nil
	}
	return engine.Base{}, notPulled(name, release, err)
}

// notPulled returns the error of an image that could not be pulled. Release is its Debian release, or empty.
func notPulled(name, release string, err error) *engine.ImageError {
	reason, wayOut := "cannot be reached", "bring it here with docker save and docker load, or "
	switch {
	case !unreachable(err):
		reason = "does not give it"
		wayOut = "correct its name, log in with docker login, or bring it here with docker save and docker load"
	case release != "":
		wayOut += "make a substitute with scripts/base " + release + " of benchbook's repository"
	default:
		wayOut += "build from a Debian base such as debian:bookworm-slim, which scripts/base of benchbook's repository can " +
			"replace"
	}
	return &engine.ImageError{Reference: name, WayOut: wayOut,
		Err: fmt.Errorf("image %s is not here, and its registry %s (%s)", name, reason, registryWords(err))}
}

// alone locks the making of an image or probe by its name until done is called. It lets builds that need the same base
// share it.
func (e *Engine) alone(ctx context.Context, name string) (done func(), err error) {
	value, _ := e.making.LoadOrStore(name, make(chan struct{}, 1))
	turn := value.(chan struct{})
	select {
	case turn <- struct{}{}:
		return func() { <-turn }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting for %s: %w", name, context.Cause(ctx))
	}
}

// pull pulls an image, unless its registry failed to answer before.
func (e *Engine) pull(ctx context.Context, image reference.Named, platform string, bound time.Duration,
	log io.Writer) error {
	registry, began := reference.Domain(image), time.Now()
	if known, ok := e.unreachable.Load(registry); ok {
		return known.(error)
	}
	fmt.Fprintf(log, "pulling %s\n", reference.FamiliarString(image))
	err := e.tryPull(ctx, image, platform, bound)
	if err == nil {
		fmt.Fprintf(log, "pulled %s in %s\n", reference.FamiliarString(image), time.Since(began).Round(10*time.Millisecond))
	} else if ctx.Err() == nil && unreachable(err) {
		e.unreachable.Store(registry, err)
	}
	return err
}

// tryPull pulls an image with the docker command, which uses the user's logins. The library would retry until the
// context ends.
func (e *Engine) tryPull(ctx context.Context, image reference.Named, platform string, bound time.Duration) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(bound, func() { cancel(errNoAnswer) })
	defer silence.Stop()
	arguments := []string{"pull", image.String()}
	if platform != "" {
		arguments = slices.Insert(arguments, 1, "--platform="+platform)
	}
	_, err := e.docker(ctx, arguments, nil, answered(func() { silence.Stop() }))
	if err != nil && errors.Is(context.Cause(ctx), errNoAnswer) {
		return errNoAnswer
	}
	return err
}

// answered is a writer that calls itself on each write.
type answered func()

func (a answered) Write(data []byte) (int, error) {
	a()
	return len(data), nil
}

// noContact matches the engine's messages about a registry that it could not contact, as there is no error code.
var noContact = regexp.MustCompile(`no such host|server misbehaving|dial tcp|i/o timeout|connection refused|` +
	`connection reset|no route to host|network is unreachable|TLS handshake|x509:|proxyconnect|` +
	`context deadline exceeded|Client\.Timeout|request canceled while waiting|403 Forbidden|\bEOF\b`)

// unreachable reports whether a pull failed because the registry cannot be reached, rather than because the registry
// lacks the image or denies access.
func unreachable(err error) bool {
	return errors.Is(err, errNoAnswer) || noContact.MatchString(err.Error())
}

// contactFault matches the part of such a message that says why.
var contactFault = regexp.MustCompile(`no such host|i/o timeout|connection refused|connection reset|no route to host|` +
	`network is unreachable|TLS handshake \w+|x509: [^"]*|403 Forbidden`)

// registryWords returns a short reason why a registry did not provide an image.
func registryWords(err error) string {
	return cmp.Or(contactFault.FindString(err.Error()), firstLine(err.Error()))
}

// releases maps tags of Debian's image to release names.
var releases = map[string]string{
	"11": "bullseye", "12": "bookworm", "13": "trixie",
	"bullseye": "bullseye", "bookworm": "bookworm", "trixie": "trixie",
	"stable": "stable", "latest": "stable", "testing": "testing", "sid": "sid", "unstable": "sid",
}

var debianTag = regexp.MustCompile(`^([a-z]+|[0-9]+)(?:\.[0-9]+)?(?:-slim)?$`)

// debianRelease returns the release of a plain Debian image. It is empty for other images, and for those pinned by a
// digest or date.
func debianRelease(image reference.Named) string {
	tagged, ok := image.(reference.Tagged)
	if _, pinned := image.(reference.Digested); pinned || !ok || reference.FamiliarName(image) != "debian" {
		return ""
	}
	m := debianTag.FindStringSubmatch(tagged.Tag())
	if m == nil {
		return ""
	}
	return releases[m[1]]
}
