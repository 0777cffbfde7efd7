package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/distribution/reference"
	"github.com/moby/moby/api/pkg/authconfig"
	"github.com/moby/moby/client"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/testcontainers/testcontainers-go"

	"benchbook/runner/engine"
)

// Bounds of a pull. Only the first answer of a registry is bounded tightly, as a large image may take long over a slow
// line; where a substitute is there already, it takes less to give up.
const (
	answerTimeout           = 15 * time.Second
	answerTimeoutSubstitute = 3 * time.Second
	stallTimeout            = 2 * time.Minute
)

// errNoAnswer is a registry that was silent for as long as we wait.
var errNoAnswer = errors.New("the registry does not answer")

// substituteRepository names the images by scripts/base that replace Debian's own where no registry can be reached.
// The tag is the release.
const substituteRepository = "benchbook/debootstrap"

// imageStore has the images of an engine, and makes those that are missing.
type imageStore struct {
	client      daemon
	environment []string // by which the docker command uses the same engine

	mu          sync.Mutex
	unreachable map[string]error         // registries that did not answer, by name: not every image waits for them
	making      map[string]chan struct{} // images that are being made or brought here, by name; closed when that has ended
}

func newImageStore(api *client.Client, environment []string) *imageStore {
	return &imageStore{client: daemon{api}, environment: environment, unreachable: make(map[string]error),
		making: make(map[string]chan struct{})}
}

// base finds an image here or pulls it. Where its registry cannot be reached, a Debian is replaced by what scripts/base
// made. Platform may be empty.
func (s *imageStore) base(ctx context.Context, name, platform string, log io.Writer) (engine.Base, error) {
	done, err := s.alone(ctx, name)
	if err != nil {
		return engine.Base{}, err
	}
	defer done()
	found, release, err := s.baseHere(ctx, name)
	if err != nil || found.ID != "" && found.Substitute == "" {
		return found, err
	}
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return missing(name, "write it as debian:bookworm-slim", "%q is not a reference of an image: %w", name, err)
	}
	if platform != "" {
		found, release = engine.Base{}, "" // a substitute is only of this machine's platform
	}
	bound := answerTimeout
	if found.ID != "" {
		bound = answerTimeoutSubstitute
	}
	if err := s.pull(ctx, reference.TagNameOnly(named), platform, bound, log); err != nil {
		return s.replaced(ctx, name, release, found, err, log)
	}
	id, err := s.id(ctx, name)
	if err == nil && id == "" {
		err = errors.New("it is not there after a pull that succeeded")
	}
	return engine.Base{Reference: name, ID: id}, err
}

// baseHere finds such an image, or the substitute of a release, without asking anybody else. It has no id if it is not
// here.
func (s *imageStore) baseHere(ctx context.Context, name string) (found engine.Base, release string, err error) {
	id, err := s.id(ctx, name)
	found = engine.Base{Reference: name, ID: id}
	if err != nil || id != "" {
		return found, "", err
	}
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return found, "", nil
	}
	if release = debianRelease(reference.TagNameOnly(named)); release != "" {
		found.Substitute = substituteRepository + ":" + release
		found.ID, err = s.id(ctx, found.Substitute)
	}
	return found, release, err
}

// replaced returns the substitute of a Debian image that could not be pulled.
func (s *imageStore) replaced(
	ctx context.Context, name, release string, substitute engine.Base, pullErr error, log io.Writer,
) (engine.Base, error) {
	switch {
	case ctx.Err() != nil:
		return engine.Base{}, fmt.Errorf("pulling image %s: %w", name, context.Cause(ctx))
	case !unreachable(pullErr):
		return missing(name, "correct its name, log in with docker login, or bring it here with docker save and docker load",
			"image %s is not here, and its registry does not give it (%s)", name, registryWords(pullErr))
	case substitute.ID != "":
		fmt.Fprintf(log, "the registry of %s cannot be reached; using %s\n", name, substitute.Substitute)
		return substitute, nil
	case release != "":
		return missing(name, "bring it here with docker save and docker load, or make a substitute with scripts/base "+
			release+" of benchbook's repository", "image %s is not here, and its registry cannot be reached (%s)", name,
			registryWords(pullErr))
	}
	return missing(name, "bring it here with docker save and docker load, or build from a Debian base such as "+
		"debian:bookworm-slim, which scripts/base of benchbook's repository can replace",
		"image %s is not here, and its registry cannot be reached (%s)", name, registryWords(pullErr))
}

// alone waits until nobody else here makes the image of a name, and keeps others from it until done is called: of
// several builds that want one base the first makes it, and the rest are built on that.
func (s *imageStore) alone(ctx context.Context, name string) (done func(), err error) {
	own := make(chan struct{})
	for {
		s.mu.Lock()
		other, taken := s.making[name]
		if !taken {
			s.making[name] = own
		}
		s.mu.Unlock()
		if !taken {
			return func() {
				s.mu.Lock()
				defer s.mu.Unlock()
				delete(s.making, name)
				close(own)
			}, nil
		}
		select {
		case <-other:
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for image %s: %w", name, context.Cause(ctx))
		}
	}
}

