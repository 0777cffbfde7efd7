package plan

import (
	"regexp"
	"slices"
	"strings"

	"benchbook/notebook/source"
)

// composeVariable matches what Compose replaces in every value of a service. Nothing is replaced here.
//
// Source: the Compose specification, "Interpolation".
var composeVariable = regexp.MustCompile(`\$\$|\$\{[A-Za-z_][^}]*\}?|\$[A-Za-z_][A-Za-z0-9_]*`)

// shellKeys are keys of services whose value a shell may expand in the container.
var shellKeys = []string{"command", "entrypoint", "healthcheck"}

// checkVariables reports variables in services, except in services of Compose files, where they were replaced.
func (p *planner) checkVariables(experiment *source.Node) {
	for _, service := range experiment.Get("services").All() {
		for _, f := range service.Value.Fields {
			p.checkVariablesIn(f.Value, f.Key.Value, slices.Contains(shellKeys, f.Key.Value))
		}
	}
}

func (p *planner) checkVariablesIn(n *source.Node, key string, inShell bool) {
	for _, item := range n.Items {
		p.checkVariablesIn(item, key, inShell)
	}
	for _, f := range n.Fields {
		p.checkVariablesIn(f.Value, f.Key.Value, inShell)
	}
	if n.Kind != source.Scalar || key == "dockerfile_inline" || p.composedFrom(n.Text) != nil {
		return
	}
	for _, at := range composeVariable.FindAllStringIndex(n.Text.Value, -1) {
		word, place := n.Text.Value[at[0]:at[1]], n.Text.At(at[0], at[1])
		switch {
		case word == "$$":
			p.problems.Add("compose-variable", place, "$$ is not read as a single $, as Compose does").
				Hint = "write $ once; put a line that needs $$ into a script of the article"
		case inShell && !strings.HasPrefix(word, "${"): // the shell of the container replaces it
		case inShell:
			p.problems.Add("compose-variable", place, "%s is not replaced by a variable of this machine, as Compose does", word).
				Hint = "write the value; a variable of the container is written without braces"
		default:
			p.problems.Add("compose-variable", place, "%s is not replaced by a variable of this machine, as Compose does", word).
				Hint = "write the value, or ${{ matrix.NAME }} for a parameter; a value with a $ in it can come from an env_file"
		}
	}
}
