package plan

import (
	"fmt"
	"slices"
	"time"

	"benchbook/notebook/article"
	"benchbook/notebook/source"
)

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

// builtInSource is the path of the source of values that are in no file.
const builtInSource = "built in"

// IsWritten reports whether the value at a place is not a built-in default.
func IsWritten(at source.Pos) bool { return at.Source != nil && at.Source.Path != builtInSource }

// merge lays the layers of docs/defaults.md over each other: built in, benchbook.yaml, front matter, block; then the
// profile's: benchbook.yaml, front matter, block. Repetitions of the options replace the article's. It reports
// whether the profile leaves the experiment out.
func (p *planner) merge(d *Definition) (n *source.Node, skipped bool) {
	profile, repetitions := p.options.Profile, p.options.Repetitions
	n = addBuiltIn(article.Extend(withoutUnused(p.defaults(), d.Node), d.Node))
	var above []*source.Node
	if over := p.project.Profiles[profile]; over != nil {
		above = append(above, over)
	}
	for _, own := range profilesOf(n) {
		if own.Name.Value == profile && own.Skip {
			return n, true
		}
		if own.Name.Value == profile {
			above = append(above, own.Node)
		}
	}
	if repetitions != "" {
		above = append(above, source.Mapping(builtInSource, "repetitions: "+repetitions+"\n"))
	}
	for _, layer := range above {
		n = overlay(n, layer)
	}
	return inheritChoices(settle(addBuiltIn(n)), d), false
}

// defaults merges the defaults of the project and of the front matter.
func (p *planner) defaults() *source.Node {
	base := &source.Node{Kind: source.Map}
	for _, layer := range []*source.Node{p.project.Defaults, p.doc.Front.Defaults.Node} {
		if layer != nil {
			base = article.Extend(base, layer)
		}
	}
	return base
}

// addBuiltIn adds the built-in value of keys without one, or whose value null has removed.
func addBuiltIn(n *source.Node) *source.Node {
	return article.Extend(withoutUnused(source.Mapping(builtInSource, builtIn), n), n)
}

// withoutUnused removes from a lower layer what an experiment does not use, such as the defaults of a load if it has a
// command. An experiment with neither gets the one that is complete in its defaults.
func withoutUnused(lower, upper *source.Node) *source.Node {
	for key, complete := range map[string]string{"load": "target", "command": "run"} {
		has := upper.Get(key) != nil
		if upper.Get("load") == nil && upper.Get("command") == nil {
			has = lower.Get(key).Get(complete) != nil
		}
		if !has {
			lower = lower.Without(key)
		}
	}
	return lower
}

func overlay(n, over *source.Node) *source.Node {
	switch load, command := n.Get("load"), n.Get("command"); {
	case load == nil && command != nil:
		over = over.Without("load")
	case command == nil && load != nil:
		over = over.Without("command")
	}
	return article.Merge(n, over)
}

// isEmpty reports whether n is not a mapping.
func isEmpty(n *source.Node) bool { return n == nil || n.Kind != source.Map }

func countsRequests(n *source.Node) bool {
	load := n.Get("load")
	return load.Get("requests") != nil && load.Get("rate") == nil && n.Get("capacity") == nil
}

// profilesOf reads the profiles of an experiment. Their problems are reported elsewhere.
func profilesOf(n *source.Node) (out article.Profiles) {
	if profiles := n.Under("profiles"); profiles != nil {
		article.NewDecoder(&source.Problems{}, true).Decode(profiles, "profiles", &out)
	}
	return out
}

// settle removes what another layer has made meaningless, and adds how long a load lasts.
//
// Source: docs/defaults.md.
func settle(n *source.Node) *source.Node {
	tune := n.Get("tune")
	for _, f := range tune.All() {
		if f.Value.Get("of") != nil {
			tune = With(tune, f.Key.Value, f.Value.Without("from", "to", "maximize", "budget"))
		}
	}
	n = With(n, "tune", tune)
	load := n.Get("load")
	if isEmpty(load) {
		return n
	}
	switch {
	case n.Get("capacity") != nil:
		load = load.Without("rate", "requests")
	case load.Get("rate") != nil:
		load = load.Without("requests", "think")
	}
	if load.Get("driver") != nil {
		load = load.Without("tool", "args", "script")
	}
	n = With(n, "load", load)
	times := ""
	if load.Get("duration") == nil && !countsRequests(n) {
		times += fmt.Sprintf("  duration: %dms\n", DefaultDuration.Milliseconds())
	}
	if load.Get("warmup") == nil && !countsRequests(n) {
		times += fmt.Sprintf("  warmup: %dms\n", defaultWarmup.Milliseconds())
	}
	if load.Get("arrivals") == nil && load.Get("rate") != nil {
		times += "  arrivals: constant\n"
	}
	if times == "" {
		return n
	}
	return article.Merge(n, source.Mapping(builtInSource, "load:\n"+times))
}

// inheritChoices makes an experiment with a rate or a search for capacity use the tuned values of the experiment that
// it extends, unless it tunes itself.
func inheritChoices(n *source.Node, d *Definition) *source.Node {
	tune, extends := n.Get("tune"), d.Block.Node.Get("extends")
	inherits := extends != nil && d.Block.Node.Get("tune") == nil
	if isEmpty(tune) || !inherits || n.Get("load").Get("rate") == nil && n.Get("capacity") == nil {
		return n
	}
	for _, f := range tune.Fields {
		of := source.Field{Key: source.Text{Value: "of", Pos: extends.Text.Pos}, Value: extends}
		if own := f.Value.Get("of"); own != nil {
			of.Value = own
		}
		tune = With(tune, f.Key.Value, &source.Node{Kind: source.Map, Text: f.Value.Text, Fields: []source.Field{of}})
	}
	return With(n, "tune", tune)
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
