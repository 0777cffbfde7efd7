package images

import (
	"bytes"
	"context"
	"io"
	"strings"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
)

// NoImageError is an image that could not be had. Err is an *engine.BuildError or *engine.ImageError, or the latter in
// the former, without secrets.
type NoImageError struct {
	// of the line of the Dockerfile that failed, if it is known and in the article, else of what asked for it
	Pos source.Pos
	Err error
}

func (e *NoImageError) Error() string { return e.Err.Error() }

func (e *NoImageError) Unwrap() error { return e.Err }

// image is an image that is there, with what a record says of it.
type image struct {
	engine.Prepared
	bases    string
	packages packages
	looked   bool // into it, for packages
}

func imageKey(i spec.Image) string {
	switch {
	case i.Machine:
		return "\x00machine" // no reference is written so
	case i.Build == nil:
		return i.Name
	}
	return i.Build.Inputs()
}

// driverName stands for the driver of a load where services have names; none is called so.
const driverName = "load"

// imagesOf are the images of a trial, by the names of its services, of a command in an image of its own, and of the
// driver of its load.
func imagesOf(t *plan.Trial) map[string]spec.Image {
	out := map[string]spec.Image{}
	for _, s := range t.Services {
		if s.Origin == nil {
			out[s.Name] = s.Image
		}
	}
	if t.Command != nil && t.Command.Service == "" {
		out["command"] = t.Command.Image
	}
	if t.Load != nil && t.Load.Driver != nil {
		out[driverName] = t.Load.Driver.Image
	}
	return out
}

// Of are the images of a trial of an article, as engines want them, by the names of what they are for.
func Of(article string, t *plan.Trial) map[string]engine.Image {
	out := map[string]engine.Image{}
	for name, i := range imagesOf(t) {
		out[name] = imageSpec(article+" "+name, i)
	}
	return out
}

// imageSpec is an image as engines want it; what says in words what it is for.
func imageSpec(what string, wanted spec.Image) engine.Image {
	out := engine.Image{Name: wanted.Name, Machine: wanted.Machine}
	if wanted.Build != nil {
		out.Build = &engine.Build{For: what, Build: *wanted.Build}
	}
	return out
}

// identification is a shell's program that says which file a program of the machine is, without the folders above it,
// which may be somebody's; its digest; and the Debian package that it came with.
const identification = `file=$(readlink -f -- "$(command -v -- "$1")") && [ -f "$file" ] || exit 1
digest=$(sha256sum < "$file") && printf '%s sha256:%s' "${file##*/}" "${digest%% *}"
package=$(dpkg-query -S "$file" 2>/dev/null | head -n 1) && [ -n "$package" ] && dpkg-query -W -f ' ${Package} ${Version}' "${package%%:*}"
exit 0`

// identify finds out which file a program of an engine's machine is, in the words of the fact about it: "unknown" for
// one that the machine does not have, such as a file that the article brings.
func identify(ctx context.Context, on engine.Engine, program string, machine engine.Prepared) (string, error) {
	space, err := on.Open(ctx, "programs")
	if err != nil {
		return "", err
	}
	exit, err := space.Run(ctx, engine.Program{Name: "program", Image: machine,
		Entrypoint: []string{"sh", "-c", identification, "sh"}, Command: []string{program}}, nil)
	if closeErr := engine.CloseSpace(ctx, space, 0); closeErr != nil {
		return "", closeErr
	}
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if err != nil || exit.Code != 0 {
		return unknownProgram, nil
	}
	return strings.TrimSpace(string(exit.Stdout)), nil
}

const unknownProgram = "unknown"

// identifyAll finds out which files the programs of the machine are that a service, or the command, of a trial names,
// once for each.
func (s *Store) identifyAll(ctx context.Context, t *plan.Trial, name string, machine engine.Prepared) error {
	for _, word := range programsOf(t, name) {
		if _, ok := s.programs[word]; ok {
			continue
		}
		is, err := identify(ctx, s.Engine, word, machine)
		if err != nil {
			return err
		}
		if s.programs == nil {
			s.programs = map[string]string{}
		}
		s.programs[word] = is
	}
	return nil
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
