package render

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/source"
	"benchbook/render/cellview"
	"benchbook/render/table"
	"benchbook/render/wording"
)

// Parts shows parts of an article by themselves, as its page shows them.
type Parts struct{ c *composer }

// Parts returns the parts of an article.
func (r *Renderer) Parts(d *dataset.Dataset, o Options) Parts { return Parts{r.compose(d, o)} }

// Value is a value as text.
func (p Parts) Value(in expr.Inline) (string, error) {
	v := p.c.evaluate(in)
	if v.Missing {
		return "", errors.New(wording.Lower(strings.TrimSuffix(v.Interval, ".")))
	}
	return v.Text, nil
}

// Claim returns the outcome of a claim as a sentence, and how it relates to the claim: "as claimed".
func (p Parts) Claim(name string) (sentence, word string, err error) {
	if _, ok := p.c.judgements[name]; !ok {
		known := slice.Map(p.c.doc.Claims, func(c *article.Claim) string { return c.Name.Value })
		return "", "", fmt.Errorf("the article has no claim %q: %s", name, source.Suggest(name, known))
	}
	o := p.c.outcome(name)
	return strings.ReplaceAll(o.Sentence.Text(), "\u00a0", " "), o.Word, nil
}

// TableText is a table as text.
type TableText struct {
	Title string
	Rows  [][]string // the first has the heads
	Right []int      // columns of numbers
	Notes []string   // whose numbers stand at values in brackets
	Where string     // what was measured, where and when
}

// Table is a table without its plots.
func (p Parts) Table(t *article.Table) (out TableText, err error) {
	cells, missing := p.c.shownCells(t.Experiment.Value, t.Where.Node)
	if missing != "" {
		return out, errors.New(wording.Lower(strings.TrimSuffix(missing, ".")))
	}
	columns := p.c.tableColumns(t, cells)
	_, out.Title = p.c.title(t.Title.Value)
	if out.Title == "" {
		out.Title = columns.autoTitle()
	}
	from := cellview.OriginOf(cells, cellview.NamesOf(columns.metrics)...)
	plain := columns.table(p.c)
	plain.Main = -1 // a text has no plots
	layout := plain.Layout()
	out.Where = strings.Join(slices.DeleteFunc([]string{columns.Sub(), p.c.provenance(from).Cells,
		from.Where()}, func(s string) bool { return s == "" }), "; ")
	var heads []string
	for i, h := range layout.Heads {
		if h.Class == "n" {
			out.Right = append(out.Right, i)
		}
		heads = append(heads, strings.TrimSuffix(h.Words+", "+h.Unit, ", "))
	}
	out.Rows = [][]string{heads}
	for _, row := range layout.Rows {
		out.Rows = append(out.Rows, slice.Map(row, cellText))
	}
	for _, n := range layout.Notes {
		found := slice.Map(n.Found, func(f table.Found) string { return f.Rows + ": " + f.Words })
		out.Notes = append(out.Notes, "["+n.Number+"] "+n.Kind+", "+strings.Join(found, "; ")+".")
	}
	out.Notes = append(out.Notes, columns.commonWords()...)
	return out, nil
}

func cellText(c table.Cell) string {
	text := c.Text + c.Missing + c.Before + c.Strong
	if c.Interval != "" {
		text += " (" + c.Interval + ")"
	}
	for _, why := range c.Why {
		text += " " + why.Kind + " [" + why.Number + "]"
	}
	if c.Marks != nil {
		text += " [" + c.Marks.Numbers + "]"
	}
	return strings.TrimSpace(text)
}

// Drawing is a drawing of a figure as a file for light and dark surroundings.
type Drawing struct {
	Title string
	SVG   []byte
}

// Figure draws a figure.
func (p Parts) Figure(f *article.Figure) (Drawing, error) {
	p.c.drawn = Drawing{}
	p.c.figure(f)
	err := p.c.failed()
	if err == nil && p.c.drawn.SVG == nil {
		err = errors.New("nothing of it was measured")
	}
	return p.c.drawn, err
}
