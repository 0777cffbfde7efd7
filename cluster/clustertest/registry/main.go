// Command registry is the image registry of a test cluster.
//
//	registry serve -listen ADDRESS -also ADDRESS -data FOLDER
//	registry pause
//
// It stores images in a folder. Initially it has one, pause:1, which runs "registry pause" and just waits for a signal,
// as the first process of a pod must. It also serves a second address, which tests use to check that pods cannot reach
// it.
package main

import (
	"archive/tar"
	"bytes"
	"flag"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"benchbook/internal/test/must"
)

func main() {
	log.SetFlags(log.Ltime)
	if len(os.Args) == 2 && os.Args[1] == "pause" {
		end := make(chan os.Signal, 1)
		signal.Notify(end, syscall.SIGTERM, syscall.SIGINT)
		<-end
		return
	}
	if len(os.Args) < 2 || os.Args[1] != "serve" {
		log.Fatal("say serve or pause")
	}
	flags := flag.NewFlagSet("serve", flag.ExitOnError)
	listen := flags.String("listen", "", "the address of the registry")
	also := flags.String("also", "", "another one")
	data := flags.String("data", "", "a folder for images")
	_ = flags.Parse(os.Args[2:]) // exits on errors
	serve(*listen, *also, *data)
}

func serve(listen, also, data string) {
	must.Do(os.MkdirAll(data, 0o755))
	handler := registry.New(registry.WithBlobHandler(registry.NewDiskBlobHandler(data)),
		registry.Logger(log.New(io.Discard, "", 0)))
	failed := make(chan error, 2)
	for _, address := range []string{listen, also} {
		listener := must.Get(net.Listen("tcp", address))
		go func() { failed <- http.Serve(listener, handler) }()
	}
	pushPause(listen + "/pause:1")
	must.Do(<-failed)
}

// pushPause pushes an image that contains this program.
func pushPause(reference string) {
	program := must.Get(os.ReadFile("/proc/self/exe"))
	var layer bytes.Buffer
	archive := tar.NewWriter(&layer)
	must.Do(archive.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "pause", Mode: 0o755, Size: int64(len(program))}))
	must.Get(archive.Write(program))
	must.Do(archive.Close())
	added := must.Get(tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(layer.Bytes())), nil
	}))
	image := must.Get(mutate.AppendLayers(empty.Image, added))
	config := must.Get(image.ConfigFile()).DeepCopy()
	config.Architecture, config.OS = runtime.GOARCH, "linux"
	config.Config.Entrypoint = []string{"/pause", "pause"}
	must.Do(remote.Write(must.Get(name.NewTag(reference, name.Insecure)), must.Get(mutate.ConfigFile(image, config))))
}
