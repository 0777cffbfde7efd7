package bundle

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
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
	"benchbook/internal/slice"
	"benchbook/lab"
	"benchbook/lab/measure"
	"benchbook/lab/terminal"
	"benchbook/notebook/plan"
	"benchbook/runner/engine"
)

// imageList describes the images of a bundle. It is the file imageListFile.
type imageList struct {
	Platform string         `json:"platform"` // such as linux/amd64
	Images   []carriedImage `json:"images"`
}

type carriedImage struct {
	Inputs string        `json:"inputs"` // reference, or "build sha256:…" of the build context
	ID     string        `json:"id"`     // digest
	Bases  []engine.Base `json:"bases,omitempty"`
}

const platform = "linux/" + runtime.GOARCH

// inputsOf identifies the inputs of an image; empty for programs of benchbook and of the machine.
func inputsOf(i engine.Image) string {
	if i.Build == nil {
		return i.Name
	}
	sum := sha256.Sum256([]byte(i.Build.Inputs()))
	return "build sha256:" + hex.EncodeToString(sum[:])
}

// imageRecorder is an engine that records the images it makes available.
type imageRecorder struct {
	engine.Engine
	mu   *sync.Mutex
	made map[string]carriedImage // by inputs
}

func (r *imageRecorder) Prepare(ctx context.Context, i engine.Image, log io.Writer) (engine.Prepared, error) {
	p, err := r.Engine.Prepare(ctx, i, log)
	if inputs := inputsOf(i); err == nil && inputs != "" {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.made[inputs] = carriedImage{Inputs: inputs, ID: p.ID, Bases: p.Bases}
	}
	return p, err
}

// imageArchiver is an engine that saves images without names, each layer once, and loads them again.
type imageArchiver interface {
	SaveAll(ctx context.Context, ids []string) (io.ReadCloser, error)
	LoadAll(ctx context.Context, archive io.Reader) error
}

// addImages adds the images of the article, in every profile. They are in a file of folder until done is called, as an
// engine never writes the same archive twice.
func (b *builder) addImages(ctx context.Context, folder string) (done func(), err error) {
	made := imageRecorder{mu: &sync.Mutex{}, made: map[string]carriedImage{}}
	profiles := append([]string{plan.Full}, slice.Map(b.plan.Others(), func(p *plan.Plan) string { return p.Profile })...)
	for _, profile := range profiles {
		doc, err := lab.ReadArticle(b.project, b.article.Slug)
		if err != nil {
			return nil, lab.Failure(err)
		}
		err = measure.Prepare(ctx, b.Session, b.project, []*lab.Article{{Slug: b.article.Slug, Doc: doc}},
			measure.Options{Profile: profile, Over: func(e engine.Engine) engine.Engine {
				return &imageRecorder{e, made.mu, made.made}
			}})
		if err != nil {
			return nil, err
		}
	}
	if len(made.made) == 0 {
		return nil, lab.Failure(fmt.Errorf("article %s has no images: what it runs is of this machine", b.article.Slug))
	}
	list := imageList{Platform: platform}
	for _, inputs := range slices.Sorted(maps.Keys(made.made)) {
		list.Images = append(list.Images, made.made[inputs])
	}
	encoded, err := json.MarshalIndent(list, "", " ")
	if err != nil {
		return nil, lab.Failure(err)
	}
	saved, err := os.CreateTemp(folder, ".benchbook-images-")
	if err != nil {
		return nil, lab.Failure(err)
	}
	done = func() { _ = os.Remove(saved.Name()) }
	err = b.saveImages(ctx, list.Images, saved)
	if err = errors.Join(err, saved.Close()); err != nil {
		done()
		return nil, err
	}
	b.inputs = append(b.inputs, text(imageListFile, encoded), fileInput(ctx, imagesFile, saved.Name()))
	return done, nil
}

// saveImages writes images to a file. It holds the lock of measurements.
func (b *builder) saveImages(ctx context.Context, list []carriedImage, to io.Writer) error {
	e, done, err := measure.Images(ctx, b.Session, b.project, b.article, b.plan, "saving images")
	if err != nil {
		return err
	}
	defer done()
	from, ok := e.(imageArchiver)
	if !ok {
		return lab.Failure(fmt.Errorf("the engine %s cannot save images: use the engine docker", e.Name()))
	}
	fmt.Fprintf(b.Stderr, "saving %s\n", terminal.Count(len(list), "image"))
	archive, err := from.SaveAll(ctx, slice.Map(list, func(i carriedImage) string { return i.ID }))
	if err != nil {
		return err
	}
	defer archive.Close()
	_, err = io.Copy(to, archive)
	return err
}

