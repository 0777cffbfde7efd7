package article

import (
	"cmp"
	"slices"
	"strings"

	"benchbook/internal/slice"
)

// FigureAxis is what an axis of a figure shows.
type FigureAxis int

// What an axis can show.
const (
	AxisAnything FigureAxis = iota
	AxisMetric
	AxisSetting // a parameter or label
	AxisNumeric // a setting whose values are numbers
)

// String is what can stand on an axis.
func (a FigureAxis) String() string {
	return [...]string{"a metric or a parameter", "a metric", "a parameter or label",
		"a parameter or label whose values are numbers"}[a]
}

// FigureSubject is what a figure is about.
type FigureSubject int

// The subjects. The cells are those that the block selects.
const (
	AboutCells     FigureSubject = iota
	AboutTuning                  // the search for the value of a setting
	AboutCapacity                // the search for the highest rate
	AboutPublished               // what others published of the cells
)

// FigureKind is a kind of figure.
type FigureKind struct {
	Name    string
	Drawn   string // how; the name, but where a kind has two forms
	Subject FigureSubject
	X, Y    FigureAxis
	// Needs are required keys, and Hint how to give them. Takes are optional keys besides CommonFigureKeys; an axis in
	// log may have a logarithmic scale.
	Needs, Takes []string
	Hint         string
	// Shows is which metrics a figure shows: the keys that name them, or the metric. One that ends with * is a family.
	Shows []string
}

// FigureColours is the number of colours of figures: readers with colour blindness cannot distinguish more.
const FigureColours = 6

// CommonFigureKeys are the keys that figures of all kinds may have.
var CommonFigureKeys = strings.Fields("label experiment kind title caption claim headline")

// FigureKinds are sorted by name; a kind with two forms has two entries. See docs/figures.md#kinds-of-figures.
var FigureKinds = []*FigureKind{
	{Name: "bars", Drawn: "bars", X: AxisMetric, Y: AxisSetting, Shows: []string{"x"},
		Needs: []string{"x", "y"}, Hint: "add x: with a metric, and y: with a parameter",
		Takes: strings.Fields("where colour sort reference published")},
	{Name: "distribution", Drawn: "distribution", X: AxisMetric, Y: AxisSetting, Shows: []string{"x"}, Needs: []string{"x"},
		Hint: "add x: with a metric", Takes: strings.Fields("y where colour sort log.x zero reference published")},
	{Name: "dots", Drawn: "dots", X: AxisMetric, Y: AxisSetting, Shows: []string{"x"},
		Needs: []string{"x", "y"}, Hint: "add x: with a metric, and y: with a parameter",
		Takes: strings.Fields("where colour sort log.x zero reference published")},
	{Name: "latency", Drawn: "latency", Shows: []string{"latency.p*"}, Takes: strings.Fields("y where colour")},
	{Name: "lines", Drawn: "lines", X: AxisNumeric, Y: AxisMetric, Shows: []string{"y"},
		Needs: []string{"x", "y"}, Hint: "add x: with a parameter whose values are numbers, and y: with a metric",
		Takes: strings.Fields("where colour log.x log.y zero reference")},
	scatter, agreement, capacity, tuning,
	{Name: "timeline", Drawn: "timeline", Y: AxisMetric, Needs: []string{"y"}, Hint: "add y: with a metric",
		Takes: strings.Fields("where colour log.y zero reference")},
}

// The kinds with two forms: a scatter without y is of published numbers against ours, and a search without x and y is
// of a capacity.
var (
	scatter = &FigureKind{Name: "scatter", Drawn: "scatter", X: AxisMetric, Y: AxisMetric, Shows: []string{"y", "x"},
		Needs: []string{"x", "y"}, Hint: "add x: and y: with a metric each, or x: alone with a metric that was published",
		Takes: strings.Fields("where colour log.x log.y zero reference")}
	agreement = &FigureKind{Name: "scatter", Drawn: "agreement", Subject: AboutPublished, X: AxisMetric, Shows: []string{"x"},
		Needs: []string{"x"}, Hint: scatter.Hint, Takes: strings.Fields("where colour published")}
	tuning = &FigureKind{Name: "search", Drawn: "tuning", Subject: AboutTuning, X: AxisMetric, Y: AxisMetric, Shows: []string{"y", "x"},
		Needs: []string{"x", "y"}, Hint: "add x: with tune.NAME, and y: with a metric",
		Takes: strings.Fields("where colour log.x log.y zero")}
	capacity = &FigureKind{Name: "search", Drawn: "capacity", Subject: AboutCapacity, Shows: []string{"capacity.rate"},
		Takes: strings.Fields("where colour")}
)

// FigureKindOf returns the kind with a name, in its form for these x and y. For an unknown name the kind has no keys
// and ok is false.
func FigureKindOf(name, x string, y []string) (k *FigureKind, ok bool) {
	switch {
	case name == "scatter" && x != "" && len(y) == 0:
		return agreement, true
	case name == "search" && x == "" && len(y) == 0:
		return capacity, true
	case name == "search":
		return tuning, true
	}
	k, ok = slice.Find(FigureKinds, func(k *FigureKind) bool { return k.Name == name })
	return cmp.Or(k, &FigureKind{Name: name}), ok
}

// FigureKindNames are the names of the kinds that keep accepts; nil accepts all.
func FigureKindNames(keep func(*FigureKind) bool) []string {
	var out []string
	for _, k := range FigureKinds {
		if keep == nil || keep(k) {
			out = slice.Add(out, k.Name)
		}
	}
	return out
}

// Has tells whether a key does something in a figure of the kind.
func (k *FigureKind) Has(key string) bool {
	return slices.Contains(CommonFigureKeys, key) || slices.Contains(k.Needs, key) || slices.Contains(k.Takes, key)
}

// Metrics returns the metrics that a figure with these keys shows. Families of metrics are left out; a key that is not
// given is an empty string.
func (k *FigureKind) Metrics(x string, y []string) []string {
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
func (k *FigureKind) ShowsMetric(metric, x string, y []string) bool {
	isOfFamily := func(name string) bool {
		family, ok := strings.CutSuffix(name, "*")
		return ok && strings.HasPrefix(metric, family)
	}
	return slices.Contains(k.Metrics(x, y), metric) || slices.ContainsFunc(k.Shows, isOfFamily)
}
