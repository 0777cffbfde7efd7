package lock

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"

	"benchbook/files"
	"benchbook/runner/engine"
	"benchbook/runner/images"
)

// Keeper makes available the images that locks have, and no others.
type Keeper struct {
	Archive string // file that images are loaded from where the engine lacks one; empty for none

	locked map[string]Image // by inputs

	loading sync.Mutex // held while images are loaded
	loaded  bool       // as far as could be

	mu   sync.Mutex
	same map[string]bool // by inputs: whether it is the locked image itself, or a build with the same contents
}

// Keep holds images to some locks, which may not have two images of one reference.
func Keep(locks ...*Lock) (*Keeper, error) {
	k := &Keeper{locked: map[string]Image{}, same: map[string]bool{}}
	for _, l := range locks {
		if l.Platform != platform() {
			return nil, fmt.Errorf("the lock of article %s is of images for %s, and this machine runs those for %s", l.Article,
				l.Platform, platform())
		}
		for _, i := range l.Images {
			if other, ok := k.locked[i.Inputs]; ok && other.ID != i.ID {
				return nil, fmt.Errorf("the locks have two images for %s, %s and %s: run the articles one by one", i.For, other.ID,
					i.ID)
			}
			k.locked[i.Inputs] = i
		}
	}
	return k, nil
}

// Over is an engine that makes images available as they are locked: the image itself where it is there, else one that
// is built, whose packages and programs have to be the same. What differs is named.
func (k *Keeper) Over(e engine.Engine) engine.Engine { return &keeping{e, k} }

// Words say what was used, such as "images: 2 of 3 have the digests of the lock; 1 with other digests: the same
// packages and programs"; empty for nothing.
func (k *Keeper) Words() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	itself := 0
	for _, same := range k.same {
		if same {
			itself++
		}
	}
	if len(k.same) == 0 {
		return ""
	}
	words := fmt.Sprintf("images: %d of %d have the digests of the lock", itself, len(k.same))
	if n := len(k.same) - itself; n > 0 {
		words += fmt.Sprintf("; %d with other digests: the same packages and programs", n)
	}
	return words
}

type keeping struct {
	engine.Engine
	keeper *Keeper
}

func (k *keeping) Prepare(ctx context.Context, i engine.Image, log io.Writer) (engine.Prepared, error) {
	inputs := inputsOf(i)
	if inputs == "" {
		return k.Engine.Prepare(ctx, i, log)
	}
	locked, ok := k.keeper.locked[inputs]
	if !ok {
		return engine.Prepared{}, refused(i, fmt.Errorf("%s is not in the lock, as its Dockerfile or a file that is copied "+
			"into it was changed since, or as it was not needed then", nameOf(i)), "lock it again with benchbook lock")
	}
	p, found, err := k.itself(ctx, locked, i.Hosts, log)
	if err == nil && !found && k.keeper.Archive != "" {
		if err = k.keeper.load(ctx, k.Engine, log); err == nil {
			p, found, err = k.itself(ctx, locked, i.Hosts, log)
		}
		if err == nil && !found {
			return p, refused(i, errors.New("the images of the bundle are not those of its lock, or this engine gives images "+
				"other digests than the author's"), "leave --locked out")
		}
	}
	if err != nil {
		return p, err
	}
	if found {
		k.keeper.note(inputs, true)
		return p, nil
	}
	if p, err = k.Engine.Prepare(ctx, i, log); err != nil {
		return p, err
	}
	if p.ID != locked.ID {
		now, err := contentsOf(ctx, k.Engine, p)
		if err != nil {
			return p, err
		}
		if list := Differences(locked.Contents, now); len(list) > 0 {
			return engine.Prepared{}, refused(i, fmt.Errorf("%s is not as it was locked: %s", nameOf(i), inWords(list)),
				"load the locked images from a bundle that has them, or lock what there is now with benchbook lock")
		}
	}
	k.keeper.note(inputs, p.ID == locked.ID)
	return p, nil
}