// missing says that an image cannot be had.
func missing(name, wayOut, format string, args ...any) (engine.Base, error) {
	return engine.Base{}, &engine.ImageError{Reference: name, Err: fmt.Errorf(format, args...), WayOut: wayOut}
}

// id returns the digest of an image that is here, and nothing if it is not.
func (s *imageStore) id(ctx context.Context, name string) (string, error) {
	image, err := s.client.ImageInspect(ctx, name)
	if errdefs.IsNotFound(err) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("looking for image %s: %w", name, err)
	}
	return image.ID, nil
}

// pull brings an image here from its registry, unless that has been found out of reach before.
func (s *imageStore) pull(
	ctx context.Context, image reference.Named, platform string, bound time.Duration, log io.Writer,
) error {
	registry := reference.Domain(image)
	s.mu.Lock()
	known := s.unreachable[registry]
	s.mu.Unlock()
	if known != nil {
		return known
	}
	began := time.Now()
	fmt.Fprintf(log, "pulling %s\n", reference.FamiliarString(image))
	err := s.tryPull(ctx, image, platform, bound)
	if err == nil {
		fmt.Fprintf(log, "pulled %s in %s\n", reference.FamiliarString(image), roundTime(time.Since(began)))
		return nil
	}
	if ctx.Err() == nil && unreachable(err) {
		s.mu.Lock()
		s.unreachable[registry] = err
		s.mu.Unlock()
	}
	return err
}

func (s *imageStore) tryPull(ctx context.Context, image reference.Named, platform string, bound time.Duration) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(bound, func() { cancel(errNoAnswer) })
	defer silence.Stop()

	var options client.ImagePullOptions
	if platform != "" {
		p, err := parsePlatform(platform)
		if err != nil {
			return err
		}
		options.Platforms = append(options.Platforms, p)
	}
	// Without credentials the image may still be public.
	if _, auth, err := testcontainers.DockerImageAuth(ctx, image.String()); err == nil {
		if encoded, err := authconfig.Encode(auth); err == nil {
			options.RegistryAuth = encoded
		}
	}
	progress, err := s.client.ImagePull(ctx, image.String(), options)
	if err == nil {
		for message, streamErr := range progress.JSONMessages(ctx) {
			silence.Reset(stallTimeout)
			if err = streamErr; err == nil && message.Error != nil {
				err = message.Error
			}
			if err != nil {
				break
			}
		}
	}
	if err != nil && errors.Is(context.Cause(ctx), errNoAnswer) {
		return errNoAnswer
	}
	return err
}

var platformSyntax = regexp.MustCompile(`^([a-z0-9]+)/([a-z0-9_]+)(?:/(v[0-9]+))?$`)

func parsePlatform(platform string) (ocispec.Platform, error) {
	m := platformSyntax.FindStringSubmatch(platform)
	if m == nil {
		return ocispec.Platform{}, fmt.Errorf("platform %q is not OS/ARCHITECTURE, such as linux/amd64", platform)
	}
	return ocispec.Platform{OS: m[1], Architecture: m[2], Variant: m[3]}, nil
}

// noContact are the words of the engine for a registry that it could not talk to. It has no error code for that.
var noContact = regexp.MustCompile(`no such host|server misbehaving|dial tcp|i/o timeout|connection refused|` +
	`connection reset|no route to host|network is unreachable|TLS handshake|x509:|proxyconnect|` +
	`context deadline exceeded|Client\.Timeout|request canceled while waiting|403 Forbidden|\bEOF\b`)

// unreachable says whether a failed pull means that its registry cannot be reached, rather than that the registry
// has no such image or does not give it to us.
func unreachable(err error) bool {
	if errors.Is(err, errNoAnswer) {
		return true
	}
	return !errdefs.IsNotFound(err) && !errdefs.IsUnauthorized(err) && noContact.MatchString(err.Error())
}

// contactFault is what of the words for a registry that cannot be reached tells people why.
var contactFault = regexp.MustCompile(`no such host|i/o timeout|connection refused|connection reset|no route to host|` +
	`network is unreachable|TLS handshake \w+|x509: [^"]*|403 Forbidden`)

// registryWords say in short why a registry did not give an image.
func registryWords(err error) string {
	words := firstLine(strings.TrimPrefix(err.Error(), "Error response from daemon: "))
	if fault := contactFault.FindString(words); fault != "" {
		return fault
	}
	return words
}

// releases are the names of Debian releases by the number or word that tags of its image use.
var releases = map[string]string{
	"11": "bullseye", "12": "bookworm", "13": "trixie",
	"bullseye": "bullseye", "bookworm": "bookworm", "trixie": "trixie",
	"stable": "stable", "latest": "stable", "testing": "testing", "sid": "sid", "unstable": "sid",
}

var debianTag = regexp.MustCompile(`^([a-z]+|[0-9]+)(?:\.[0-9]+)?(?:-slim)?$`)

// debianRelease returns the name of the Debian release that an image is a minimal installation of, or nothing if it
// is another image. An image that is pinned by its digest or date is that and no other.
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

// roundTime rounds a time to what people want to read.
func roundTime(d time.Duration) time.Duration {
	if d < time.Second {
		return d.Round(time.Millisecond)
	}
	return d.Round(100 * time.Millisecond)
}
