package article

import (
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/kballard/go-shellquote"

	"benchbook/notebook/expr"
)

// ExperimentBlock is an experiment as it stands in an article, before defaults, profile and templates.
type ExperimentBlock struct {
	Name Text
	Node *Node // the whole block
	Pos  Pos   // of its fence
}

// Experiment is something to measure: services, a matrix of settings, and a load or a command.
type Experiment struct {
	Name        Text            `yaml:"name"`
	Description Text            `yaml:"description"`
	Services    Services        `yaml:"services"`
	Matrix      *Matrix         `yaml:"matrix"`
	Load        *Load           `yaml:"load"`
	Command     *Command        `yaml:"command"`
	Repetitions Value[int]      `yaml:"repetitions"`
	Order       Value[string]   `yaml:"order"`
	Calibrate   Value[bool]     `yaml:"calibrate"`
	Timeout     Value[Duration] `yaml:"timeout"`
	Profiles    Profiles        `yaml:"profiles"`

	Tune     later `yaml:"tune"`
	Capacity later `yaml:"capacity"`
	Shared   later `yaml:"shared"`
	Metrics  later `yaml:"metrics"`
	Setup    later `yaml:"setup"`
	Prepare  later `yaml:"prepare"`
	Conclude later `yaml:"conclude"`
	Cleanup  later `yaml:"cleanup"`
	Extends  later `yaml:"extends"`
	Hosts    later `yaml:"hosts"`
}

// Duration is short for the type of times in articles.
type Duration = time.Duration

// Services are the services of an experiment, in the order written.
type Services []Named[Service]

func (s *Services) decodeNode(d decoder, n *Node, what string) {
	*s = decodeNamed[Service](d, n, what, "service")
}

// Service is a container, described by keys of Compose.
type Service struct {
	Image       Text            `yaml:"image"`
	Build       *Build          `yaml:"build"`
	Command     *CommandLine    `yaml:"command"`
	Entrypoint  *CommandLine    `yaml:"entrypoint"`
	Environment Environment     `yaml:"environment"`
	Expose      []Value[int]    `yaml:"expose"`
	Configs     []Config        `yaml:"configs"`
	DependsOn   []Text          `yaml:"depends_on"`
	Healthcheck *Healthcheck    `yaml:"healthcheck"`
	WorkingDir  Text            `yaml:"working_dir"`
	User        Text            `yaml:"user"`
	CPUSet      Text            `yaml:"cpuset"`
	MemLimit    Value[Bytes]    `yaml:"mem_limit"`
	ShmSize     Value[Bytes]    `yaml:"shm_size"`
	Tmpfs       []Text          `yaml:"tmpfs"`
	ReadOnly    Value[bool]     `yaml:"read_only"`
	Init        Value[bool]     `yaml:"init"`
	StopSignal  Text            `yaml:"stop_signal"`
	StopGrace   Value[Duration] `yaml:"stop_grace_period"`

	EnvFile     later `yaml:"env_file"`
	Volumes     later `yaml:"volumes"`
	Hostname    later `yaml:"hostname"`
	CPUs        later `yaml:"cpus"`
	Ulimits     later `yaml:"ulimits"`
	Sysctls     later `yaml:"sysctls"`
	CapAdd      later `yaml:"cap_add"`
	CapDrop     later `yaml:"cap_drop"`
	SecurityOpt later `yaml:"security_opt"`
	Scale       later `yaml:"scale"`
	Origin      later `yaml:"origin"`
	Link        later `yaml:"link"`
}

// Build says what an image is built from.
type Build struct {
	Context    Text        `yaml:"context"`
	Dockerfile Text        `yaml:"dockerfile"`
	Args       Environment `yaml:"args"`
	Target     Text        `yaml:"target"`

	Inline later `yaml:"dockerfile_inline"`
}

func (b *Build) decodeNode(d decoder, n *Node, what string) {
	if n.Kind == Scalar {
		b.Context = n.Text
		return
	}
	d.fields(n, what, reflect.ValueOf(b).Elem())
}

