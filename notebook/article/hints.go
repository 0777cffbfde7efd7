package article

import (
	"reflect"
	"slices"
	"strings"

	"benchbook/notebook/expr"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

// NewDecoder returns a decoder for articles. With templates, scalars may contain ${{ }}, and required keys may be in
// other layers; without, mappings must be whole.
func NewDecoder(problems *source.Problems, templates bool) source.Decoder {
	return source.Decoder{Problems: problems, Notations: notations, Tried: map[*source.Node]source.Tried{},
		ShapeHint: shapeHint, KeyHint: keyHint, Removable: reflect.TypeFor[spec.Service](), Templates: templates,
		Whole: !templates}
}

// composeHints are hints for keys of Compose that services do not have.
var composeHints = map[string]string{
	"ports":          `write expose: ["80"], the port inside the container: none is published on this machine`,
	"networks":       ownNetwork,
	"network_mode":   ownNetwork,
	"links":          ownNetwork,
	"restart":        "remove it: a repetition fails if a service ends",
	"container_name": "remove it: services are found by the names that they have here",
	"deploy":         "write its limits as cpus, mem_limit and scale",
	"privileged":     "name what it needs in cap_add, and permit it with allow in " + ProjectFile,
}

const ownNetwork = "remove it: the services of a trial have a network of their own, and find each other by their names"

// places are mappings that a key may belong to, with the names that hints call them by.
var places = []struct {
	name string
	of   reflect.Type
}{{"the front matter", reflect.TypeFor[Front]()}, {"an experiment", reflect.TypeFor[Experiment]()},
	{"a service", reflect.TypeFor[spec.Service]()}, {"load", reflect.TypeFor[spec.Load]()}, {"command", reflect.TypeFor[spec.Command]()},
	{"a claim", reflect.TypeFor[Claim]()}, {"a table", reflect.TypeFor[Table]()}, {"a figure", reflect.TypeFor[Figure]()},
	{ProjectFile, reflect.TypeFor[Settings]()}}

// keyHint suggests the keys of t that are most like key, or names a mapping that has the key.
func keyHint(key string, t reflect.Type, names []string) string {
	if hint, ok := composeHints[key]; ok && t == reflect.TypeFor[spec.Service]() {
		return hint
	}
	if t == reflect.TypeFor[spec.Verify]() && slices.Contains([]string{"body", "text", "answer"}, key) {
		return "write contains: with a text of the body, or length: with its bytes"
	}
	if len(expr.Near(key, names)) == 0 {
		isTop := t == reflect.TypeFor[Front]() || t == reflect.TypeFor[Experiment]()
		for _, p := range places {
			if p.of != t && (isTop || p.name != ProjectFile) && slices.Contains(source.KeysOf(p.of), key) {
				return "it is a key of " + p.name
			}
		}
	}
	return source.Suggest(key, names)
}

// shapeHint returns an example of the wanted shape, or how to get it from n. It is a table.
//
//gocyclo:ignore
func shapeHint(n *source.Node, what string, want source.NodeKind) string {
	text := n.Text.Value
	switch {
	case n.Kind == source.Scalar && want == source.Map && strings.HasPrefix(what, "service "):
		key := strings.Trim(strings.TrimPrefix(what, "service "), `"`)
		if slices.Contains(source.KeysOf(reflect.TypeFor[spec.Service]()), key) {
			return "write it below the name of a service: services: {NAME: {" + key + ": " + text + "}}"
		}
		return "write below it what it is made of, such as image: " + text
	case n.Kind == source.Scalar && want == source.Map && source.GluedKey.MatchString(text):
		key, value, _ := strings.Cut(text, ":")
		return "put a space after the colon: " + key + ": " + value
	case n.Kind == source.Map && want == source.List:
		return "put a dash before each entry"
	case want == source.Map:
		return shapes[what]
	case n.Kind == source.Map && want == source.Scalar && slices.Contains([]string{"body", "stdin"}, what):
		return "write it as a text, in single quotes"
	case n.Kind == source.List && want == source.Scalar && len(n.Items) == 1:
		return "write the value alone, without brackets or dash"
	}
	return ""
}

const hookShape = "write {service: NAME, run: PROGRAM ARGUMENTS}"

// shapes are examples of mappings, by the name in messages.
var shapes = map[string]string{
	"configs":             "write {source: NAME, target: /path/in/the/container}",
	"setup":               hookShape,
	"prepare":             hookShape,
	"latency":             "write latency: {distribution: constant, value: 5ms}",
	"link":                "write link: {rtt: 100ms}",
	"block of experiment": "make a block of each experiment, without a dash",
	"services":            "write services: {NAME: {image: IMAGE}}",
	"environment":         "write environment: {NAME: value}",
	"matrix":              "write matrix: {NAME: [value, value]}",
	"load":                "write load: {target: http://SERVICE:PORT/}",
	"verify":              "write verify: {status: 200}",
	"command":             "write command: {image: IMAGE, run: PROGRAM ARGUMENTS}",
	"healthcheck":         "write healthcheck: {test: [PORT, \"5432\"]}",
	"tune":                "write tune: {NAME: {from: 1, to: 32}}",
	"capacity":            "write capacity: {slo: latency.p99 < 100ms, from: 100/s, to: 20000/s}",
	"profiles":            "write profiles: {quick: {repetitions: 3}}",
	"defaults":            "write defaults: {repetitions: 5}",
	"values":              "write values: {NAME: EXPRESSION}",
	"reproduces":          "write reproduces: {title: TITLE, url: ADDRESS}",
}
