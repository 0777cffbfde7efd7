package plan

import (
	"strconv"
	"strings"

	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

// CheckEngine reports what the experiment asks for and its engine cannot do. All of it is known before anything is
// started, so that none of it fails in the middle.
func (e *Experiment) CheckEngine(problems *source.Problems) {
	c := &engineCheck{e, problems}
	for _, t := range e.Trials {
		for _, s := range t.Services {
			c.service(s)
		}
		if t.Command != nil && t.Command.Service == "" && !t.Command.Image.Machine {
			c.refuse(spec.Builds, "the command has an image, and "+c.name()+" has none", useProgram)
		}
		if t.Load != nil && t.Load.Tool != "" {
			c.refuse(spec.Builds, "the load by "+t.Load.Tool+" runs in an image of its own, and "+c.name()+" has none",
				"remove tool, or use the engine docker")
		}
		if t.Load != nil && t.Load.Priority != "" {
			c.refuse(spec.Priorities, "the load has a priority, and "+c.name()+" knows none",
				"remove priority, or use the engine docker")
		}
		if t.Load != nil && t.Load.Driver != nil && !t.Load.Driver.Image.Machine {
			c.refuse(spec.Builds, "the driver has an image, and "+c.name()+" has none", useProgram)
		}
	}
}

const useProgram = "leave out image and build, so that its program is one of this machine, or use the engine docker"

// engineCheck reports what the engine of an experiment cannot do.
type engineCheck struct {
	*Experiment
	problems *source.Problems
}

// refuse reports what needs a capability, unless the engine has it.
func (c *engineCheck) refuse(needs spec.Capability, message, hint string) {
	if !c.Engine.Can(needs) {
		c.problems.Add("needs-container", c.Pos, "%s", message).Hint = hint
	}
}

func (c *engineCheck) name() string { return "the engine " + string(c.Engine) }

func (c *engineCheck) service(s *spec.Service) {
	what := "service " + strconv.Quote(s.Name)
	switch {
	case s.Image.Build != nil:
		c.refuse(spec.Builds, what+" is built from a Dockerfile, and "+c.name()+" builds no images", useProgram)
	case s.Image.Name != "":
		c.refuse(spec.Builds, what+" has the image "+s.Image.Name+", and "+c.name()+" has no images", useProgram)
	}
	if s.Scale > 1 {
		c.refuse(spec.OneName, what+" is scaled, and "+c.name()+" finds one process by a name",
			"remove scale, or use the engine docker")
	}
	keys := s.NeedsContainer()
	if s.Link != nil {
		keys = append(keys, "link")
	}
	if len(keys) > 0 {
		c.refuse(spec.Containers, what+" has "+strings.Join(keys, ", ")+", and "+c.name()+" has no containers",
			"remove what only a container can have, or use the engine docker")
	}
}