// CommandLine is a program with its arguments, written as one string, which is split as a shell would, or as a list.
type CommandLine struct {
	Words   []string
	Written string // as one string, for a shell
	Pos     Pos
}

func (c *CommandLine) decodeNode(d decoder, n *Node, what string) {
	c.Pos = n.Text.Pos
	if n.Kind == List {
		for _, item := range n.Items {
			if d.kind(item, what, Scalar) {
				c.Words = append(c.Words, item.Text.Value)
			}
		}
		c.Written = shellquote.Join(c.Words...)
		return
	}
	if !d.kind(n, what, Scalar) {
		return
	}
	c.Written = n.Text.Value
	words, err := shellquote.Split(n.Text.Value)
	if err != nil {
		d.problems.Add("wrong-value", n.Text.Pos, "%s cannot be split into words: %v", what, err).
			Hint = "close the quote, or write a list"
	}
	c.Words = words
}

// Environment is a mapping of variables, or a list of NAME=value.
type Environment []Named[Text]

func (e *Environment) decodeNode(d decoder, n *Node, what string) {
	if n.Kind != List {
		*e = decodeNamed[Text](d, n, what, "variable")
		return
	}
	for _, item := range n.Items {
		if !d.kind(item, what, Scalar) {
			continue
		}
		name, value, ok := strings.Cut(item.Text.Value, "=")
		if !ok {
			d.problems.Add("wrong-value", item.Text.Pos, "%q in %s has no value", name, what).
				Hint = "write NAME=value; variables of the host are never passed on"
			continue
		}
		*e = append(*e, Named[Text]{Name: Text{Value: name, Pos: item.Text.Pos}, Value: Text{Value: value, Pos: item.Text.Pos}})
	}
}

// Config is a file or listing of the article that is copied into the container when it starts.
type Config struct {
	Source Text `yaml:"source"`
	Target Text `yaml:"target"`
}

// Healthcheck says when a service is ready.
type Healthcheck struct {
	Test    []Text          `yaml:"test"`
	Timeout Value[Duration] `yaml:"timeout"`

	Interval      ignored `yaml:"interval"`
	Retries       ignored `yaml:"retries"`
	StartPeriod   ignored `yaml:"start_period"`
	StartInterval ignored `yaml:"start_interval"`
}

// ignored is the type of Compose's keys that have no meaning here: probes run as often as they can until the service is
// ready, and never after.
type ignored struct{}

func (*ignored) decodeNode(decoder, *Node, string) {}

// Matrix is the settings that an experiment compares.
type Matrix struct {
	Axes    []Named[[]Setting]
	Include []Combination
	Exclude []Combination
}

// Setting is one value of an axis: a word, or a mapping with a name and labels.
type Setting struct {
	Name   Text
	Labels []Named[Text]
}

// Combination is one row of include or exclude.
type Combination struct {
	Fields []Named[Text]
	Pos    Pos
}

// reserved words cannot name a parameter, since expressions use them for something else.
var reserved = map[string]bool{"experiment": true, "metric": true, "value": true, "unit": true}

func (m *Matrix) decodeNode(d decoder, n *Node, what string) {
	if !d.kind(n, what, Map) {
		return
	}
	for _, f := range n.Fields {
		switch name := f.Key.Value; {
		case name == "include":
			m.Include = combinations(d, f.Value, "include")
		case name == "exclude":
			m.Exclude = combinations(d, f.Value, "exclude")
		case strings.HasPrefix(name, "x-"):
		default:
			d.parameterName(f.Key)
			m.Axes = append(m.Axes, Named[[]Setting]{Name: f.Key, Value: settings(d, f)})
		}
	}
}

func (d decoder) parameterName(t Text) {
	if reserved[t.Value] {
		d.problems.Add("reserved-name", t.Pos, "%q cannot be the name of a parameter", t.Value).
			Hint = "expressions use this word for something else; choose another"
	} else if !IsName(t.Value) {
		d.problems.Add("bad-name", t.Pos, "%q is no name for a parameter", t.Value).Hint = nameHint
	}
}

