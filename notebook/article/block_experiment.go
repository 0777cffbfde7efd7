package article

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"benchbook/internal/files"
	"benchbook/notebook/expr"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
	"benchbook/notebook/stats"
)

// ExperimentBlock is an experiment as written in an article, before defaults, profile and templates.
type ExperimentBlock struct {
	Name source.Text
	Node *source.Node // the whole block
	Pos  source.Pos   // of its fence

	extent source.Pos // of the fence and all lines of the block
}

// Experiment is something to measure: services, a matrix of settings, and a load or a command.
type Experiment struct {
	Name        source.Text    `yaml:"name"`
	Description source.Text    `yaml:"description"`
	Extends     source.Text    `yaml:"extends"` // an experiment of the article
	Compose     Compose        `yaml:"compose"`
	Secrets     Map[Secret]    `yaml:"secrets"`
	Services    Services       `yaml:"services"`
	Matrix      *Matrix        `yaml:"matrix"`
	Load        *spec.Load     `yaml:"load"`
	Command     *spec.Command  `yaml:"command"`
	Tune        Tune           `yaml:"tune"`
	Capacity    *spec.Capacity `yaml:"capacity"`
	Repetitions Repetitions    `yaml:"repetitions"`
	Shared      []source.Text  `yaml:"shared"` // names of services
	Calibrate   Calibrate      `yaml:"calibrate"`
	Metrics     []Metric       `yaml:"metrics"`
	Before      string         `yaml:"before" as:"before"` // Cold, or empty
	Setup       []spec.Hook    `yaml:"setup"`
	Prepare     []spec.Hook    `yaml:"prepare"`
	Timeout     time.Duration  `yaml:"timeout"`
	Profiles    Profiles       `yaml:"profiles"`

	tried map[*source.Node]source.Tried
}

// HasTried reports whether one of some keys of a mapping of the experiment was tried.
func (e *Experiment) HasTried(n *source.Node, keys ...string) bool { return e.tried[n].Has(keys...) }

// Compose names Compose files, as paths or as a mapping. The services of the experiment are laid over theirs.
type Compose struct {
	Files       []source.Text `yaml:"files" alone:"yes"` // counted from the article's folder
	Environment []source.Text `yaml:"environment"`       // names of variables of the command that the files may use
}

func (c *Compose) DecodeNode(d source.Decoder, n *source.Node, what string) {
	d.Plain(n, what, c)
	for _, name := range c.Environment {
		if strings.Contains(name.Value, "=") {
			d.Problems.Add("wrong-value", name.Pos, "%q is not the name of a variable", name.Value).Hint = "write the name alone"
		}
	}
}

// Secret says where a value comes from that is given when an experiment is run, with the keys of Compose.
type Secret struct {
	Environment source.Text `yaml:"environment"`            // a variable of the command that runs it
	File        source.Text `yaml:"file" not:"environment"` // counted from the article's folder
}

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
	if on, err := readBool(n.Text.Value); err == nil {
		c.Off = !on
	} else if !d.Templated(n) {
		c.Pick.DecodeNode(d, n, what)
	}
}

// Profiles are overrides by the name of a profile.
type Profiles []Profile

// Profile changes an experiment; its node is merged over the block.
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
		switch name := f.Key.Value; {
		case f.Value.Kind == source.Null: // removes the profile of the experiment that this is merged over
		case !files.IsName(name): // a folder of records is called so
			AddBadName(d.Problems, f.Key, "profile")
		case f.Value.Kind == source.Scalar && f.Value.Text.Value == "skip":
			*p = append(*p, Profile{Name: f.Key, Skip: true})
		case f.Value.Kind != source.Map:
			d.Problems.Add("wrong-shape", f.Value.Text.Pos, "profile %q must be a mapping or skip, not %s", name, f.Value.Kind).
				Hint = "write what the profile changes, or skip to leave the experiment out"
		default:
			*p = append(*p, Profile{Name: f.Key, Node: f.Value})
			decodeOverride(d, f.Value, "profile "+strconv.Quote(name), "name", "extends", "profiles")
		}
	}
}

// decodeOverride checks a mapping of keys of experiments that cannot have some of them.
func decodeOverride(d source.Decoder, n *source.Node, what string, without ...string) {
	for _, key := range without {
		if n.Get(key) != nil {
			d.Problems.Add("wrong-shape", n.Place(key), "%s cannot have %s", what, key).Hint = "write it in the experiments"
		}
	}
	// The decoder is as for experiments, so that a problem here and where this is merged is reported once.
	NewDecoder(d.Problems, true).Decode(n, "experiment", new(Experiment))
}

// DecodeExperiment reads an experiment. ${{ }} may still be in it: a typed value with one stays zero. A whole
// experiment is one with its defaults and profile merged in, where nothing may be missing.
func DecodeExperiment(n *source.Node, whole bool, problems *source.Problems) *Experiment {
	d := NewDecoder(problems, true)
	d.Whole = whole
	e := Experiment{tried: d.Tried}
	d.Decode(n, "experiment", &e)
	return &e
}

// checkTemplates checks the expressions of all ${{ }} under n.
func checkTemplates(n *source.Node, problems *source.Problems) {
	n.Visit("", func(_ string, t source.Text) {
		if _, err := expr.ParseTemplate(t.Value); err != nil {
			AddExprError(t, err, problems)
		}
	})
}

// Merge lays over on top of base: mappings merge key by key, other values replace, and null removes. The fields of over
// come last, apart from the axes of a matrix. Null in services is kept where there are Compose files, whose keys it
// removes.
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

// Extend lays an experiment over the one that it extends, as Merge does. Null inside profiles stays: the key that it
// removes is there when the profile is laid on top.
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

