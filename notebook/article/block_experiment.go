package article

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"benchbook/internal/files"
	"benchbook/notebook/expr"
	"benchbook/notebook/source"
)

// ExperimentBlock is an experiment as it stands in an article, before defaults, profile and templates.
type ExperimentBlock struct {
	Name source.Text
	Node *source.Node // the whole block
	Pos  source.Pos   // of its fence

	extent source.Pos // of the fence and all lines of the block
	tried  source.Tried
}

// Compose names Compose files, as paths or as a mapping.
type Compose struct {
	Files       []source.Text `yaml:"files"`       // counted from the article's folder
	Environment []source.Text `yaml:"environment"` // names of variables of the command that the files may use
}

func (c *Compose) DecodeNode(d source.Decoder, n *source.Node, what string) {
	if n.Kind != source.Map {
		d.Decode(n, what, &c.Files)
		return
	}
	d.FieldsOf(n, what, c)
	for _, name := range c.Environment {
		if strings.Contains(name.Value, "=") {
			d.Problems.Add("wrong-value", name.Pos, "%q is not the name of a variable", name.Value).Hint = "write the name alone"
		}
	}
}

// Experiment is something to measure: services, a matrix of settings, and a load or a command.
type Experiment struct {
	Name        source.Text     `yaml:"name"`
	Description source.Text     `yaml:"description"`
	Extends     source.Text     `yaml:"extends"` // NAME or SLUG#NAME
	Compose     Compose         `yaml:"compose"` // files whose services those below are laid over
	Secrets     Secrets         `yaml:"secrets"`
	Services    Services        `yaml:"services"`
	Matrix      *Matrix         `yaml:"matrix"`
	Load        *Load           `yaml:"load"`
	Command     *Command        `yaml:"command"`
	Tune        Tune            `yaml:"tune"`
	Capacity    *Capacity       `yaml:"capacity"`
	Repetitions Repetitions     `yaml:"repetitions"`
	Shared      []source.Text   `yaml:"shared"` // names of services
	Calibrate   Calibrate       `yaml:"calibrate"`
	Metrics     []Metric        `yaml:"metrics"`
	Setup       []Hook          `yaml:"setup"`
	Prepare     []Hook          `yaml:"prepare"`
	Conclude    []Hook          `yaml:"conclude"`
	Cleanup     []Hook          `yaml:"cleanup"`
	Timeout     Value[Duration] `yaml:"timeout"`
	Profiles    Profiles        `yaml:"profiles"`
	Tried       source.Tried    `yaml:"-"`
}

// Duration is short for the type of times in articles.
type Duration = time.Duration

// Calibrate says which trial is measured a second time, for the noise floor.
type Calibrate struct {
	Off  bool
	Pick Expression // as where; without one it is the first trial
	Text source.Text
}

func (c *Calibrate) DecodeNode(d source.Decoder, n *source.Node, what string) {
	if !d.Kind(n, what, source.Scalar) {
		return
	}
	c.Text = n.Text
	on := true
	if parseScalar(n.Text.Value, &on) == nil {
		c.Off = !on
		return
	}
	if !d.Templated(n) {
		c.Pick.DecodeNode(d, n, what)
	}
}

// Hook is a command that is run before or after something: in a service, or where the measured command runs.
type Hook struct {
	Service source.Text  `yaml:"service"`
	Run     *CommandLine `yaml:"run"`
	Pos     source.Pos   `yaml:"-"`
	Tried   source.Tried `yaml:"-"`
}

func (h *Hook) DecodeNode(d source.Decoder, n *source.Node, what string) {
	d.FieldsOf(n, what, h)
	if d.Whole && n.Kind == source.Map && n.Get("run") == nil && !h.Tried.Has("run") {
		d.Problems.Add("missing-key", n.Text.Pos, "a command of %s has nothing to run", what).
			Hint = "write {service: NAME, run: PROGRAM ARGUMENTS}"
	}
}

// Profiles are overrides by the name of a profile.
type Profiles []Profile

// Profile is what one profile changes of an experiment; its node is merged over the block.
type Profile struct {
	Name source.Text
	Skip bool
	Node *source.Node
}