func settings(d decoder, f Field) []Setting {
	var out []Setting
	if f.Value.Kind != List {
		d.problems.Add("wrong-shape", f.Value.Text.Pos, "axis %q has to be a list, not %s", f.Key.Value, f.Value.Kind).
			Hint = "write [a, b]"
		return nil
	}
	if len(f.Value.Items) == 0 {
		d.problems.Add("empty-axis", f.Key.Pos, "axis %q has no values", f.Key.Value).
			Hint = "list at least one value, or remove the axis"
	}
	seen := map[string]bool{}
	for _, item := range f.Value.Items {
		s := Setting{Name: item.Text}
		switch item.Kind {
		case Scalar:
		case Map:
			s.Name = Text{Pos: item.Text.Pos}
			for _, field := range item.Fields {
				if !d.kind(field.Value, field.Key.Value, Scalar) {
					continue
				}
				if field.Key.Value == "name" {
					s.Name = field.Value.Text
					continue
				}
				d.parameterName(field.Key)
				s.Labels = append(s.Labels, Named[Text]{Name: field.Key, Value: field.Value.Text})
			}
			if s.Name.Value == "" {
				d.problems.Add("missing-key", item.Text.Pos, "a value of axis %q has no name", f.Key.Value).
					Hint = "add name: to this mapping; it is what tells the values apart"
				continue
			}
		default:
			d.problems.Add("wrong-shape", item.Text.Pos, "a value of axis %q has to be a single value or a mapping with a name, not %s", f.Key.Value, item.Kind)
			continue
		}
		if seen[s.Name.Value] {
			d.problems.Add("duplicate-value", item.Text.Pos, "axis %q has the value %q twice", f.Key.Value, s.Name.Value).
				Hint = "remove one of them"
			continue
		}
		seen[s.Name.Value] = true
		out = append(out, s)
	}
	return out
}

func combinations(d decoder, n *Node, what string) []Combination {
	if n.Kind != List {
		d.problems.Add("wrong-shape", n.Text.Pos, "%s has to be a list of mappings, not %s", what, n.Kind)
		return nil
	}
	var out []Combination
	for _, item := range n.Items {
		c := Combination{Pos: item.Text.Pos}
		if !d.kind(item, "a row of "+what, Map) {
			continue
		}
		for _, f := range item.Fields {
			if f.Key.Value == "unavailable" || f.Key.Value == "instead_of" {
				d.problems.Add("not-yet", f.Key.Pos, "%s is part of the language, but this version cannot do it yet", f.Key.Value).
					Hint = "remove it, or measure with a later version"
				continue
			}
			if !d.kind(f.Value, f.Key.Value, Scalar) {
				continue
			}
			if f.Key.Value != "name" {
				d.parameterName(f.Key)
			}
			c.Fields = append(c.Fields, Named[Text]{Name: f.Key, Value: f.Value.Text})
		}
		out = append(out, c)
	}
	return out
}

// Load is requests over HTTP.
type Load struct {
	Target      Text            `yaml:"target"`
	Method      Text            `yaml:"method"`
	Headers     Environment     `yaml:"headers"`
	Body        Text            `yaml:"body"`
	Connections Value[int]      `yaml:"connections"`
	Threads     Value[int]      `yaml:"threads"`
	Duration    Value[Duration] `yaml:"duration"`
	Requests    Value[int]      `yaml:"requests"`
	Warmup      Value[Duration] `yaml:"warmup"`
	Think       Value[Duration] `yaml:"think"`
	Timeout     Value[Duration] `yaml:"timeout"`
	Keepalive   Value[bool]     `yaml:"keepalive"`
	Verify      *Verify         `yaml:"verify"`
	Failures    Failures        `yaml:"failures"`
	CPUSet      Text            `yaml:"cpuset"`

	Rate     later `yaml:"rate"`
	Arrivals later `yaml:"arrivals"`
	Stages   later `yaml:"stages"`
	Network  later `yaml:"network"`
	Tool     later `yaml:"tool"`
	Args     later `yaml:"args"`
}

