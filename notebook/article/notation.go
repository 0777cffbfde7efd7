package article

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/kballard/go-shellquote"

	"benchbook/internal/slice"
	"benchbook/notebook/framework"
	"benchbook/notebook/loadtool"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
	"benchbook/notebook/stats"
)

// OwnTool is the name of benchbook's load generator among tools.
const OwnTool = "benchbook"

// Cold is the value of before that drops the machine's page cache.
const Cold = "cold"

// Words has the words that each notation allows.
var Words = map[string][]string{
	"arrivals":     {spec.ConstantArrivals, spec.PoissonArrivals},
	"axis":         {XAxis, YAxis},
	"before":       {Cold},
	"better":       {string(stats.HigherIsBetter), string(stats.LowerIsBetter)},
	"condition":    {spec.ServiceStarted, spec.ServiceHealthy, spec.ServiceCompleted},
	"distribution": {"constant", "lognormal"},
	"engine":       spec.Engines(),
	"framework":    framework.Formats(),
	"network":      {spec.NoNetwork},
	"permission":   permissions,
	"use":          append(slices.Clone(permissions), PolicySockets, PolicyLocal, PolicyCluster, PolicyBuilds),
	"priority":     {"high"},
	"prints":       {"requests", spec.Summary},
	"tool":         append([]string{OwnTool}, loadtool.Names()...),
	"volume":       {spec.BindVolume, spec.NamedVolume, spec.TmpfsVolume},
}

// A notation decodes a node into a value.
type notation = func(d source.Decoder, n *source.Node, what string, v reflect.Value)

// notations are all notations by name; init adds scalars and Words.
var notations = source.Notations{
	"args": readArgs, "dependencies": readDependencies, "variables": readVariables, "words": readWords,
	"Latency": readLatency, "Ulimit": readUlimit, "Volume": readVolume,
	"permissions": readAllow("permission"), "uses": readAllow("use"),
	"expression": func(d source.Decoder, n *source.Node, what string, v reflect.Value) {
		var e Expression
		d.Decode(n, what, &e)
		v.SetString(e.Text.Value)
	},
	"failures": func(d source.Decoder, n *source.Node, what string, v reflect.Value) {
		if !readWord(d, n, what, []string{"expected"}).IsZero() {
			v.SetFloat(1)
		}
	},
	"script": func(d source.Decoder, n *source.Node, what string, v reflect.Value) {
		var name source.Text
		d.Decode(n, what, &name)
		v.Set(reflect.ValueOf(spec.File{Source: name.Value}))
	},
	"string": func(d source.Decoder, n *source.Node, what string, v reflect.Value) {
		if d.Kind(n, what, source.Scalar) {
			v.SetString(n.Text.Value)
		}
	},
	"ulimits": func(d source.Decoder, n *source.Node, what string, v reflect.Value) {
		var list Map[spec.Ulimit]
		d.Decode(n, what, &list)
		limits := map[string]spec.Ulimit{}
		for _, l := range list {
			limits[l.Name.Value] = l.Value
		}
		v.Set(reflect.ValueOf(limits))
	},
}

func init() {
	maps.Copy(notations, scalars)
	for name, words := range Words {
		notations[name] = func(d source.Decoder, n *source.Node, what string, v reflect.Value) {
			if word := readWord(d, n, what, words); v.Kind() == reflect.String {
				v.SetString(word.Value)
			} else {
				v.Set(reflect.ValueOf(word))
			}
		}
	}
}

// readWord decodes one of some words; zero for a template and after a problem.
func readWord(d source.Decoder, n *source.Node, what string, words []string) (word source.Text) {
	switch s := n.Text.Value; {
	case !d.Kind(n, what, source.Scalar), d.Templated(n):
	case slices.Contains(words, s):
		return n.Text
	default:
		d.Problems.Add("wrong-value", n.Text.Pos, "%s cannot be %q", what, s).Hint = source.Suggest(s, words)
	}
	return word
}

