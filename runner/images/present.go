package images

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
)

// Present is what the images and programs that records name are now, as far as an engine has them: nothing is fetched
// or built. Images of builds are not compared, as each build of the same inputs may have another id, and neither are
// two substitutes of a base image, which are built here too; what images were built from is, and an image that has come
// in the place of its substitute. The zero value, and nil,
// know nothing, and so find no change.
type Present struct {
	// Connect connects to the engine, when the first record names something that can be compared. An error that wraps
	// engine.ErrUnavailable leaves everything unknown.
	Connect func(context.Context) (engine.Engine, error)

	engine      engine.Engine
	unavailable bool
	images      map[string]string // ids, by reference; empty for those that are not here
	programs    map[string]string // digests, by the words of articles
}

// PresentOn is what is present on an engine that somebody else has connected to.
func PresentOn(e engine.Engine) *Present {
	return &Present{Connect: func(context.Context) (engine.Engine, error) { return e, nil }}
}

// An identity is an image or program that a record names.
type identity struct {
	kind, name string // "image" with its reference, or "program" with the word of the article
	then       string // its id or digest
	substitute string // of an image: what stood in its place, whose id then is
}

// identities are those of a record that can be compared. Records that do not know them, such as imported ones, have
// none.
func identities(r *record.Record) []identity {
	var out []identity
	var programs map[string]string
	for fact, value := range r.Facts {
		if strings.HasPrefix(fact, record.FactBase) {
			for base := range strings.SplitSeq(value, "; ") {
				if i, ok := imageOf(base); ok {
					out = append(out, i)
				}
			}
			continue
		}
		if !strings.HasPrefix(fact, record.FactProgram) {
			continue
		}
		if programs == nil {
			programs = programWords(r.Definition)
		}
		word, named := programs[fact]
		if digest := digestOf(value); named && digest != "" {
			out = append(out, identity{kind: "program", name: word, then: digest})
		}
	}
	slices.SortFunc(out, func(a, b identity) int {
		return strings.Compare(a.kind+" "+a.name+" "+a.then, b.kind+" "+b.name+" "+b.then)
	})
	return slices.Compact(out)
}

// imageOf is what a part of the fact about an image says: "REFERENCE ID" or "REFERENCE replaced by SUBSTITUTE ID".
func imageOf(base string) (i identity, ok bool) {
	i.kind = "image"
	reference, rest, replaced := strings.Cut(base, record.ReplacedBy)
	if replaced {
		i.name = reference
		i.substitute, i.then, ok = strings.Cut(rest, " ")
		return i, ok
	}
	i.name, i.then, ok = strings.Cut(base, " ")
	return i, ok
}

// change says in a sentence that this is another image or program now; empty if it is the same, or not known. One
// substitute is as good as another: each is made on its machine.
func (i identity) change(now string) string {
	switch {
	case now == "" || now == i.then:
		return ""
	case i.substitute != "":
		return fmt.Sprintf("%s %s changed: was its substitute %s with %s, is %s", i.kind, i.name, i.substitute,
			shortID(i.then), shortID(now))
	}
	return fmt.Sprintf("%s %s changed: was %s, is %s", i.kind, i.name, shortID(i.then), shortID(now))
}

// programWords gives the words by which a trial names programs of the machine, by the facts that tell what these are.
func programWords(definition json.RawMessage) map[string]string {
	var d spec.Definition
	if json.Unmarshal(definition, &d) != nil {
		return nil // of another version
	}
	t := plan.Trial{Services: d.Services, Command: d.Command}
	out := map[string]string{}
	for name, image := range imagesOf(&t) {
		if image.Machine {
			for fact, word := range programsOf(&t, name) {
				out[fact] = word
			}
		}
	}
	return out
}

// digestOf is the digest among the words of a fact about a program; empty if it has none.
func digestOf(fact string) string {
	words := strings.Fields(fact)
	if len(words) < 2 || !strings.HasPrefix(words[1], "sha256:") {
		return ""
	}
	return words[1]
}

// Look finds out what all that records name is now. It has to be called before the methods that compare.
func (p *Present) Look(ctx context.Context, records []*record.Record) error {
	if p == nil || p.Connect == nil {
		return nil
	}
	for _, r := range records {
		for _, i := range identities(r) {
			if err := p.look(ctx, i); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *Present) look(ctx context.Context, i identity) error {
	if p.images == nil {
		p.images, p.programs = map[string]string{}, map[string]string{}
	}
	known := p.images
	if i.kind == "program" {
		known = p.programs
	}
	if _, ok := known[i.name]; ok || p.unavailable {
		return nil
	}
	if p.engine == nil {
		e, err := p.Connect(ctx)
		if p.unavailable = errors.Is(err, engine.ErrUnavailable); p.unavailable {
			return nil
		}
		if err != nil {
			return err
		}
		p.engine = e
	}
	is, err := "", error(nil)
	if i.kind == "program" {
		is, err = p.program(ctx, i.name)
	} else {
		is, err = p.image(ctx, i.name)
	}
	known[i.name] = is
	return err
}

func (p *Present) image(ctx context.Context, reference string) (string, error) {
	store, ok := p.engine.(engine.ImageStore)
	if !ok {
		return "", nil
	}
	return store.Find(ctx, reference)
}

func (p *Present) program(ctx context.Context, word string) (string, error) {
	machine, err := p.engine.Prepare(ctx, engine.Image{Machine: true}, io.Discard)
	if errors.As(err, new(*engine.ImageError)) {
		return "", nil // an engine that runs no programs of its machine
	}
	if err != nil {
		return "", err
	}
	is, err := identify(ctx, p.engine, word, machine)
	return digestOf(is), err
}

// Close lets go of the engine.
func (p *Present) Close() {
	if p != nil && p.engine != nil {
		_ = p.engine.Close() // nothing was changed in it
	}
}

// Changes says which images and programs are others now than when records were measured, each in a sentence. What is
// not known of one of the two has not changed.
func (p *Present) Changes(records ...*record.Record) []string {
	if p == nil || len(p.images)+len(p.programs) == 0 {
		return nil
	}
	var out []string
	for _, r := range records {
		for _, i := range identities(r) {
			now := p.images[i.name]
			if i.kind == "program" {
				now = p.programs[i.name]
			}
			if words := i.change(now); words != "" && !slices.Contains(out, words) {
				out = append(out, words)
			}
		}
	}
	return out
}

// shortID is as much of a digest as people compare.
func shortID(digest string) string {
	kind, digits, ok := strings.Cut(digest, ":")
	if !ok {
		return digest
	}
	return kind + ":" + digits[:min(12, len(digits))]
}

// Current leaves out the records that were measured with another image or program than there is now, or on another
// number of CPUs, and older ones of the same trial: pages show the newest, whatever engine they are made beside. It
// also gives the runs that those are of. Nothing goes on under their names.
func (p *Present) Current(of *plan.Plan, records []*record.Record) (current []*record.Record,
	outdated map[string]bool) {
	type trial struct{ article, host, profile, experiment, name, key string }
	trialOf := func(r *record.Record) trial { return trial{r.Article, r.Host, r.Profile, r.Experiment, r.Trial, r.Key} }
	last := map[trial]string{}
	for _, r := range records {
		if len(p.Changes(r)) > 0 || of.PlacedOtherwise(r) != "" {
			last[trialOf(r)] = max(last[trialOf(r)], r.Run)
		}
	}
	outdated = map[string]bool{}
	for _, r := range records {
		if r.Run <= last[trialOf(r)] {
			outdated[r.Run] = true
		} else {
			current = append(current, r)
		}
	}
	return current, outdated
}
