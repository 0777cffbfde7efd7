// Package figurekind has the one list of the kinds of figures: the keys that each takes and what it can be about.
//
// Package article checks blocks by it, package dataset what is on the axes, and package render draws each kind.
package figurekind

import (
	"cmp"
	"slices"
	"strings"

	"benchbook/internal/slice"
)

// Axis is what an axis of a figure shows.
type Axis int

// What an axis can show.
const (
	Anything Axis = iota
	Metric
	Setting // a parameter or label
	Numeric // a setting whose values are numbers
)

// String is what can stand on an axis.
func (a Axis) String() string {
	return [...]string{"a metric or a parameter", "a metric", "a parameter or label",
		"a parameter or label whose values are numbers"}[a]
}

// Subject is what a figure is about.
type Subject int

// The subjects. The cells are those that the block selects.
const (
	Cells     Subject = iota
	Tuning            // the search for the value of a setting
	Capacity          // the search for the highest rate
	Published         // what others published of the cells
)

// Kind is a kind of figure.
type Kind struct {
	Name    string
	Drawn   string // how; the name, but where a kind has two forms
	Subject Subject
	X, Y    Axis
	// Needs are the keys that a figure cannot do without, and Hint how to give them; Takes those that it may have beside
	// Common. Of log they have which axis may be in equal ratios.
	Needs, Takes []string
	Hint         string
	// Shows is which metrics a figure shows: the keys that name them, or the metric. One that ends with * is a family.
	Shows []string
}

// Colours is how many colours figures have: more cannot be told apart with any kind of colour vision.
const Colours = 6

// Common are the keys that figures of all kinds may have.
var Common = strings.Fields("label experiment kind title caption claim headline")

// All are the kinds in the order of their names, of one with two forms both. See docs/figures.md#kinds-of-figures.
var All = []*Kind{
	{Name: "bars", Drawn: "bars", X: Metric, Y: Setting, Shows: []string{"x"},
		Needs: []string{"x", "y"}, Hint: "add x: with a metric, and y: with a parameter",
		Takes: strings.Fields("where colour sort reference published")},
	{Name: "distribution", Drawn: "distribution", X: Metric, Y: Setting, Shows: []string{"x"}, Needs: []string{"x"},
		Hint: "add x: with a metric", Takes: strings.Fields("y where colour sort log.x zero reference published")},
	{Name: "dots", Drawn: "dots", X: Metric, Y: Setting, Shows: []string{"x"},
		Needs: []string{"x", "y"}, Hint: "add x: with a metric, and y: with a parameter",
		Takes: strings.Fields("where colour sort log.x zero reference published")},
	{Name: "latency", Drawn: "latency", Shows: []string{"latency.p*"}, Takes: strings.Fields("y where colour")},
	{Name: "lines", Drawn: "lines", X: Numeric, Y: Metric, Shows: []string{"y"},
		Needs: []string{"x", "y"}, Hint: "add x: with a parameter whose values are numbers, and y: with a metric",
		Takes: strings.Fields("where colour log.x log.y zero reference")},
	scatter, agreement, capacity, tuning,
	{Name: "timeline", Drawn: "timeline", Y: Metric, Needs: []string{"y"}, Hint: "add y: with a metric",
		Takes: strings.Fields("where colour log.y zero reference")},
}

// The kinds with two forms: a scatter without y is of published numbers against ours, and a search without x and y is
// of a capacity.
var (
	scatter = &Kind{Name: "scatter", Drawn: "scatter", X: Metric, Y: Metric, Shows: []string{"y", "x"},
		Needs: []string{"x", "y"}, Hint: "add x: and y: with a metric each, or x: alone with a metric that was published",
		Takes: strings.Fields("where colour log.x log.y zero reference")}
	agreement = &Kind{Name: "scatter", Drawn: "agreement", Subject: Published, X: Metric, Shows: []string{"x"},
		Needs: []string{"x"}, Hint: scatter.Hint, Takes: strings.Fields("where colour published")}
	tuning = &Kind{Name: "search", Drawn: "tuning", Subject: Tuning, X: Metric, Y: Metric, Shows: []string{"y", "x"},
		Needs: []string{"x", "y"}, Hint: "add x: with tune.NAME, and y: with a metric",
		Takes: strings.Fields("where colour log.x log.y zero")}
	capacity = &Kind{Name: "search", Drawn: "capacity", Subject: Capacity, Shows: []string{"capacity.rate"},
		Takes: strings.Fields("where colour")}
)

// Of gives the kind of a name, in the form that x and y of a figure ask for. If there is none, the kind has no keys and
// ok is false.
func Of(name, x string, y []string) (k *Kind, ok bool) {
	switch {
	case name == "scatter" && x != "" && len(y) == 0:
		return agreement, true
	case name == "search" && x == "" && len(y) == 0:
		return capacity, true
	case name == "search":
		return tuning, true
	}
	k, ok = slice.Find(All, func(k *Kind) bool { return k.Name == name })
	return cmp.Or(k, &Kind{Name: name}), ok
}

// Names are the names of the kinds that keep accepts; nil accepts all.
func Names(keep func(*Kind) bool) []string {
	var out []string
	for _, k := range All {
		if keep == nil || keep(k) {
			out = slice.Add(out, k.Name)
		}
	}
	return out
}

// Has tells whether a key does something in a figure of the kind.
func (k *Kind) Has(key string) bool {
	return slices.Contains(Common, key) || slices.Contains(k.Needs, key) || slices.Contains(k.Takes, key)
}

// Metrics are those that a figure shows with these keys, as far as they can be listed. An empty one is not given.
func (k *Kind) Metrics(x string, y []string) []string {
	var out []string
	for _, name := range k.Shows {
		switch {
		case name == "x":
			out = append(out, x)
		case name == "y":
			out = append(out, y...)
		case !strings.HasSuffix(name, "*"):
			out = append(out, name)
		}
	}
	return slices.DeleteFunc(out, func(name string) bool { return name == "" })
}

// ShowsMetric tells whether a figure with these keys shows a metric.
func (k *Kind) ShowsMetric(metric, x string, y []string) bool {
	isOfFamily := func(name string) bool {
		family, ok := strings.CutSuffix(name, "*")
		return ok && strings.HasPrefix(metric, family)
	}
	return slices.Contains(k.Metrics(x, y), metric) || slices.ContainsFunc(k.Shows, isOfFamily)
}
