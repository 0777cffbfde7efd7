package plan

import (
	"regexp"
	"slices"
	"strings"

	"benchbook/notebook/article"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

// environment returns the variables of env_file and then of environment, which takes precedence.
func (d *draft) environment(n *source.Node, s *spec.Service) []string {
	var out []string
	for _, t := range texts(n.Under("env_file")) {
		folder := d.folder(t)
		whole := folder.whole(t.Value)
		d.reads[whole], d.envFiles[whole] = true, true
		if _, ok := article.CleanPath(t, d.problems); !ok {
			continue
		}
		from, written := folder.inRevision(d.revision, t, d.problems)
		f, ok := from.file(written, d.problems)
		if !ok {
			continue
		}
		for line := range strings.Lines(string(f.Data)) {
			line = strings.TrimSpace(line)
			if line == "" || line[0] == '#' {
				continue
			}
			name, value, ok := strings.Cut(strings.TrimPrefix(line, "export "), "=")
			name = strings.TrimSpace(name)
			if !ok || name == "" {
				d.problems.Add("wrong-value", t.Pos, "a line of %s has no value: %q", f.Path, line).
					Hint = "write NAME=value in every line; variables of the host are never passed on"
				break
			}
			if value, ok = fileValue(value); !ok {
				d.problems.Add("wrong-value", t.Pos,
					"a line of %s has a quote that is not closed, or words behind it: %q", f.Path, line).
					Hint = "close the quote at the end of the value, in the same line"
				break
			}
			sets := func(v string) bool { return strings.HasPrefix(v, name+"=") }
			if slices.ContainsFunc(s.Environment, sets) {
				continue
			}
			out = slices.DeleteFunc(out, sets) // the last value counts: programs disagree about names that occur twice
			out = append(out, name+"="+value)
			if spec.IsSecretName(name) {
				d.private[value] = true
			}
		}
	}
	d.checkWrittenSecrets(n.Under("environment"))
	return append(out, s.Environment...)
}

// publicValue matches values too simple to be secrets: a word in lower case, or up to three characters.
var publicValue = regexp.MustCompile(`^([a-z]*|.{1,3})$`)

// checkWrittenSecrets reports variables with names of secrets whose values are written in the article.
func (d *draft) checkWrittenSecrets(n *source.Node) {
	for _, v := range article.VariablesOf(n) {
		isFromOutside := strings.Contains(v.Value.Value, "${{")
		for value := range d.private {
			isFromOutside = isFromOutside || len(value) >= record.LeastSecret && strings.Contains(v.Value.Value, value)
		}
		if spec.IsSecretName(v.Name.Value) && !isFromOutside && !publicValue.MatchString(v.Value.Value) {
			d.problems.Add("written-secret", v.Value.Pos, "the value of %s is in the article, and would be in its records",
				v.Name.Value).Hint = "give it from outside by secrets:, or use a word of lower-case letters if it protects nothing"
		}
	}
}

// fileValue reads a value of an env_file as Compose does: in single quotes unchanged, in double quotes with the escapes
// \n, \r, \t, \" and \\, and without quotes up to a comment after a space. It returns false if a quote is not closed,
// or anything but a comment follows it. Variables are not expanded.
func fileValue(s string) (string, bool) {
	s = strings.TrimSpace(s)
	if s == "" || s[0] != '"' && s[0] != '\'' {
		return comment.ReplaceAllString(s, ""), true
	}
	parts := quoted.FindStringSubmatch(s)
	if parts == nil {
		return "", false
	}
	return escapes.Replace(parts[1]) + parts[2], true
}

var (
	comment = regexp.MustCompile(`(^|\s+)#.*`)
	quoted  = regexp.MustCompile(`^(?:"((?:[^"\\]|\\.)*)"|'([^']*)')\s*(?:#.*)?$`)
	escapes = strings.NewReplacer(`\n`, "\n", `\r`, "\r", `\t`, "\t", `\"`, `"`, `\\`, `\`)
)

// composeVariable matches the variables that Compose would replace in any value of a service. Benchbook does not.
//
// Source: the Compose specification, "Interpolation".
var composeVariable = regexp.MustCompile(`\$\$|\$\{[A-Za-z_][^}]*\}?|\$[A-Za-z_][A-Za-z0-9_]*`)

// inShell matches the keys of a service whose values a shell in its container may expand.
var inShell = regexp.MustCompile(`^(command|entrypoint|healthcheck)\b`)

// checkVariables reports Compose variables in services. In services of Compose files they are already replaced.
func (p *planner) checkVariables(experiment *source.Node) {
	for _, service := range experiment.Get("services").All() {
		service.Value.Visit("", func(key string, t source.Text) {
			if !strings.HasSuffix(key, "dockerfile_inline") && p.composedFrom(t) == nil {
				p.checkVariablesIn(t, inShell.MatchString(key))
			}
		})
	}
}

func (p *planner) checkVariablesIn(t source.Text, inShell bool) {
	for _, at := range composeVariable.FindAllStringIndex(t.Value, -1) {
		word := t.Value[at[0]:at[1]]
		message := word + " is not replaced by a variable of this machine, as Compose does"
		hint := "write the value, or ${{ matrix.NAME }} for a parameter; a value with a $ in it can come from an env_file"
		switch {
		case word == "$$":
			message = "$$ is not read as a single $, as Compose does"
			hint = "write $ once; put a line that needs $$ into a script of the article"
		case inShell && !strings.HasPrefix(word, "${"):
			continue // the shell of the container replaces it
		case inShell:
			hint = "write the value; a variable of the container is written without braces"
		}
		p.problems.Add("compose-variable", t.At(at[0], at[1]), "%s", message).Hint = hint
	}
}
