package bundles

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
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
	"benchbook/notebook/article"
	"benchbook/notebook/bundle"
	"benchbook/notebook/plan"
	"benchbook/runner/engine"
)

// ImageListFile says in a bundle which image of ImagesFile is made from what.
const ImageListFile = "images.json"

// imageList describes the images that a bundle carries.
type imageList struct {
	Platform string        `json:"platform"` // such as linux/amd64
	Images   []bundleImage `json:"images"`
}

type bundleImage struct {
	Inputs string        `json:"inputs"` // reference, or "build sha256:…" of the build context
	ID     string        `json:"id"`     // digest
	Bases  []engine.Base `json:"bases,omitempty"`
}

func platform() string { return "linux/" + runtime.GOARCH }

// inputsOf identifies what an image is made from. It is empty for programs of ours and of the machine.
func inputsOf(i engine.Image) string {
	if i.Build == nil {
		return i.Name
	}
	sum := sha256.Sum256([]byte(i.Build.Inputs()))
	return "build sha256:" + hex.EncodeToString(sum[:])
}

// recorder is an engine that notes which images it makes available.
type recorder struct {
	engine.Engine
	mu   *sync.Mutex
	made map[string]bundleImage // by inputs
}

func (r *recorder) Prepare(ctx context.Context, i engine.Image, log io.Writer) (engine.Prepared, error) {
	p, err := r.Engine.Prepare(ctx, i, log)
	if inputs := inputsOf(i); err == nil && inputs != "" {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.made[inputs] = bundleImage{Inputs: inputs, ID: p.ID, Bases: p.Bases}
	}
	return p, err
}

// addImages makes available all images of the article, in every profile, and adds them to the bundle. They are saved in
// a folder until done is called, since an engine never writes the same archive twice.
func (b *bundling) addImages(ctx context.Context, folder string) (done func(), err error) {
	list, err := b.makeImages(ctx)
	if err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(list, "", " ")
	if err != nil {
		return nil, lab.Failure(err)
	}
	saved, err := os.CreateTemp(folder, ".benchbook-images-")
	if err != nil {
		return nil, lab.Failure(err)
	}
	done = func() { _ = os.Remove(saved.Name()) }
	err = b.saveImages(ctx, list, saved)
	if err = errors.Join(err, saved.Close()); err != nil {
		done()
		return nil, err
	}
	b.inputs = append(b.inputs,
		bundle.Input{Path: ImageListFile, Open: func() (io.ReadCloser, error) {
			return io.NopCloser(strings.NewReader(string(text))), nil
		}},
		bundle.Input{Path: ImagesFile, Open: func() (io.ReadCloser, error) { return os.Open(saved.Name()) }})
	return done, nil
}

func (b *bundling) makeImages(ctx context.Context) (*imageList, error) {
	made := recorder{mu: &sync.Mutex{}, made: map[string]bundleImage{}}
	profiles := []string{plan.Full}
	for _, other := range b.plan.Others() {
		profiles = append(profiles, other.Profile)
	}
	for _, profile := range profiles {
		doc, err := lab.ReadArticle(b.project, b.article.Slug)
		if err != nil {
			return nil, lab.Failure(err)
		}
		err = measure.Prepare(ctx, b.Session, b.project, []*lab.Article{{Slug: b.article.Slug, Doc: doc}},
			measure.Options{Profile: profile, Over: func(e engine.Engine) engine.Engine {
				return &recorder{e, made.mu, made.made}
			}})
		if err != nil {
			return nil, err
		}
	}
	if len(made.made) == 0 {
		return nil, lab.Failure(fmt.Errorf("article %s has no images: what it runs is of this machine", b.article.Slug))
	}
	list := &imageList{Platform: platform()}
	for _, inputs := range slices.Sorted(maps.Keys(made.made)) {
		list.Images = append(list.Images, made.made[inputs])
	}
	return list, nil
}

// archiver is an engine that writes images to an archive, and reads it again.
type archiver interface {
	// SaveAll writes images out by their ids, each layer once, and without names.
	SaveAll(ctx context.Context, ids []string) (io.ReadCloser, error)
	// LoadAll reads what SaveAll of another engine wrote.
	LoadAll(ctx context.Context, archive io.Reader) error
}

