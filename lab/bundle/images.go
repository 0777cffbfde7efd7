package bundle

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"benchbook/internal/files"
	"benchbook/internal/phrase"
	"benchbook/lab"
	"benchbook/lab/measure"
	"benchbook/lab/terminal"
	"benchbook/runner/engine"
)

const (
	imagesFile    = "images.tar"  // output of docker save, without image names
	imageListFile = "images.json" // an imageList
	platform      = "linux/" + runtime.GOARCH
)

type imageList struct {
	Platform string                  `json:"platform"`
	Images   map[string]carriedImage `json:"images"` // by the result of inputsOf
}

type carriedImage struct {
	ID    string        `json:"id"` // digest
	Bases []engine.Base `json:"bases,omitempty"`
}

// inputsOf identifies an image by its inputs: its reference, or a digest of its build. It is empty for programs that
// run without an image.
func inputsOf(i engine.Image) string {
	switch {
	case i.Build == nil:
		return i.Name
	case i.Build.Run != "":
		return ""
	}
	return fmt.Sprintf("build sha256:%x", sha256.Sum256([]byte(i.Build.Inputs())))
}

// imageArchiver is an engine that saves images without names, each layer once, and loads such an archive.
type imageArchiver interface {
	SaveAll(ctx context.Context, ids []string) (io.ReadCloser, error)
	LoadAll(ctx context.Context, archive io.Reader) error
}

// images are the images of a bundle: prepared by the engine while it is made, or loaded from its archive.
type images struct {
	imageList
	mu     sync.Mutex
	file   string // path of the archive
	loaded bool   // the engine has loaded the archive
}

// imageRecorder is an engine that records which images it prepares.
type imageRecorder struct {
	engine.Engine
	*images
}

func (r imageRecorder) Prepare(ctx context.Context, i engine.Image, log io.Writer) (engine.Prepared, error) {
	p, err := r.Engine.Prepare(ctx, i, log)
	if inputs := inputsOf(i); err == nil && inputs != "" {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.Images[inputs] = carriedImage{p.ID, p.Bases}
	}
	return p, err
}

func (b *builder) addImages(ctx context.Context) error {
	made := &images{imageList: imageList{platform, map[string]carriedImage{}}}
	return measure.Run(ctx, b.Session, b.project, []*lab.Article{b.article}, measure.Options{
		Profile: b.article.Planned.Profile, Force: true, Asking: measure.Asked,
		Over:     func(e engine.Engine) engine.Engine { return imageRecorder{e, made} },
		Prepared: func(e engine.Engine) error { return b.saveImages(ctx, e, made.imageList) }})
}

// saveImages adds an archive of the images, and their list, to the bundle.
func (b *builder) saveImages(ctx context.Context, e engine.Engine, made imageList) error {
	var ids []string
	for _, inputs := range slices.Sorted(maps.Keys(made.Images)) {
		ids = append(ids, made.Images[inputs].ID)
	}
	if len(ids) == 0 {
		return fmt.Errorf("article %s has no images: it runs programs of this machine", b.article.Slug)
	}
	from, ok := e.(imageArchiver)
	if !ok {
		return fmt.Errorf("the engine %s cannot save images: use the engine docker", e.Name())
	}
	fmt.Fprintf(b.Stderr, "saving %s\n", phrase.Count(len(ids), "image"))
	archive, err := from.SaveAll(ctx, ids)
	if err != nil {
		return err
	}
	defer archive.Close()
	to, err := os.Create(filepath.Join(b.dir, imagesFile))
	if err != nil {
		return err
	}
	_, err = io.Copy(to, archive)
	encoded, encoding := json.MarshalIndent(made, "", " ")
	return errors.Join(err, to.Close(), encoding, os.WriteFile(filepath.Join(b.dir, imageListFile), encoded, 0o644))
}

// imageLoader is an engine that takes images from a bundle instead of building or pulling them.
type imageLoader struct {
	engine.Engine
	*images
}

