package article

import (
	"reflect"
	"strings"

	"benchbook/notebook/expr"
	"benchbook/notebook/source"
)

// composeHints says what to do about keys of Compose that services do not have.
var composeHints = map[string]string{
	"ports":          `write expose: ["80"], the port inside the container: none is published on this machine`,
	"networks":       ownNetwork,
	"network_mode":   ownNetwork,
	"links":          ownNetwork,
	"extra_hosts":    ownNetwork,
	"dns":            ownNetwork,
	"restart":        "remove it: a repetition fails if a service ends",
	"container_name": "remove it: services are found by the names that they have here",
	"deploy":         "write its limits as cpus, mem_limit and scale",
	"logging":        "remove it: a record of a failure has the end of the log",
	"privileged":     "name what it needs in cap_add, and permit it with allow in " + ProjectFile,
	"labels":         "remove it, or write x-labels",
	"profiles":       "write profiles: in the experiment: {quick: {services: …}}",
	"extends":        "write extends: in the experiment, or repeat keys by an anchor and <<",
	"pull_policy":    "remove it: an image that is here is used, another is pulled",
	"platform":       "remove it: images are always for this machine",
	"tty":            "remove it: services have no terminal",
	"stdin_open":     "remove it: services have no terminal",
}

const ownNetwork = "remove it: the services of a trial have a network of their own, and find each other by their names"

// articleWording has the hints of decoders for articles.
var articleWording = source.Wording{ShapeHint: shapeHint, UnknownKey: unknownKey,
	Removes: func(t reflect.Type) bool { return t == reflect.TypeFor[Service]() }}

// NewDecoder returns a decoder for articles. With templates, scalars may still hold ${{ }}.
func NewDecoder(problems *source.Problems, templates bool) source.Decoder {
	return source.Decoder{Problems: problems, Wording: &articleWording, Templates: templates}
}

// unknownKey returns a hint about a key that t does not have. If the key is only misspelt, meant is the right one.
func unknownKey(key string, t reflect.Type, names []string) (hint, meant string) {
	if hint, ok := composeHints[key]; ok && t == reflect.TypeFor[Service]() {
		return hint, ""
	}
	if near := expr.Near(key, names); len(near) == 1 {
		meant = near[0]
	}
	return source.Suggest(key, names), meant
}

// shapeHint is a way out where something other than a node was wanted, if it is plain what went wrong. It is a table.
//
//gocyclo:ignore
func shapeHint(n *source.Node, what string, want source.NodeKind) string {
	if n.Kind == source.Scalar && want == source.Map && strings.HasPrefix(what, "service ") {
		return "write below it what it is made of, such as image: " + n.Text.Value
	}
	if n.Kind == source.Scalar && want == source.Map {
		if m := source.GluedKey.FindStringSubmatch(n.Text.Value); m != nil {
			return "put a space behind the colon: " + m[1] + ": " + m[2]
		}
		if name, value, ok := strings.Cut(n.Text.Value, "="); ok && what == "environment" && IsName(name) {
			return "write " + name + ": " + value
		}
	}
	switch {
	case n.Kind == source.Map && want == source.List:
		return "put a dash before each entry"
	case want == source.Map:
		return shapes[what]
	case n.Kind == source.Map && want == source.Scalar && (what == "body" || what == "stdin"):
		return "write it as a text, in single quotes"
	case n.Kind == source.List && want == source.Scalar && len(n.Items) == 1:
		return "write the value alone, without brackets or dash"
	}
	return ""
}

// shapes are examples of mappings that are written as something else, by what messages call them.
var shapes = map[string]string{
	"a config":              "write {source: NAME, target: /path/in/the/container}",
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