func (p *Profiles) DecodeNode(d source.Decoder, n *source.Node, what string) {
	if !d.Kind(n, what, source.Map) {
		return
	}
	for _, f := range n.Fields {
		if f.Value.Kind == source.Null {
			continue // it removes the profile of what this is merged over
		}
		if !files.IsName(f.Key.Value) { // the folder of its records is called so
			AddBadName(d.Problems, f.Key, "profile")
			continue
		}
		if f.Value.Kind == source.Scalar && f.Value.Text.Value == "skip" {
			*p = append(*p, Profile{Name: f.Key, Skip: true})
			continue
		}
		if f.Value.Kind != source.Map {
			d.Problems.Add("wrong-shape", f.Value.Text.Pos, "profile %q must be a mapping or skip, not %s", f.Key.Value,
				f.Value.Kind).
				Hint = "write what the profile changes, or skip to leave the experiment out"
			continue
		}
		*p = append(*p, Profile{Name: f.Key, Node: f.Value})
		name := "profile " + strconv.Quote(f.Key.Value)
		for _, key := range []string{"name", "extends", "profiles"} {
			if f.Value.Get(key) != nil {
				d.Problems.Add("wrong-shape", f.Value.Place(key), "%s cannot change %s", name, key).
					Hint = "write it beside profiles, for all of them"
			}
		}
		NewDecoder(d.Problems, true).Decode(f.Value, "experiment", new(Experiment))
	}
}

// DecodeExperiment reads an experiment. ${{ }} may still stand in it: a typed value that holds one stays zero. Of a
// whole experiment, one whose defaults and profile are merged in, every part has to be complete.
func DecodeExperiment(n *source.Node, whole bool, problems *source.Problems) *Experiment {
	var e Experiment
	d := NewDecoder(problems, true)
	d.Whole = whole
	d.Decode(n, "experiment", &e)
	return &e
}

// TemplatesIn checks the expressions of all ${{ }} under n.
func TemplatesIn(n *source.Node, problems *source.Problems) {
	switch n.Kind {
	case source.Scalar:
		if strings.Contains(n.Text.Value, "${{") {
			if _, err := expr.ParseTemplate(n.Text.Value); err != nil {
				AddExprError(n.Text, err, problems)
			}
		}
	case source.List:
		for _, item := range n.Items {
			TemplatesIn(item, problems)
		}
	case source.Map:
		for _, f := range n.Fields {
			TemplatesIn(f.Value, problems)
		}
	}
}

// Merge lays over on top of base: mappings merge key by key, anything else replaces, null removes. What replaces comes
// after what stays, but for the axes of an experiment's matrix. Null in services is kept where there are Compose files,
// whose keys it removes.
func Merge(base, over *source.Node) *source.Node {
	out := source.Merge(base, over, false)
	if out.Get("compose") != nil && over.Get("services") != nil {
		for i, f := range out.Fields {
			if f.Key.Value == "services" {
				out.Fields[i].Value = source.Merge(base.Get("services"), over.Get("services"), true)
			}
		}
	}
	keepAxes(out.Get("matrix"), base.Get("matrix"))
	return out
}

// keepAxes leaves the axes of a matrix in the order that they have below: they name its trials.
func keepAxes(matrix, below *source.Node) {
	if matrix == below || matrix == nil || below == nil || matrix.Kind != source.Map || below.Kind != source.Map {
		return
	}
	place := func(f source.Field) int {
		i := slices.IndexFunc(below.Fields, func(b source.Field) bool { return b.Key.Value == f.Key.Value })
		if i < 0 {
			return len(below.Fields)
		}
		return i
	}
	slices.SortStableFunc(matrix.Fields, func(a, b source.Field) int { return cmp.Compare(place(a), place(b)) })
}

// Extend lays an experiment over the one that it extends, as Merge does. Inside profiles null stays: what it removes is
// only there when the profile is laid on top.
func Extend(base, over *source.Node) *source.Node {
	const profiles = "profiles"
	out := Merge(base.Without(profiles), over.Without(profiles))
	later := over.Get(profiles)
	if later == nil || later.Kind != source.Null {
		later = source.Merge(base.Get(profiles), later, true)
		if later != nil {
			out.Fields = append(out.Fields, source.Field{Key: source.Text{Value: profiles, Pos: later.Text.Pos}, Value: later})
		}
	}
	return out
}
