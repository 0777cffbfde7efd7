package plan

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/compose"
	"benchbook/notebook/source"
)

// builtIn is the lowest layer of defaults.
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

// Defaults of a load that does not end after a number of requests.
const (
	DefaultDuration = 10 * time.Second
	defaultWarmup   = 2 * time.Second
)

// builtInSource is the path of the source of values that no file contains.
const builtInSource = "built in"

// IsWritten reports whether the value at a place is not a built-in default.
func IsWritten(at source.Pos) bool { return at.Source != nil && at.Source.Path != builtInSource }

// merge merges the layers of docs/defaults.md, lowest first: built in, benchbook.yaml, front matter, block; then the
// profile's: benchbook.yaml, front matter, block; then the repetitions of the options. It also returns whether the
// profile skips the experiment.
func (e *outline) merge() (n *source.Node, skipped bool) {
	profile, repetitions := e.options.Profile, e.options.Repetitions
	n = addBuiltIn(article.Extend(withoutUnused(e.defaults(), e.node), e.node))
	above := []*source.Node{e.project.Profiles[profile]}
	for _, own := range profilesOf(n) {
		if own.Name.Value == profile {
			above, skipped = append(above, own.Node), skipped || own.Skip
		}
	}
	if repetitions != "" {
		above = append(above, source.Mapping(builtInSource, "repetitions: "+repetitions+"\n"))
	}
	for _, layer := range above {
		n = article.Merge(n, withoutUnused(layer, n))
	}
	return e.inheritChoices(settle(addBuiltIn(n))), skipped
}

// defaults merges the defaults of the project and of the front matter.
func (p *planner) defaults() *source.Node {
	base := article.Extend(&source.Node{Kind: source.Map}, p.project.Defaults.Node)
	return article.Extend(base, p.doc.Front.Defaults.Node)
}

// addBuiltIn adds built-in defaults for keys that are missing, or that null has removed.
func addBuiltIn(n *source.Node) *source.Node {
	return article.Extend(withoutUnused(source.Mapping(builtInSource, builtIn), n), n)
}

// withoutUnused removes the load or command from a lower layer if the experiment has none. An experiment with neither
// inherits a load that has a target, and a command that has run.
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

// isEmpty reports whether n is nil or not a mapping.
func isEmpty(n *source.Node) bool { return n == nil || n.Kind != source.Map }

// profilesOf reads the profiles of an experiment. Their problems are reported elsewhere.
func profilesOf(n *source.Node) (out article.Profiles) {
	if profiles := n.Under("profiles"); profiles != nil {
		article.NewDecoder(&source.Problems{}, true).Decode(profiles, "profiles", &out)
	}
	return out
}

// settle removes keys that a higher layer has made meaningless, and adds the duration and warm-up of a load.
//
// Source: docs/defaults.md.
func settle(n *source.Node) *source.Node {
	tune := n.Get("tune")
	for _, f := range tune.All() {
		if f.Value.Get("of") != nil {
			tune = with(tune, f.Key.Value, f.Value.Without("from", "to", "maximize", "budget"))
		}
	}
	n = with(n, "tune", tune)
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
	n = with(n, "load", load)
	if load.Get("requests") != nil && load.Get("rate") == nil && n.Get("capacity") == nil {
		return n
	}
	times := fmt.Sprintf("load: {duration: %v, warmup: %v}\n", DefaultDuration, defaultWarmup)
	return article.Extend(source.Mapping(builtInSource, times), n)
}

// inheritChoices makes an experiment with a rate or a capacity search use the tuned values of the experiment that it
// extends, unless it has a tune of its own.
func (e *outline) inheritChoices(n *source.Node) *source.Node {
	tune, extends := n.Get("tune"), e.block.Node.Get("extends")
	inherits := extends != nil && e.block.Node.Get("tune") == nil
	if isEmpty(tune) || !inherits || n.Get("load").Get("rate") == nil && n.Get("capacity") == nil {
		return n
	}
	for _, f := range tune.Fields {
		of := cmp.Or(f.Value.Get("of"), extends)
		chosen := &source.Node{Kind: source.Map, Text: f.Value.Text}
		tune = with(tune, f.Key.Value, with(chosen, "of", of))
	}
	return with(n, "tune", tune)
}

// with returns a copy of n with a value for a key. A missing key is added, unless the value is nil.
func with(n *source.Node, key string, value *source.Node) *source.Node {
	out := *n
	out.Fields = slices.Clone(n.Fields)
	i := slices.IndexFunc(n.Fields, func(f source.Field) bool { return f.Key.Value == key })
	switch {
	case i >= 0:
		out.Fields[i].Value = value
	case value != nil:
		out.Fields = append(out.Fields, source.Field{Key: source.Text{Value: key, Pos: value.Text.Pos}, Value: value})
	}
	return &out
}

