package runner

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"

	"benchbook/notebook/article"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/runner/engine"
	"benchbook/runner/load"
)

// NoImageError is an image that could not be had. Err is an *engine.BuildError or *engine.ImageError, or the latter in the
// former, without secrets.
type NoImageError struct {
	Pos article.Pos // of the line of the Dockerfile that failed, if it is known and in the article, else of what asked for it
	Err error
}

func (e *NoImageError) Error() string { return e.Err.Error() }

func (e *NoImageError) Unwrap() error { return e.Err }

// image is an image that is there, with what a record says of it.
type image struct {
	engine.Prepared
	bases, packages string
}

// imageKey tells images apart.
func imageKey(i plan.Image) string {
	if i.Build == nil {
		return i.Name
	}
	var b strings.Builder
	fmt.Fprintln(&b, i.Build.Dockerfile, i.Build.Target, i.Build.Args)
	for _, f := range i.Build.Files {
		fmt.Fprintln(&b, f.Path, f.Digest, f.Exec)
	}
	return b.String()
}

// prepare makes all images of the experiment available and gathers facts, before anything is timed.
func (r *run) prepare(ctx context.Context) error {
	facts, err := r.Engine.Facts(ctx)
	if err != nil {
		return err
	}
	if facts["engine.local"] == "false" {
		return fmt.Errorf("the %s engine runs containers elsewhere or in a virtual machine, and what is measured there would be recorded as "+
			"of this machine: run benchbook on the engine's machine, or use an engine of this one", r.Engine.Name())
	}
	r.facts = maps.Clone(facts)
	maps.Copy(r.facts, r.Host.Facts)
	r.placement = plan.Place(r.Host.Cores)
	prepared := map[load.Driver]bool{}
	for _, step := range r.todo.steps {
		driver := r.driver(step.Trial)
		if driver == nil {
			return fmt.Errorf("nothing here puts a load on with %s", step.Trial.Load.Tool)
		}
		if prepared[driver] {
			continue
		}
		prepared[driver] = true
		err := driver.Prepare(ctx, r.Engine, r.Progress.Preparing("load"))
		if errors.As(err, new(*engine.ImageError)) || errors.As(err, new(*engine.BuildError)) {
			return &NoImageError{r.experiment.Pos, err}
		}
		if err != nil {
			return err
		}
	}
	r.images = map[string]image{}
	for _, step := range r.todo.steps {
		if err := r.prepareOwn(ctx, step.Trial); err != nil {
			return err
		}
		for name, image := range imagesOf(step.Trial) {
			if err := r.prepareImage(ctx, step.Trial, name, image); err != nil {
				return err
			}
		}
	}
	return nil
}

func imagesOf(t *plan.Trial) map[string]plan.Image {
	out := map[string]plan.Image{}
	for _, s := range t.Services {
		if s.Origin == nil {
			out[s.Name] = s.Image
		}
	}
	if t.Command != nil && t.Command.Service == "" {
		out["command"] = t.Command.Image
	}
	return out
}

// prepareImage prepares one image of a trial, unless another one has it too.
func (r *run) prepareImage(ctx context.Context, t *plan.Trial, name string, wanted plan.Image) error {
	key := imageKey(wanted)
	if _, ok := r.images[key]; ok {
		return nil
	}
	what := r.plan.Article + " " + name
	spec := engine.Image{Name: wanted.Name}
	if b := wanted.Build; b != nil {
		spec.Build = &engine.Build{For: what, Dockerfile: b.Dockerfile, Args: b.Args, Target: b.Target}
		for _, f := range b.Files {
			spec.Build.Files = append(spec.Build.Files, engineFile(f))
		}
	}
	redact := record.NewRedactor(t.Definition)
	log := &redactedLog{to: r.Progress.Preparing(what), redact: redact}
	prepared, err := r.Engine.Prepare(ctx, spec, log)
	log.flush()
	var failed *engine.BuildError
	switch {
	case err == nil:
	case errors.As(err, new(*engine.ImageError)):
		at := r.experiment.Pos
		if errors.As(err, &failed) && wanted.Build != nil {
			at = wanted.Build.At(failed.Line) // of FROM
		}
		return &NoImageError{at, err}
	case errors.As(err, &failed) && wanted.Build != nil:
		return &NoImageError{wanted.Build.At(failed.Line), &engine.BuildError{For: failed.For, Line: failed.Line,
			Tail: redact.Text(failed.Tail), Err: errors.New(redact.Text(failed.Err.Error()))}}
	default:
		return fmt.Errorf("preparing the image of %s: %w", what, err)
	}
	out := image{Prepared: prepared}
	for _, base := range prepared.Bases {
		text := base.Reference + " " + base.ID
		if base.Substitute != "" {
			text = base.Reference + " replaced by " + base.Substitute + " " + base.ID
		}
		out.bases = strings.TrimPrefix(out.bases+"; "+text, "; ")
	}
	if out.packages, err = r.packagesOf(ctx, prepared); err != nil {
		return err
	}
	r.images[key] = out
	return nil
}

// packagesOf lists the Debian packages of an image, or nothing where it is not made of them. Each image is asked once.
func (r *Runner) packagesOf(ctx context.Context, image engine.Prepared) (string, error) {
	if packages, ok := r.packages[image.ID]; ok {
		return packages, nil
	}
	space, err := r.Engine.Open(ctx, "packages")
	if err != nil {
		return "", err
	}
	exit, err := space.Run(ctx, engine.Program{Name: "packages", Image: image,
		Entrypoint: []string{"dpkg-query"}, Command: []string{"-W", "-f", "${Package} ${Version}\n"}}, nil)
	if closeErr := closeSpace(ctx, space, 0); closeErr != nil {
		return "", closeErr
	}
	packages := ""
	if err == nil && exit.Code == 0 {
		packages = strings.TrimSpace(string(exit.Stdout))
	}
	if ctx.Err() == nil {
		if r.packages == nil {
			r.packages = map[string]string{}
		}
		r.packages[image.ID] = packages
	}
	return packages, ctx.Err()
}

// imageFacts are what a record says of the images of its own trial: their ids, what they were built from, and the packages in them.
func (r *run) imageFacts(t *plan.Trial) map[string]string {
	facts := map[string]string{}
	for name, i := range imagesOf(t) {
		prepared := r.images[imageKey(i)]
		facts["image."+name], facts["base."+name], facts["packages."+name] = prepared.ID, prepared.bases, prepared.packages
		if prepared.bases == "" {
			delete(facts, "base."+name)
		}
	}
	return facts
}

// A redactedLog takes the secrets of a trial out of what a builder says, in whole lines, so that none is cut in two.
type redactedLog struct {
	to     io.Writer
	redact *record.Redactor
	rest   []byte
}

func (l *redactedLog) Write(p []byte) (int, error) {
	l.rest = append(l.rest, p...)
	end := bytes.LastIndexByte(l.rest, '\n') + 1
	if end == 0 {
		return len(p), nil
	}
	_, err := io.WriteString(l.to, l.redact.Text(string(l.rest[:end])))
	l.rest = bytes.Clone(l.rest[end:])
	return len(p), err
}

// flush writes the line that has no end yet.
func (l *redactedLog) flush() {
	if len(l.rest) > 0 {
		_, _ = io.WriteString(l.to, l.redact.Text(string(l.rest))+"\n") // it is only for people to read
	}
	l.rest = nil
}

func engineFile(f plan.File) engine.File {
	out := engine.File{Path: f.Path, Mode: 0o644, Data: f.Data}
	if f.Exec {
		out.Mode = 0o755
	}
	return out
}
