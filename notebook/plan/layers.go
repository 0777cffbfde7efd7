package plan

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/source"
)

// Quick is the profile that has a layer of its own built in.
const Quick = "quick"

// builtIn is the lowest layer of the defaults.
const builtIn = `
repetitions: up to 20
calibrate: true
timeout: 5m
load:
  method: GET
  connections: 10
  timeout: 10s
  keepalive: true
`

// A load without requests runs for a time, after a warm-up.
const (
	DefaultDuration = 10 * time.Second
	defaultWarmup   = 2 * time.Second
)

// What profile quick does to every experiment.
const (
	quickRepetitions = 3
	quickDuration    = 3 * time.Second
	quickWarmup      = time.Second
	quickLimit       = 5 * time.Second // of an experiment with requests
)

// Names of sources of values that are in no file.
const (
	BuiltIn    = "built in"
	BuiltQuick = "profile quick, built in"
)

// IsWritten reports that the value at a place is not a built-in default.
func IsWritten(at source.Pos) bool {
	return at.Source != nil && at.Source.Path != BuiltIn && at.Source.Path != BuiltQuick
}

// Merged is an experiment whose layers are merged.
type Merged struct{ Node *source.Node }

// Merge lays the layers of docs/defaults.md over each other: built in, benchbook.yaml, front matter, block; then the
// profile's: built in, benchbook.yaml, front matter, block. Repetitions, written as in an article, replace those of
// the article unless they are empty. It reports whether the profile leaves the experiment out.
func (l *Library) Merge(d *Definition, profile, repetitions string) (m *Merged, skipped bool) {
	m = &Merged{}
	m.Node = article.Extend(withoutUnused(l.defaults(d), d.Node), d.Node)
	m.addBuiltIn()
	var above []*source.Node
	if over := l.project.Profiles[profile]; over != nil {
		above = append(above, over)
	}
	for _, p := range profilesOf(m.Node) {
		if p.Name.Value != profile {
			continue
		}
		if p.Skip {
			return m, true
		}
		above = append(above, p.Node)
	}
	if profile == Quick {
		// What quick does depends on how the load ends, which the layers above it may change.
		ahead := &Merged{m.Node}
		for _, layer := range above {
			ahead.overlay(layer)
		}
		m.overlay(quick(m.Node, ahead.Node))
	}
	for _, layer := range above {
		m.overlay(layer)
	}
	if repetitions != "" {
		m.overlay(source.Mapping(BuiltIn, "repetitions: "+repetitions+"\n"))
	}
	m.addBuiltIn()
	m.settle()
	m.inheritChoices(d)
	return m, false
}

// ProfileNames are the profiles that a definition says something about.
func (l *Library) ProfileNames(d *Definition) []string {
	profiles := profilesOf(article.Extend(l.defaults(d), d.Node))
	return slice.Map(profiles, func(p article.Profile) string { return p.Name.Value })
}

// profilesOf reads the profiles of an experiment. Their problems were reported when its block was read.
func profilesOf(n *source.Node) article.Profiles {
	return decodeKey("profiles", n.Get("profiles")).Profiles
}

// defaults are those of the project and of front matters, with the profiles that they name.
func (l *Library) defaults(d *Definition) *source.Node {
	base := &source.Node{Kind: source.Map}
	for _, layer := range append([]*source.Node{l.project.Defaults}, d.front...) {
		if layer != nil {
			base = article.Extend(base, layer)
		}
	}
	return base
}

// addBuiltIn adds the built-in value of keys without one, or whose value null has removed.
func (m *Merged) addBuiltIn() {
	m.Node = article.Extend(withoutUnused(source.Mapping(BuiltIn, builtIn), m.Node), m.Node)
}

// withoutUnused removes from a lower layer what an experiment does not use, such as the defaults of a load if it has a
// command. An experiment with neither gets the one that is complete in its defaults.
func withoutUnused(lower, upper *source.Node) *source.Node {
	has := func(key, complete string) bool {
		if upper.Get("load") == nil && upper.Get("command") == nil {
			return lower.Get(key).Get(complete) != nil
		}
		return upper.Get(key) != nil
	}
	if !has("load", "target") {
		lower = lower.Without("load")
	}
	if !has("command", "run") {
		lower = lower.Without("command")
	}
	return lower
}

// overlay puts a layer on top.
func (m *Merged) overlay(over *source.Node) {
	switch {
	case m.Node.Get("load") == nil && m.Node.Get("command") != nil:
		over = over.Without("load")
	case m.Node.Get("command") == nil && m.Node.Get("load") != nil:
		over = over.Without("command")
	}
	m.Node = article.Merge(m.Node, over)
}

