package article

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"benchbook/notebook/expr"
	"benchbook/notebook/source"
	"benchbook/notebook/yamltext"
)

// An otherName is what a word that other tools use, or that somebody may take for ours, is here.
type otherName struct {
	key  string // of ours; empty where there is none
	hint string // what to do; empty if it is to write the key
}

// otherNames are words that stand for a key of a mapping without being like it, by the type that the mapping is read
// as. Those of Compose that services do not have are here too, so that nobody has to guess why they are refused.
var otherNames = map[reflect.Type]map[string]otherName{
	reflect.TypeFor[Front](): {
		"author": {key: "authors"}, "summary": {key: "description"}, "abstract": {key: "description"},
		"subtitle": {key: "description"},
		"keywords": {key: "tags"}, "categories": {key: "tags"}, "published": {key: "date"},
	},
	reflect.TypeFor[Experiment](): {
		"id": {key: "name"}, "label": {key: "name"}, "title": {key: "description"}, "containers": {key: "services"},
		"runs": {key: "repetitions"}, "iterations": {key: "repetitions"}, "repeat": {key: "repetitions"},
		"reps":   {key: "repetitions"},
		"rounds": {key: "repetitions"}, "parameters": {key: "matrix"}, "params": {key: "matrix"}, "axes": {key: "matrix"},
		"before": {key: "prepare"}, "after": {key: "conclude"}, "before_all": {key: "setup"}, "after_all": {key: "cleanup"},
		"teardown": {key: "cleanup"}, "script": {key: "command"}, "benchmark": {key: "load"},
		"strategy": {key: "matrix", hint: "write matrix: here, without strategy"},
		"env":      {hint: "write environment: in a service, or in the command"},
		"seed":     {hint: "give it to run and plan as --seed"},
		"on":       {hint: elsewhereActions}, "jobs": {hint: elsewhereActions}, "steps": {hint: elsewhereActions},
		"runs-on": {hint: elsewhereActions},
		"version": {hint: "remove it: services have the keys of the present Compose"},
		"networks": {hint: "remove it: the services of a trial have a network of their own, and find each other by their " +
			"names"},
	},
	reflect.TypeFor[Service](): {
		"port": {key: "expose"}, "env": {key: "environment"}, "workdir": {key: "working_dir"},
		"memory": {key: "mem_limit"}, "mem": {key: "mem_limit"}, "cpu": {key: "cpus"}, "run": {key: "command"},
		"cmd": {key: "command"}, "replicas": {key: "scale"},
		"links": {hint: elsewhereNetwork}, "external_links": {hint: elsewhereNetwork},
		"networks": {hint: elsewhereNetwork}, "network_mode": {hint: elsewhereNetwork},
		"extra_hosts": {hint: elsewhereNetwork}, "dns": {hint: elsewhereNetwork},
		"ports":          {key: "expose", hint: `write expose: ["80"], the port inside the container: none is published on this machine`},
		"dockerfile":     {key: "build", hint: "write it in build: {context: ., dockerfile: NAME}"},
		"context":        {key: "build", hint: "write it in build: {context: FOLDER}"},
		"restart":        {hint: "remove it: a repetition fails if a service ends"},
		"container_name": {hint: "remove it: services are found by the names that they have here"},
		"deploy":         {hint: "write its limits as cpus, mem_limit and scale"},
		"logging":        {hint: "remove it: a record of a failure has the end of the log"},
		"privileged":     {hint: "name what it needs in cap_add, and permit it with allow in " + ProjectFile},
		"labels":         {hint: "remove it, or write x-labels"},
		"profiles":       {hint: "write profiles: in the experiment: {quick: {services: …}}"},
		"extends":        {hint: "write extends: in the experiment, or repeat keys by an anchor and <<"},
		"pull_policy":    {hint: "remove it: an image that is here is used, another is pulled"},
		"platform":       {hint: "remove it: images are always for this machine"},
		"tty":            {hint: "remove it: services have no terminal"},
		"stdin_open":     {hint: "remove it: services have no terminal"},
	},
	reflect.TypeFor[Load](): {
		"url": {key: "target"}, "uri": {key: "target"}, "path": {key: "target"}, "concurrency": {key: "connections"},
		"clients": {key: "connections"}, "users": {key: "connections"}, "vus": {key: "connections"},
		"total": {key: "requests"},
		"count": {key: "requests"}, "time": {key: "duration"}, "qps": {key: "rate"}, "rps": {key: "rate"},
		"assert": {key: "verify"},
		"check":  {key: "verify"}, "expect": {key: "verify"}, "payload": {key: "body"},
		"generator": {key: "tool"},
	},
	reflect.TypeFor[Command](): {
		"cmd": {key: "run"}, "exec": {key: "run"}, "script": {key: "run"}, "command": {key: "run"}, "program": {key: "run"},
		"cwd": {key: "working_dir"}, "workdir": {key: "working_dir"}, "env": {key: "environment"}, "input": {key: "stdin"},
		"verify": {key: "expect"},
	},
	reflect.TypeFor[Claim](): {
		"id": {key: "name"}, "label": {key: "name"}, "test": {key: "expect"}, "assert": {key: "expect"},
		"expr":      {key: "expect"},
		"condition": {key: "expect"}, "that": {key: "expect"}, "title": {key: "text"}, "description": {key: "text"},
		"effect": {key: "smallest_effect"}, "threshold": {key: "smallest_effect"}, "tolerance": {key: "smallest_effect"},
	},
	reflect.TypeFor[Published](): {
		"id": {key: "name"}, "label": {key: "name"}, "by": {key: "source"}, "author": {key: "source"},
		"title": {key: "source"},
		"link":  {key: "url"}, "data": {key: "rows"}, "values": {key: "rows"}, "csv": {key: "file"}, "path": {key: "file"},
		"rename": {key: "metrics"}, "columns": {key: "metrics"}, "filter": {key: "where"},
	},
	reflect.TypeFor[Table](): {
		"id": {key: "label"}, "name": {key: "label"}, "cols": {key: "columns"}, "metrics": {key: "columns"},
		"values": {key: "columns"},
		"filter": {key: "where"}, "order": {key: "sort"},
	},
	reflect.TypeFor[Figure](): {
		"id": {key: "label"}, "name": {key: "label"}, "type": {key: "kind"}, "hue": {key: "colour"},
		"series": {key: "colour"},
		"group":  {key: "colour"}, "filter": {key: "where"}, "order": {key: "sort"}, "metric": {key: "x"},
	},
}