// maxExtends bounds a chain of experiments that extend each other.
const maxExtends = 20

// define merges a block with the experiments that it extends; below are the blocks that extend it, to find cycles. An
// invalid extends is reported and ignored.
func (p *planner) define(block *article.ExperimentBlock, below []*article.ExperimentBlock) *outline {
	e := &outline{planner: p, block: block, node: block.Node,
		Experiment: &Experiment{Name: block.Name.Value, Pos: block.Pos, Engine: p.engine()}}
	extends := block.Node.Get("extends")
	if extends == nil || extends.Kind != source.Scalar {
		e.whole = extends == nil || extends.Kind == source.Null
		return e
	}
	below = append(below, block)
	known := p.names()
	i := slices.Index(known, extends.Text.Value)
	switch {
	case i < 0:
		p.unknownExperiment(extends.Text)
		return e
	case slices.Contains(below, p.doc.Experiments[i]):
		p.problems.Add("circle", extends.Text.Pos, "experiment %q extends itself, by way of %q", e.Name, extends.Text.Value).
			Hint = "write out what they share in one of them"
		return e
	case len(below) > maxExtends:
		p.problems.Add("too-many", extends.Text.Pos, "more than %d experiments extend each other in a row", maxExtends).
			Hint = "extend the one that the others have in common"
		return e
	}
	lower := p.define(p.doc.Experiments[i], below)
	e.whole = lower.whole
	e.node = article.Extend(searchedAnew(lower.node.Without("name", "extends"), block.Node), block.Node)
	return e
}

// names returns the names of the experiments of the article.
func (p *planner) names() []string {
	return slice.Map(p.doc.Experiments, func(b *article.ExperimentBlock) string { return b.Name.Value })
}

// unknownExperiment reports that no experiment has this name, unless it may be in a part that could not be read.
func (p *planner) unknownExperiment(name source.Text) {
	if !p.doc.MayBeUnread(name.Value, "experiment") {
		p.problems.Add("unknown-experiment", name.Pos, "no experiment %q in this article", name.Value).
			Hint = source.Suggest(name.Value, p.names())
	}
}

// searchedAnew removes "of" from searches in lower that block turns into searches of its own.
func searchedAnew(lower, block *source.Node) *source.Node {
	tune := lower.Get("tune")
	for _, f := range block.Get("tune").All() {
		below := tune.Get(f.Key.Value)
		if below.Get("of") != nil && f.Value.Get("of") == nil && len(f.Value.Fields) > 0 {
			tune = with(tune, f.Key.Value, below.Without("of"))
		}
	}
	return with(lower, "tune", tune)
}

// composeFiles are Compose files, and the folder that their paths are relative to.
type composeFiles struct {
	*compose.Project
	folder *folder
}

// composedFrom returns the Compose files that t was read from, or nil.
func (p *planner) composedFrom(t source.Text) *composeFiles {
	found, _ := slice.Find(p.composed, func(c *composeFiles) bool { return c.Holds(t) })
	return found
}

// compose merges the services of an experiment over those of its Compose files; false if these cannot be used.
//
// Source: docs/compose.md.
func (e *outline) compose(merged *source.Node) (*source.Node, bool) {
	named := merged.Get("compose")
	if named == nil {
		return merged, true
	}
	list := named
	if named.Kind == source.Map {
		list = named.Under("files")
	}
	if list == nil {
		e.problems.Add("missing-key", named.Text.Pos, "compose has no files").
			Hint = "write files: with the path of a Compose file"
	}
	names, root := texts(list), e.repository
	if len(names) == 0 {
		return merged, false
	}
	read := compose.Read(names, compose.Options{Dir: e.doc.Dir, Root: root, Services: merged.Get("services"),
		Environment: article.Texts(texts(named.Under("environment"))), Private: e.private}, e.problems)
	if read == nil {
		return merged, false
	}
	var listings []*article.Listing
	for _, name := range sortedKeys(read.Contents) {
		listings = append(listings, &article.Listing{Path: name, Data: read.Contents[name], Pos: named.Text.Pos})
	}
	for _, name := range read.Files {
		e.reads[name] = true
	}
	for _, name := range read.EnvFiles {
		e.reads[name], e.envFiles[name] = true, true
	}
	e.composed = append(e.composed, &composeFiles{read, newRepository(root, listings, e.doc, e.seenFiles)})
	e.Notes = read.Notes
	if read.Secrets != nil {
		merged = with(merged, "secrets", article.Merge(read.Secrets, merged.Get("secrets")))
	}
	return with(merged, "services", read.Services), true
}
