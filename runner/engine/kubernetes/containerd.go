package kubernetes

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/docker/go-units"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	corev1 "k8s.io/api/core/v1"

	"benchbook/runner/engine/output"
)

// Containerd is that of a node on this machine, by the path of its socket. It is asked by ctr, a program that comes with it.
type Containerd string

// Imported is an image of ours in a containerd.
type Imported struct {
	Reference string
	Bytes     int64 // compressed, with layers that other images have too
}

const (
	// nodeNamespace is where nodes look for images in their containerd.
	nodeNamespace = "k8s.io"

	// importedRepository begins the names of what we import. It names no registry, so that a node never asks one for it.
	importedRepository = "localhost/benchbook"

	// answerTimeout is how long a containerd may take to answer.
	answerTimeout = 10 * time.Second

	// maxComplaint is how much is told of what ctr complains about, in bytes.
	maxComplaint = 1 << 10
)

// Version asks a containerd for its version.
func (c Containerd) Version(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, answerTimeout,
		&Fault{fmt.Sprintf("the containerd at %s did not answer within %v", string(c), answerTimeout), "see that it works", nil})
	defer cancel()
	said, err := c.ask(ctx, "version")
	if err != nil {
		return "", err
	}
	_, server, _ := strings.Cut(string(said), "Server:")
	_, version, _ := strings.Cut(server, "Version:")
	version, _, _ = strings.Cut(version, "\n")
	return strings.TrimSpace(version), nil
}

// ImportedAs are the names that images are imported under, by the ids under which they were built. Program is benchbook-host, which all get.
func ImportedAs(ids []string, program []byte) ([]string, error) {
	var layer agentLayer
	_, digest, err := layer.get(func() ([]byte, error) { return program, nil })
	if err != nil {
		return nil, err
	}
	var names []string
	for _, id := range ids {
		names = append(names, nameOf(importedRepository, id, digest))
	}
	return names, nil
}

// Collect removes the images that were imported, by whichever version of this program, but those of the names that stay. It says which
// they were, also where a later one could not be removed; with dryRun all of them are left.
func (c Containerd) Collect(ctx context.Context, stay []string, dryRun bool) ([]Imported, error) {
	all, err := c.list(ctx)
	if err != nil {
		return nil, err
	}
	var gone []Imported
	for _, image := range all {
		if !strings.HasPrefix(image.Reference, importedRepository+":") || slices.Contains(stay, image.Reference) {
			continue
		}
		if !dryRun {
			if _, err := c.ask(ctx, "images", "delete", "--sync", image.Reference); err != nil {
				return gone, err
			}
		}
		gone = append(gone, image.Imported)
	}
	return gone, nil
}

// listed is an image that a containerd has.
type listed struct {
	Imported
	digest string // of its manifest
}

// list lists the images that pass a filter of containerd, or all of them.
func (c Containerd) list(ctx context.Context, filter ...string) ([]listed, error) {
	said, err := c.ask(ctx, append([]string{"images", "list"}, filter...)...)
	if err != nil {
		return nil, err
	}
	var out []listed
	for line := range strings.Lines(string(said)) {
		fields := strings.Fields(line) // REF TYPE DIGEST SIZE, which is a number and its unit
		if len(fields) < 3 || !strings.HasPrefix(fields[2], "sha256:") {
			continue
		}
		image := listed{Imported{Reference: fields[0]}, fields[2]}
		if len(fields) > 4 {
			if size, err := units.RAMInBytes(fields[3] + fields[4]); err == nil { // it says so where it does not know
				image.Bytes = size
			}
		}
		out = append(out, image)
	}
	return out, nil
}

// find gives an image by its name; nil if it is not there.
func (c Containerd) find(ctx context.Context, reference string) (v1.Image, error) {
	all, err := c.list(ctx, "name=="+reference)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(l listed) bool { return l.Reference == reference })
	if i < 0 {
		return nil, nil
	}
	image := &storedImage{in: c, ctx: ctx}
	if image.manifest, err = c.ask(ctx, "content", "get", all[i].digest); err != nil {
		return nil, err
	}
	if image.parsed, err = v1.ParseManifest(bytes.NewReader(image.manifest)); err != nil {
		return nil, fmt.Errorf("reading image %s in the containerd at %s: %w", reference, string(c), err)
	}
	if image.config, err = c.ask(ctx, "content", "get", image.parsed.Config.Digest.String()); err != nil {
		return nil, err
	}
	return partial.CompressedToImage(image)
}

// findFrom is find of an image that was made from the one of this id.
func (c Containerd) findFrom(ctx context.Context, tag name.Tag, from string) (v1.Image, error) {
	image, err := c.find(ctx, tag.Name())
	if err != nil || image == nil {
		return nil, err
	}
	if ours, err := isFrom(image, from); err != nil || !ours {
		return nil, err
	}
	return image, nil
}

// ask runs ctr on it and gives what that prints.
func (c Containerd) ask(ctx context.Context, args ...string) ([]byte, error) {
	var said bytes.Buffer
	err := c.run(ctx, nil, &said, args...)
	return said.Bytes(), err
}

// run runs ctr on it. Its standard input is what feed writes, if there is one.
func (c Containerd) run(ctx context.Context, feed func(io.Writer) error, stdout io.Writer, args ...string) error {
	program, err := c.reach(ctx)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, program, append([]string{"--address", string(c), "--namespace", nodeNamespace}, args...)...)
	// Whoever interrupts us at a terminal does not interrupt it: it is ended by the context, and its end is no fault then.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = time.Second
	complaint := &output.Tail{Limit: maxComplaint}
	cmd.Stdout, cmd.Stderr = stdout, complaint
	var stdin io.WriteCloser
	if feed != nil {
		if stdin, err = cmd.StdinPipe(); err != nil {
			return err
		}
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting ctr: %w", err)
	}
	var fed error
	if feed != nil {
		fed = errors.Join(feed(stdin), stdin.Close())
	}
	err = cmd.Wait()
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case fed != nil && !errors.Is(fed, syscall.EPIPE): // which says that ctr has ended, and it says why
		return fed
	case err != nil:
		return c.fault(complaint.Bytes(), err)
	}
	return nil
}

