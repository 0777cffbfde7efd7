package plan

import (
	"regexp"
	"slices"
	"strings"

	"benchbook/notebook/source"
)

// Compose replaces variables of the host in every value of a service, and takes $$ for a $. Nothing is replaced here,
// so the same words would mean something else.
//
// Source: the Compose specification, "Interpolation".
var (
	composeVariable = regexp.MustCompile(`\$\$|\$\{[A-Za-z_][^}]*\}?|\$[A-Za-z_][A-Za-z0-9_]*`)
	variableName    = regexp.MustCompile(`[A-Za-z_][A-Za-z0-9_]*`)
	shellKeys       = []string{"command", "entrypoint", "healthcheck"} // a shell in the container may replace $NAME there
)

// builderKey has text whose variables are the builder's.
const builderKey = "dockerfile_inline"

// checkVariables reports what Compose would replace in services and nothing here does. In Compose files it is replaced.
func (p *planner) checkVariables(experiment *source.Node) {
	services := experiment.Get("services")
	if services == nil {
		return
	}
	for _, service := range services.Fields {
		for _, f := range service.Value.Fields {
			p.checkVariablesIn(f.Value, f.Key.Value, f.Key.Value)
		}
	}
}

// checkVariablesIn does that in a value. Top is the key of the service that the value stands under, and key the nearest
// one.
func (p *planner) checkVariablesIn(n *source.Node, top, key string) {
	for _, item := range n.Items {
		p.checkVariablesIn(item, top, key)
	}
	for _, f := range n.Fields {
		p.checkVariablesIn(f.Value, top, f.Key.Value)
	}
	if n.Kind != source.Scalar || p.composedFrom(n.Text) != nil {
		return
	}
	inShell := slices.Contains(shellKeys, top)
	for _, at := range composeVariable.FindAllStringIndex(n.Text.Value, -1) {
		word, place := n.Text.Value[at[0]:at[1]], n.Text.At(at[0], at[1])
		if word == "$$" {
			p.problems.Add("compose-variable", place, "$$ is not read as a single $, as Compose does").
				Hint = "write $ once; put a line that needs $$ into a script of the article"
			continue
		}
		hint := "write the value, or ${{ matrix.NAME }} for a parameter"
		switch {
		case key == builderKey || inShell && !strings.HasPrefix(word, "${"):
			continue // the builder, or the shell of the container, replaces it
		case inShell:
			hint = "write the value; for a variable of the container write $" + variableName.FindString(word) +
				", or put the line into a script of the article"
		case top == "environment":
			hint += "; a value with a $ in it can come from an env_file"
		}
		p.problems.Add("compose-variable", place, "%s is not replaced by a variable of this machine, as Compose does", word).
			Hint = hint
	}
}
