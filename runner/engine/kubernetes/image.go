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
	"strconv"
	"strings"
	"sync"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"benchbook/runner/engine"
	"benchbook/runner/engine/agent"
)

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
			w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: strings.TrimPrefix(agentProgram, "/"), Mode: 0o755, Size: int64(len(program))}))
		_, writeErr := w.Write(program)
		if err := errors.Join(err, writeErr, w.Close()); err != nil {
			l.err = err
			return
		}
		l.digest = fmt.Sprintf("%x", sha256.Sum256(archive.Bytes()))
		l.layer, l.err = tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(archive.Bytes())), nil })
	})
	return l.layer, l.digest, l.err
}

// Prepare implements engine.Engine. The id of an image is that under which it was built; its reference is that of what pods get: the same
// with our layer.
func (e *Engine) Prepare(ctx context.Context, image engine.Image, log io.Writer) (engine.Prepared, error) {
	if image.Machine && image.One() {
		return engine.Prepared{}, &engine.ImageError{Reference: "machine", Err: errors.New("the engine kubernetes runs images, and not programs of its nodes"),
			WayOut: "name an image, or run it with engine: local"}
	}
	prepared, err := e.builder.Prepare(ctx, image, log)
	if err != nil {
		return prepared, err
	}
	there, tag, err := e.brought(ctx, &prepared, log)
	if err != nil {
		return prepared, fmt.Errorf("preparing image %s: %w", prepared.Reference, err)
	}
	config, err := configOf(there)
	if err != nil {
		return prepared, fmt.Errorf("preparing image %s: %w", prepared.Reference, err)
	}
	reference, err := e.registry.reference(tag, there)
	if err != nil {
		return prepared, fmt.Errorf("preparing image %s: %w", prepared.Reference, err)
	}
	prepared.Reference = reference
	e.imagesMu.Lock()
	e.images[prepared.Reference] = config
	e.imagesMu.Unlock()
	return prepared, nil
}

// brought gives an image that was built as it is where nodes have it from, and brings it there unless that was done before.
func (e *Engine) brought(ctx context.Context, prepared *engine.Prepared, log io.Writer) (v1.Image, name.Tag, error) {
	layer, digest, err := e.layer.get(e.options.Agent)
	if err != nil {
		return nil, name.Tag{}, err
	}
	tag, err := name.NewTag(nameOf(e.registry.repository(), prepared.ID, digest))
	if err != nil {
		return nil, tag, fmt.Errorf("the registry %q: %w", e.options.Registry, err)
	}
	// One at a time: the same image may be wanted by several who prepare theirs at once, and all of them have our layer.
	e.bringing.Lock()
	defer e.bringing.Unlock()
	there, err := e.registry.find(ctx, tag, prepared.ID)
	if err != nil || there != nil {
		return there, tag, err
	}
	fmt.Fprintf(log, "pushing it to %s\n", e.registry.repository())
	if err := e.bring(ctx, tag, *prepared, layer); err != nil {
		return nil, tag, err
	}
	prepared.Built = true
	// As it is there: the file that it came from is removed.
	if there, err = e.registry.find(ctx, tag, prepared.ID); err == nil && there == nil {
		err = fmt.Errorf("pushing it to %s was done, and it is not there: see who else removes or replaces %s", e.registry.repository(), tag)
	}
	return there, tag, err
}

// nameOf is the name of an image with our layer, by what is in it: the id of the image that was built, and the digest of the layer.
func nameOf(repository, id, layer string) string {
	return fmt.Sprintf("%s:%x", repository, sha256.Sum256([]byte(id+"\n"+layer)))
}

// bring takes an image from where it was built to where nodes have it from, with our layer.
func (e *Engine) bring(ctx context.Context, tag name.Tag, prepared engine.Prepared, layer v1.Layer) error {
	saved, err := e.builder.Save(ctx, prepared)
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
	return e.registry.put(ctx, tag, image)
}

func configOf(image v1.Image) (*imageConfig, error) {
	file, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	return &imageConfig{file.Config.Entrypoint, file.Config.Cmd, file.Config.StopSignal, image}, nil
}

// imageConfig is what a prepared image says of itself.
func (e *Engine) imageConfig(ctx context.Context, prepared engine.Prepared) (*imageConfig, error) {
	e.imagesMu.Lock()
	known := e.images[prepared.Reference]
	e.imagesMu.Unlock()
	if known != nil {
		return known, nil
	}
	image, err := e.registry.get(ctx, prepared.Reference)
	if err != nil {
		return nil, err
	}
	if known, err = configOf(image); err != nil {
		return nil, fmt.Errorf("reading image %s: %w", prepared.Reference, err)
	}
	e.imagesMu.Lock()
	defer e.imagesMu.Unlock()
	e.images[prepared.Reference] = known
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

// ids are the numbers of a user as Compose writes it, USER or USER:GROUP. Names are those of the image; a group that is not said is that
// of the user there, or nil.
func (c *imageConfig) ids(user string) (uid, gid *int64, err error) {
	who, group, _ := strings.Cut(user, ":")
	var users, groups []byte
	_, errUser := strconv.ParseInt(who, 10, 64)
	_, errGroup := strconv.ParseInt(group, 10, 64)
	if errUser != nil || group != "" && errGroup != nil || group == "" {
		if users, err = c.file("etc/passwd"); err == nil {
			groups, err = c.file("etc/group")
		}
		if err != nil {
			return nil, nil, err
		}
	}
	if uid, gid = numbers(users, who, 2, 3); uid == nil {
		return nil, nil, fmt.Errorf("unable to find user %s: no matching entries in passwd file", who)
	}
	if group != "" {
		if gid, _ = numbers(groups, group, 2, 2); gid == nil {
			return nil, nil, fmt.Errorf("unable to find group %s: no matching entries in group file", group)
		}
	}
	return uid, gid, nil
}

// numbers finds who in lines of fields between colons: by the name, which is the first, or by the number. One that is a number needs no line.
func numbers(lines []byte, who string, number, further int) (first, second *int64) {
	for line := range bytes.Lines(lines) {
		fields := strings.Split(strings.TrimSpace(string(line)), ":")
		if len(fields) <= max(number, further) || fields[0] != who && fields[number] != who {
			continue
		}
		a, errA := strconv.ParseInt(fields[number], 10, 64)
		b, errB := strconv.ParseInt(fields[further], 10, 64)
		if errA == nil && errB == nil {
			return &a, &b
		}
	}
	if n, err := strconv.ParseInt(who, 10, 64); err == nil {
		return &n, nil
	}
	return nil, nil
}

// file reads a small file of the image; nothing if it is not there.
func (c *imageConfig) file(path string) ([]byte, error) {
	layers, err := c.image.Layers()
	if err != nil {
		return nil, err
	}
	for i := len(layers) - 1; i >= 0; i-- {
		data, found, err := fileIn(layers[i], path)
		if err != nil || found {
			return data, err
		}
	}
	return nil, nil
}

func fileIn(layer v1.Layer, path string) (data []byte, found bool, err error) {
	content, err := layer.Uncompressed()
	if err != nil {
		return nil, false, err
	}
	defer content.Close()
	for archive := tar.NewReader(content); ; {
		header, err := archive.Next()
		if err == io.EOF {
			return nil, false, nil
		}
		if err != nil {
			return nil, false, err
		}
		if strings.TrimPrefix(strings.TrimPrefix(header.Name, "./"), "/") == path && header.Typeflag == tar.TypeReg {
			data, err := io.ReadAll(io.LimitReader(archive, 1<<20))
			return data, true, err
		}
	}
}
