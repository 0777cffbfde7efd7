package article

import (
	"cmp"
	"slices"
	"strings"

	"benchbook/notebook/source"
)

// NodeKind tells what a Node is.
type NodeKind int

// The kinds of Node.
const (
	Scalar NodeKind = iota
	List
	Map
	Null
)

func (k NodeKind) String() string {
	return [...]string{"a single value", "a list", "a mapping", "nothing"}[k]
}

// Node is a value of YAML in which everything knows its place. Nodes are never changed once they are made, so that
// defaults, blocks and profiles can share parts of them.
type Node struct {
	Kind   NodeKind
	Text   source.Text // of a scalar; of other kinds only the place
	Items  []*Node     // of a list
	Fields []Field     // of a mapping, in the order written

	// lost says of nothing that something is written all the same, and of a mapping that something should have been merged into
	// it; that is a problem already.
	lost bool
}

// Field is one key of a mapping with its value.
type Field struct {
	Key   source.Text
	Value *Node
}

// Get gives the value under a key, or nil.
func (n *Node) Get(key string) *Node {
	if n == nil {
		return nil
	}
	for _, f := range n.Fields {
		if f.Key.Value == key {
			return f.Value
		}
	}
	return nil
}

// Without is n without a key.
func (n *Node) Without(keys ...string) *Node {
	if n == nil {
		return nil
	}
	out := *n
	out.Fields = slices.DeleteFunc(slices.Clone(n.Fields), func(f Field) bool { return slices.Contains(keys, f.Key.Value) })
	return &out
}

// Merge lays over on top of base: mappings merge key by key, anything else replaces, null removes. What replaces comes after what stays,
// but for the axes of an experiment's matrix.
func Merge(base, over *Node) *Node {
	out := merge(base, over, false)
	keepAxes(out.Get("matrix"), base.Get("matrix"))
	return out
}

// keepAxes leaves the axes of a matrix in the order that they have below: they name its trials.
func keepAxes(matrix, below *Node) {
	if matrix == below || matrix == nil || below == nil || matrix.Kind != Map || below.Kind != Map {
		return
	}
	place := func(f Field) int {
		i := slices.IndexFunc(below.Fields, func(b Field) bool { return b.Key.Value == f.Key.Value })
		if i < 0 {
			return len(below.Fields)
		}
		return i
	}
	slices.SortStableFunc(matrix.Fields, func(a, b Field) int { return cmp.Compare(place(a), place(b)) })
}

// Extend lays an experiment over the one that it extends, as Merge does. Inside profiles null stays: what it removes is only there
// when the profile is laid on top.
func Extend(base, over *Node) *Node {
	const profiles = "profiles"
	out := Merge(base.Without(profiles), over.Without(profiles))
	later := over.Get(profiles)
	if later == nil || later.Kind != Null {
		later = merge(base.Get(profiles), later, true)
		if later != nil {
			out.Fields = append(out.Fields, Field{source.Text{Value: profiles, Pos: later.Text.Pos}, later})
		}
	}
	return out
}

func merge(base, over *Node, keepNull bool) *Node {
	switch {
	case over == nil:
		return base
	case over.Kind != Map:
		return over
	}
	out := &Node{Kind: Map, Text: over.Text, lost: over.lost || base != nil && base.lost}
	if base != nil && base.Kind == Map {
		out.Text = base.Text
		above := over.getter()
		for _, f := range base.Fields {
			if above(f.Key.Value) == nil {
				out.Fields = append(out.Fields, f)
			}
		}
	} else {
		base = nil
	}
	below := base.getter()
	for _, f := range over.Fields {
		if f.Value.Kind != Null || keepNull {
			out.Fields = append(out.Fields, Field{f.Key, merge(below(f.Key.Value), f.Value, keepNull)})
		}
	}
	return out
}

// fewFields is up to how many looking through all of them is faster than a map.
const fewFields = 16

// getter is Get for many keys.
func (n *Node) getter() func(key string) *Node {
	if n == nil || len(n.Fields) <= fewFields {
		return n.Get
	}
	values := map[string]*Node{}
	for _, f := range n.Fields {
		if values[f.Key.Value] == nil {
			values[f.Key.Value] = f.Value
		}
	}
	return func(key string) *Node { return values[key] }
}

// shapeHint is a way out where something other than a node was wanted, if it is plain what went wrong.
func shapeHint(n *Node, what string, want NodeKind) string {
	if n.Kind == Scalar && want == Map && strings.HasPrefix(what, "service ") {
		return "write below it what it is made of, such as image: " + n.Text.Value
	}
	if n.Kind == Scalar && want == Map {
		if m := gluedKey.FindStringSubmatch(n.Text.Value); m != nil {
			return "put a space behind the colon: " + m[1] + ": " + m[2]
		}
		if name, value, ok := strings.Cut(n.Text.Value, "="); ok && what == "environment" && IsName(name) {
			return "write " + name + ": " + value
		}
	}
	switch {
	case n.Kind == Map && want == List:
		return "put a dash before each entry"
	case want == Map:
		return shapes[what]
	case n.Kind == Map && want == Scalar && (what == "body" || what == "stdin"):
		return "write it as a text, in single quotes"
	case n.Kind == List && want == Scalar && len(n.Items) == 1:
		return "write the value alone, without brackets or dash"
	}
	return ""
}

// shapes are examples of mappings that are written as something else, by what messages call them.
var shapes = map[string]string{
	"a config":              "write {source: NAME, target: /path/in/the/container}",
	"key_values":            "write {value: EXPRESSION, is: WORDS}",
	"setup":                 "write {service: NAME, run: PROGRAM ARGUMENTS}",
	"prepare":               "write {service: NAME, run: PROGRAM ARGUMENTS}",
	"conclude":              "write {service: NAME, run: PROGRAM ARGUMENTS}",
	"cleanup":               "write {service: NAME, run: PROGRAM ARGUMENTS}",
	"latency":               "write latency: {distribution: constant, value: 5ms}",
	"link":                  "write link: {rtt: 100ms}",
	"a block of experiment": "make a block of each experiment, without a dash",
	"services":              "write services: {NAME: {image: IMAGE}}",
	"environment":           "write environment: {NAME: value}",
	"matrix":                "write matrix: {NAME: [value, value]}",
	"json":                  "write json: {dotted.path: value}",
	"load":                  "write load: {target: http://SERVICE:PORT/}",
	"verify":                "write verify: {status: 200}",
	"command":               "write command: {image: IMAGE, run: PROGRAM ARGUMENTS}",
	"expect":                "write expect: {exit: 0}",
	"healthcheck":           "write healthcheck: {test: [PORT, \"5432\"]}",
	"tune":                  "write tune: {NAME: {from: 1, to: 32}}",
	"capacity":              "write capacity: {slo: latency.p99 < 100ms, from: 100/s, to: 20000/s}",
	"profiles":              "write profiles: {quick: {repetitions: 3}}",
	"defaults":              "write defaults: {repetitions: 5}",
	"values":                "write values: {NAME: EXPRESSION}",
	"reproduces":            "write reproduces: {title: TITLE}",
}
