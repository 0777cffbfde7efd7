package runner

import (
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"benchbook/internal/files"
	"benchbook/internal/slice"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
)

// mostSecret is the maximum size of a secret file, in bytes.
const mostSecret = 1 << 20

// Secrets maps the names of an experiment's secrets to their values.
//
// Source: docs/services.md#secrets-from-outside.
type Secrets map[string]string

// NoSecret is a secret whose value is missing or unusable.
type NoSecret struct {
	plan.Secret
	Why, WayOut string
}

// ReadSecrets reads the secrets of an experiment. Missing lists those without a usable value.
func ReadSecrets(e *plan.Experiment) (out Secrets, missing []NoSecret) {
	out = Secrets{}
	for _, s := range e.Secrets {
		value, why, wayOut := readSecret(s)
		switch n := len(strings.TrimSpace(value)); {
		case why != "":
		case n == 0:
			why = "it is empty"
		case n < record.LeastSecret:
			why = fmt.Sprintf("it has %d bytes", n)
			wayOut = fmt.Sprintf("use one of at least %d: it is removed from all that programs write, and a shorter one "+
				"is in too many words", record.LeastSecret)
		}
		if out[s.Name] = value; why != "" {
			missing = append(missing, NoSecret{s, why, wayOut})
		}
	}
	return out, missing
}

// readSecret returns the value of a secret, or why it has none. WayOut, always set, says how to provide one.
func readSecret(s plan.Secret) (value, why, wayOut string) {
	switch {
	case s.Content != nil:
		return string(s.Content), "", "set its variable in .env"
	case s.Environment != "":
		value, ok := os.LookupEnv(s.Environment)
		return value, map[bool]string{false: "it is not set"}[ok], "set it before you run: export " + s.Environment + "=…"
	}
	if real, err := filepath.EvalSymlinks(s.File); err == nil && s.Within != "" {
		within, err := filepath.EvalSymlinks(s.Within)
		if _, ok := files.Below(within, real); err != nil || !ok {
			return "", "it is a link that leaves the repository", "replace it by what it points at, or permit it with " +
				"allow: [secrets] in the project file"
		}
	}
	data, _, err := files.Read(s.File, mostSecret)
	if err != nil {
		why = files.Reason(err)
	}
	return string(data), why, "write the value into it, and keep it out of git"
}

// values returns the values to redact from records.
func (s Secrets) values() []string { return slices.Sorted(maps.Values(s)) }

// redactor returns a Redactor for all secrets and the private texts of a trial.
func (s Secrets) redactor(t *plan.Trial) *record.Redactor {
	return record.NewRedactor(slices.Concat(s.values(), t.Private)...)
}

// put returns a copy of t with its secrets filled in. The definition and key stay as planned.
func (s Secrets) put(t *plan.Trial) *plan.Trial {
	if len(s) == 0 {
		return t
	}
	out := *t
	out.Services = slice.Map(t.Services, s.service)
	if t.Load != nil {
		l := *t.Load
		l.Headers, l.Body = s.byName(l.Headers), s.text(l.Body)
		l.Targets = slice.Map(l.Targets, func(target spec.Target) spec.Target {
			target.Headers, target.Body = s.byName(target.Headers), s.text(target.Body)
			return target
		})
		if l.Driver != nil {
			d := *l.Driver
			d.Environment = s.texts(d.Environment)
			l.Driver = &d
		}
		out.Load = &l
	}
	if t.Command != nil {
		c := *t.Command
		c.Run, c.Environment, c.Stdin = s.texts(c.Run), s.texts(c.Environment), s.text(c.Stdin)
		out.Command = &c
	}
	hook := func(h spec.Hook) spec.Hook { return spec.Hook{Service: h.Service, Run: s.texts(h.Run)} }
	out.Prepare = slice.Map(t.Prepare, hook)
	return &out
}

// service returns a copy of a service with its secrets and secret files filled in. A read-only container gets the files
// in a volume: they cannot be copied into it, and must not be built into an image.
func (s Secrets) service(of *spec.Service) *spec.Service {
	out := *of
	out.Environment, out.Command, out.Entrypoint = s.texts(of.Environment), s.texts(of.Command), s.texts(of.Entrypoint)
	out.Ready.Command = s.texts(of.Ready.Command)
	var list []spec.File
	for _, f := range of.Secrets {
		list = append(list, spec.File{Path: f.Target, Data: []byte(s[f.Name])})
	}
	if !of.ReadOnly || list == nil {
		out.Configs = slices.Concat(of.Configs, list)
		return &out
	}
	for i := range list {
		list[i].Path = path.Base(list[i].Path)
	}
	out.Volumes = append(slices.Clone(of.Volumes), spec.Volume{Type: spec.BindVolume, Target: spec.SecretsDir,
		ReadOnly: true, Files: list})
	return &out
}

func (s Secrets) texts(list []string) []string { return slice.Map(list, s.text) }

func (s Secrets) byName(values map[string]string) map[string]string {
	out := maps.Clone(values)
	for name, value := range out {
		out[name] = s.text(value)
	}
	return out
}

// text fills in the secrets that text refers to, without trailing line breaks.
func (s Secrets) text(text string) string {
	return plan.FillSecrets(text, func(name string) string { return strings.TrimRight(s[name], "\r\n") })
}