// Repetitions say after how many rounds a run judges its claims; the last of them is the most that a run has.
//
// Source: docs/experiment.md#repetitions.
type Repetitions struct {
	Looks []int // rising; empty for a template, and for a value that cannot be read
	Fixed bool  // a plain number, which is one look
}

// MaxRepetitions is how many repetitions of a trial can be asked for.
const MaxRepetitions = 1000

const repetitionsHint = "write a number, such as 5, or up to 20"

// ReadRepetitions reads a number, or up to a number. The error completes "KEY …".
func ReadRepetitions(text string) (r Repetitions, err error) {
	number, several := strings.CutPrefix(text, "up to ")
	most, err := strconv.Atoi(strings.TrimSpace(number))
	if err != nil {
		return r, fmt.Errorf("must be a whole number or up to one, not %q", text)
	}
	if most < 1 || most > MaxRepetitions {
		return r, fmt.Errorf("must be between 1 and %d, not %d", MaxRepetitions, most)
	}
	if several {
		return Repetitions{Looks: stats.Looks(most)}, nil
	}
	return Repetitions{Looks: []int{most}, Fixed: true}, nil
}

func (r *Repetitions) DecodeNode(d source.Decoder, n *source.Node, what string) {
	if !d.Kind(n, what, source.Scalar) || d.Templated(n) {
		return
	}
	read, err := ReadRepetitions(n.Text.Value)
	if err != nil {
		d.Problems.Add("wrong-value", n.Text.Pos, "%s %s", what, err.Error()).Hint = repetitionsHint
	}
	*r = read
}

// Most is the largest number of repetitions; 0 if it is not known.
func (r Repetitions) Most() int {
	if len(r.Looks) == 0 {
		return 0
	}
	return r.Looks[len(r.Looks)-1]
}

// Metric is a metric that an experiment adds: computed from others, or found in output.
type Metric struct {
	Name   source.Text `yaml:"name" need:"add name: with a word of your choice"` // words joined by dots
	Unit   source.Text `yaml:"unit"`                                             // such as s or 1; empty is 1
	Better string      `yaml:"better" as:"better"`                               // higher, lower or empty
	Value  Expression  `yaml:"value"`
	From   source.Text `yaml:"from" not:"value"` // "SERVICE log", "stdout", or the name of a hook
	Regex  source.Text `yaml:"regex" not:"value json"`
	JSON   source.Text `yaml:"json" not:"value"` // a path with dots
	Pos    source.Pos  `yaml:"-"`
}

// Source divides From into a service and its log, or returns stdout or prepare.
func (m *Metric) Source() (service, stream string) {
	if name, ok := strings.CutSuffix(m.From.Value, " log"); ok {
		return strings.TrimSpace(name), "log"
	}
	return "", m.From.Value
}

// Means is the metric as records and pages know it.
func (m *Metric) Means() record.Metric {
	out := record.Metric{Name: m.Name.Value, Unit: "1", Better: m.Better, Title: m.Name.Value}
	if u, ok := expr.ParseUnit(m.Unit.Value); ok {
		out.Unit, out.Share = u.Dimension.Base(), u.Dimension == expr.Share
	}
	return out
}

func (m *Metric) DecodeNode(d source.Decoder, n *source.Node, what string) {
	d.Plain(n, "metric", m)
	if n.Kind != source.Map || strings.Contains(m.Name.Value+m.From.Value+m.Unit.Value, "${{") {
		return
	}
	p := d.Problems
	if name := m.Name; name.Value != "" && !record.IsMetricName(name.Value) {
		p.Add("bad-name", name.Pos, "invalid metric name %q", name.Value).
			Hint = "begin with a letter, use letters, digits, - and _, and join parts with dots"
	} else if _, known := record.LookupMetric(name.Value); known {
		p.Add("bad-name", name.Pos, "%q is a metric already", name.Value).Hint = "choose another name for yours"
	}
	if _, ok := expr.ParseUnit(m.Unit.Value); !ok {
		p.Add("unknown-unit", m.Unit.Pos, "no unit %q", m.Unit.Value).
			Hint = "units are ns us ms s m h, B kB MB GB KiB MiB GiB (also with /s), 1/s, % and cores; " +
			`use "1" for a number without a unit`
	}
	switch {
	case !m.Value.Text.IsZero() || d.Tried[n].Has("value", "from", "regex", "json"):
	case m.From.IsZero():
		p.Add("missing-key", m.Pos, "metric %q has neither a value nor a place to find it", m.Name.Value).
			Hint = "add value: with an expression, or from: with regex: or json:"
	case m.Regex.IsZero() && m.JSON.IsZero():
		p.Add("missing-key", m.From.Pos, "metric %q needs either a regex or a json path", m.Name.Value).
			Hint = `add regex: 'total (\d+)', or json: a.path`
	default:
		m.checkFrom(p)
	}
}

func (m *Metric) checkFrom(p *source.Problems) {
	if re, err := regexp.Compile(m.Regex.Value); err != nil {
		p.Add("bad-regex", m.Regex.Pos, "regex cannot be read: %s", strings.TrimPrefix(err.Error(),
			"error parsing regexp: ")).
			Hint = "the syntax is that of Go and RE2"
	} else if !m.Regex.IsZero() && re.NumSubexp() == 0 {
		p.Add("bad-regex", m.Regex.Pos, "regex has no group, so there is no number to take").
			Hint = `put the number in parentheses: (\d+)`
	}
	if _, stream := m.Source(); stream != "log" && stream != "stdout" && stream != "prepare" {
		p.Add("unknown-source", m.From.Pos, "unknown source %q for a metric", m.From.Value).
			Hint = source.Suggest(m.From.Value, []string{"SERVICE log", "stdout", "prepare"})
	}
}
