package article

import (
	"errors"

	"benchbook/notebook/expr"
	"benchbook/notebook/source"
)

// Table shows results in rows and columns.
type Table struct {
	Label      source.Text      `yaml:"label"`
	Experiment source.Text      `yaml:"experiment"`
	Title      source.Text      `yaml:"title"`
	Rows       []source.Text    `yaml:"rows"`
	Columns    []source.Text    `yaml:"columns"`
	Where      Expression       `yaml:"where"`
	Sort       source.Text      `yaml:"sort"`
	Caption    source.Text      `yaml:"caption"`
	Format     Formats          `yaml:"format"`
	Published  PublishedRef     `yaml:"published"`
	Claim      source.Text      `yaml:"claim"`
	Part       *ConditionalPart `yaml:"-"` // that it stands in; nil if it stands in none
	Pos        source.Pos       `yaml:"-"`
	Tried      source.Tried     `yaml:"-"`
}

// Formats says how columns are shown, by their names.
type Formats []Named[Format]

// Format is filters as they stand after a value in running text: round 2 | unit ms.
type Format struct {
	Filters []expr.Filter
	Text    source.Text
}

func (f *Formats) DecodeNode(d source.Decoder, n *source.Node, what string) {
	*f = DecodeNamed[Format](d, n, what, "format of")
}

func (f *Format) DecodeNode(d source.Decoder, n *source.Node, what string) {
	if !d.Kind(n, what, source.Scalar) {
		return
	}
	f.Text = n.Text
	const before = "x | " // the value that an inline value would show
	inline, err := expr.ParseInline(before + n.Text.Value)
	own := func(at expr.Span) expr.Span {
		return expr.Span{Start: max(0, at.Start-len(before)), End: max(0, at.End-len(before))}
	}
	if err == nil {
		for _, filter := range inline.Filters {
			filter.Span = own(filter.Span)
			f.Filters = append(f.Filters, filter)
		}
		return
	}
	if e, ok := errors.AsType[*expr.Error](err); ok {
		err = &expr.Error{Span: own(e.Span), Msg: e.Msg, Hint: e.Hint}
	}
	AddExprError(n.Text, err, d.Problems)
}
