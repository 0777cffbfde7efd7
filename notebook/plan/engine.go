package plan

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"benchbook/notebook/article"
	"benchbook/notebook/source"
)

// engine is where the services of the project run.
func (p *planner) engine() article.EngineName { return cmp.Or(p.project.Engine.V, article.Docker) }

// CheckEngine reports what the experiment asks for and processes without containers do not have, if that is its engine. All of it
// is known before anything is started, so that none of it fails in the middle.
func (e *Experiment) CheckEngine(problems *source.Problems) {
	if e.Engine != article.Local {
		return
	}
	said := map[string]bool{}
	refuse := func(message, hint string) {
		if !said[message] {
			said[message] = true
			problems.Add("needs-container", e.Pos, "%s", message).Hint = hint
		}
	}
	const program = "leave out image and build, so that its program is one of this machine, or use the engine docker"
	for _, t := range e.Trials {
		for _, s := range t.Services {
			what := "service " + strconv.Quote(s.Name)
			switch {
			case s.Image.Build != nil:
				refuse(what+" is built from a Dockerfile, and the engine local builds no images", program)
			case s.Image.Name != "":
				refuse(what+" has the image "+s.Image.Name+", and the engine local has no images", program)
			}
			if s.Scale > 1 {
				refuse(what+" is scaled, and the engine local finds one process by a name", "remove scale, or use the engine docker")
			}
			for _, o := range s.SecurityOpt {
				if !strings.HasPrefix(o, "no-new-privileges") {
					refuse(what+" has the security option "+o+", which the engine local does not know", "remove it, or use the engine docker")
				}
			}
			for _, name := range slices.Sorted(maps.Keys(s.Sysctls)) {
				if !strings.HasPrefix(name, "net.") {
					refuse(what+" sets "+name+", which without a container is a setting of the whole machine", "remove it, or use the engine docker")
				}
			}
		}
		if c := t.Command; c != nil && c.Service == "" && !c.Image.Machine {
			refuse("the command has an image, and the engine local has none", program)
		}
		if l := t.Load; l != nil && l.Tool != "" {
			refuse("the load by "+l.Tool+" runs in an image of its own, and the engine local has none", "remove tool, or use the engine docker")
		}
	}
}