// readAllow returns the notation of an Allow: a list of words, a mapping, or a list of both.
func readAllow(words string) notation {
	return func(d source.Decoder, n *source.Node, what string, v reflect.Value) {
		a := v.Addr().Interface().(*Allow)
		for _, item := range n.List() {
			if item.Kind == source.Map {
				d.Plain(item, what, a)
			} else if word := readWord(d, item, what, Words[words]); !word.IsZero() {
				a.Words = append(a.Words, word)
			}
		}
	}
}

// readWords decodes a program with its arguments: a list, or a string that is split like a shell does.
func readWords(d source.Decoder, n *source.Node, what string, v reflect.Value) {
	if n.Kind == source.List {
		var words []source.Text
		d.Decode(n, what, &words)
		v.Set(reflect.ValueOf(Texts(words)))
		return
	}
	if !d.Kind(n, what, source.Scalar) {
		return
	}
	words, err := shellquote.Split(n.Text.Value)
	if err != nil {
		d.Problems.Add("wrong-value", n.Text.Pos, "%s cannot be split into words: %v", what, err).
			Hint = "close the quote, or write a list"
	}
	v.Set(reflect.ValueOf(words))
}

// Variables are values by name, written as a mapping or as a list of NAME=value.
type Variables []Named[source.Text]

func (e *Variables) DecodeNode(d source.Decoder, n *source.Node, what string) {
	if n.Kind != source.List {
		(*Map[source.Text])(e).DecodeNode(d, n, what)
		return
	}
	for _, item := range n.Items {
		if !d.Kind(item, what, source.Scalar) {
			continue
		}
		name, value, ok := strings.Cut(item.Text.Value, "=")
		if !ok {
			d.Problems.Add("wrong-value", item.Text.Pos, "%q in %s has no value", name, what).
				Hint = "write NAME=value; variables of the host are never passed on"
			continue
		}
		*e = append(*e, Named[source.Text]{Name: source.Text{Value: name, Pos: item.Text.Pos},
			Value: source.Text{Value: value, Pos: item.Text.Pos}})
	}
}

// VariablesOf decodes variables without reporting problems; nil has none.
func VariablesOf(n *source.Node) (v Variables) {
	if n != nil && n.Kind != source.Null {
		v.DecodeNode(NewDecoder(&source.Problems{}, true), n, "")
	}
	return v
}

// readVariables decodes variables into a map, or into a list of NAME=value.
func readVariables(d source.Decoder, n *source.Node, what string, v reflect.Value) {
	var list Variables
	list.DecodeNode(d, n, what)
	switch {
	case len(list) == 0:
	case v.Kind() == reflect.Map:
		v.Set(reflect.ValueOf(TextsByName(list)))
	default:
		v.Set(reflect.ValueOf(slice.Map(list, func(e Named[source.Text]) string {
			return e.Name.Value + "=" + e.Value.Value
		})))
	}
}

// readArgs checks the arguments for a tool: a list for any tool, or lists by tool. Package plan reads them.
func readArgs(d source.Decoder, n *source.Node, what string, _ reflect.Value) {
	if n.Kind != source.Map {
		d.Decode(n, what, new([]source.Text))
		return
	}
	d.Decode(n, what, new(Map[[]source.Text]))
	for _, f := range n.Fields {
		if !slices.Contains(Words["tool"], f.Key.Value) {
			d.Problems.Add("wrong-value", f.Key.Pos, "unknown tool %q", f.Key.Value).
				Hint = source.Suggest(f.Key.Value, Words["tool"])
		}
	}
}

// readDependencies decodes a list of names, or Compose's mapping, whose conditions it checks.
func readDependencies(d source.Decoder, n *source.Node, what string, v reflect.Value) {
	var names []source.Text
	if n.Kind != source.Map {
		d.Decode(n, what, &names)
	}
	for _, f := range n.Fields {
		if f.Value.Kind != source.Null {
			d.Decode(f.Value, what, new(struct {
				Condition string `yaml:"condition" as:"condition"`
			}))
		}
		names = append(names, f.Key)
	}
	v.Set(reflect.ValueOf(Texts(names)))
}

