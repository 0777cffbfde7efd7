package kubernetes

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"benchbook/runner/engine"
)

// TestMain lets tests run this program as ctr, by a link of that name.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) != "ctr" {
		os.Exit(m.Run())
	}
	if err := fakeCtr(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "ctr: "+err.Error())
		os.Exit(1)
	}
}

// ctrComplaint is the variable that has what the ctr of tests complains about when it is to import.
const ctrComplaint = "BENCHBOOK_TEST_CTR"

// fakeCtr is as much of ctr as images need. What a containerd has is in folders beside its socket: images are files with the digest of a
// manifest, and blobs are as they are. What was asked for is in a file.
func fakeCtr(args []string) error {
	if len(args) < 5 || args[0] != "--address" || args[2] != "--namespace" || args[3] != nodeNamespace {
		return fmt.Errorf("called with %q", args)
	}
	folder, args := filepath.Dir(args[1]), args[4:]
	asked, err := os.OpenFile(filepath.Join(folder, "asked"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(asked, strings.Join(args, " ")); err != nil {
		return err
	}
	images, blobs := filepath.Join(folder, "images"), filepath.Join(folder, "blobs")
	if err := errors.Join(os.MkdirAll(images, 0o700), os.MkdirAll(blobs, 0o700)); err != nil {
		return err
	}
	switch command := strings.Join(args[:min(2, len(args))], " "); {
	case command == "version":
		_, err = fmt.Print("Client:\n  Version:  1.6.20\n  Revision: \n\nServer:\n  Version:  1.7.24\n  Revision: x\n")
		return err
	case command == "images list":
		return fakeList(images, args[2:])
	case command == "images import" && args[2] == "-":
		if complaint := os.Getenv(ctrComplaint); complaint != "" {
			return errors.New(complaint)
		}
		return fakeImport(images, blobs)
	case command == "images delete" && args[2] == "--sync":
		return os.Remove(filepath.Join(images, url.PathEscape(args[3])))
	case command == "content get":
		data, err := os.ReadFile(filepath.Join(blobs, args[2]))
		if err != nil {
			return err
		}
		_, err = os.Stdout.Write(data)
		return err
	}
	return fmt.Errorf("unknown: %q", args)
}

func fakeList(images string, filters []string) error {
	entries, err := os.ReadDir(images)
	if err != nil {
		return err
	}
	fmt.Println("REF TYPE DIGEST SIZE PLATFORMS LABELS")
	for _, entry := range entries {
		reference, err := url.PathUnescape(entry.Name())
		if err != nil {
			return err
		}
		digest, err := os.ReadFile(filepath.Join(images, entry.Name()))
		if err != nil {
			return err
		}
		if len(filters) == 0 || slices.Contains(filters, "name=="+reference) {
			fmt.Printf("%s application/vnd.docker.distribution.manifest.v2+json %s 1.5 MiB linux/amd64 -\n", reference, digest)
		}
	}
	return nil
}

// fakeImport takes in an archive as docker save writes them.
func fakeImport(images, blobs string) error {
	archive, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	opener := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(archive)), nil }
	image, err := tarball.Image(opener, nil)
	if err != nil {
		return err
	}
	listed, err := tarball.LoadManifest(opener)
	if err != nil {
		return err
	}
	digest, err := image.Digest()
	if err != nil {
		return err
	}
	if err := keepBlobs(blobs, image); err != nil {
		return err
	}
	for _, tag := range listed[0].RepoTags {
		if err := os.WriteFile(filepath.Join(images, url.PathEscape(tag)), []byte(digest.String()), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func keepBlobs(folder string, image v1.Image) error {
	digest, digestErr := image.Digest()
	manifest, manifestErr := image.RawManifest()
	config, configErr := image.RawConfigFile()
	configName, nameErr := image.ConfigName()
	layers, layersErr := image.Layers()
	if err := errors.Join(digestErr, manifestErr, configErr, nameErr, layersErr); err != nil {
		return err
	}
	kept := map[string][]byte{digest.String(): manifest, configName.String(): config}
	for _, layer := range layers {
		content, err := layer.Compressed()
		if err != nil {
			return err
		}
		data, err := io.ReadAll(content)
		layerName, nameErr := layer.Digest()
		if err := errors.Join(err, content.Close(), nameErr); err != nil {
			return err
		}
		kept[layerName.String()] = data
	}
	for name, data := range kept {
		if err := os.WriteFile(filepath.Join(folder, name), data, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// nodesHere are so many containerd of nodes on this machine, and the ctr that is asked for them.
func nodesHere(t *testing.T, n int) []Containerd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	programs := t.TempDir()
	if err := os.Symlink(self, filepath.Join(programs, "ctr")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", programs+string(filepath.ListSeparator)+os.Getenv("PATH"))
	var out []Containerd
	for range n {
		socket := filepath.Join(t.TempDir(), "containerd.sock")
		listener, err := net.Listen("unix", socket)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { listener.Close() })
		go func() {
			for {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				conn.Close()
			}
		}()
		out = append(out, Containerd(socket))
	}
	return out
}

// imports counts how often a containerd of nodesHere was told to import.
func imports(t *testing.T, c Containerd) int {
	t.Helper()
	asked, err := os.ReadFile(filepath.Join(filepath.Dir(string(c)), "asked"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(asked), "images import -\n")
}

// savedOnly is an engine that has built one image, and one of our program.
type savedOnly struct {
	engine.Engine
	engine.Carrier
	archive []byte
	mu      sync.Mutex
	saves   int
}

// Prepare is part of engine.Engine.
func (s *savedOnly) Prepare(_ context.Context, image engine.Image, _ io.Writer) (engine.Prepared, error) {
	if image.Executable != nil {
		return engine.Prepared{Reference: "benchbook/" + image.Executable.Name + ":1", ID: "sha256:b"}, nil
	}
	return engine.Prepared{Reference: "benchbook/apart-server:1", ID: "sha256:a"}, nil
}

// Save is part of engine.Carrier.
func (s *savedOnly) Save(context.Context, engine.Prepared) (io.ReadCloser, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.saves++
	return io.NopCloser(bytes.NewReader(s.archive)), nil
}

// builtImage is an engine whose image is larger than what a pipe holds, and has a user of a name.
func builtImage(t *testing.T) *savedOnly {
	t.Helper()
	noise := make([]byte, 256<<10)
	if _, err := rand.Read(noise); err != nil {
		t.Fatal(err)
	}
	var files bytes.Buffer
	w := tar.NewWriter(&files)
	for path, data := range map[string][]byte{"etc/passwd": []byte("root:x:0:0::/:\nweb:x:1000:2000::/:\n"), "noise": noise} {
		err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: path, Mode: 0o644, Size: int64(len(data))})
		_, writeErr := w.Write(data)
		if err := errors.Join(err, writeErr); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(files.Bytes())), nil })
	if err != nil {
		t.Fatal(err)
	}
	image, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		t.Fatal(err)
	}
	if image, err = mutate.Config(image, v1.Config{Entrypoint: []string{"/server"}}); err != nil {
		t.Fatal(err)
	}
	tag, err := name.NewTag("benchbook/apart-server:1")
	if err != nil {
		t.Fatal(err)
	}
	var archive bytes.Buffer
	if err := tarball.Write(tag, image, &archive); err != nil {
		t.Fatal(err)
	}
	return &savedOnly{archive: archive.Bytes()}
}

// importing is an Engine on the server whose images are imported.
func importing(t *testing.T, a *api, builder *savedOnly, nodes []Containerd) *Engine {
	t.Helper()
	e, err := a.connect(t, func(o *Options) {
		o.Builder, o.Registry, o.Containerd = builder, "", nodes
		o.Agent = func() ([]byte, error) { return []byte("program"), nil }
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return e
}

// An image is imported into every containerd that lacks it, once, and what it says of itself is read there.
func TestImport(t *testing.T) {
	ctx, a, builder, nodes := bounded(t), newAPI(t), builtImage(t), nodesHere(t, 2)
	wanted := engine.Image{Name: "server"}
	var log bytes.Buffer
	prepared, err := importing(t, a, builder, nodes).Prepare(ctx, wanted, &log)
	if err != nil {
		t.Fatal(err)
	}
	names, err := ImportedAs([]string{"sha256:a"}, []byte("program"))
	if err != nil {
		t.Fatal(err)
	}
	if prepared.Reference != names[0] || prepared.ID != "sha256:a" || !prepared.Built {
		t.Errorf("prepared is %+v, want it built, %s with the id sha256:a", prepared, names[0])
	}
	if !strings.Contains(log.String(), "importing it into the containerd at "+string(nodes[0])+" and "+string(nodes[1])) {
		t.Errorf("it says %q", &log)
	}
	e := importing(t, a, builder, nodes)
	known, err := e.imageConfig(ctx, prepared)
	if err != nil {
		t.Fatal(err)
	}
	if got := known.argsOf(nil, []string{"on"}); !slices.Equal(got, []string{"/server", "on"}) {
		t.Errorf("it begins with %q", got)
	}
	uid, gid, err := known.ids("web")
	if err != nil || uid == nil || *uid != 1000 || gid == nil || *gid != 2000 {
		t.Errorf("user web is %v and %v, %v; want 1000 and 2000", uid, gid, err)
	}
	again, err := e.Prepare(ctx, wanted, io.Discard)
	if err != nil || again.Built || again.Reference != prepared.Reference {
		t.Errorf("prepared again it is %+v, %v", again, err)
	}
	for _, node := range nodes {
		if n := imports(t, node); n != 1 || builder.saves != 1 {
			t.Errorf("after the second time it was saved %d times, and imported %d times at %s; want 1", builder.saves, n, node)
		}
	}
	// One node loses it.
	if gone, err := nodes[1].Collect(ctx, nil, false); err != nil || len(gone) != 1 {
		t.Fatalf("removed %v, %v", gone, err)
	}
	if again, err = e.Prepare(ctx, wanted, io.Discard); err != nil || !again.Built {
		t.Errorf("prepared with a node that lacks it, it is %+v, %v", again, err)
	}
	if first, second := imports(t, nodes[0]), imports(t, nodes[1]); first != 1 || second != 2 {
		t.Errorf("the one node was told to import %d times, the other %d times; want 1 and 2", first, second)
	}
}

// No pod asks a registry for what is imported, and a node whose containerd is not named is told of.
func TestPodsWithImportedImages(t *testing.T) {
	ctx, a := bounded(t), newAPI(t)
	var mu sync.Mutex
	policies := map[string]corev1.PullPolicy{}
	a.become(func(pod *corev1.Pod) {
		mu.Lock()
		defer mu.Unlock()
		c := pod.Spec.Containers[0]
		policies[c.Image] = c.ImagePullPolicy
		pod.Spec.NodeName, pod.CreationTimestamp = "node7", metav1.NewTime(time.Now().Add(-2*pullFailing))
		pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: mainContainer, Image: c.Image,
			State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ErrImageNeverPull", Message: "not present"}}}}
	})
	e := importing(t, a, builtImage(t), nodesHere(t, 1))
	prepared, err := e.Prepare(ctx, engine.Image{Name: "server"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	s, err := e.Open(ctx, "faults")
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Start(ctx, engine.Service{Name: "server", Image: prepared})
	wantFault(t, err, "node7", `"names"`, "is not in the containerd of the node", "name the containerd of every node", "run again")
	e.agent.place, e.agent.address = place{"names", mainContainer}, "10.0.0.9"
	_, err = s.Start(ctx, engine.Service{Name: "server", Image: prepared})
	wantFault(t, err, "node7", `"server"`, prepared.Reference, "is not in the containerd of the node")
	if err := s.Close(ctx); err != nil {
		t.Errorf("closing the space: %v", err)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(policies) != 2 {
		t.Errorf("pods have the images %v, want that of names and that of the service", policies)
	}
	for image, policy := range policies {
		if policy != corev1.PullNever {
			t.Errorf("image %s is pulled %s", image, policy)
		}
	}
}

// What keeps images from a node is said, with what to do.
func TestContainerdThatFails(t *testing.T) {
	tests := []struct {
		name      string
		breaks    func(t *testing.T, node *Containerd)
		complaint string
		want      []string
	}{
		{"no ctr", func(t *testing.T, _ *Containerd) { t.Setenv("PATH", t.TempDir()) }, "", []string{"without the program ctr", "install it"}},
		{"no socket", func(_ *testing.T, node *Containerd) { *node += ".none" }, "", []string{"there is no socket", ".none", "containerd: in benchbook.yaml"}},
		{"nobody answers", func(t *testing.T, node *Containerd) {
			*node += ".old"
			listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: string(*node), Net: "unix"})
			if err != nil {
				t.Fatal(err)
			}
			listener.SetUnlinkOnClose(false)
			listener.Close()
		}, "", []string{"no containerd answers at", ".old", "start that of the node"}},
		{"import fails", nil, "first\nsecond\nthird\nfailed to extract layer", []string{"did not do what it was asked for", "exit status 1: second; third; failed to extract layer"}},
		{"disk full", nil, "write /var/lib/containerd/ingest: no space left on device", []string{"the disk of the containerd", "is full", "make room", "ingest"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ctx, a, builder, nodes := bounded(t), newAPI(t), builtImage(t), nodesHere(t, 1)
			if tt.breaks != nil {
				tt.breaks(t, &nodes[0])
			}
			t.Setenv(ctrComplaint, tt.complaint)
			e := importing(t, a, builder, nodes)
			_, err := e.Prepare(ctx, engine.Image{Name: "server"}, io.Discard)
			wantFault(t, err, tt.want...)
			if err != nil && strings.Contains(err.Error(), "first") {
				t.Errorf("%q has more than the last lines", err)
			}
		})
	}
}

// Tests may run as root, whom no socket refuses.
func TestContainerdWithoutPermission(t *testing.T) {
	refused := &net.OpError{Op: "dial", Net: "unix", Err: os.NewSyscallError("connect", syscall.EACCES)}
	wantFault(t, Containerd("/run/c.sock").silence(refused), "may not use the socket /run/c.sock", "run as root")
}

// An interrupted import ends with the interruption, and not as a fault of the containerd.
func TestImportThatIsInterrupted(t *testing.T) {
	e := importing(t, newAPI(t), builtImage(t), nodesHere(t, 1))
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	cancel(enough)
	if _, err := e.Prepare(ctx, engine.Image{Name: "server"}, io.Discard); !errors.Is(err, enough) || errors.As(err, new(*Fault)) {
		t.Errorf("got %v, want %v", err, enough)
	}
}

func TestContainerdVersion(t *testing.T) {
	node := nodesHere(t, 1)[0]
	if got, err := node.Version(bounded(t)); err != nil || got != "1.7.24" {
		t.Errorf("got %q, %v; want that of the server, 1.7.24", got, err)
	}
}

// What somebody else has in a containerd stays, and what was imported for images that stay.
func TestCollectImported(t *testing.T) {
	ctx, node := bounded(t), nodesHere(t, 1)[0]
	program := []byte("program")
	stay, err := ImportedAs([]string{"sha256:a", "sha256:z"}, program)
	if err != nil {
		t.Fatal(err)
	}
	older, err := ImportedAs([]string{"sha256:a"}, []byte("program of an older version"))
	if err != nil {
		t.Fatal(err)
	}
	gone, err := ImportedAs([]string{"sha256:b"}, program)
	if err != nil {
		t.Fatal(err)
	}
	images := filepath.Join(filepath.Dir(string(node)), "images")
	if err := os.Mkdir(images, 0o700); err != nil {
		t.Fatal(err)
	}
	others := []string{"docker.io/library/debian:bookworm-slim", "localhost/benchbook-of-others:1"}
	for _, reference := range slices.Concat(stay[:1], older, gone, others) {
		if err := os.WriteFile(filepath.Join(images, url.PathEscape(reference)), []byte("sha256:0"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want := slices.Sorted(slices.Values(slices.Concat(older, gone)))
	for _, dryRun := range []bool{true, false} {
		collected, err := node.Collect(ctx, stay, dryRun)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, image := range collected {
			got = append(got, image.Reference)
			if image.Bytes != 3<<19 {
				t.Errorf("%s has %d bytes, want 1.5 MiB", image.Reference, image.Bytes)
			}
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("dry run %v: removed %q, want %q", dryRun, got, want)
		}
	}
	left, err := node.list(ctx)
	if err != nil || len(left) != 3 {
		t.Errorf("left are %v, %v; want %s and %q", left, err, stay[0], others)
	}
}
