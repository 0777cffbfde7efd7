package article

import (
	"slices"
	"strings"

	"benchbook/notebook/source"
)

// Figure draws results.
type Figure struct {
	Label      source.Text   `yaml:"label"`
	Experiment source.Text   `yaml:"experiment"`
	Kind       source.Text   `yaml:"kind"`
	Title      source.Text   `yaml:"title"`
	X          source.Text   `yaml:"x"`
	Y          []source.Text `yaml:"y"`
	Colour     source.Text   `yaml:"colour"`
	Facet      source.Text   `yaml:"facet"` // a parameter or label with a drawing for each of its values
	Where      Expression    `yaml:"where"`
	Sort       source.Text   `yaml:"sort"`
	Log        []Value[Axis] `yaml:"log"`       // axes in equal ratios
	Zero       Value[bool]   `yaml:"zero"`      // the metric's axis begins at zero
	Reference  Expression    `yaml:"reference"` // a line at this value
	Caption    source.Text   `yaml:"caption"`
	Alt        source.Text   `yaml:"alt"`
	Published  PublishedRef  `yaml:"published"`
	Claim      source.Text   `yaml:"claim"`
	Pos        source.Pos    `yaml:"-"`
	Tried      Tried         `yaml:"-"`
	Keys       Keys          `yaml:"-"`
}

// Axis is one of the two of a figure.
type Axis string

// The axes of a figure.
const (
	XAxis Axis = "x"
	YAxis Axis = "y"
)

// Words is part of Word.
func (Axis) Words() []string { return []string{string(XAxis), string(YAxis)} }

// figureKinds are the kinds of docs/exhibits.md#kinds-of-figures with the keys that each cannot do without, and those
// that it may have. All have figureKeys. Of log stands here which axis a kind may have in equal ratios.
var figureKinds = map[string]struct {
	needs []string
	hint  string // how to give what it needs
	takes []string
}{
	"dots":         {[]string{"x", "y"}, "add x: with a metric, and y: with a parameter", strings.Fields("where colour facet sort log.x zero reference published")},
	"bars":         {[]string{"x", "y"}, "add x: with a metric, and y: with a parameter", strings.Fields("where colour facet sort reference published")},
	"lines":        {[]string{"x", "y"}, "add x: with a parameter whose values are numbers, and y: with a metric", strings.Fields("where colour facet log.x log.y zero reference")},
	"latency":      {nil, "", strings.Fields("y where colour facet")},
	"distribution": {[]string{"x"}, "add x: with a metric", strings.Fields("y where colour facet sort log.x zero reference published")},
	"scatter":      {[]string{"x", "y"}, "add x: and y: with a metric each", strings.Fields("where colour facet log.x log.y zero reference")},
	"tuning":       {[]string{"x", "y"}, "add x: with tune.NAME, and y: with a metric", strings.Fields("where colour facet log.x log.y zero")},
	"capacity":     {nil, "", strings.Fields("y where colour facet")},
	"timeline":     {[]string{"y"}, "add y: with a metric", strings.Fields("where colour facet log.y zero reference")},
	"topology":     {nil, "", strings.Fields("where")},
	"agreement":    {[]string{"x"}, "add x: with a metric that was published", strings.Fields("y where colour facet published")},
	"multiverse":   {[]string{"claim"}, "add claim: with the name of a claim", nil},
}

// figureKeys are the keys that figures of all kinds may have.
var figureKeys = strings.Fields("label experiment kind title caption alt claim")

// figureHas tells whether a key does something in a figure of a kind.
func figureHas(kind, key string) bool {
	of := figureKinds[kind]
	return slices.Contains(figureKeys, key) || slices.Contains(of.needs, key) || slices.Contains(of.takes, key)
}