// readVolume decodes a mapping, or SOURCE:TARGET[:ro].
func readVolume(d source.Decoder, n *source.Node, _ string, to reflect.Value) {
	v := to.Addr().Interface().(*spec.Volume)
	if n.Kind == source.Map {
		d.Plain(n, "volume", v)
		return
	}
	if !d.Kind(n, "volume", source.Scalar) || d.Templated(n) {
		return
	}
	from, target := VolumeParts(n)
	_, mode, _ := strings.Cut(n.Text.Value[min(len(from.Value)+1+len(target.Value), len(n.Text.Value)):], ":")
	if !slices.Contains([]string{"", "ro", "rw"}, mode) {
		d.Problems.Add("wrong-value", n.Text.Pos, "invalid volume mode %q", mode).
			Hint = "write SOURCE:TARGET, SOURCE:TARGET:ro or SOURCE:TARGET:rw"
	}
	v.Source, v.Target, v.ReadOnly, v.Type = from.Value, target.Value, mode == "ro", spec.NamedVolume
	if from.Value != "" && strings.ContainsAny(from.Value[:1], "./~") {
		v.Type = spec.BindVolume
	}
}

// VolumeParts returns the source and target of a volume, with their places.
func VolumeParts(n *source.Node) (from, target source.Text) {
	if n.Kind == source.Map {
		return n.TextAt("source"), n.TextAt("target")
	}
	first, rest, both := strings.Cut(n.Text.Value, ":")
	if !both {
		return source.Text{}, n.Text
	}
	second, _, _ := strings.Cut(rest, ":")
	return n.Text.Part(0, len(first)), n.Text.Part(len(first)+1, len(first)+1+len(second))
}

// readUlimit decodes a number for both limits, or a mapping.
func readUlimit(d source.Decoder, n *source.Node, what string, to reflect.Value) {
	u := to.Addr().Interface().(*spec.Ulimit)
	if n.Kind == source.Scalar {
		d.Decode(n, what, &u.Soft)
		u.Hard = u.Soft
		return
	}
	d.Plain(n, what, u)
	if u.Soft > u.Hard && u.Hard >= 0 && n.Under("soft") != nil && n.Under("hard") != nil {
		d.Problems.Add("wrong-value", n.TextAt("soft").Pos, "the soft limit is above the hard one").
			Hint = "lower soft, or raise hard"
	}
}

// distributionKeys are the keys that each distribution needs. It allows no others.
var distributionKeys = map[string][]string{"constant": {"value"}, "lognormal": {"median", "sigma"}}

// readLatency decodes the distribution of a latency, and checks its keys.
func readLatency(d source.Decoder, n *source.Node, what string, to reflect.Value) {
	l := to.Addr().Interface().(*spec.Latency)
	d.Plain(n, what, l)
	if !d.Whole || l.Distribution == "" {
		return
	}
	for other, keys := range distributionKeys {
		for _, key := range keys {
			switch isOwn := other == l.Distribution; {
			case isOwn && n.Get(key) == nil:
				d.Problems.Add("missing-key", n.Text.Pos, "a %s latency has no %s", l.Distribution, key).
					Hint = "add " + key + ":"
			case !isOwn && n.Get(key) != nil:
				d.Problems.Add("contradiction", n.Place(key), "a %s latency has no use for %s", l.Distribution, key).
					Hint = "remove it, or write distribution: " + other
			}
		}
	}
}

// Services are the services of an experiment, in the order written.
type Services []*spec.Service

func (s *Services) DecodeNode(d source.Decoder, n *source.Node, what string) {
	var list Map[spec.Service]
	list.DecodeNode(d, n, what)
	for i := range list {
		list[i].Value.Name = list[i].Name.Value
		*s = append(*s, &list[i].Value)
	}
}

// Tune has the searches of a trial for tuned values.
type Tune []spec.Search

func (t *Tune) DecodeNode(d source.Decoder, n *source.Node, what string) {
	for _, f := range n.Fields {
		checkParameterName(d, f.Key)
	}
	var list Map[spec.Search]
	list.DecodeNode(d, n, what)
	for i := range list {
		list[i].Value.Name = list[i].Name.Value
		*t = append(*t, list[i].Value)
	}
}
