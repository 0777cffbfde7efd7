package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// labelFrom is a label of images that we have brought to nodes: the id of the image that was built.
const labelFrom = "benchbook.image.from"

// isFrom says whether an image was made from the one of this id: somebody may have given its name to another one.
func isFrom(image v1.Image, id string) (bool, error) {
	file, err := image.ConfigFile()
	if err != nil {
		return false, err
	}
	return file.Config.Labels[labelFrom] == id, nil
}

// registry is where images are brought, and where nodes pull them from, by the beginning of the names there. Its errors
// say what to do.
type registry string

func (r registry) repository() string { return strings.TrimSuffix(string(r), "/") + "/benchbook" }

func (r registry) options(ctx context.Context) []remote.Option {
	return []remote.Option{remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain)}
}

// find gives the image of a name that was made from the one of this id; nil if it is not there.
func (r registry) find(ctx context.Context, tag name.Tag, from string) (v1.Image, error) {
	image, err := remote.Image(tag, r.options(ctx)...)
	if answer, ok := errors.AsType[*transport.Error](err); ok && answer.StatusCode == http.StatusNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, r.fault(ctx, err)
	}
	ours, err := isFrom(image, from)
	if err != nil {
		return nil, r.fault(ctx, err)
	}
	if !ours {
		return nil, nil
	}
	return image, nil
}

func (r registry) put(ctx context.Context, tag name.Tag, image v1.Image) error {
	if err := remote.Write(tag, image, r.options(ctx)...); err != nil {
		return r.fault(ctx, err)
	}
	return nil
}

// reference is how pods name an image that find gave. It has the digest, so that a node gets this image or none.
func (r registry) reference(tag name.Tag, image v1.Image) (string, error) {
	digest, err := image.Digest()
	if err != nil {
		return "", err
	}
	return tag.Repository.Name() + "@" + digest.String(), nil
}

// get gives the image of such a reference.
func (r registry) get(ctx context.Context, reference string) (v1.Image, error) {
	digest, err := name.NewDigest(reference)
	if err != nil {
		return nil, fmt.Errorf("image %s was not prepared for Kubernetes: %w", reference, err)
	}
	image, err := remote.Image(digest, r.options(ctx)...)
	if err != nil {
		return nil, r.fault(ctx, err)
	}
	return image, nil
}

// fault says of an error of the registry what to do.
func (r registry) fault(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var answer *transport.Error
	switch {
	case !errors.As(err, &answer):
		return &Fault{fmt.Sprintf("the registry %s could not be used", string(r)),
			"see that it runs and is reached from here", err}
	case answer.StatusCode == http.StatusUnauthorized || answer.StatusCode == http.StatusForbidden:
		return &Fault{fmt.Sprintf("the registry %s does not let us push", string(r)),
			"log in there with docker login, as somebody who may", err}
	}
	return &Fault{fmt.Sprintf("the registry %s did not take the image", string(r)),
		"see what it says, and that it has room", err}
}
