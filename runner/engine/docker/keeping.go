package docker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/distribution/reference"
	"github.com/moby/moby/client"

	"benchbook/runner/engine"
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

func (e *Engine) Find(ctx context.Context, image engine.Image) (engine.Prepared, bool, error) {
	build := image.Build
	switch {
	case image.Name != "":
		base, _, err := e.images.baseHere(ctx, image.Name)
		return engine.Prepared{Reference: image.Name, ID: base.ID, Bases: []engine.Base{base}}, base.ID != "", err
	case image.Executable != nil:
		b, err := executableBuild(*image.Executable)
		if err != nil {
			return engine.Prepared{}, false, err
		}
		build = &b
	case build == nil:
		return engine.Prepared{}, false, errors.New("an image needs a name, a build or an executable")
	}
	recipe, err := recipeOf(*build)
	if err != nil {
		return engine.Prepared{}, false, nil // it was never built
	}
	prepared := engine.Prepared{}
	for _, from := range recipe.Bases {
		base, _, err := e.images.baseHere(ctx, from.Reference)
		if err != nil || base.ID == "" {
			return engine.Prepared{}, false, err
		}
		prepared.Bases = append(prepared.Bases, base)
	}
	prepared.Reference = buildTag(*build, prepared.Bases)
	prepared.ID, err = e.images.id(ctx, prepared.Reference)
	return prepared, prepared.ID != "", err
}

// A layered image is one with its layers from the bottom.
type layered struct {
	engine.BuiltImage
	layers []string
	size   int64
	ours   bool
}

func (e *Engine) Built(ctx context.Context) ([]engine.BuiltImage, error) {
	list, err := e.client.ImageList(ctx, client.ImageListOptions{})
	if err != nil {
		return nil, fmt.Errorf("listing images: %w", err)
	}
	var all []*layered
	for _, item := range list.Items {
		inspected, err := e.client.ImageInspect(ctx, item.ID)
		if gone(err) {
			continue // somebody removed it meanwhile
		}
		if err != nil {
			return nil, fmt.Errorf("looking at image %s: %w", item.ID, err)
		}
		i := &layered{BuiltImage: engine.BuiltImage{ID: item.ID}, layers: inspected.RootFS.Layers, size: inspected.Size}
		// An image that somebody else builds on one of ours has its labels too, but not a name like ours.
		i.For = item.Labels[engine.LabelImage]
		at := slices.IndexFunc(item.RepoTags, func(tag string) bool { return strings.HasPrefix(tag, ourRepositories) })
		if i.ours = i.For != "" && at >= 0 && len(item.RepoTags) == 1; i.ours {
			i.Reference = item.RepoTags[at]
		}
		all = append(all, i)
	}
	stack(all)
	var out []engine.BuiltImage
	for _, i := range all {
		if i.ours {
			out = append(out, i.BuiltImage)
		}
	}
	slices.SortFunc(out, func(a, b engine.BuiltImage) int {
		return cmp.Or(cmp.Compare(a.For, b.For), cmp.Compare(a.Reference, b.Reference))
	})
	return out, nil
}

// stack finds on which image each of them is built: on the one with the most of its layers, of those that have no
// others.
func stack(all []*layered) {
	for _, i := range all {
		var base *layered
		for _, b := range all {
			if b != i && len(b.layers) > 0 && len(b.layers) < len(i.layers) &&
				slices.Equal(b.layers, i.layers[:len(b.layers)]) &&
				(base == nil || len(b.layers) > len(base.layers)) {
				base = b
			}
		}
		i.Own = i.size
		if base != nil {
			i.Base, i.Own = base.ID, max(0, i.size-base.size)
			base.Above++
		}
	}
}

func (e *Engine) Discard(ctx context.Context, kept engine.BuiltImage) error {
	_, err := e.client.ImageRemove(ctx, kept.Reference, client.ImageRemoveOptions{PruneChildren: true})
	if err != nil && !gone(err) {
		return fmt.Errorf("removing image %s: %w", kept.Reference, err)
	}
	return nil
}
