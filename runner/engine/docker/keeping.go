package docker

import (
	"context"
	"fmt"
	"time"

	"github.com/distribution/reference"
	"github.com/moby/moby/client"
)

func (e *Engine) Endpoint() string { return e.endpoint }

func (e *Engine) Storage() string {
	if !e.local() {
		return ""
	}
	return e.info.DockerRootDir
}

// reachTimeout is how long a registry gets to say whether it has an image.
const reachTimeout = 5 * time.Second

// Reach implements engine.Inspected. The engine asks, as it would for a pull.
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

// Find implements engine.ImageStore.
func (e *Engine) Find(ctx context.Context, reference string) (string, error) {
	return e.images.id(ctx, reference)
}
