// Package lock keeps what the images of an article came to, and holds later builds to it.
//
// A tag names another image tomorrow, and a line that installs packages gives other ones. A lock has, for each image,
// its digest, those of its layers and of what it was built from, the packages in it by version, and the digests of the
// programs that are of no package. A build of the same inputs never has the same digest, as its files have the times of
// the build, so whether it is the same is told by its packages and programs.
package lock

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"benchbook/files"
	"benchbook/notebook/article"
	"benchbook/notebook/projects"
	"benchbook/runner/engine"
	"benchbook/runner/images"
)

// Lock is what the images of an article came to on some engine.
type Lock struct {
	Format   int     `json:"benchbook_lock"` // 1
	Article  string  `json:"article"`
	Platform string  `json:"platform"` // such as linux/amd64
	Images   []Image `json:"images"`   // by For
}

// Image is an image as it is locked.
type Image struct {
	For    string `json:"for"`    // such as "async-101 server"
	Inputs string `json:"inputs"` // what it is made from: a reference, or "build sha256:…" of its build context
	ID     string `json:"id"`     // its digest
	Bases  []Base `json:"bases"`  // what its Dockerfile begins from
	images.Contents
}

// Base is an image that another one was built from.
type Base struct {
	Reference  string `json:"reference"`            // as FROM names it
	ID         string `json:"id"`                   // digest of what was used
	Substitute string `json:"substitute,omitempty"` // what stood in for it; empty for none
}

const (
	format   = 1
	maxBytes = 64 << 20
)

// File is the path of the lock of an article.
func File(project *projects.Project, slug string) string {
	return filepath.Join(project.ArticleDir(slug), filepath.FromSlash(article.LockFile))
}

// ErrNone is wrapped by the error of an article that has no lock.
var ErrNone = errors.New("there is no lock")

// Read reads the lock of an article. The error wraps ErrNone where there is none.
func Read(project *projects.Project, slug string) (*Lock, error) {
	data, _, err := files.Read(File(project, slug), maxBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w of article %s", ErrNone, slug)
	}
	l := &Lock{}
	if err == nil {
		err = json.Unmarshal(data, l)
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the lock of article %s: %w", slug, err)
	case l.Format != format:
		return nil, fmt.Errorf("the lock of article %s has format %d, and this benchbook knows format %d: use the one that "+
			"made it, or lock it again", slug, l.Format, format)
	case l.Article != slug:
		return nil, fmt.Errorf("the lock of article %s is that of another article, %q", slug, l.Article)
	}
	return l, nil
}

// Has says whether an image is in the lock, or is one of those that are not locked.
func (l *Lock) Has(i engine.Image) bool {
	inputs := inputsOf(i)
	return inputs == "" || slices.ContainsFunc(l.Images, func(o Image) bool { return o.Inputs == inputs })
}

// Write writes the lock of an article.
func (l *Lock) Write(project *projects.Project) error {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetIndent("", " ")
	if err := e.Encode(l); err != nil {
		return err
	}
	return files.Write(File(project, l.Article), text.Bytes())
}

// platform is what images of this machine run on.
func platform() string { return "linux/" + runtime.GOARCH }

// inputsOf says what an image is made from; empty for those that are not locked: programs of ours, which records have
// by their digest, and those of the machine.
func inputsOf(i engine.Image) string {
	if i.Build == nil {
		return i.Name
	}
	sum := sha256.Sum256([]byte(i.Build.Inputs()))
	return "build sha256:" + hex.EncodeToString(sum[:])
}

// nameOf says in words which image is meant, behind what the error of a build says.
func nameOf(i engine.Image) string {
	if i.Build != nil {
		return "it"
	}
	return "image " + i.Name
}

// Maker notes what images come to while they are made available. Its zero value has none.
type Maker struct {
	mu   sync.Mutex
	made map[string]Image // by inputs
}

// Over is an engine whose images are noted.
func (m *Maker) Over(e engine.Engine) engine.Engine { return &noting{e, m} }

type noting struct {
	engine.Engine
	maker *Maker
}

func (n *noting) Prepare(ctx context.Context, i engine.Image, log io.Writer) (engine.Prepared, error) {
	p, err := n.Engine.Prepare(ctx, i, log)
	inputs := inputsOf(i)
	if err != nil || inputs == "" {
		return p, err
	}
	c, err := contentsOf(ctx, n.Engine, p)
	if err != nil {
		return p, err
	}
	out := Image{For: i.Name, Inputs: inputs, ID: p.ID, Contents: c}
	if i.Build != nil {
		out.For = i.Build.For
	}
	for _, b := range p.Bases {
		out.Bases = append(out.Bases, Base(b))
	}
	n.maker.mu.Lock()
	defer n.maker.mu.Unlock()
	if n.maker.made == nil {
		n.maker.made = map[string]Image{}
	}
	n.maker.made[inputs] = out
	return p, nil
}

// Lock is the lock of an article whose images were noted.
func (m *Maker) Lock(slug string) *Lock {
	l := &Lock{Format: format, Article: slug, Platform: platform(), Images: []Image{}}
	l.Images = append(l.Images, slices.SortedFunc(maps.Values(m.made), func(a, b Image) int {
		return cmp.Or(strings.Compare(a.For, b.For), strings.Compare(a.Inputs, b.Inputs))
	})...)
	return l
}

// contentsOf reads what is in an image.
func contentsOf(ctx context.Context, e engine.Engine, p engine.Prepared) (images.Contents, error) {
	carrier, ok := engine.MakerOf(e).(engine.Carrier)
	if !ok {
		return images.Contents{}, fmt.Errorf("the engine %s cannot tell what is in an image: images can be locked where the "+
			"engine docker makes them", e.Name())
	}
	archive, err := carrier.Save(ctx, p)
	if err != nil {
		return images.Contents{}, err
	}
	defer archive.Close()
	c, err := images.ReadContents(archive)
	if err != nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	return c, err
}
