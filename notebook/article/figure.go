package article

import (
	"cmp"
	"slices"
	"strings"

	"benchbook/internal/slice"
	"benchbook/notebook/source"
)

// Figure is a figure block.
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
	Log        []string         `yaml:"log" as:"[]axis"` // logarithmic axes
	Zero       bool             `yaml:"zero"`            // the metric's axis begins at zero
	Reference  Expression       `yaml:"reference"`       // a line at this value
	Caption    source.Text      `yaml:"caption"`
	Published  PublishedRef     `yaml:"published"`
	Headline   bool             `yaml:"headline"`
	Part       *ConditionalPart `yaml:"-"` // the part that contains the figure; nil outside of parts
	Pos        source.Pos       `yaml:"-"`
	Node       *source.Node     `yaml:"-"`
}

// The axes of a figure.
const XAxis, YAxis = "x", "y"

// Is returns the figure's kind, in the form that its x and y select. For an unknown kind, only Name is set.
func (f *Figure) Is() *FigureKind {
	drawn := f.Kind.Value
	switch hasX, hasY := f.X.Value != "", len(f.Y) > 0; {
	case drawn == "scatter" && hasX && !hasY:
		drawn = DrawnAgreement
	case drawn == "search" && !hasX && !hasY:
		drawn = DrawnCapacity
	case drawn == "search":
		drawn = DrawnTuning
	}
	k, _ := slice.Find(figureKinds, func(k *FigureKind) bool { return k.Name == f.Kind.Value && k.Drawn == drawn })
	return cmp.Or(k, &FigureKind{Name: f.Kind.Value})
}

// Metrics returns the metrics that the figure names, without families.
func (f *Figure) Metrics() []string {
	var out []string
	for _, name := range f.Is().Shows {
		switch {
		case name == "x":
			out = append(out, f.X.Value)
		case name == "y":
			out = append(out, Texts(f.Y)...)
		case !strings.HasSuffix(name, "*"):
			out = append(out, name)
		}
	}
	return slices.DeleteFunc(out, func(name string) bool { return name == "" })
}

// Shows reports whether the figure shows a metric.
func (f *Figure) Shows(metric string) bool {
	isOfFamily := func(name string) bool {
		family, ok := strings.CutSuffix(name, "*")
		return ok && strings.HasPrefix(metric, family)
	}
	return slices.Contains(f.Metrics(), metric) || slices.ContainsFunc(f.Is().Shows, isOfFamily)
}

// FigureAxis is what an axis of a figure shows.
type FigureAxis int

// The values of FigureAxis.
const (
	AxisAnything FigureAxis = iota
	AxisMetric
	AxisSetting // a parameter or label
	AxisNumeric // a setting whose values are numbers
)

// The drawings of kinds with two forms: agreement with published numbers, and searches for a capacity or tuned value.
const (
	DrawnAgreement = "agreement"
	DrawnCapacity  = "capacity"
	DrawnTuning    = "tuning"
)

// FigureKind is a kind of figure.
type FigureKind struct {
	Name  string
	Drawn string // drawing; equal to Name, except for DrawnAgreement, DrawnCapacity and DrawnTuning
	X, Y  FigureAxis
	// Needs are required keys, and Hint tells how to add them. Takes are optional keys besides commonFigureKeys; log.x
	// and log.y mean that the axis may be logarithmic.
	Needs, Takes []string
	Hint         string
	// Shows are metrics that a figure shows, or keys that name them. A name that ends in * is a family.
	Shows []string
}

// FigureColours is the number of colours in figures: readers with colour blindness cannot distinguish more.
const FigureColours = 6

// commonFigureKeys are the keys that figures of all kinds may have.
var commonFigureKeys = strings.Fields("label experiment kind title caption headline")

// figureKinds are sorted by name. A kind with two forms has two entries: scatter without y shows published numbers
// against ours, and search without x and y shows a capacity. See docs/figures.md#kinds-of-figures.
var figureKinds = []*FigureKind{
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
	{Name: "scatter", Drawn: DrawnAgreement, X: AxisMetric, Shows: []string{"x"},
		Needs: []string{"x"}, Hint: scatterHint, Takes: strings.Fields("where colour published")},
	{Name: "search", Drawn: DrawnCapacity, Shows: []string{"capacity.rate"}, Takes: strings.Fields("where colour")},
	{Name: "search", Drawn: DrawnTuning, X: AxisMetric, Y: AxisMetric, Shows: []string{"y", "x"},
		Needs: []string{"x", "y"}, Hint: "add x: with tune.NAME, and y: with a metric",
		Takes: strings.Fields("where colour log.x log.y zero")},
	{Name: "timeline", Drawn: "timeline", Y: AxisMetric, Needs: []string{"y"}, Hint: "add y: with a metric",
		Takes: strings.Fields("where colour log.y zero reference")},
}

const scatterHint = "add x: and y: with a metric each, or x: alone with a metric that was published"

// figureKindNames returns the names of the kinds that keep accepts; a nil keep accepts all.
func figureKindNames(keep func(*FigureKind) bool) []string {
	var out []string
	for _, k := range figureKinds {
		if keep == nil || keep(k) {
			out = slice.Add(out, k.Name)
		}
	}
	return out
}

// Has reports whether a key has an effect in figures of the kind.
func (k *FigureKind) Has(key string) bool {
	return slices.Contains(commonFigureKeys, key) || slices.Contains(k.Needs, key) || slices.Contains(k.Takes, key)
}

// check reports problems with the figure's kind and keys.
func (f *Figure) check(p *source.Problems) {
	kind := f.Is()
	switch {
	case f.Kind.Value == "":
		p.Add("missing-key", f.Pos, "the figure has no kind").Hint = "add kind: with one of " +
			strings.Join(figureKindNames(nil), ", ")
		return
	case kind.Drawn == "":
		p.Add("unknown-kind", f.Kind.Pos, "unknown figure kind %q", f.Kind.Value).Hint =
			source.Suggest(f.Kind.Value, figureKindNames(nil))
		return
	}
	for _, key := range kind.Needs {
		if f.Node.Get(key) == nil {
			p.Add("missing-key", f.Pos, "a figure of kind %s needs %s", f.Kind.Value, strings.Join(kind.Needs, " and ")).
				Hint = kind.Hint
			return
		}
	}
	if len(f.Y) > 1 && kind.Y == AxisMetric && kind.Drawn != "lines" {
		p.Add("too-many", f.Y[1].Pos, "y of a figure of kind %s is one metric", f.Kind.Value).Hint = "make a figure of each"
	}
	f.checkUnused(kind, p)
}

// checkUnused reports keys that have no effect in a figure of its kind.
func (f *Figure) checkUnused(kind *FigureKind, p *source.Problems) {
	unused := func(key, written string, at source.Pos) {
		if !kind.Has(key) {
			others := figureKindNames(func(k *FigureKind) bool { return k.Has(key) })
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
	for _, axis := range f.Node.Under("log").List() {
		if word := axis.Text; slices.Contains(Words["axis"], word.Value) {
			unused("log."+word.Value, "log: "+word.Value, word.Pos)
		}
	}
}
