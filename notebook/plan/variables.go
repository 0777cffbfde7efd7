package plan

import (
	"regexp"
	"strings"

	"benchbook/notebook/source"
)

// composeVariable matches what Compose replaces in every value of a service. Nothing is replaced here.
//
// Source: the Compose specification, "Interpolation".
var composeVariable = regexp.MustCompile(`\$\$|\$\{[A-Za-z_][^}]*\}?|\$[A-Za-z_][A-Za-z0-9_]*`)

// inShell matches the paths in a service of values that a shell may expand in the container.
var inShell = regexp.MustCompile(`^(command|entrypoint|healthcheck)\b`)

// checkVariables reports variables in services, except in services of Compose files, where they were replaced.
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
