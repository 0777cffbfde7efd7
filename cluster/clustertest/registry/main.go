// Command registry is what a cluster for tests pulls its images from.
//
//	registry serve -listen ADDRESS -also ADDRESS -data FOLDER
//	registry pause
//
// It keeps images in a folder, and has one from its beginning: pause:1, in which it does nothing but wait for its end,
// as the first process of a pod has to. At the other address it answers like a registry too: it is there to be kept
// from.
package main

import (
	"archive/tar"
	"bytes"
	"errors"
	"flag"
	"fmt"
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
	v1 "github.com/google/go-containerregistry/pkg/v1"
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
	_ = flags.Parse(os.Args[2:]) // it exits
	must.Do(serve(*listen, *also, *data))
}

func serve(listen, also, data string) error {
	if err := os.MkdirAll(data, 0o755); err != nil {
		return err
	}
	handler := registry.New(registry.WithBlobHandler(registry.NewDiskBlobHandler(data)),
		registry.Logger(log.New(io.Discard, "", 0)))
	failed := make(chan error, 3)
	for _, address := range []string{listen, also} {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			return err
		}
		go func() { failed <- http.Serve(listener, handler) }()
	}
	go func() {
		if err := pushPause(listen + "/pause:1"); err != nil {
			failed <- fmt.Errorf("making the image pause: %w", err)
		}
	}()
	return <-failed
}

// pushPause puts this program into an image of its own.
func pushPause(reference string) error {
	program, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		return err
	}
	var layer bytes.Buffer
	archive := tar.NewWriter(&layer)
	err = archive.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "pause", Mode: 0o755, Size: int64(len(program))})
	_, writeErr := archive.Write(program)
	if err := errors.Join(err, writeErr, archive.Close()); err != nil {
		return err
	}
	added, err := tarball.LayerFromOpener(func() (io.ReadCloser,
		error) {
		return io.NopCloser(bytes.NewReader(layer.Bytes())), nil
	})
	if err != nil {
		return err
	}
	image, err := mutate.AppendLayers(empty.Image, added)
	if err == nil {
		image, err = mutate.ConfigFile(image, configFile(image))
	}
	if err != nil {
		return err
	}
	tag, err := name.NewTag(reference, name.Insecure)
	if err != nil {
		return err
	}
	return remote.Write(tag, image)
}

func configFile(image v1.Image) *v1.ConfigFile {
	config := must.Get(image.ConfigFile())
	config = config.DeepCopy()
	config.Architecture, config.OS = runtime.GOARCH, "linux"
	config.Config.Entrypoint = []string{"/pause", "pause"}
	return config
}