// load brings the images of the archive to the engine that makes those of another one, once.
func (k *Keeper) load(ctx context.Context, e engine.Engine, log io.Writer) error {
	k.loading.Lock()
	defer k.loading.Unlock()
	if k.loaded {
		return nil
	}
	archiver, ok := engine.MakerOf(e).(engine.Archiver)
	if !ok {
		return fmt.Errorf("the engine %s cannot load images: leave --locked out, or use the engine docker", e.Name())
	}
	in, err := os.Open(k.Archive)
	if err != nil {
		return err
	}
	defer in.Close() // it was only read
	if err = images.CheckNameless(files.Stream{Context: ctx, Reader: in}); err == nil {
		_, err = in.Seek(0, io.SeekStart)
	}
	if err != nil {
		return fmt.Errorf("the images of the bundle are not loaded: %w", err)
	}
	fmt.Fprintln(log, "loading the images of the bundle")
	k.loaded = true
	return archiver.LoadAll(ctx, in)
}

// itself is the locked image, if the engine has it.
func (k *keeping) itself(ctx context.Context, locked Image, hosts []string,
	log io.Writer) (p engine.Prepared, found bool, err error) {
	carrier, ok := engine.MakerOf(k.Engine).(engine.Carrier)
	if !ok {
		return p, false, nil
	}
	id, found, err := carrier.Has(ctx, engine.Prepared{ID: locked.ID})
	if err != nil || !found {
		return p, false, err
	}
	if p, err = k.Engine.Prepare(ctx, engine.Image{Name: id, Hosts: hosts}, log); err != nil {
		return p, false, err
	}
	p.Bases = nil
	for _, b := range locked.Bases {
		p.Bases = append(p.Bases, engine.Base(b))
	}
	return p, true, nil
}

// refused is the error of an image that is not as it was locked.
func refused(i engine.Image, why error, wayOut string) error {
	if i.Build != nil {
		return &engine.BuildError{For: i.Build.For, Err: fmt.Errorf("%w: %s", why, wayOut)}
	}
	return &engine.ImageError{Reference: i.Name, Err: why, WayOut: wayOut}
}

func (k *Keeper) note(inputs string, itself bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.same[inputs] = itself
}

// mostDifferences is how many are named in a sentence.
const mostDifferences = 8

func inWords(list []string) string {
	if n := len(list) - mostDifferences; n > 1 {
		list = append(slices.Clone(list[:mostDifferences]), fmt.Sprintf("and %d more", n))
	}
	return strings.Join(list, ", ")
}

// Differences names what an image has that is not as it was locked: "openssl 3.0.17-1 is 3.0.18-1 now (debian)", "flask
// 3.1.2 is missing (python)", "program /server is another one".
func Differences(locked, now images.Contents) (out []string) {
	kinds := map[string]bool{}
	for kind := range locked.Packages {
		kinds[kind] = true
	}
	for kind := range now.Packages {
		kinds[kind] = true
	}
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		was, is := byName(locked.Packages[kind]), byName(now.Packages[kind])
		for _, name := range namesOf(was, is) {
			switch {
			case was[name] == "":
				out = append(out, fmt.Sprintf("%s %s is new (%s)", name, is[name], kind))
			case is[name] == "":
				out = append(out, fmt.Sprintf("%s %s is missing (%s)", name, was[name], kind))
			case was[name] != is[name]:
				out = append(out, fmt.Sprintf("%s %s is %s now (%s)", name, was[name], is[name], kind))
			}
		}
	}
	for _, name := range namesOf(locked.Programs, now.Programs) {
		switch was, is := locked.Programs[name], now.Programs[name]; {
		case was == "":
			out = append(out, fmt.Sprintf("program %s is new", name))
		case is == "":
			out = append(out, fmt.Sprintf("program %s is missing", name))
		case was != is:
			out = append(out, fmt.Sprintf("program %s is another one", name))
		}
	}
	return out
}

// byName are the versions of packages by their names; of several in different places all of them.
func byName(list []string) map[string]string {
	out := map[string]string{}
	for _, p := range list {
		name, version, _ := strings.Cut(p, " ")
		if version == "" {
			version = "without a version"
		}
		out[name] = strings.TrimPrefix(out[name]+" and "+version, " and ")
	}
	return out
}

// namesOf are the names of two lists.
func namesOf(a, b map[string]string) []string {
	all := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(all)
	return slices.Compact(all)
}
