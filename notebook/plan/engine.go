package plan

import (
	"strconv"
	"strings"

	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

// CheckEngine reports what the experiment asks for and its engine cannot do, before anything is started.
func (e *Experiment) CheckEngine(problems *source.Problems) {
	engine := "the engine " + string(e.Engine)
	refuse := func(is bool, needs spec.Capability, message, hint string) {
		if is && !e.Engine.Can(needs) {
			problems.Add("needs-container", e.Pos, "%s", message).Hint = hint
		}
	}
	programs := " is built by run, and " + engine + " runs no programs of the machine"
	const useDockerfile = "write a Dockerfile instead of run, or use the engine local"
	const useProgram = "leave out image and build, so that its program is one of this machine, or use the engine docker"
	for _, t := range e.Trials {
		for _, s := range t.Services {
			what := "service " + strconv.Quote(s.Name)
			refuse(s.Image.OnMachine() && s.Image.Build != nil, spec.Machine, what+programs, useDockerfile)
			refuse(s.Image.Build != nil && !s.Image.OnMachine(), spec.Builds, what+" is built from a Dockerfile, and "+engine+" builds no images",
				useProgram)
			refuse(s.Image.Name != "", spec.Builds, what+" has the image "+s.Image.Name+", and "+engine+" has no images",
				useProgram)
			refuse(s.Scale > 1, spec.OneName, what+" is scaled, and "+engine+" finds one process by a name",
				"remove scale, or use the engine docker")
			keys := s.NeedsContainer()
			refuse(len(keys) > 0, spec.Containers, what+" has "+strings.Join(keys, ", ")+", and "+engine+" has no containers",
				"remove what only a container can have, or use the engine docker")
		}
		if c := t.Command; c != nil {
			refuse(c.Image.OnMachine() && c.Image.Build != nil, spec.Machine, "the command"+programs, useDockerfile)
			refuse(c.Service == "" && !c.Image.OnMachine(), spec.Builds, "the command has an image, and "+engine+" has none",
				useProgram)
		}
		if l := t.Load; l != nil {
			refuse(l.Tool != "", spec.Builds, "the load by "+l.Tool+" runs in an image of its own, and "+engine+" has none",
				"remove tool, or use the engine docker")
			refuse(l.Priority != "", spec.Priorities, "the load has a priority, and "+engine+" knows none",
				"remove priority, or use the engine docker")
			refuse(l.Driver != nil && !l.Driver.Image.OnMachine(), spec.Builds, "the driver has an image, and "+engine+" has none",
				useProgram)
		}
	}
}
