package plan

import (
	"cmp"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"benchbook/internal/files"
	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/expr"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
)

// A Secret is a value that is given from outside when an experiment is run. A plan knows only its source; its value
// enters neither keys nor records.
//
// Source: docs/services.md#secrets-from-outside.
type Secret struct {
	Name        string
	Environment string // the variable that holds it, or
	File        string // the path of the file that holds it, or
	Within      string // folder that must contain File after links are resolved; empty: anywhere
	Content     []byte // the value itself, if a Compose file contains it
	Pos         source.Pos

	written string // the path as written
}

// String returns where the value comes from.
func (s Secret) String() string {
	switch {
	case s.Environment != "":
		return s.Name + " from the variable " + s.Environment
	case s.Content != nil:
		return s.Name + " from the Compose files"
	}
	return s.Name + " from the file " + s.written
}

// secretPlaces matches the keys of a trial that may name a secret. Its value is filled in when the trial starts.
var secretPlaces = regexp.MustCompile(`^(services\..+\.(environment|command|entrypoint|healthcheck)|` +
	`load\.((target\[\d+\]\.)?(headers|body)|driver\.environment)|command\.(environment|run|stdin)|` +
	`prepare\b.*\.run)\b`)

// secretUse matches a template that names a secret.
var secretUse = regexp.MustCompile(`\$\{\{\s*secrets\.([A-Za-z0-9_.-]+)\s*\}\}`)

// FillSecrets replaces templates that name secrets by the values of these secrets.
func FillSecrets(text string, value func(name string) string) string {
	return secretUse.ReplaceAllStringFunc(text, func(use string) string {
		return value(secretUse.FindStringSubmatch(use)[1])
	})
}

// hidePrivate removes private values from definitions and messages. A value that is part of a service name stays,
// because records name services.
func (p *planner) hidePrivate(out *Plan) {
	if len(p.private) == 0 {
		return
	}
	var names []string
	for _, e := range p.outlines {
		names = append(names, e.serviceNames()...)
	}
	values := slices.DeleteFunc(sortedKeys(p.private), func(value string) bool {
		return slices.ContainsFunc(names, func(name string) bool { return strings.Contains(name, value) })
	})
	redact, problems := record.NewRedactor(values...), p.problems.All()
	for _, e := range out.Experiments {
		problems = append(problems, e.remarks.All()...)
		for _, t := range e.Trials {
			t.Private, t.Definition = values, redact.JSON(t.Definition)
			if len(t.Inputs) > 0 { // the first is the definition
				t.Inputs[0].Digest = Digest(t.Definition)
			}
		}
	}
	for _, problem := range problems {
		problem.Message, problem.Hint = redact.Text(problem.Message), redact.Text(problem.Hint)
	}
}

// readSecrets reads the secrets of an experiment, and reports services that name unknown ones.
func (e *outline) readSecrets() {
	for _, s := range e.head.Secrets {
		switch name, environment, file := s.Name, s.Value.Environment, s.Value.File; {
		case !environment.IsZero():
			e.Secrets = append(e.Secrets, Secret{Name: name.Value, Environment: environment.Value, Pos: name.Pos})
		case !file.IsZero():
			e.Secrets = append(e.Secrets, e.secretFile(name, file))
		case !e.head.HasTried(e.headNode.Get("secrets").Get(name.Value), "environment", "file"):
			e.problems.Add("missing-key", name.Pos, "secret %q has neither environment nor file", name.Value).
				Hint = "write {environment: NAME}, or {file: PATH}"
		}
	}
	known := slice.Map(e.Secrets, func(s Secret) string { return s.Name })
	for _, service := range e.headNode.Get("services").All() {
		for _, n := range service.Value.Under("secrets").List() {
			t := n.Text
			if n.Kind == source.Map {
				t = n.TextAt("source")
			}
			if name := t.Value; name != "" && !isTemplate(t) && !slices.Contains(known, name) {
				e.problems.Add("unknown-secret", t.Pos, "no secret %q in this experiment", name).
					Hint = cmp.Or(source.Suggest(name, known), missing("secrets", name))
			}
		}
	}
}

// secretFile returns a secret from a file, or from the Compose files.
func (p *planner) secretFile(name, file source.Text) Secret {
	out := Secret{Name: name.Value, Pos: name.Pos}
	if c := p.composedFrom(file); c != nil {
		if data, ok := c.Contents[file.Value]; ok {
			out.Content = data
			return out
		}
	}
	out.File, out.written = filepath.FromSlash(file.Value), file.Value
	if !filepath.IsAbs(out.File) {
		out.File = p.folder(file).whole(file.Value)
	}
	p.hidden[out.File] = true
	if !p.project.Allow.Has(article.AllowSecrets) {
		out.Within = p.repository
		if _, ok := files.Below(out.Within, out.File); !ok {
			p.allow(article.AllowSecrets, file.Pos, "the secret file "+file.Value+", outside the repository,")
		}
	}
	return out
}

// checkSecrets reports secrets in keys that may not name them, and secrets in functions or filters.
func checkSecrets(n *source.Node, problems *source.Problems) {
	visitNames(n, func(at string, t source.Text, name *expr.Selector) {
		switch {
		case !strings.HasPrefix(name.Name, "secrets."):
		case !secretPlaces.MatchString(at):
			problems.Add("misplaced-secret", t.Pos, "the value of a secret cannot be used in %s", at).
				Hint = "it can be used in environment, command, entrypoint and healthcheck of a service, in run, environment and " +
				"stdin of a command, in headers and body of a load, in environment of its driver, and in run of prepare"
		case len(secretUse.FindAllString(t.Value, -1)) != strings.Count(t.Value, "secrets."):
			problems.Add("misplaced-secret", t.Pos, "the value of a secret is put in as it is").
				Hint = "write ${{ " + name.Name + " }} alone, without functions and filters"
		}
	})
}
