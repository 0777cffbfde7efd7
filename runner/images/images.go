package images

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/runner/agent"
	"benchbook/runner/engine"
	"benchbook/runner/load"
)

// use is one use of an image in a trial: by a service, by a command in an image of its own, or by the driver of its
// load.
type use struct {
	name    string // of the service, or "command" or "load"
	image   spec.Image
	command []string
}

// usesOf returns the uses of images in a trial, in the order of their names.
func usesOf(t *plan.Trial) []use {
	var out []use
	for _, s := range t.Services {
		if s.Origin == nil {
			out = append(out, use{s.Name, s.Image, slices.Concat(s.Entrypoint, s.Command)})
		}
	}
	if t.Command != nil && t.Command.Service == "" {
		out = append(out, use{"command", t.Command.Image, t.Command.Run})
	}
	if t.Load != nil && t.Load.Driver != nil {
		out = append(out, use{"load", t.Load.Driver.Image, t.Load.Driver.Command})
	}
	slices.SortStableFunc(out, func(a, b use) int { return strings.Compare(a.name, b.name) })
	return out
}

// Of returns the images of a trial of an article as engines want them, by the names of what uses them.
func Of(article string, t *plan.Trial) map[string]engine.Image {
	out := map[string]engine.Image{}
	for _, u := range usesOf(t) {
		out[u.name] = u.engineImage(article)
	}
	return out
}

// engineImage returns the image as engines want it.
func (u use) engineImage(article string) engine.Image {
	out := engine.Image{Name: u.image.Name, Machine: u.image.Machine}
	if u.image.Build != nil {
		out.Build = &engine.Build{For: article + " " + u.name, Build: *u.image.Build}
	}
	return out
}

// Set is a Store as one experiment uses it. Built images are tagged with their article, so each article has its own.
type Set struct {
	*Store
	Article    string
	Experiment *plan.Experiment
}

// need returns a Need of the experiment.
func (s Set) need(key, what string, make func(context.Context, io.Writer) (made, error)) Need {
	return Need{store: s.Store, key: key, what: what, pos: s.Experiment.Pos, make: make}
}

// Needs returns the needs of a trial without its driver: images, programs of the machine, and our program.
func (s Set) Needs(t *plan.Trial) []Need {
	var needs []Need
	if len(ownParts(t)) > 0 {
		needs = append(needs, s.need(ownKey, agent.Name, s.makeOwn))
	}
	for _, u := range usesOf(t) {
		what := s.Article + " " + u.name
		n := s.need(s.key(u.image), what, func(ctx context.Context, log io.Writer) (made, error) {
			return s.makeImage(ctx, log, t, u)
		})
		n.private = t.Private
		needs = append(needs, n)
		if !u.image.OnMachine() {
			continue
		}
		for _, word := range u.programs() {
			needs = append(needs, s.need(programKey+word, what, func(ctx context.Context, _ io.Writer) (made, error) {
				is, err := identify(ctx, s.Engine, s.Agent, word)
				return made{program: is}, err
			}))
		}
	}
	return needs
}

// DriverNeed returns the Need for what a driver brings itself.
func (s Set) DriverNeed(what string, driver load.Driver) Need {
	return s.need("driver of "+what, what, func(ctx context.Context, log io.Writer) (made, error) {
		err := driver.Prepare(ctx, s.Engine, log)
		if errors.As(err, new(*engine.ImageError)) || errors.As(err, new(*engine.BuildError)) {
			err = &NoImageError{Err: err}
		}
		return made{}, err
	})
}

const (
	ownKey     = "our program"
	programKey = "program of the machine: " // and its word
)

// key returns the key of an image in the store.
func (s Set) key(i spec.Image) string {
	made := i.Name // empty for the machine
	if i.Build != nil {
		made = i.Build.Inputs()
	}
	return "image " + s.Article + "\n" + made
}

// Prepared returns an image of the experiment for the engine.
func (s Set) Prepared(i spec.Image) engine.Prepared { return s.get(s.key(i)).image }

// Own returns our program for the engine.
func (s Set) Own() engine.Prepared { return s.get(ownKey).image }

func (s Set) makeOwn(ctx context.Context, log io.Writer) (got made, err error) {
	data, err := s.Agent()
	if err != nil {
		return got, err
	}
	got.digest = fmt.Sprintf("%x", sha256.Sum256(data))
	got.image, err = s.Engine.Prepare(ctx, engine.Image{Executable: &engine.Executable{Name: agent.Name, Data: data}}, log)
	if err != nil {
		err = fmt.Errorf("preparing %s: %w", agent.Name, err)
	}
	return got, err
}

// makeImage makes an image of a trial available, and lists the packages in it. The machine has more of them than a
// record should list.
func (s Set) makeImage(ctx context.Context, log io.Writer, t *plan.Trial, u use) (got made, err error) {
	if got.image, err = s.Engine.Prepare(ctx, u.engineImage(s.Article), log); err != nil {
		return got, noImage(t, u, err)
	}
	if !u.image.OnMachine() {
		got.packages, err = s.packagesOf(ctx, got.image)
	}
	return got, err
}

// noImage returns a *NoImageError with the place of the mistake and without secrets; of other errors what failed.
func noImage(t *plan.Trial, u use, err error) error {
	var failed *engine.BuildError
	isImage, isBuild := errors.As(err, new(*engine.ImageError)), errors.As(err, &failed) && u.image.Build != nil
	switch {
	case isBuild && !isImage:
		redact := record.NewRedactor(t.Private...)
		err = &engine.BuildError{For: failed.For, Line: failed.Line, Tail: redact.Text(failed.Tail),
			Err: errors.New(redact.Text(failed.Err.Error()))}
	case !isImage:
		return fmt.Errorf("preparing the image of %s: %w", u.name, err)
	}
	pos := t.ImagePos(u.image.Name)
	if isBuild {
		pos = t.DockerfilePos(u.image.Build, failed.Line)
	}
	return &NoImageError{pos, err}
}

// Facts returns what a record of a trial says of its images: their ids, what they were built from, and the packages in
// them; and of programs of the machine and of our own that it uses.
func (s Set) Facts(t *plan.Trial) map[string]string {
	facts := map[string]string{}
	for _, u := range usesOf(t) {
		if u.image.OnMachine() {
			for fact, word := range u.programs() {
				// a script has words of the shell's own
				if is := s.get(programKey + word).program; fact == record.FactProgram+u.name || is != unknownProgram {
					facts[fact] = is
				}
			}
			if u.image.Build == nil {
				continue
			}
		}
		got := s.get(s.key(u.image))
		if !got.tried || got.missing != nil {
			continue // a search was to choose it, and found none
		}
		facts[record.FactImage+u.name] = got.image.ID
		if !u.image.OnMachine() {
			facts["packages."+u.name] = got.packages.Debian
		}
		if len(got.image.Bases) > 0 {
			facts[record.FactBase+u.name] = load.BasesInWords(got.image.Bases)
		}
		if got.packages.Python != "" {
			facts["pip."+u.name] = got.packages.Python
		}
	}
	for part, semantics := range ownParts(t) {
		facts[part+".binary"], facts[part+".semantics"] = s.get(ownKey).digest, strconv.Itoa(semantics)
	}
	return facts
}

// ownParts returns which parts of our program a trial needs as services or before them, each with the version of its
// meaning.
func ownParts(t *plan.Trial) map[string]int {
	out := map[string]int{}
	for _, s := range t.Services {
		if s.Origin != nil {
			out[agent.Origin] = record.OriginSemantics
		}
		if s.Link != nil {
			out[agent.Link] = record.LinkSemantics
		}
	}
	return out
}