// saveImages writes the images of a list to a file, while nobody measures.
func (b *bundling) saveImages(ctx context.Context, list *imageList, to io.Writer) error {
	e, done, err := measure.Images(ctx, b.Session, b.project, b.article, b.plan, "saving images")
	if err != nil {
		return err
	}
	defer done()
	from, ok := e.(archiver)
	if !ok {
		return lab.Failure(fmt.Errorf("the engine %s cannot save images: use the engine docker", e.Name()))
	}
	fmt.Fprintf(b.Stderr, "saving %s\n", terminal.Count(len(list.Images), "image"))
	archive, err := from.SaveAll(ctx, slice.Map(list.Images, func(i bundleImage) string { return i.ID }))
	if err != nil {
		return err
	}
	defer archive.Close() // it was only read
	_, err = io.Copy(to, archive)
	return err
}

// whole refuses what is not all of an article of a project.
func whole(project *article.Project, c *lab.Article) error {
	switch {
	case len(c.Experiments) > 0:
		return lab.UsageError(fmt.Errorf("only a whole article can be bundled: write %s", c.Slug))
	case project.File() != "":
		return lab.UsageError(fmt.Errorf("%s is in no project: move it to experiments/NAME/article.md, with benchbook.yaml "+
			"beside experiments", terminal.Relative(project.File())))
	}
	return nil
}

// Images returns an engine wrapper by which a run uses the images of an opened bundle; nil for a bundle without images.
func Images(dir string) (over func(engine.Engine) engine.Engine, err error) {
	text, _, err := files.Read(filepath.Join(dir, ImageListFile), maxSettings)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	var list imageList
	if err == nil {
		err = json.Unmarshal(text, &list)
	}
	if err == nil && list.Platform != platform() {
		err = fmt.Errorf("its images are for %s, and this machine runs those for %s", list.Platform, platform())
	}
	if err != nil {
		return nil, fmt.Errorf("the images of the bundle: %w", err)
	}
	shelf := &carried{archive: filepath.Join(dir, ImagesFile), images: map[string]bundleImage{}}
	for _, i := range list.Images {
		shelf.images[i.Inputs] = i
	}
	return func(e engine.Engine) engine.Engine { return &carrying{e, shelf} }, nil
}

// carried are the images of an opened bundle.
type carried struct {
	archive string
	images  map[string]bundleImage // by inputs
	mu      sync.Mutex
	loaded  bool
}

// carrying is an engine that takes images from a bundle instead of building or pulling them.
type carrying struct {
	engine.Engine
	*carried
}

func (c *carrying) Prepare(ctx context.Context, i engine.Image, log io.Writer) (engine.Prepared, error) {
	image, ok := c.images[inputsOf(i)]
	if !ok {
		return c.Engine.Prepare(ctx, i, log)
	}
	if err := c.load(ctx, image.ID, log); err != nil {
		return engine.Prepared{}, err
	}
	p, err := c.Engine.Prepare(ctx, engine.Image{Name: image.ID}, log)
	p.Bases = image.Bases
	return p, err
}

// load loads the archive once, unless the engine has the image already.
func (c *carrying) load(ctx context.Context, id string, log io.Writer) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	into, ok := c.Engine.(archiver)
	if !ok {
		return fmt.Errorf("the engine %s cannot load images: use the engine docker", c.Name())
	}
	if found, err := c.Engine.Find(ctx, id); err != nil || found != "" {
		return err
	}
	if c.loaded {
		return errors.New("the images of the bundle are not those that it lists, or this engine gives images other digests " +
			"than the author's")
	}
	in, err := os.Open(c.archive)
	if err != nil {
		return err
	}
	defer in.Close() // it was only read
	if err = checkNameless(files.Stream{Context: ctx, Reader: in}); err == nil {
		_, err = in.Seek(0, io.SeekStart)
	}
	if err != nil {
		return fmt.Errorf("the images of the bundle are not loaded: %w", err)
	}
	fmt.Fprintln(log, "loading the images of the bundle")
	c.loaded = true
	return into.LoadAll(ctx, in)
}
