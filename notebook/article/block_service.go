package article

import (
	"slices"
	"strings"

	"github.com/kballard/go-shellquote"

	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

// Services are the services of an experiment, in the order written.
type Services = Map[Service]

// Service is a container, described by keys of Compose, or an origin of ours.
type Service struct {
	Image       source.Text     `yaml:"image"`
	Build       *Build          `yaml:"build"`
	Origin      *Origin         `yaml:"origin"`
	Command     *CommandLine    `yaml:"command"`
	Entrypoint  *CommandLine    `yaml:"entrypoint"`
	Environment Environment     `yaml:"environment"`
	EnvFile     []source.Text   `yaml:"env_file"`
	Expose      []Value[Port]   `yaml:"expose"`
	Configs     []Config        `yaml:"configs"`
	Secrets     []SecretFile    `yaml:"secrets"`
	Volumes     []Volume        `yaml:"volumes"`
	Tmpfs       []source.Text   `yaml:"tmpfs"`
	DependsOn   Dependencies    `yaml:"depends_on"`
	Healthcheck *Healthcheck    `yaml:"healthcheck"`
	WorkingDir  source.Text     `yaml:"working_dir"`
	User        source.Text     `yaml:"user"`
	Hostname    source.Text     `yaml:"hostname"`
	CPUs        Value[float64]  `yaml:"cpus"`
	CPUSet      source.Text     `yaml:"cpuset"`
	MemLimit    Value[Bytes]    `yaml:"mem_limit"`
	PidsLimit   Value[int]      `yaml:"pids_limit"`
	ShmSize     Value[Bytes]    `yaml:"shm_size"`
	Ulimits     Map[Ulimit]     `yaml:"ulimits"`
	Sysctls     Environment     `yaml:"sysctls"`
	CapAdd      []source.Text   `yaml:"cap_add"`
	CapDrop     []source.Text   `yaml:"cap_drop"`
	SecurityOpt []source.Text   `yaml:"security_opt"`
	ReadOnly    Value[bool]     `yaml:"read_only"`
	Init        Value[bool]     `yaml:"init"`
	StopSignal  source.Text     `yaml:"stop_signal"`
	StopGrace   Value[Duration] `yaml:"stop_grace_period"`
	Scale       Value[int]      `yaml:"scale"`
	Link        *Link           `yaml:"link"`
	Tried       source.Tried    `yaml:"-"`
}

// Build is how to build an image.
type Build struct {
	Context    source.Text         `yaml:"context" alone:"yes"`
	Git        source.Text         `yaml:"git"` // the revision that the context is taken from
	Dockerfile source.Text         `yaml:"dockerfile" not:"dockerfile_inline"`
	Inline     source.Text         `yaml:"dockerfile_inline"` // the Dockerfile itself
	Args       Environment         `yaml:"args"`
	Target     source.Text         `yaml:"target"`
	Network    Value[BuildNetwork] `yaml:"network"`
	Run        source.Text         `yaml:"run" not:"dockerfile dockerfile_inline target network args"` // a script, for programs without containers
	Keep       []source.Text       `yaml:"keep"`                                                       // paths of what Run makes
	Pos        source.Pos          `yaml:"-"`
}

// BuildNetwork is the network of the RUN instructions of a Dockerfile.
type BuildNetwork string

func (BuildNetwork) Words() []string { return []string{spec.NoNetwork} }

// CommandLine is a program with its arguments, written as one string, which is split as a shell would, or as a list.
type CommandLine struct {
	Words   []string
	Written string // as one string, for a shell
	Pos     source.Pos
}

func (c *CommandLine) DecodeNode(d source.Decoder, n *source.Node, what string) {
	c.Pos = n.Text.Pos
	if n.Kind == source.List {
		for _, item := range n.Items {
			if d.Kind(item, what, source.Scalar) {
				c.Words = append(c.Words, item.Text.Value)
			}
		}
		c.Written = shellquote.Join(c.Words...)
		return
	}
	if !d.Kind(n, what, source.Scalar) {
		return
	}
	c.Written = n.Text.Value
	var err error
	if c.Words, err = shellquote.Split(n.Text.Value); err != nil {
		d.Problems.Add("wrong-value", n.Text.Pos, "%s cannot be split into words: %v", what, err).
			Hint = "close the quote, or write a list"
	}
}

// Environment is a mapping of variables, or a list of NAME=value.
type Environment []Named[source.Text]

// Map returns the values by their names; nil for none.
func (e Environment) Map() map[string]string {
	if len(e) == 0 {
		return nil
	}
	return NamedTexts(e).Map()
}

func (e *Environment) DecodeNode(d source.Decoder, n *source.Node, what string) {
	if n.Kind != source.List {
		(*Map[source.Text])(e).DecodeNode(d, n, what)
		return
	}
	for _, item := range n.Items {
		if !d.Kind(item, what, source.Scalar) {
			continue
		}
		name, value, ok := strings.Cut(item.Text.Value, "=")
		if !ok {
			d.Problems.Add("wrong-value", item.Text.Pos, "%q in %s has no value", name, what).
				Hint = "write NAME=value; variables of the host are never passed on"
			continue
		}
		*e = append(*e, Named[source.Text]{Name: source.Text{Value: name, Pos: item.Text.Pos},
			Value: source.Text{Value: value, Pos: item.Text.Pos}})
	}
}

// Config is a file or listing of the article that is copied into the container when it starts.
type Config struct {
	Source source.Text  `yaml:"source" need:"write {source: FILE, target: /PATH/IN/THE/CONTAINER}"`
	Target source.Text  `yaml:"target" need:"write {source: FILE, target: /PATH/IN/THE/CONTAINER}"`
	Tried  source.Tried `yaml:"-"`
}

// SecretFile is a secret as a file in a container.
type SecretFile struct {
	Source source.Text `yaml:"source" alone:"yes" need:"write {source: NAME, target: /PATH/IN/THE/CONTAINER}"`
	Target source.Text `yaml:"target"` // below /run/secrets unless it is absolute; empty: the name
}

// Volume is a place that a container writes to, or a folder or file of the article that is mounted in it. It is written
// as SOURCE:TARGET[:ro], or as a mapping.
type Volume struct {
	Type     Value[VolumeType] `yaml:"type"`
	Source   source.Text       `yaml:"source"` // a path that begins with . or /, or a name; empty for a place without one
	Target   source.Text       `yaml:"target" need:"add target: with a path in the container"`
	ReadOnly Value[bool]       `yaml:"read_only"`
	Tmpfs    *Tmpfs            `yaml:"tmpfs"`
	Pos      source.Pos        `yaml:"-"`
}

// Tmpfs has the options of a volume of type tmpfs.
type Tmpfs struct {
	Size Value[Bytes] `yaml:"size"`
	Pos  source.Pos   `yaml:"-"`
}

// VolumeType is the kind of space of a volume.
type VolumeType string

// The types of volumes.
const (
	BindVolume  VolumeType = "bind"   // something of the host
	NamedVolume VolumeType = "volume" // space on the engine's disk
	TmpfsVolume VolumeType = "tmpfs"  // memory
)

func (VolumeType) Words() []string {
	return []string{string(BindVolume), string(NamedVolume), string(TmpfsVolume)}
}

func (v *Volume) DecodeNode(d source.Decoder, n *source.Node, what string) {
	if n.Kind == source.Map {
		d.Plain(n, "volume", v)
		return
	}
	v.Pos = n.Text.Pos
	if !d.Kind(n, "volume", source.Scalar) || d.Templated(n) {
		return
	}
	from, to, both := strings.Cut(n.Text.Value, ":")
	to, mode, _ := strings.Cut(to, ":")
	if !slices.Contains([]string{"", "ro", "rw"}, mode) {
		d.Problems.Add("wrong-value", n.Text.Pos, "invalid volume mode %q", mode).
			Hint = "write SOURCE:TARGET, SOURCE:TARGET:ro or SOURCE:TARGET:rw"
	}
	if v.Target = n.Text; both {
		v.Source = n.Text.Part(0, len(from))
		v.Target = n.Text.Part(len(from)+1, len(from)+1+len(to))
	}
	if mode == "ro" {
		v.ReadOnly = Value[bool]{V: true, Text: n.Text}
	}
	if v.Type.V = NamedVolume; both && from != "" && strings.ContainsAny(from[:1], "./~") {
		v.Type.V = BindVolume
	}
}

// Dependencies are the services that a service waits for before it starts: a list of names, or Compose's mapping with
// conditions.
type Dependencies []Dependency

// Dependency is one service that another waits for. Without a condition it has to be ready.
type Dependency struct {
	source.Text // the name of the service
	Condition   Value[Condition]
}

// Condition is the state of a service in which one that depends on it starts.
type Condition string

// The conditions of Compose.
const (
	ServiceStarted   Condition = "service_started"
	ServiceHealthy   Condition = "service_healthy" // here: it is ready
	ServiceCompleted Condition = "service_completed_successfully"
)

func (Condition) Words() []string {
	return []string{string(ServiceStarted), string(ServiceHealthy), string(ServiceCompleted)}
}

func (l *Dependencies) DecodeNode(d source.Decoder, n *source.Node, what string) {
	if n.Kind != source.Map {
		var names []source.Text
		d.Decode(n, what, &names)
		for _, name := range names {
			*l = append(*l, Dependency{Text: name})
		}
		return
	}
	for _, f := range n.Fields {
		var options struct {
			Condition Value[Condition] `yaml:"condition"`
		}
		if f.Value.Kind != source.Null {
			d.Decode(f.Value, "depends_on", &options)
		}
		*l = append(*l, Dependency{f.Key, options.Condition})
	}
}

// Ulimit is a limit of a container's processes, such as nofile: a single number for both, or a mapping.
type Ulimit struct {
	Soft Value[int] `yaml:"soft"`
	Hard Value[int] `yaml:"hard"`
}

func (u *Ulimit) DecodeNode(d source.Decoder, n *source.Node, what string) {
	if n.Kind == source.Scalar {
		u.Soft.DecodeNode(d, n, what)
		u.Hard = u.Soft
		return
	}
	d.Plain(n, what, u)
	if u.Soft.Known() && u.Hard.Known() && u.Soft.V > u.Hard.V && u.Hard.V >= 0 {
		d.Problems.Add("wrong-value", u.Soft.Text.Pos, "the soft limit is above the hard one").
			Hint = "lower soft, or raise hard"
	}
}

// Healthcheck says when a service is ready, with the keys of Compose.
type Healthcheck struct {
	Test          []source.Text   `yaml:"test"`
	Interval      Value[Duration] `yaml:"interval"`
	Timeout       Value[Duration] `yaml:"timeout"` // of one probe
	Retries       Value[int]      `yaml:"retries"`
	StartPeriod   Value[Duration] `yaml:"start_period"`
	StartInterval Value[Duration] `yaml:"start_interval"`
	Disable       Value[bool]     `yaml:"disable"`
}
