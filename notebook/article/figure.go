package article

import (
	"cmp"
	"slices"
	"strings"

	"benchbook/internal/slice"
	"benchbook/notebook/source"
)

// Figure draws results.
type Figure struct {
	Label      source.Text      `yaml:"label" need:"add label: fig-… so that the text can refer to it"`
	Experiment source.Text      `yaml:"experiment"`
	Kind       source.Text      `yaml:"kind"`
	Title      source.Text      `yaml:"title"`
	X          source.Text      `yaml:"x"`
	Y          []source.Text    `yaml:"y"`
	Colour     source.Text      `yaml:"colour"`
	Where      Expression       `yaml:"where"`
	Sort       source.Text      `yaml:"sort"`
	Log        []Value[Axis]    `yaml:"log"`       // axes in equal ratios
	Zero       Value[bool]      `yaml:"zero"`      // the metric's axis begins at zero
	Reference  Expression       `yaml:"reference"` // a line at this value
	Caption    source.Text      `yaml:"caption"`
	Published  PublishedRef     `yaml:"published"`
	Headline   Value[bool]      `yaml:"headline"`
	Part       *ConditionalPart `yaml:"-"` // in which it is shown; nil outside of parts
	Pos        source.Pos       `yaml:"-"`
	Node       *source.Node     `yaml:"-"`
}

// Axis is one of the two of a figure.
type Axis string

// The axes of a figure.
const XAxis, YAxis Axis = "x", "y"

func (Axis) Words() []string { return []string{string(XAxis), string(YAxis)} }

// Is returns the figure's kind; one without keys if it is unknown.
func (f *Figure) Is() *FigureKind {
	kind, _ := FigureKindOf(f.Kind.Value, f.X.Value, Texts(f.Y))
	return kind
}

// Metrics are the metrics that the block of the figure names.
func (f *Figure) Metrics() []string { return f.Is().Metrics(f.X.Value, Texts(f.Y)) }

// Shows reports whether the figure shows a metric.
func (f *Figure) Shows(metric string) bool { return f.Is().ShowsMetric(metric, f.X.Value, Texts(f.Y)) }

// FigureAxis is a sort of variable on an axis of a figure.
type FigureAxis int

// The sorts of variables.
const (
	AxisAnything FigureAxis = iota
	AxisMetric
	AxisSetting // a parameter or label
	AxisNumeric // a setting whose values are numbers
)

// String describes the variable.
func (a FigureAxis) String() string {
	return [...]string{"a metric or a parameter", "a metric", "a parameter or label",
		"a parameter or label whose values are numbers"}[a]
}

// FigureSubject is the data of a figure.
type FigureSubject int

// The subjects. The cells are those that the block selects.
const (
	AboutCells     FigureSubject = iota
	AboutTuning                  // the search for the value of a setting
	AboutCapacity                // the search for the highest rate
	AboutPublished               // published numbers of the cells
)

// FigureKind is a kind of figure.
type FigureKind struct {
	Name    string
	Drawn   string // the drawing; the name, except where a kind has two forms
	Subject FigureSubject
	X, Y    FigureAxis
	// Needs are required keys, and Hint how to give them. Takes are optional keys besides CommonFigureKeys; log.x and
	// log.y are axes that may be logarithmic.
	Needs, Takes []string
	Hint         string
	// Shows are the metrics of a figure: keys that name them, or metrics. One that ends with * is a family.
	Shows []string
}

// FigureColours is the number of colours of figures: readers with colour blindness cannot distinguish more.
const FigureColours = 6

// CommonFigureKeys are the keys that figures of all kinds may have.
var CommonFigureKeys = strings.Fields("label experiment kind title caption headline")

