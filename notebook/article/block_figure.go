package article

import (
	"benchbook/internal/slice"
	"benchbook/notebook/source"
)

// Figure draws results.
type Figure struct {
	Label      source.Text      `yaml:"label"`
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
	Claim      source.Text      `yaml:"claim"`
	Headline   Value[bool]      `yaml:"headline"`
	Part       *ConditionalPart `yaml:"-"` // that it stands in; nil if it stands in none
	Pos        source.Pos       `yaml:"-"`
	Tried      source.Tried     `yaml:"-"`
	Keys       source.Keys      `yaml:"-"`
}

// Axis is one of the two of a figure.
type Axis string

// The axes of a figure.
const (
	XAxis Axis = "x"
	YAxis Axis = "y"
)

func (Axis) Words() []string { return []string{string(XAxis), string(YAxis)} }

// Is gives what is known of the figure's kind; of one that is unknown nothing is.
func (f *Figure) Is() *FigureKind {
	kind, _ := FigureKindOf(f.Kind.Value, f.X.Value, Texts(f.Y))
	return kind
}

// Metrics are those that the figure shows, as far as its block names them.
func (f *Figure) Metrics() []string { return f.Is().Metrics(f.X.Value, Texts(f.Y)) }

// Shows tells whether the figure shows a metric.
func (f *Figure) Shows(metric string) bool { return f.Is().ShowsMetric(metric, f.X.Value, Texts(f.Y)) }

// Texts are the values of a list of texts.
func Texts(list []source.Text) []string {
	return slice.Map(list, func(t source.Text) string { return t.Value })
}
