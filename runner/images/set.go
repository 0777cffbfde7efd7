package images

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/engine/agent"
	"benchbook/runner/link"
	"benchbook/runner/load"
	"benchbook/runner/origin"
)

// Set is what an experiment needs of a Store. Images of an article are its own, by which they are found again.
type Set struct {
	*Store
	Article    string
	Experiment *plan.Experiment
}

// Needs are the images of a trial, and our program beside them.
func (s Set) Needs(t *plan.Trial) []Need {
	var needs []Need
	if len(ownParts(t)) > 0 {
		needs = append(needs, s.ownNeed())
	}
	images := imagesOf(t)
	for _, name := range slices.Sorted(maps.Keys(images)) {
		needs = append(needs, s.imageNeed(t, name, images[name]))
	}
	return needs
}

// DriverNeed is what a driver brings itself, in words.
func (s Set) DriverNeed(what string, driver load.Driver) Need {
	return Need{key: "driver of " + what, what: what,
		meet: func(ctx context.Context, log io.Writer) error {
			err := driver.Prepare(ctx, s.Engine, log)
			if errors.As(err, new(*engine.ImageError)) || errors.As(err, new(*engine.BuildError)) {
				return &NoImageError{Err: err}
			}
			return err
		}}
}

// Missing says that a need could not be met, at the place of what asks for it; nil if it was.
func (s Set) Missing(n Need) *NoImageError {
	known := s.outcomes[n.key]
	if known == nil {
		return nil
	}
	e := *known
	if e.Pos.Source == nil {
		e.Pos = s.Experiment.Pos
	}
	return &e
}

// Provide makes available what is needed and not there yet, and finds out what is in the images of some trials. The
// error is a *NoImageError for what could not be had, now or before.
func (s Set) Provide(ctx context.Context, needs []Need, trials ...*plan.Trial) error {
	if err := s.Meet(ctx, needs); err != nil {
		return err
	}
	for _, n := range needs {
		if e := s.Missing(n); e != nil {
			return e
		}
	}
	for _, t := range trials {
		if err := s.Examine(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// key tells the images of all articles apart.
func (s Set) key(i spec.Image) string { return s.Article + "\n" + imageKey(i) }

// Prepared is an image of the experiment for the engine.
func (s Set) Prepared(i spec.Image) engine.Prepared { return s.images[s.key(i)].Prepared }

// Own is our program for the engine.
func (s Set) Own() engine.Prepared { return s.own.image }

// Examine finds out what is in the images of a trial that are there, and which programs of the machine it runs.
func (s Set) Examine(ctx context.Context, t *plan.Trial) error {
	images := imagesOf(t)
	for _, name := range slices.Sorted(maps.Keys(images)) {
		found, ok := s.images[s.key(images[name])]
		if !ok {
			continue
		}
		if images[name].Machine {
			if err := s.identifyAll(ctx, t, name, found.Prepared); err != nil {
				return err
			}
		}
		if found.looked {
			continue
		}
		var err error
		if found.packages, err = s.packagesOf(ctx, found.Prepared); err != nil {
			return err
		}
		found.looked = true
		s.images[s.key(images[name])] = found
	}
	return nil
}

// ownNeed is our program, in an image of its own.
func (s Set) ownNeed() Need {
	return Need{key: "program", what: agent.Name,
		meet: func(ctx context.Context, log io.Writer) error {
			data, err := s.Agent()
			if err != nil {
				return err
			}
			sum := sha256.Sum256(data)
			image, err := s.Engine.Prepare(ctx, ownImage(data), log)
			if err != nil {
				return fmt.Errorf("preparing %s: %w", agent.Name, err)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			s.own = ownProgram{image, hex.EncodeToString(sum[:])}
			return nil
		}}
}

// imageNeed is an image of a trial. It is made once for all experiments of an article.
func (s Set) imageNeed(t *plan.Trial, name string, wanted spec.Image) Need {
	key, what := s.key(wanted), s.Article+" "+name
	return Need{key: "image " + key, what: what,
		meet: func(ctx context.Context, to io.Writer) error {
			redact := record.NewRedactor(t.Private...)
			log := &redactedLog{to: to, redact: redact}
			prepared, err := s.Engine.Prepare(ctx, imageSpec(what, wanted), log)
			log.flush()
			if err != nil {
				return noImage(t, what, wanted, err, redact)
			}
			// of which there are more packages than a record should list
			out := image{Prepared: prepared, looked: wanted.Machine}
			for _, base := range prepared.Bases {
				text := base.Reference + " " + base.ID
				if base.Substitute != "" {
					text = base.Reference + record.ReplacedBy + base.Substitute + " " + base.ID
				}
				out.bases = strings.TrimPrefix(out.bases+"; "+text, "; ")
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.images == nil {
				s.images = map[string]image{}
			}
			s.images[key] = out
			return nil
		}}
}

// noImage says where the mistake is that an image could not be had for, without secrets, if it is one of the article.
func noImage(t *plan.Trial, what string, wanted spec.Image, err error, redact *record.Redactor) error {
	var failed *engine.BuildError
	isBuild := errors.As(err, &failed) && wanted.Build != nil
	switch {
	case errors.As(err, new(*engine.ImageError)) && isBuild:
		return &NoImageError{t.DockerfilePos(wanted.Build, failed.Line), err} // of FROM
	case errors.As(err, new(*engine.ImageError)):
		return &NoImageError{t.ImagePos(wanted.Name), err}
	case isBuild:
		return &NoImageError{t.DockerfilePos(wanted.Build, failed.Line),
			&engine.BuildError{For: failed.For, Line: failed.Line,
				Tail: redact.Text(failed.Tail), Err: errors.New(redact.Text(failed.Err.Error()))}}
	}
	return fmt.Errorf("preparing the image of %s: %w", what, err)
}

// Facts are what a record says of the images of its own trial: their ids, what they were built from, and the packages
// in them; and of those of our programs that it needs.
func (s Set) Facts(t *plan.Trial) map[string]string {
	facts := map[string]string{}
	for name, i := range imagesOf(t) {
		if i.Machine {
			for fact, word := range programsOf(t, name) {
				// a script has words of the shell's own
				if is := s.programs[word]; fact == record.FactProgram+name || is != unknownProgram {
					facts[fact] = is
				}
			}
			continue
		}
		prepared, ok := s.images[s.key(i)]
		if !ok {
			continue // a search was to say which, and found none
		}
		facts["image."+name], facts["packages."+name] = prepared.ID, prepared.packages.Debian
		if prepared.bases != "" {
			facts[record.FactBase+name] = prepared.bases
		}
		if prepared.packages.Python != "" {
			facts["pip."+name] = prepared.packages.Python
		}
	}
	for part, semantics := range ownParts(t) {
		facts[part+".binary"], facts[part+".semantics"] = s.own.digest, strconv.Itoa(semantics)
	}
	return facts
}

// ownProgram is our program, ready to be started as an origin or a link.
type ownProgram struct {
	image  engine.Prepared
	digest string // of the program
}

// ownImage is that program as engines want it.
func ownImage(data []byte) engine.Image {
	return engine.Image{Executable: &engine.Executable{Name: agent.Name, Data: data}}
}

// ownParts lists which parts of our program a trial needs as services or before them, with what these mean.
func ownParts(t *plan.Trial) map[string]int {
	out := map[string]int{}
	for _, s := range t.Services {
		if s.Origin != nil {
			out[agent.Origin] = origin.Semantics
		}
		if s.Link != nil {
			out[agent.Link] = link.Semantics
		}
	}
	return out
}
