package article

import (
	"benchbook/notebook/source"
)

// Command is a program whose run is timed.
type Command struct {
	Run         *CommandLine    `yaml:"run"`
	Service     source.Text     `yaml:"service"` // it runs there; without one, in a container of its own
	Image       source.Text     `yaml:"image"`
	Build       *Build          `yaml:"build"`
	Configs     []Config        `yaml:"configs"`
	Environment Environment     `yaml:"environment"`
	WorkingDir  source.Text     `yaml:"working_dir"`
	CPUSet      source.Text     `yaml:"cpuset"` // logical CPUs, or load: where a load is put on from
	Shell       Value[bool]     `yaml:"shell"`
	Stdin       source.Text     `yaml:"stdin"`
	Warmup      Value[int]      `yaml:"warmup"` // runs before the one that is timed
	Expect      *Expect         `yaml:"expect"`
	Timeout     Value[Duration] `yaml:"timeout"`
	Tried       source.Tried    `yaml:"-"`
}

// Expect guards against timing a failure.
type Expect struct {
	Exit     Value[int]  `yaml:"exit"`
	Contains source.Text `yaml:"contains"`
}
