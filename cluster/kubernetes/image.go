package kubernetes

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/moby/sys/user"

	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/engine/agent"
)

// imageStore brings images from where they are built to where nodes have them from.
type imageStore struct {
	builder  builder
	registry registry
	agent    func() ([]byte, error)
	layer    agentLayer
	bringing sync.Mutex // held while an image is on its way

	mu    sync.Mutex
	known map[string]*imageConfig // by reference
}

// imageConfig is what an image says of itself.
type imageConfig struct {
	entrypoint, command []string
	stopSignal          string
	image               v1.Image
}

// agentLayer is the layer with our program, which every image gets.
type agentLayer struct {
	once   sync.Once
	layer  v1.Layer
	digest string
	err    error
}

// get makes the layer, once: no time is in it, so that it is the same in all images and nodes get it once.
func (l *agentLayer) get(read func() ([]byte, error)) (v1.Layer, string, error) {
	l.once.Do(func() {
		if read == nil {
			l.err = fmt.Errorf("containers on Kubernetes need the program %s", agent.Name)
			return
		}
		program, err := read()
		if err != nil {
			l.err = err
			return
		}
		var archive bytes.Buffer
		w := tar.NewWriter(&archive)
		err = errors.Join(
			w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: strings.TrimPrefix(agentFolder, "/") + "/", Mode: 0o755}),
			w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: strings.TrimPrefix(agentProgram, "/"), Mode: 0o755,
				Size: int64(len(program))}))
		_, writeErr := w.Write(program)
		if err := errors.Join(err, writeErr, w.Close()); err != nil {
			l.err = err
			return
		}
		l.digest = fmt.Sprintf("%x", sha256.Sum256(archive.Bytes()))
		l.layer, l.err = tarball.LayerFromOpener(func() (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(archive.Bytes())), nil
		})
	})
	return l.layer, l.digest, l.err
}

// hasFile says of a file of a container that our layer has it: our program, which is too large for an object of the
// cluster.
func (s *imageStore) hasFile(file spec.File) bool {
	if file.Path != agentProgram || s.agent == nil {
		return false
	}
	program, err := s.agent()
	return err == nil && bytes.Equal(program, file.Data)
}

// Maker implements engine.Delegating.
func (e *Engine) Maker() engine.Engine { return e.images.builder }

// Prepare implements engine.Engine. The id of an image is that under which it was built; its reference is that of what
// pods get: the same with our layer.
func (e *Engine) Prepare(ctx context.Context, image engine.Image, log io.Writer) (engine.Prepared, error) {
	if image.Machine && image.One() {
		return engine.Prepared{}, &engine.ImageError{Reference: "machine",
			Err:    errors.New("the engine kubernetes runs images, and not programs of its nodes"),
			WayOut: "name an image, or run it with engine: local"}
	}
	prepared, err := e.images.builder.Prepare(ctx, image, log)
	if err != nil {
		return prepared, err
	}
	there, tag, err := e.images.brought(ctx, &prepared, log)
	var config *imageConfig
	if err == nil {
		config, err = configOf(there)
	}
	var reference string
	if err == nil {
		reference, err = e.images.registry.reference(tag, there)
	}
	if err != nil {
		return prepared, fmt.Errorf("preparing image %s: %w", prepared.Reference, err)
	}
	prepared.Reference = reference
	e.images.mu.Lock()
	defer e.images.mu.Unlock()
	e.images.known[reference] = config
	return prepared, nil
}

// brought gives an image that was built as it is where nodes have it from, and brings it there unless that was done
// before.
func (s *imageStore) brought(ctx context.Context, prepared *engine.Prepared, log io.Writer) (v1.Image, name.Tag,
	error) {
	layer, digest, err := s.layer.get(s.agent)
	if err != nil {
		return nil, name.Tag{}, err
	}
	tag, err := name.NewTag(nameOf(s.registry.repository(), prepared.ID, digest))
	if err != nil {
		return nil, tag, fmt.Errorf("the registry %q: %w", s.registry, err)
	}
	// One at a time: the same image may be wanted by several who prepare theirs at once, and all of them have our layer.
	s.bringing.Lock()
	defer s.bringing.Unlock()
	there, err := s.registry.find(ctx, tag, prepared.ID)
	if err != nil || there != nil {
		return there, tag, err
	}
	fmt.Fprintf(log, "pushing it to %s\n", s.registry.repository())
	if err := s.bring(ctx, tag, *prepared, layer); err != nil {
		return nil, tag, err
	}
	prepared.Built = true
	// As it is there: the file that it came from is removed.
	if there, err = s.registry.find(ctx, tag, prepared.ID); err == nil && there == nil {
		err = fmt.Errorf("pushing it to %s was done, and it is not there: see who else removes or replaces %s",
			s.registry.repository(), tag)
	}
	return there, tag, err
}