// FigureKinds are sorted by name. A kind with two forms has two entries: a scatter without y is of published numbers
// against ours, and a search without x and y is of a capacity. See docs/figures.md#kinds-of-figures.
var FigureKinds = []*FigureKind{
	{Name: "bars", Drawn: "bars", X: AxisMetric, Y: AxisSetting, Shows: []string{"x"},
		Needs: []string{"x", "y"}, Hint: "add x: with a metric, and y: with a parameter",
		Takes: strings.Fields("where colour sort reference published")},
	{Name: "distribution", Drawn: "distribution", X: AxisMetric, Y: AxisSetting, Shows: []string{"x"},
		Needs: []string{"x"}, Hint: "add x: with a metric",
		Takes: strings.Fields("y where colour sort log.x zero reference published")},
	{Name: "dots", Drawn: "dots", X: AxisMetric, Y: AxisSetting, Shows: []string{"x"},
		Needs: []string{"x", "y"}, Hint: "add x: with a metric, and y: with a parameter",
		Takes: strings.Fields("where colour sort log.x zero reference published")},
	{Name: "latency", Drawn: "latency", Shows: []string{"latency.p*"}, Takes: strings.Fields("y where colour")},
	{Name: "lines", Drawn: "lines", X: AxisNumeric, Y: AxisMetric, Shows: []string{"y"},
		Needs: []string{"x", "y"}, Hint: "add x: with a parameter whose values are numbers, and y: with a metric",
		Takes: strings.Fields("where colour log.x log.y zero reference")},
	{Name: "scatter", Drawn: "scatter", X: AxisMetric, Y: AxisMetric, Shows: []string{"y", "x"},
		Needs: []string{"x", "y"}, Hint: scatterHint, Takes: strings.Fields("where colour log.x log.y zero reference")},
	{Name: "scatter", Drawn: "agreement", Subject: AboutPublished, X: AxisMetric, Shows: []string{"x"},
		Needs: []string{"x"}, Hint: scatterHint, Takes: strings.Fields("where colour published")},
	{Name: "search", Drawn: "capacity", Subject: AboutCapacity, Shows: []string{"capacity.rate"},
		Takes: strings.Fields("where colour")},
	{Name: "search", Drawn: "tuning", Subject: AboutTuning, X: AxisMetric, Y: AxisMetric, Shows: []string{"y", "x"},
		Needs: []string{"x", "y"}, Hint: "add x: with tune.NAME, and y: with a metric",
		Takes: strings.Fields("where colour log.x log.y zero")},
	{Name: "timeline", Drawn: "timeline", Y: AxisMetric, Needs: []string{"y"}, Hint: "add y: with a metric",
		Takes: strings.Fields("where colour log.y zero reference")},
}

const scatterHint = "add x: and y: with a metric each, or x: alone with a metric that was published"

// FigureKindOf returns the kind with a name, in its form for these x and y. For an unknown name the kind has no keys
// and ok is false.
func FigureKindOf(name, x string, y []string) (k *FigureKind, ok bool) {
	drawn := name
	switch {
	case name == "scatter" && x != "" && len(y) == 0:
		drawn = "agreement"
	case name == "search" && x == "" && len(y) == 0:
		drawn = "capacity"
	case name == "search":
		drawn = "tuning"
	}
	k, ok = slice.Find(FigureKinds, func(k *FigureKind) bool { return k.Name == name && k.Drawn == drawn })
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

// Has reports whether a key has an effect in figures of the kind.
func (k *FigureKind) Has(key string) bool {
	return slices.Contains(CommonFigureKeys, key) || slices.Contains(k.Needs, key) || slices.Contains(k.Takes, key)
}

// Metrics returns the metrics of a figure with these keys, without families. A key that is not given is empty.
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

// ShowsMetric reports whether a figure with these keys shows a metric.
func (k *FigureKind) ShowsMetric(metric, x string, y []string) bool {
	isOfFamily := func(name string) bool {
		family, ok := strings.CutSuffix(name, "*")
		return ok && strings.HasPrefix(metric, family)
	}
	return slices.Contains(k.Metrics(x, y), metric) || slices.ContainsFunc(k.Shows, isOfFamily)
}

// check adds the problems of the figure's kind and keys.
func (f *Figure) check(p *source.Problems) {
	kind, ok := FigureKindOf(f.Kind.Value, f.X.Value, Texts(f.Y))
	switch {
	case f.Kind.Value == "":
		p.Add("missing-key", f.Pos, "the figure has no kind").Hint = "add kind: with one of " +
			strings.Join(FigureKindNames(nil), ", ")
		return
	case !ok:
		p.Add("unknown-kind", f.Kind.Pos, "unknown figure kind %q", f.Kind.Value).Hint =
			source.Suggest(f.Kind.Value, FigureKindNames(nil))
		return
	}
	for _, key := range kind.Needs {
		if f.Node.Get(key) == nil {
			p.Add("missing-key", f.Pos, "a figure of kind %s needs %s", f.Kind.Value, strings.Join(kind.Needs, " and ")).
				Hint = kind.Hint
			return
		}
	}
	f.checkUnused(kind, p)
}

// checkUnused adds the problems of keys without effect: their author means something by them.
func (f *Figure) checkUnused(kind *FigureKind, p *source.Problems) {
	unused := func(key, written string, at source.Pos) {
		if !kind.Has(key) {
			others := FigureKindNames(func(k *FigureKind) bool { return k.Has(key) })
			p.Add("unused-key", at, "%s has no effect in a figure of kind %s", written, f.Kind.Value).Hint =
				"remove it, or choose a kind that has it: " + strings.Join(others, ", ")
		}
	}
	for _, field := range f.Node.Fields {
		if key := field.Key; key.Value != "log" && field.Value.Kind != source.Null &&
			!strings.HasPrefix(key.Value, "x-") {
			unused(key.Value, key.Value, key.Pos)
		}
	}
	for _, log := range f.Log {
		if log.V != "" {
			unused("log."+string(log.V), "log: "+string(log.V), log.Text.Pos)
		}
	}
}