// reach finds ctr, and sees that somebody answers at the socket. What the system says of that is clearer than what ctr does.
func (c Containerd) reach(ctx context.Context) (ctr string, err error) {
	if ctr, err = exec.LookPath("ctr"); err != nil {
		return "", &Fault{"images cannot be brought to the containerd at " + string(c) + " without the program ctr",
			"install it, as it comes with containerd and with k3s, or name a registry", err}
	}
	conn, err := (&net.Dialer{Timeout: answerTimeout}).DialContext(ctx, "unix", string(c))
	switch {
	case err == nil:
		return ctr, conn.Close()
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	}
	return "", c.silence(err)
}

// silence says why nobody could be connected to, and what to do.
func (c Containerd) silence(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &Fault{"there is no socket " + string(c), "start the containerd of the node, or name its socket with containerd: in benchbook.yaml", err}
	case errors.Is(err, fs.ErrPermission):
		return &Fault{"we may not use the socket " + string(c), "run as root, or as somebody who may write to it", err}
	}
	return &Fault{"no containerd answers at " + string(c), "start that of the node", err}
}

// fault says of what ctr has complained about what to do.
func (c Containerd) fault(complaint []byte, err error) error {
	lines := strings.Split(strings.TrimSpace(string(complaint)), "\n")
	err = fmt.Errorf("ctr: %w: %s", err, strings.Join(lines[max(0, len(lines)-3):], "; "))
	if strings.Contains(string(complaint), syscall.ENOSPC.Error()) {
		return &Fault{"the disk of the containerd at " + string(c) + " is full", "make room there; benchbook gc removes images that nothing needs", err}
	}
	return &Fault{"the containerd at " + string(c) + " did not do what it was asked for", "see what it says, and that it works", err}
}

// storedImage is an image in a containerd. It implements partial.CompressedImageCore.
type storedImage struct {
	in               Containerd
	ctx              context.Context // of its layers, as they are read when somebody needs them
	manifest, config []byte
	parsed           *v1.Manifest
}

func (i *storedImage) RawManifest() ([]byte, error) { return i.manifest, nil }

func (i *storedImage) RawConfigFile() ([]byte, error) { return i.config, nil }

func (i *storedImage) MediaType() (types.MediaType, error) { return i.parsed.MediaType, nil }

func (i *storedImage) LayerByDigest(digest v1.Hash) (partial.CompressedLayer, error) {
	for _, layer := range i.parsed.Layers {
		if layer.Digest == digest {
			return &storedLayer{i, layer}, nil
		}
	}
	return nil, fmt.Errorf("there is no layer %v in an image in the containerd at %s", digest, string(i.in))
}

// storedLayer is a layer of a storedImage.
type storedLayer struct {
	image *storedImage
	is    v1.Descriptor
}

func (l *storedLayer) Digest() (v1.Hash, error) { return l.is.Digest, nil }

func (l *storedLayer) Size() (int64, error) { return l.is.Size, nil }

func (l *storedLayer) MediaType() (types.MediaType, error) { return l.is.MediaType, nil }

// Compressed reads it while ctr prints it. Whoever has read enough closes it, which ends ctr.
func (l *storedLayer) Compressed() (io.ReadCloser, error) {
	ctx, cancel := context.WithCancel(l.image.ctx)
	out, in := io.Pipe()
	go func() {
		_ = in.CloseWithError(l.image.in.run(ctx, nil, in, "content", "get", l.is.Digest.String())) // it never fails
	}()
	return printed{out, cancel}, nil
}

// printed is what a program prints.
type printed struct {
	*io.PipeReader
	end context.CancelFunc
}

func (p printed) Close() error {
	p.end()
	return p.PipeReader.Close()
}

// containerds is a depot: all nodes that are used have one of these.
type containerds []Containerd

func (c containerds) repository() string { return importedRepository }

func (c containerds) bringing() string {
	var sockets []string
	for _, one := range c {
		sockets = append(sockets, string(one))
	}
	return "importing it into the containerd at " + strings.Join(sockets, " and ")
}

func (c containerds) pull() corev1.PullPolicy { return corev1.PullNever }

func (c containerds) find(ctx context.Context, tag name.Tag, from string) (found v1.Image, err error) {
	for _, one := range c {
		if found, err = one.findFrom(ctx, tag, from); err != nil || found == nil {
			return nil, err
		}
	}
	return found, nil
}

func (c containerds) put(ctx context.Context, tag name.Tag, from string, image v1.Image) error {
	for _, one := range c {
		there, err := one.findFrom(ctx, tag, from)
		if err != nil {
			return err
		}
		if there != nil {
			continue
		}
		write := func(w io.Writer) error { return tarball.Write(tag, image, w) }
		if err := one.run(ctx, write, io.Discard, "images", "import", "-"); err != nil {
			return err
		}
	}
	return nil
}

// reference has no digest: a containerd knows an image by the one name that it was imported under.
func (c containerds) reference(tag name.Tag, _ v1.Image) (string, error) { return tag.Name(), nil }

func (c containerds) get(ctx context.Context, reference string) (v1.Image, error) {
	image, err := c[0].find(ctx, reference)
	if err == nil && image == nil {
		err = fmt.Errorf("image %s is not in the containerd at %s any more: run again, and it is imported again", reference, string(c[0]))
	}
	return image, err
}