// nameOf is the name of an image with our layer, by what is in it: the id of the image that was built, and the digest
// of the layer.
func nameOf(repository, id, layer string) string {
	return fmt.Sprintf("%s:%x", repository, sha256.Sum256([]byte(id+"\n"+layer)))
}

// bring takes an image from where it was built to where nodes have it from, with our layer.
func (s *imageStore) bring(ctx context.Context, tag name.Tag, prepared engine.Prepared, layer v1.Layer) error {
	saved, err := s.builder.Save(ctx, prepared)
	if err != nil {
		return err
	}
	file, err := os.CreateTemp("", "benchbook-image-*")
	if err != nil {
		return errors.Join(err, saved.Close())
	}
	defer os.Remove(file.Name())
	_, err = io.Copy(file, saved)
	if err := errors.Join(err, saved.Close(), file.Close()); err != nil {
		return err
	}
	image, err := tarball.ImageFromPath(file.Name(), nil)
	if err != nil {
		return err
	}
	if image, err = mutate.AppendLayers(image, layer); err != nil {
		return err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return err
	}
	config = config.DeepCopy()
	if config.Config.Labels == nil {
		config.Config.Labels = make(map[string]string)
	}
	config.Config.Labels[labelFrom] = prepared.ID
	if image, err = mutate.ConfigFile(image, config); err != nil {
		return err
	}
	return s.registry.put(ctx, tag, image)
}

func configOf(image v1.Image) (*imageConfig, error) {
	file, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	return &imageConfig{file.Config.Entrypoint, file.Config.Cmd, file.Config.StopSignal, image}, nil
}

// config is what a prepared image says of itself.
func (s *imageStore) config(ctx context.Context, prepared engine.Prepared) (*imageConfig, error) {
	s.mu.Lock()
	known := s.known[prepared.Reference]
	s.mu.Unlock()
	if known != nil {
		return known, nil
	}
	image, err := s.registry.get(ctx, prepared.Reference)
	if err != nil {
		return nil, err
	}
	if known, err = configOf(image); err != nil {
		return nil, fmt.Errorf("reading image %s: %w", prepared.Reference, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known[prepared.Reference] = known
	return known, nil
}

// argsOf is the whole command of a container, by the rules of Compose.
func (c *imageConfig) argsOf(entrypoint, command []string) []string {
	if entrypoint == nil {
		entrypoint = c.entrypoint
		if command == nil {
			command = c.command
		}
	}
	return append(append([]string{}, entrypoint...), command...)
}

// ids are the numbers of a user as Compose writes it, USER or USER:GROUP. Names are those of the image; a group that is
// not said is that of the user there, or nil.
func (c *imageConfig) ids(who string) (uid, gid *int64, err error) {
	var files map[string][]byte
	if !onlyNumbers.MatchString(who) {
		if files, err = c.files(passwd, group); err != nil {
			return nil, nil, err
		}
	}
	return idsIn(who, files)
}

const passwd, group = "etc/passwd", "etc/group"

var onlyNumbers = regexp.MustCompile(`^\d+:\d+$`)

func idsIn(who string, files map[string][]byte) (uid, gid *int64, err error) {
	found, err := user.GetExecUser(who, &user.ExecUser{Gid: -1}, bytes.NewReader(files[passwd]),
		bytes.NewReader(files[group]))
	if err != nil {
		return nil, nil, err
	}
	u, g := int64(found.Uid), int64(found.Gid)
	if g < 0 {
		return &u, nil, nil
	}
	return &u, &g, nil
}

// files reads small files of the image, those that are there.
func (c *imageConfig) files(names ...string) (map[string][]byte, error) {
	content := mutate.Extract(c.image)
	defer content.Close()
	found := make(map[string][]byte)
	for archive := tar.NewReader(content); len(found) < len(names); {
		header, err := archive.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		name := strings.TrimPrefix(path.Clean(header.Name), "/")
		if header.Typeflag != tar.TypeReg || !slices.Contains(names, name) {
			continue
		}
		if found[name], err = io.ReadAll(io.LimitReader(archive, 1<<20)); err != nil {
			return nil, err
		}
	}
	return found, nil
}