const (
	elsewhereActions = "it is a key of GitHub Actions; of those, matrix with include and exclude is the same here"
	elsewhereNetwork = "remove it: the services of a trial have a network of their own, and find each other by their names"
)

// A home is a mapping that has keys, by what messages call it.
type home struct {
	what string
	t    reflect.Type
	in   string // the home around it
}

// homes are the mappings among which keys are mixed up.
var homes = []home{
	{"experiment", reflect.TypeFor[Experiment](), ""},
	{"load", reflect.TypeFor[Load](), "experiment"},
	{"load: verify", reflect.TypeFor[Verify](), "load"},
	{"load: driver", reflect.TypeFor[Driver](), "load"},
	{"command", reflect.TypeFor[Command](), "experiment"},
	{"a service", reflect.TypeFor[Service](), "experiment"},
}

// belongs finds the mapping that a key belongs to which stands in another: what was written one level too high or too
// low.
func belongs(key string, in reflect.Type) (other home, hint string, ok bool) {
	i := slices.IndexFunc(homes, func(h home) bool { return h.t == in })
	j := slices.IndexFunc(homes, func(h home) bool { return h.t != in && slices.Contains(yamltext.KeysOf(h.t), key) })
	if i < 0 || j < 0 {
		return home{}, "", false
	}
	here, other := homes[i], homes[j]
	hint = fmt.Sprintf("%q is a key of %s", key, other.what)
	switch {
	case other.what == "a service":
	case other.in == here.what:
		hint += ": indent it further, below that"
	case here.in == other.what:
		hint += ": indent it less"
	}
	return other, hint, true
}

// misplaced takes out of a mapping of names what are keys of the mappings below the names, or of the one around it, and
// have values as such.
func misplaced(n *yamltext.Node, below, around reflect.Type) (named *yamltext.Node, inner, outer []yamltext.Field) {
	keys := yamltext.KeysOf(below)
	for _, f := range n.Fields {
		isNamed := f.Value.Kind == yamltext.Null || f.Value.Kind == yamltext.Map &&
			(len(f.Value.Fields) == 0 || slices.ContainsFunc(f.Value.Fields, func(one yamltext.Field) bool {
				return slices.Contains(keys, one.Key.Value)
			}))
		switch {
		case isNamed:
			continue
		case slices.Contains(keys, f.Key.Value):
			inner = append(inner, f)
		case slices.Contains(yamltext.KeysOf(around), f.Key.Value):
			outer = append(outer, f)
		default:
			continue
		}
		n = n.Without(f.Key.Value)
	}
	return n, inner, outer
}

// articleWording is what decoders know of articles.
var articleWording = yamltext.Wording{ShapeHint: shapeHint, UnknownKey: unknownKey,
	Named: func(t reflect.Type) bool { return t == reflect.TypeFor[Services]() }}

// NewDecoder makes a decoder for articles. Templates says that ${{ }} may still stand in scalars.
func NewDecoder(problems *source.Problems, templates bool) yamltext.Decoder {
	return yamltext.Decoder{Problems: problems, Wording: &articleWording, Templates: templates}
}

// unknownKey is a way out where a key of a mapping is not known, and the key of ours that it stands for, if that is
// plain.
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