// quick is the layer of profile quick: it shortens what lasts longer, and leaves commands and searches alone.
// Ahead is merged with the layers above it, which may change how the load ends.
func quick(merged, ahead *source.Node) *source.Node {
	text := ""
	if decodeKey("repetitions", merged.Get("repetitions")).Repetitions.Most() > quickRepetitions {
		text += fmt.Sprintf("repetitions: %d\n", quickRepetitions)
	}
	load := ahead.Get("load")
	if load != nil && load.Kind == source.Map && ahead.Get("capacity") == nil {
		duration, warmup := quickDuration, "  warmup: "+atMost(quickWarmup, merged.Get("load").Get("warmup"))
		if countsRequests(ahead) {
			duration, warmup = quickLimit, ""
		}
		text += "load:\n  duration: " + atMost(duration, merged.Get("load").Get("duration")) + warmup
	}
	return source.Mapping(BuiltQuick, text)
}

// atMost is a time as YAML, or the written one if it is shorter: quick lengthens nothing.
func atMost(d time.Duration, written *source.Node) string {
	if w := decodeKey("timeout", written).Timeout; w.Known() {
		d = min(d, w.V)
	}
	return fmt.Sprintf("%gms\n", float64(d)/float64(time.Millisecond))
}

// countsRequests says that a load ends with a number of requests.
func countsRequests(n *source.Node) bool {
	load := n.Get("load")
	return load.Get("requests") != nil && load.Get("rate") == nil && n.Get("capacity") == nil
}

// decodeKey reads a single key of an experiment. Its problems are reported elsewhere.
func decodeKey(key string, n *source.Node) *article.Experiment {
	if n == nil {
		return &article.Experiment{}
	}
	k := source.Text{Value: key, Pos: n.Text.Pos}
	alone := &source.Node{Kind: source.Map, Text: n.Text, Fields: []source.Field{{Key: k, Value: n}}}
	return article.DecodeExperiment(alone, false, &source.Problems{})
}

// settle removes what another layer has made meaningless (docs/defaults.md: capacity replaces rate and
// requests; open loops last for a time; choices of another experiment are not searched for) and adds how long
// a load lasts.
func (m *Merged) settle() {
	tune := m.Node.Get("tune")
	for _, f := range fieldsOf(m.Node, "tune") {
		if f.Value.Get("of") != nil {
			tune = With(tune, f.Key.Value, f.Value.Without("from", "to", "maximize", "budget"))
		}
	}
	m.Node = With(m.Node, "tune", tune)
	if load := m.Node.Get("load"); load != nil && load.Kind == source.Map {
		m.Node = With(m.Node, "load", load.Without(overruled(m.Node)...))
		if text := missingTimes(m.Node); text != "" {
			m.Node = article.Merge(m.Node, source.Mapping(BuiltIn, "load:\n"+text))
		}
	}
}

// overruled are the keys of a load that others have made meaningless.
func overruled(n *source.Node) (keys []string) {
	load := n.Get("load")
	switch {
	case n.Get("capacity") != nil:
		keys = []string{"rate", "requests"}
	case load.Get("rate") != nil:
		keys = []string{"requests", "think"}
	}
	if load.Get("driver") != nil {
		keys = append(keys, "tool", "args", "script", "start")
	}
	return keys
}

// missingTimes is the missing duration, warm-up and arrivals of a load as YAML.
func missingTimes(n *source.Node) string {
	load, counted, text := n.Get("load"), countsRequests(n), ""
	if load.Get("duration") == nil && !counted {
		text += fmt.Sprintf("  duration: %dms\n", DefaultDuration.Milliseconds())
	}
	if load.Get("warmup") == nil && !counted {
		text += fmt.Sprintf("  warmup: %dms\n", defaultWarmup.Milliseconds())
	}
	if load.Get("arrivals") == nil && load.Get("rate") != nil {
		text += "  arrivals: constant\n"
	}
	return text
}

// inheritChoices makes an experiment with a rate or a search for capacity use the tuned values of the experiment that
// it extends, unless it tunes itself.
func (m *Merged) inheritChoices(d *Definition) {
	tune := m.Node.Get("tune")
	extends := d.Block.Node.Get("extends")
	inherits := extends != nil && !strings.Contains(extends.Text.Value, "#") && d.Block.Node.Get("tune") == nil
	if tune == nil || tune.Kind != source.Map || !inherits ||
		m.Node.Get("load").Get("rate") == nil && m.Node.Get("capacity") == nil {
		return
	}
	for _, f := range tune.Fields {
		of := source.Field{Key: source.Text{Value: "of", Pos: extends.Text.Pos}, Value: extends}
		if own := f.Value.Get("of"); own != nil {
			of.Value = own
		}
		taken := &source.Node{Kind: source.Map, Text: f.Value.Text, Fields: []source.Field{of}}
		tune = With(tune, f.Key.Value, taken)
	}
	m.Node = With(m.Node, "tune", tune)
}

// With returns n with another value for a key that it has.
func With(n *source.Node, key string, value *source.Node) *source.Node {
	out := *n
	out.Fields = slices.Clone(n.Fields)
	for i := range out.Fields {
		if out.Fields[i].Key.Value == key {
			out.Fields[i].Value = value
		}
	}
	return &out
}

// fieldsOf are the fields of the mapping under a key, if there is one.
func fieldsOf(n *source.Node, key string) []source.Field {
	if n = n.Get(key); n == nil {
		return nil
	}
	return n.Fields
}
