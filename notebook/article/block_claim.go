package article

import (
	"benchbook/notebook/expr"
	"benchbook/notebook/source"
)

// Claim is a sentence with the test that decides its verdict.
type Claim struct {
	Name           source.Text  `yaml:"name" need:"add name: with a word of your choice"`
	Experiment     source.Text  `yaml:"experiment"`
	Expect         Expression   `yaml:"expect" need:"add expect: with a comparison, such as a > b"`
	SmallestEffect float64      `yaml:"smallest_effect" as:"effect"` // a share; 0: the default of the metric
	Headline       bool         `yaml:"headline"`
	Text           source.Text  `yaml:"text"`
	Says           Says         `yaml:"says"`
	Published      Expression   `yaml:"published"` // the effect that the original found: 1.26, 26%, 130ms
	Derived        source.Text  `yaml:"derived"`   // how the published effect follows from what the original printed
	Quote          *Quote       `yaml:"quote"`     // what the original says
	Pos            source.Pos   `yaml:"-"`
	Node           *source.Node `yaml:"-"`
}

// Quote is what the original says, in its own words.
type Quote struct {
	Text    source.Text `yaml:"text" alone:"yes" need:"add text: with what the original says"`
	Section source.Text `yaml:"section"` // where the original says so
	Pos     source.Pos  `yaml:"-"`
}

// IsOriginal reports whether the original makes the claim, not only the article.
func (c *Claim) IsOriginal() bool { return c.Quote != nil || c.Published.Node != nil }

// Says has one sentence for all outcomes of a claim, or one per outcome; missing ones are generated.
type Says struct {
	Always       source.Text `yaml:"always" alone:"yes"`
	Supported    source.Text `yaml:"supported" not:"always"`
	Contradicted source.Text `yaml:"contradicted" not:"always"`
	Inconclusive source.Text `yaml:"inconclusive" not:"always"`
}

// All returns the sentences: supported, contradicted, inconclusive, always. Missing ones are empty.
func (s *Says) All() []*source.Text {
	return []*source.Text{&s.Supported, &s.Contradicted, &s.Inconclusive, &s.Always}
}

// Table shows results in rows and columns.
type Table struct {
	Label      source.Text      `yaml:"label" need:"add label: tbl-… so that the text can refer to it"`
	Experiment source.Text      `yaml:"experiment"`
	Title      source.Text      `yaml:"title"`
	Rows       []source.Text    `yaml:"rows"`
	Columns    []source.Text    `yaml:"columns" need:"add columns: with metrics, such as [throughput, latency.p99]"`
	Where      Expression       `yaml:"where"`
	Sort       source.Text      `yaml:"sort"`
	Caption    source.Text      `yaml:"caption"`
	Format     Map[Format]      `yaml:"format"` // of columns, by name
	Published  PublishedRef     `yaml:"published"`
	Part       *ConditionalPart `yaml:"-"` // the part that contains the table; nil outside of parts
	Pos        source.Pos       `yaml:"-"`
}

// Format is the filters of a column, in the syntax of running text: round 2 | unit ms.
type Format struct {
	Filters []expr.Filter
	Text    source.Text
}

func (f *Format) DecodeNode(d source.Decoder, n *source.Node, what string) {
	if !d.Kind(n, what, source.Scalar) {
		return
	}
	f.Text = n.Text
	var err error
	if f.Filters, err = expr.ParseFilters(n.Text.Value); err != nil {
		AddExprError(n.Text, err, d.Problems)
	}
}