// useImages returns a wrapper for engines that takes images from an extracted bundle; nil for a bundle without images.
func useImages(dir string) (func(engine.Engine) engine.Engine, error) {
	encoded, _, err := files.Read(filepath.Join(dir, imageListFile), maxSettings)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	var list imageList
	if err == nil {
		err = json.Unmarshal(encoded, &list)
	}
	if err == nil && list.Platform != platform {
		err = fmt.Errorf("they are for %s, and this machine runs those for %s", terminal.Clean(list.Platform), platform)
	}
	if err != nil {
		return nil, fmt.Errorf("the images of the bundle: %w", err)
	}
	a := &imageArchive{file: filepath.Join(dir, imagesFile), images: map[string]carriedImage{}}
	for _, i := range list.Images {
		a.images[i.Inputs] = i
	}
	return func(e engine.Engine) engine.Engine { return &imageLoader{e, a} }, nil
}

// imageArchive has the images of an extracted bundle.
type imageArchive struct {
	file   string
	images map[string]carriedImage // by inputs
	mu     sync.Mutex
	loaded bool
}

// imageLoader is an engine that takes images from a bundle instead of building or pulling them.
type imageLoader struct {
	engine.Engine
	*imageArchive
}

func (l *imageLoader) Prepare(ctx context.Context, i engine.Image, log io.Writer) (engine.Prepared, error) {
	image, ok := l.images[inputsOf(i)]
	if !ok {
		return l.Engine.Prepare(ctx, i, log)
	}
	if err := l.load(ctx, image.ID, log); err != nil {
		return engine.Prepared{}, err
	}
	p, err := l.Engine.Prepare(ctx, engine.Image{Name: image.ID}, log)
	p.Bases = image.Bases
	return p, err
}

// load loads the archive once, unless the engine has the image.
func (l *imageLoader) load(ctx context.Context, id string, log io.Writer) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	into, ok := l.Engine.(imageArchiver)
	if !ok {
		return fmt.Errorf("the engine %s cannot load images: use the engine docker", l.Name())
	}
	if found, err := l.Engine.Find(ctx, id); err != nil || found != "" {
		return err
	}
	if l.loaded {
		return errors.New("the images of the bundle are not the ones that it lists, or this engine gives images other " +
			"digests than the author's")
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
		return fmt.Errorf("the images of the bundle are not loaded: %w", err)
	}
	fmt.Fprintln(log, "loading the images of the bundle")
	l.loaded = true
	return into.LoadAll(ctx, in)
}

// checkNameless refuses an archive of images with names, which would replace images of the engine, and with entries
// that could hide names.
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
		if !isPlainEntry(h, name) || links[path.Dir(name)] || seen[name] && h.Typeflag != tar.TypeDir {
			return fmt.Errorf("unexpected or repeated entry %q in the archive of images", h.Name)
		}
		seen[name], links[name] = true, h.Typeflag == tar.TypeSymlink
		if name == "manifest.json" || name == "repositories" || name == "index.json" {
			text, err := io.ReadAll(io.LimitReader(in, 64<<20))
			if err == nil {
				err = checkNames(name, text)
			}
			if err != nil {
				return err
			}
		}
	}
}

// isPlainEntry reports whether engines write such an entry: a file, a folder, or a link instead of a layer.
func isPlainEntry(h *tar.Header, name string) bool {
	isLink := h.Typeflag == tar.TypeSymlink && path.Base(name) == "layer.tar"
	return fs.ValidPath(name) && (isLink || h.Typeflag == tar.TypeReg || h.Typeflag == tar.TypeDir)
}

// checkNames refuses a file of an archive that names images.
func checkNames(file string, text []byte) error {
	var manifest []struct{ RepoTags []string }
	var repositories map[string]json.RawMessage
	var index struct {
		Manifests []struct{ Annotations map[string]string }
	}
	into := map[string]any{"manifest.json": &manifest, "repositories": &repositories, "index.json": &index}[file]
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s of the archive is not valid JSON", file)
	}
	names := slices.Collect(maps.Keys(repositories))
	for _, m := range manifest {
		names = append(names, m.RepoTags...)
	}
	for _, m := range index.Manifests {
		names = append(names, m.Annotations["io.containerd.image.name"], m.Annotations["org.opencontainers.image.ref.name"])
	}
	names = slices.DeleteFunc(names, func(name string) bool { return name == "" })
	if len(names) > 0 {
		return fmt.Errorf("the archive names an image %q, which could replace another one", names[0])
	}
	return nil
}