// useImages returns a wrapper for engines that takes images from an extracted bundle; nil if the bundle has none.
func useImages(dir string) (func(engine.Engine) engine.Engine, error) {
	encoded, _, err := files.Read(filepath.Join(dir, imageListFile), maxSettings)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	a := &images{file: filepath.Join(dir, imagesFile)}
	if err == nil {
		err = json.Unmarshal(encoded, &a.imageList)
	}
	if err == nil && a.Platform != platform {
		err = fmt.Errorf("they are for %s, and this machine runs those for %s", terminal.Clean(a.Platform), platform)
	}
	if err != nil {
		return nil, fmt.Errorf("the images of the bundle: %w", err)
	}
	return func(e engine.Engine) engine.Engine { return imageLoader{e, a} }, nil
}

func (l imageLoader) Prepare(ctx context.Context, i engine.Image, log io.Writer) (engine.Prepared, error) {
	image, ok := l.Images[inputsOf(i)]
	if !ok {
		return l.Engine.Prepare(ctx, i, log)
	}
	if err := l.load(ctx, image.ID, log); err != nil {
		return engine.Prepared{}, fmt.Errorf("the images of the bundle: %w", err)
	}
	p, err := l.Engine.Prepare(ctx, engine.Image{Name: image.ID}, log)
	p.Bases = image.Bases
	return p, err
}

// load loads the archive unless the engine has the image already.
func (l imageLoader) load(ctx context.Context, id string, log io.Writer) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	into, ok := l.Engine.(imageArchiver)
	if !ok {
		return fmt.Errorf("the engine %s cannot load them: use the engine docker", l.Name())
	}
	if found, err := l.Engine.Find(ctx, id); err != nil || found != "" {
		return err
	}
	if l.loaded {
		return errors.New("they are not the ones that it lists, or this engine gives images other digests than the author's")
	}
	in, err := os.Open(l.file)
	if err != nil {
		return err
	}
	defer in.Close()
	if err = checkNameless(files.Stream{Context: ctx, Reader: in}); err == nil {
		_, err = in.Seek(0, io.SeekStart)
	}
	if err != nil {
		return fmt.Errorf("they are not loaded: %w", err)
	}
	fmt.Fprintln(log, "loading the images of the bundle")
	l.loaded = true
	return into.LoadAll(ctx, in)
}

// checkNameless returns an error for an archive that names images, which could replace the user's, or that has entries
// which could hide names.
//
// Source: moby, image/tarexport; OCI image layout, annotations of index.json.
func checkNameless(archive io.Reader) error {
	in, seen, links := tar.NewReader(archive), map[string]bool{}, map[string]bool{}
	for {
		h, err := in.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		name := strings.TrimSuffix(h.Name, "/")
		isLink := h.Typeflag == tar.TypeSymlink && path.Base(name) == "layer.tar" // to the same layer of another image
		if !fs.ValidPath(name) || !isLink && h.Typeflag != tar.TypeReg && h.Typeflag != tar.TypeDir ||
			links[path.Dir(name)] || seen[name] && h.Typeflag != tar.TypeDir {
			return fmt.Errorf("unexpected or repeated entry %q in the archive", h.Name)
		}
		seen[name], links[name] = true, isLink
		names, err := namesIn(name, io.LimitReader(in, 64<<20))
		if err == nil && len(names) > 0 {
			err = fmt.Errorf("it names an image %q, which could replace another one", names[0])
		}
		if err != nil {
			return fmt.Errorf("%s of the archive: %w", name, err)
		}
	}
}

func namesIn(file string, text io.Reader) (names []string, err error) {
	switch file {
	case "manifest.json":
		var images []struct{ RepoTags []string }
		err = json.NewDecoder(text).Decode(&images)
		for _, i := range images {
			names = append(names, i.RepoTags...)
		}
	case "repositories":
		var byName map[string]json.RawMessage
		err = json.NewDecoder(text).Decode(&byName)
		names = slices.Collect(maps.Keys(byName))
	case "index.json":
		var index struct {
			Manifests []struct{ Annotations map[string]string }
		}
		err = json.NewDecoder(text).Decode(&index)
		for _, m := range index.Manifests {
			names = append(names, m.Annotations["io.containerd.image.name"], m.Annotations["org.opencontainers.image.ref.name"])
		}
	}
	return slices.DeleteFunc(names, func(name string) bool { return name == "" }), err
}
