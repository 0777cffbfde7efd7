package plan

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"benchbook/notebook/article"
	"benchbook/notebook/source"
	"benchbook/notebook/yamltext"
)

// builtIn is the lowest layer of the defaults.
const builtIn = `
repetitions: 5
order: interleaved
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
	defaultDuration = 10 * time.Second
	defaultWarmup   = 2 * time.Second
)

// What profile quick does to every experiment.
const (
	quickRepetitions = 3
	quickDuration    = 3 * time.Second
	quickWarmup      = time.Second
	quickLimit       = 5 * time.Second // of an experiment with requests
	quickPoints      = 3               // of a search
)

// Keys of an experiment that are about all of its trials, and those that templates are expanded in for each.
var (
	perExperiment = []string{"matrix", "profiles", "repetitions", "name", "extends", "description", "order", "calibrate", "timeout",
		"setup", "cleanup", "shared", "metrics", "hosts"}
	perTrial = []string{"matrix", "profiles", "services", "load", "command", "tune", "capacity", "prepare", "conclude"}
)

// cascade is an experiment whose layers are merged.
type cascade struct {
	merged *yamltext.Node
	doc    *article.Document
	// profile has the nodes that the layers of the profile put there, with what is to be said of them: "profile smoke".
	profile map[*yamltext.Node]string
}

// Names of the sources of values that stand in no file.
const (
	builtInName = "built in"
	quickName   = "profile quick, built in"
	optionName  = "--repetitions"
	seedName    = "--seed"
)

// cascade lays the layers of docs/defaults.md over each other: built in, benchbook.yaml, front matter, block; then the
// profile's: built in, benchbook.yaml, front matter, block. It reports whether the profile leaves the experiment out.
func (p *planner) cascade(d *definition) (c *cascade, skipped bool) {
	c = &cascade{doc: p.doc, profile: map[*yamltext.Node]string{}}
	c.merged = article.Extend(only(p.defaults(d), d.node), d.node)
	c.fill()
	var layers []*yamltext.Node
	if over := p.project.Profiles[p.options.Profile]; over != nil {
		layers = append(layers, over)
	}
	for _, profile := range profilesOf(c.merged) {
		if profile.Name.Value != p.options.Profile {
			continue
		}
		if profile.Skip {
			return c, true
		}
		layers = append(layers, profile.Node)
	}
	if p.options.Profile == Quick {
		// What quick does depends on how the load ends, which the layers above it may change.
		ahead := &cascade{merged: c.merged, profile: map[*yamltext.Node]string{}}
		for _, layer := range layers {
			ahead.lay(layer, "")
		}
		c.lay(quick(c.merged, ahead.merged), "")
	}
	for _, layer := range layers {
		c.lay(layer, "profile "+p.options.Profile)
	}
	if p.options.Repetitions > 0 {
		c.lay(yamltext.Mapping(optionName, fmt.Sprintf("repetitions: %d\n", p.options.Repetitions)), "")
	}
	c.fill()
	c.settle()
	p.inheritChoices(c, d)
	return c, false
}

// defaults are those of the project and of front matters, with the profiles that they name.
func (p *planner) defaults(d *definition) *yamltext.Node {
	base := &yamltext.Node{Kind: yamltext.Map}
	for _, layer := range append([]*yamltext.Node{p.project.Defaults}, d.front...) {
		if layer != nil {
			base = article.Extend(base, layer)
		}
	}
	return base
}

// fill gives what has no value, or one that null has removed, the one that is built in.
func (c *cascade) fill() {
	c.merged = article.Extend(only(yamltext.Mapping(builtInName, builtIn), c.merged), c.merged)
}

// only leaves out of a lower layer what an experiment has no use for: defaults of a load where there is a command. An experiment
// that has neither takes the one that its defaults have in full.
func only(lower, upper *yamltext.Node) *yamltext.Node {
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

// lay puts a layer of the profile on top.
func (c *cascade) lay(over *yamltext.Node, from string) {
	switch {
	case c.merged.Get("load") == nil && c.merged.Get("command") != nil:
		over = over.Without("load")
	case c.merged.Get("command") == nil && c.merged.Get("load") != nil:
		over = over.Without("command")
	}
	walk(over, "", func(_ string, n *yamltext.Node) { c.profile[n] = from })
	c.merged = article.Merge(c.merged, over)
}

// quick is the layer of profile quick: it shortens what lasts longer, and leaves stages, commands and searches for capacity as
// they are. Searches of tune are shortened by quickPoints. What is below it is merged; ahead is the same with the layers
// that come above it, which may change how the load ends.
func quick(merged, ahead *yamltext.Node) *yamltext.Node {
	text := ""
	if n, ok := whole(merged.Get("repetitions")); ok && n > quickRepetitions {
		text += fmt.Sprintf("repetitions: %d\n", quickRepetitions)
	}
	load := ahead.Get("load")
	if load != nil && load.Kind == yamltext.Map && load.Get("stages") == nil && ahead.Get("capacity") == nil {
		duration, warmup := quickDuration, "  warmup: "+milliseconds(atMost(quickWarmup, merged.Get("load").Get("warmup")))
		if countsRequests(ahead) {
			duration, warmup = quickLimit, ""
		}
		text += "load:\n  duration: " + milliseconds(atMost(duration, merged.Get("load").Get("duration"))) + warmup
	}
	return yamltext.Mapping(quickName, text)
}

// atMost is a time, or a shorter one that is written: quick lengthens nothing.
func atMost(d time.Duration, written *yamltext.Node) time.Duration {
	if w, ok := lasting(written); ok {
		return min(d, w)
	}
	return d
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%gms\n", float64(d)/float64(time.Millisecond))
}

// countsRequests says that a load ends with a number of requests.
func countsRequests(merged *yamltext.Node) bool {
	load := merged.Get("load")
	return load.Get("requests") != nil && load.Get("rate") == nil && load.Get("stages") == nil && merged.Get("capacity") == nil
}

func whole(n *yamltext.Node) (int, bool) {
	e := decodeKey("repetitions", n)
	return e.Repetitions.V, e.Repetitions.Known()
}

func lasting(n *yamltext.Node) (time.Duration, bool) {
	e := decodeKey("timeout", n)
	return e.Timeout.V, e.Timeout.Known()
}

// decodeKey reads a value as that of a key of an experiment; what is wrong with it is said elsewhere.
func decodeKey(key string, n *yamltext.Node) *article.Experiment {
	if n == nil {
		return &article.Experiment{}
	}
	k := source.Text{Value: key, Pos: n.Text.Pos}
	alone := &yamltext.Node{Kind: yamltext.Map, Text: n.Text, Fields: []yamltext.Field{{Key: k, Value: n}}}
	return article.DecodeExperiment(alone, false, &source.Problems{})
}

// settle removes what another layer has made meaningless (see docs/defaults.md: capacity replaces rate, requests and
// stages; an open loop and stages last for a time; what another experiment chose is not searched for) and fills in how
// long a load lasts.
func (c *cascade) settle() {
	if tune := c.merged.Get("tune"); tune != nil {
		for _, f := range tune.Fields {
			if f.Value.Get("of") != nil {
				tune = with(tune, f.Key.Value, f.Value.Without("from", "to", "maximize", "budget"))
			}
		}
		c.merged = with(c.merged, "tune", tune)
	}
	load := c.merged.Get("load")
	if load == nil || load.Kind != yamltext.Map {
		return
	}
	var without []string
	switch {
	case c.merged.Get("capacity") != nil:
		without = []string{"rate", "requests", "stages"}
	case load.Get("stages") != nil:
		without = []string{"duration", "requests"}
	case load.Get("rate") != nil:
		without = []string{"requests", "think"}
	}
	if len(without) > 0 {
		c.merged = with(c.merged, "load", load.Without(without...))
		load = c.merged.Get("load")
	}
	text := ""
	if counted := countsRequests(c.merged); !counted && load.Get("stages") == nil {
		if load.Get("duration") == nil {
			text += fmt.Sprintf("  duration: %dms\n", defaultDuration.Milliseconds())
		}
	}
	if load.Get("warmup") == nil && !countsRequests(c.merged) {
		text += fmt.Sprintf("  warmup: %dms\n", defaultWarmup.Milliseconds())
	}
	if load.Get("arrivals") == nil && load.Get("rate") != nil {
		text += "  arrivals: constant\n"
	}
	if text != "" {
		c.merged = article.Merge(c.merged, yamltext.Mapping(builtInName, "load:\n"+text))
	}
}

// inheritChoices makes an experiment with a rate or a search for capacity take what the experiment that it extends has
// tuned, unless it says itself what is to be searched for.
func (p *planner) inheritChoices(c *cascade, d *definition) {
	tune := c.merged.Get("tune")
	extends := d.block.Node.Get("extends")
	inherits := extends != nil && !strings.Contains(extends.Text.Value, "#") && d.block.Node.Get("tune") == nil
	if tune == nil || tune.Kind != yamltext.Map || !inherits || c.merged.Get("load").Get("rate") == nil && c.merged.Get("capacity") == nil {
		return
	}
	out := *tune
	out.Fields = nil
	for _, f := range tune.Fields {
		of := yamltext.Field{Key: source.Text{Value: "of", Pos: extends.Text.Pos}, Value: extends}
		if own := f.Value.Get("of"); own != nil {
			of.Value = own
		}
		taken := &yamltext.Node{Kind: yamltext.Map, Text: f.Value.Text, Fields: []yamltext.Field{of}}
		out.Fields = append(out.Fields, yamltext.Field{Key: f.Key, Value: taken})
	}
	c.merged = with(c.merged, "tune", &out)
}

// with is a mapping in which a key has another value.
func with(n *yamltext.Node, key string, value *yamltext.Node) *yamltext.Node {
	out := *n
	out.Fields = slices.Clone(n.Fields)
	for i := range out.Fields {
		if out.Fields[i].Key.Value == key {
			out.Fields[i].Value = value
		}
	}
	return &out
}

// walk visits every value that is no mapping, with its path of keys. A list counts as one.
func walk(n *yamltext.Node, at string, visit func(key string, n *yamltext.Node)) {
	if n.Kind != yamltext.Map || len(n.Fields) == 0 {
		visit(at, n)
		return
	}
	for _, f := range n.Fields {
		key := f.Key.Value
		if at != "" {
			key = at + "." + key
		}
		walk(f.Value, key, visit)
	}
}

// notShown are keys whose values are no part of the definition: names, and what the profile has taken its part of.
var notShown = []string{"name", "extends", "profiles"}

// origin says where every value came from, by its path.
func (c *cascade) origin() map[string]string {
	out := map[string]string{}
	walk(c.merged.Without(notShown...), "", func(key string, n *yamltext.Node) {
		if key != "" && !strings.HasPrefix(key, "x-") && !strings.Contains(key, ".x-") {
			out[key] = c.from(n)
		}
	})
	above := map[string]bool{} // the mappings that said values stand in
	for key := range out {
		for i := strings.LastIndexByte(key, '.'); i >= 0; i = strings.LastIndexByte(key[:i], '.') {
			above[key[:i]] = true
		}
	}
	for _, key := range c.rules() {
		said := above[key] || out[key] != ""
		for i := strings.LastIndexByte(key, '.'); i >= 0 && !said; i = strings.LastIndexByte(key[:i], '.') {
			said = out[key[:i]] != ""
		}
		if !said {
			out[key] = builtInName
		}
	}
	return out
}

// fieldsOf are the fields of the mapping under a key, if there is one.
func fieldsOf(n *yamltext.Node, key string) []yamltext.Field {
	if n = n.Get(key); n == nil {
		return nil
	}
	return n.Fields
}

// rules lists the keys that have a value by a rule, where no layer gives them one.
func (c *cascade) rules() []string {
	var keys []string
	for _, f := range fieldsOf(c.merged, "services") {
		keys = append(keys, "services."+f.Key.Value+".healthcheck", "services."+f.Key.Value+".cpuset")
	}
	if c.merged.Get("load") != nil {
		keys = append(keys, "load.cpuset", "load.threads", "load.verify.before", "load.failures.max")
	}
	if c.merged.Get("command") != nil {
		keys = append(keys, "command.cpuset", "command.expect.exit")
	}
	for _, f := range fieldsOf(c.merged, "tune") {
		if f.Value.Get("of") == nil {
			for _, key := range []string{"from", "to", "maximize"} {
				keys = append(keys, "tune."+f.Key.Value+"."+key)
			}
		}
	}
	return keys
}

// from says where a value stands.
func (c *cascade) from(n *yamltext.Node) string {
	source := n.Text.Pos.Source
	if source == nil {
		return builtInName
	}
	if source.Path == builtInName || source.Path == quickName || source.Path == optionName {
		return source.Path
	}
	name := source.Path
	switch dir := path.Dir(c.doc.Source.Path); {
	case source == c.doc.Source || path.Dir(source.Path) == dir:
		name = path.Base(source.Path)
	case strings.HasPrefix(source.Path, path.Dir(dir)+"/"):
		name = strings.TrimPrefix(source.Path, path.Dir(dir)+"/")
	}
	line, _ := source.Position(n.Text.Pos.Start)
	where := fmt.Sprintf("%s:%d", name, line)
	if from := c.profile[n]; from != "" {
		return from + ", " + where
	}
	return where
}
