package docker

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/moby/moby/client"

	"benchbook/runner/engine"
)

// Has implements engine.Carrier. The id is asked for first: somebody may have given the reference to another image
// here. Engines that keep images by the digest of their manifest have another id for the same image, and then the
// reference, which has a digest of all that went into an image of ours, has to do.
func (e *Engine) Has(ctx context.Context, image engine.Prepared) (string, bool, error) {
	id, err := e.images.id(ctx, image.ID)
	if err != nil || id != "" {
		return id, id != "", err
	}
	if !builtByUs(image) {
		return "", false, nil
	}
	id, err = e.images.id(ctx, image.Reference)
	return id, id != "", err
}

// builtByUs says of an image that its reference has a digest of all that went into it. Other references may lead to
// another image there.
func builtByUs(image engine.Prepared) bool {
	return strings.HasPrefix(image.Reference, ourRepositories) && !strings.HasPrefix(image.Reference, substituteRepository)
}

// Save implements engine.Carrier. What we have built keeps its reference where it goes; other images get none there, so
// that nothing that somebody else has there is given another meaning.
func (e *Engine) Save(ctx context.Context, image engine.Prepared) (io.ReadCloser, error) {
	name := image.ID
	if builtByUs(image) {
		name = image.Reference
	}
	saved, err := e.client.ImageSave(ctx, []string{name})
	if err != nil {
		return nil, fmt.Errorf("saving image %s: %w", image.Reference, err)
	}
	return saved, nil
}

// SaveAll implements engine.Archiver.
func (e *Engine) SaveAll(ctx context.Context, ids []string) (io.ReadCloser, error) {
	saved, err := e.client.ImageSave(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("saving images: %w", err)
	}
	return saved, nil
}

// LoadAll implements engine.Archiver.
func (e *Engine) LoadAll(ctx context.Context, archive io.Reader) error {
	loaded, err := e.client.ImageLoad(ctx, archive, client.ImageLoadWithQuiet(true))
	if err != nil {
		return fmt.Errorf("loading images: %w", err)
	}
	defer loaded.Close()
	if err := readMessages(loaded, &engine.Tail{Limit: 1 << 10}); err != nil {
		return fmt.Errorf("loading images: %w", err)
	}
	return nil
}
