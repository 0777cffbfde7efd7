package kubernetes

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"benchbook/runner/engine"
)

// Find implements engine.Engine. It asks the builder, except for images that were prepared here.
func (e *Engine) Find(ctx context.Context, reference string) (id string, err error) {
	if image, ok := e.images.Load(reference); ok {
		return image.(pushedImage).id, nil
	}
	return e.options.Builder.Find(ctx, reference)
}

// pushedImage is an image in the registry.
type pushedImage struct {
	id     string // the builder's ID
	config v1.Config
}

// Prepare implements engine.Engine. The builder builds or pulls the image and gives its ID. It is pushed to the
// registry if missing there. The reference contains the registry's digest, so that a node gets exactly this image.
func (e *Engine) Prepare(ctx context.Context, image engine.Image, log io.Writer) (engine.Prepared, error) {
	if image.Machine && image.One() {
		return engine.Prepared{}, &engine.ImageError{Reference: "machine",
			Err:    errors.New("the engine kubernetes runs images, and not programs of its nodes"),
			WayOut: "name an image, or run it with engine: local"}
	}
	prepared, err := e.options.Builder.Prepare(ctx, image, log)
	if err != nil {
		return prepared, err
	}
	reference, config, err := e.push(ctx, prepared, log)
	if err != nil {
		return prepared, fmt.Errorf("preparing image %s: %w", prepared.Reference, err)
	}
	prepared.Reference = reference
	e.images.Store(reference, pushedImage{prepared.ID, config})
	return prepared, nil
}

// push pushes an image to the registry under a tag derived from its ID, and returns its reference by digest.
func (e *Engine) push(ctx context.Context, prepared engine.Prepared, log io.Writer) (reference string, config v1.Config,
	err error) {
	repository := strings.TrimSuffix(e.options.Registry, "/") + "/benchbook"
	tag, err := name.NewTag(fmt.Sprintf("%s:%x", repository, sha256.Sum256([]byte(prepared.ID))))
	if err != nil {
		return "", config, fmt.Errorf("the registry %q: %w", e.options.Registry, err)
	}
	options := []remote.Option{remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain)}
	e.pushing.Lock() // the same image may be prepared twice concurrently
	defer e.pushing.Unlock()
	pushed, err := remote.Image(tag, options...)
	if answer, ok := errors.AsType[*transport.Error](err); ok && answer.StatusCode == http.StatusNotFound {
		fmt.Fprintf(log, "pushing it to %s\n", repository)
		image, remove, saveErr := e.save(ctx, prepared)
		if saveErr != nil {
			return "", config, saveErr
		}
		defer remove()
		if err = remote.Write(tag, image, options...); err == nil {
			pushed, err = remote.Image(tag, options...)
		}
	}
	if err != nil {
		return "", config, e.registryFault(ctx, err)
	}
	digest, err := pushed.Digest()
	file, fileErr := pushed.ConfigFile()
	if err := errors.Join(err, fileErr); err != nil {
		return "", config, e.registryFault(ctx, err)
	}
	return tag.Digest(digest.String()).Name(), file.Config, nil
}

// save saves an image of the builder to a temporary file and opens it. Call remove to delete the file.
func (e *Engine) save(ctx context.Context, prepared engine.Prepared) (image v1.Image, remove func(), err error) {
	saved, err := e.options.Builder.SaveAll(ctx, []string{prepared.ID})
	if err != nil {
		return nil, nil, err
	}
	file, err := os.CreateTemp("", "benchbook-image-*")
	if err != nil {
		return nil, nil, errors.Join(err, saved.Close())
	}
	remove = func() { _ = os.Remove(file.Name()) }
	_, err = io.Copy(file, saved)
	if err = errors.Join(err, saved.Close(), file.Close()); err == nil {
		image, err = tarball.ImageFromPath(file.Name(), nil)
	}
	if err != nil {
		remove()
	}
	return image, remove, err
}

// registryFault turns an error of the registry into a *Fault with a way out.
func (e *Engine) registryFault(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	answer, ok := errors.AsType[*transport.Error](err)
	switch {
	case !ok:
		return &Fault{fmt.Sprintf("the registry %s could not be used", e.options.Registry),
			"see that it runs and is reached from here", err}
	case answer.StatusCode == http.StatusUnauthorized || answer.StatusCode == http.StatusForbidden:
		return &Fault{fmt.Sprintf("the registry %s does not let us push", e.options.Registry),
			"log in there with docker login, as somebody who may", err}
	}
	return &Fault{fmt.Sprintf("the registry %s did not take the image", e.options.Registry),
		"see what it says, and that it has room", err}
}

// commandOf returns the full command of a container by the rules of Compose.
func commandOf(image v1.Config, entrypoint, command []string) []string {
	if entrypoint == nil {
		if entrypoint = image.Entrypoint; command == nil {
			command = image.Cmd
		}
	}
	return slices.Concat(entrypoint, command)
}