// Verify is what a right answer looks like.
type Verify struct {
	Status   []Value[int] `yaml:"status"`
	Contains Text         `yaml:"contains"`
	Match    Text         `yaml:"match"`
	Length   Value[int]   `yaml:"length"`
	JSON     Environment  `yaml:"json"`
	Headers  Environment  `yaml:"headers"`
	Before   Value[bool]  `yaml:"before"`
}

// Failures says how many failed requests are a result rather than a fault.
type Failures struct {
	Expected bool
	Max      Value[Share]
}

func (f *Failures) decodeNode(d decoder, n *Node, what string) {
	if n.Kind == Scalar && n.Text.Value == "expected" {
		f.Expected = true
		return
	}
	if n.Kind == Map {
		var limit struct {
			Max Value[Share] `yaml:"max"`
		}
		d.decode(n, what, &limit)
		f.Max = limit.Max
		return
	}
	d.problems.Add("wrong-value", n.Text.Pos, "failures has to be expected, or a mapping with max").
		Hint = "write failures: expected, or failures: {max: 1%}"
}

// Command is a program whose run is timed.
type Command struct {
	Run         *CommandLine    `yaml:"run"`
	Image       Text            `yaml:"image"`
	Build       *Build          `yaml:"build"`
	Configs     []Config        `yaml:"configs"`
	Environment Environment     `yaml:"environment"`
	WorkingDir  Text            `yaml:"working_dir"`
	Shell       Value[bool]     `yaml:"shell"`
	Stdin       Text            `yaml:"stdin"`
	Expect      *Expect         `yaml:"expect"`
	Timeout     Value[Duration] `yaml:"timeout"`

	Service later `yaml:"service"`
}

// Expect guards against timing a failure.
type Expect struct {
	Exit     Value[int] `yaml:"exit"`
	Contains Text       `yaml:"contains"`
}

// Profiles are overrides by the name of a profile.
type Profiles []Profile

// Profile is what one profile changes of an experiment; its node is merged over the block.
type Profile struct {
	Name Text
	Skip bool
	Node *Node
}

func (p *Profiles) decodeNode(d decoder, n *Node, what string) {
	if !d.kind(n, what, Map) {
		return
	}
	for _, f := range n.Fields {
		if f.Value.Kind == Scalar && f.Value.Text.Value == "skip" {
			*p = append(*p, Profile{Name: f.Key, Skip: true})
			continue
		}
		if d.kind(f.Value, "profile "+strconv.Quote(f.Key.Value), Map) {
			*p = append(*p, Profile{Name: f.Key, Node: f.Value})
			var overrides Experiment
			decoder{problems: d.problems, templates: true}.decode(f.Value, "profile "+strconv.Quote(f.Key.Value), &overrides)
		}
	}
}

// DecodeExperiment reads an experiment whose defaults and profile are merged in. With templates, ${{ }} may still stand in it;
// without, every typed value must be one.
func DecodeExperiment(n *Node, templates bool, problems *Problems) *Experiment {
	var e Experiment
	decoder{problems: problems, templates: templates}.decode(n, "experiment", &e)
	return &e
}

// templatesIn checks the expressions of all ${{ }} under n.
func templatesIn(n *Node, problems *Problems) {
	switch n.Kind {
	case Scalar:
		if strings.Contains(n.Text.Value, "${{") {
			if _, err := expr.ParseTemplate(n.Text.Value); err != nil {
				AddExprError(n.Text, err, problems)
			}
		}
	case List:
		for _, item := range n.Items {
			templatesIn(item, problems)
		}
	case Map:
		for _, f := range n.Fields {
			templatesIn(f.Value, problems)
		}
	}
}
