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

// use is the use of an image in a trial: by a service, a command with its own image, or the driver of the load.
type use struct {
	name    string // the service's name, "command" or "load"
	image   spec.Image
	command []string
}

// usesOf returns the uses of images in a trial, sorted by name.
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

// Of returns the images of a trial of an article, by the service's name, "command" or "load".
func Of(article string, t *plan.Trial) map[string]engine.Image {
	out := map[string]engine.Image{}
	for _, u := range usesOf(t) {
		out[u.name] = u.engineImage(article)
	}
	return out
}

// engineImage returns the image in the form that engines prepare.
func (u use) engineImage(article string) engine.Image {
	out := engine.Image{Name: u.image.Name, Machine: u.image.Machine}
	if u.image.Build != nil {
		out.Build = &engine.Build{For: article + " " + u.name, Build: *u.image.Build}
	}
	return out
}

// Set is the Store of one experiment. Articles do not share built images, whose tags contain the article.
type Set struct {
	*Store
	Article    string
	Experiment *plan.Experiment
}

// need returns a Need with the experiment's position.
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

// DriverNeed returns the Need that prepares a driver itself.
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
	programKey = "program of the machine: " // followed by its word
)

// key returns the key of an image in the store.
func (s Set) key(i spec.Image) string {
	made := i.Name // empty for the machine
	if i.Build != nil {
		made = i.Build.Inputs()
	}
	return "image " + s.Article + "\n" + made
}

// Prepared returns the prepared image of i, or the zero value before it is made.
func (s Set) Prepared(i spec.Image) engine.Prepared { return s.get(s.key(i)).image }

// Own returns the prepared image of our program.
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

// makeImage prepares an image of a trial and lists its packages, except for the machine's, which are too many for a
// record.
func (s Set) makeImage(ctx context.Context, log io.Writer, t *plan.Trial, u use) (got made, err error) {
	if got.image, err = s.Engine.Prepare(ctx, u.engineImage(s.Article), log); err != nil {
		return got, noImage(t, u, err)
	}
	if !u.image.OnMachine() {
		got.packages, err = s.packagesOf(ctx, got.image)
	}
	return got, err
}

// noImage returns a redacted *NoImageError with the place of the mistake if an image failed, or else wraps err.
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

// Facts returns the facts of a trial about its images (IDs, bases, packages), programs of the machine, and our own
// programs.
func (s Set) Facts(t *plan.Trial) map[string]string {
	facts := map[string]string{}
	for _, u := range usesOf(t) {
		if u.image.OnMachine() {
			for fact, word := range u.programs() {
				// Words of scripts may be shell builtins, which are unknown.
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
			continue // its search chose none
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

// ownParts returns the parts of our program that a trial uses as origins and links, with their semantics versions.
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
