package article

import (
	"regexp"
	"strings"

	"benchbook/notebook/expr"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
)

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
