package article

import (
	"fmt"
	"reflect"
	"strings"

	"benchbook/notebook/expr"
	"benchbook/notebook/source"
	"benchbook/notebook/yamltext"
)

// articleWording is what decoders know of articles.
var articleWording = yamltext.Wording{ShapeHint: shapeHint, UnknownKey: unknownKey,
	Named: func(t reflect.Type) bool { return t == reflect.TypeFor[Services]() }}

// NewDecoder makes a decoder for articles. Templates says that ${{ }} may still stand in scalars.
func NewDecoder(problems *source.Problems, templates bool) yamltext.Decoder {
	return yamltext.Decoder{Problems: problems, Wording: &articleWording, Templates: templates}
}

// unknownKey is a way out where a key of a mapping is not known, and the key of ours that it stands for, if that is plain.
func unknownKey(key string, t reflect.Type, names []string) (hint, meant string, sure bool) {
	near := expr.Near(key, names)
	sure = len(near) == 1
	if other, ok := otherNames[t][key]; ok {
		if other.hint == "" {
			return fmt.Sprintf("did you mean %q?", other.key), other.key, sure
		}
		return other.hint, other.key, sure
	}
	if other, hint, ok := belongs(key, t); ok {
		return hint, other.what, sure
	}
	if len(near) > 0 {
		meant = near[0]
	}
	return source.Suggest(key, names), meant, sure
}

// shapeHint is a way out where something other than a node was wanted, if it is plain what went wrong. It is a table.
//
//gocyclo:ignore
func shapeHint(n *yamltext.Node, what string, want yamltext.NodeKind) string {
	if n.Kind == yamltext.Scalar && want == yamltext.Map && strings.HasPrefix(what, "service ") {
		return "write below it what it is made of, such as image: " + n.Text.Value
	}
	if n.Kind == yamltext.Scalar && want == yamltext.Map {
		if m := yamltext.GluedKey.FindStringSubmatch(n.Text.Value); m != nil {
			return "put a space behind the colon: " + m[1] + ": " + m[2]
		}
		if name, value, ok := strings.Cut(n.Text.Value, "="); ok && what == "environment" && IsName(name) {
			return "write " + name + ": " + value
		}
	}
	switch {
	case n.Kind == yamltext.Map && want == yamltext.List:
		return "put a dash before each entry"
	case want == yamltext.Map:
		return shapes[what]
	case n.Kind == yamltext.Map && want == yamltext.Scalar && (what == "body" || what == "stdin"):
		return "write it as a text, in single quotes"
	case n.Kind == yamltext.List && want == yamltext.Scalar && len(n.Items) == 1:
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
