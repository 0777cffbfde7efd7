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

// Experiment is an experiment as its keys are decoded: services, a matrix, and a load or a command.
type Experiment struct {
	Name        source.Text    `yaml:"name"`
	Description source.Text    `yaml:"description"`
	Extends     source.Text    `yaml:"extends"` // name of another experiment of the article
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

// HasTried reports whether one of the keys of mapping n was tried: see source.Tried.
func (e *Experiment) HasTried(n *source.Node, keys ...string) bool { return e.tried[n].Has(keys...) }

// Compose names Compose files, as paths or as a mapping. Services of the experiment are merged over theirs.
type Compose struct {
	Files       []source.Text `yaml:"files" alone:"yes"` // relative to the article's folder
	Environment []source.Text `yaml:"environment"`       // names of environment variables that the files may use
}

func (c *Compose) DecodeNode(d source.Decoder, n *source.Node, what string) {
	d.Plain(n, what, c)
	for _, name := range c.Environment {
		if strings.Contains(name.Value, "=") {
			d.Problems.Add("wrong-value", name.Pos, "%q is not the name of a variable", name.Value).Hint = "write the name alone"
		}
	}
}

// Secret names the source of a value that is given when an experiment is run, with the keys of Compose.
type Secret struct {
	Environment source.Text `yaml:"environment"`            // a variable of the benchbook command
	File        source.Text `yaml:"file" not:"environment"` // relative to the article's folder
}

// Calibrate picks the trial that the A/A pair measures twice.
type Calibrate struct {
	Off  bool
	Pick Expression // an expression as in where; none: the first trial
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

// Profile changes an experiment: Node is merged over its block.
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
		case f.Value.Kind == source.Null: // removes the inherited profile
		case !files.IsName(name): // folders of records have the names of profiles
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

// decodeOverride checks a mapping of experiment keys, in which the keys without are not allowed.
func decodeOverride(d source.Decoder, n *source.Node, what string, without ...string) {
	for _, key := range without {
		if n.Get(key) != nil {
			d.Problems.Add("wrong-shape", n.Place(key), "%s cannot have %s", what, key).Hint = "write it in the experiments"
		}
	}
	// Templates are allowed, as in experiments, so that a problem here and after merging is reported once.
	NewDecoder(d.Problems, true).Decode(n, "experiment", new(Experiment))
}

// DecodeExperiment decodes an experiment. Typed values with ${{ }} stay zero. A whole experiment has its defaults and
// profile merged in, so required keys must be there.
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

// Merge merges over on top of base: mappings key by key; other values replace, and null removes. The fields of over
// come last, except for the axes of a matrix. With Compose files, null in services is kept: it removes keys of theirs.
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

// keepAxes sorts the axes of a matrix as in the layer below, because their order determines the names of trials.
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

// Extend merges an experiment over the one that it extends, as Merge does, but keeps null inside profiles: the key that
// it removes may be in a layer that the profile is merged over later.
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

// Repetitions are the rounds after which a run judges its claims. The last one is the limit of the run.
//
// Source: docs/experiment.md#repetitions.
type Repetitions struct {
	Looks []int // ascending; empty for a template or an invalid value
	Fixed bool  // a plain number, which is one look
}

// MaxRepetitions is the limit of repetitions of a trial.
const MaxRepetitions = 1000

const repetitionsHint = "write a number, such as 5, or up to 20"

// ReadRepetitions parses "N" or "up to N". The error is a phrase to follow the name of the key.
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

// Most returns the largest number of repetitions; 0 if it is not known.
func (r Repetitions) Most() int {
	if len(r.Looks) == 0 {
		return 0
	}
	return r.Looks[len(r.Looks)-1]
}

// Metric is a metric that an experiment adds: computed from others, or found in output.
type Metric struct {
	Name   source.Text `yaml:"name" need:"add name: with a word of your choice"` // words joined by dots
	Unit   source.Text `yaml:"unit"`                                             // such as s or 1; empty means 1
	Better string      `yaml:"better" as:"better"`                               // higher, lower or empty
	Value  Expression  `yaml:"value"`
	From   source.Text `yaml:"from" not:"value"` // "SERVICE log", "stdout", or the name of a hook
	Regex  source.Text `yaml:"regex" not:"value json"`
	JSON   source.Text `yaml:"json" not:"value"` // a path of keys with dots
	Pos    source.Pos  `yaml:"-"`
}

// Source returns the stream that the metric is found in: log, with its service, or stdout or prepare.
func (m *Metric) Source() (service, stream string) {
	if name, ok := strings.CutSuffix(m.From.Value, " log"); ok {
		return strings.TrimSpace(name), "log"
	}
	return "", m.From.Value
}

// Means returns the metric as records and pages know it.
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
