package check

import (
	"errors"
	"slices"
	"strings"

	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
)

// Check reports problems of claims, tables, figures, values and published rows that can be found without records:
// unknown metrics, parameters, experiments and cells; claims that have no test, cannot fail, or can never be supported;
// rows that match several cells.
//
// problems must hold the problems found by reading and planning the article. Expressions about an experiment with such
// a problem, or without a plan, are not checked.
func Check(doc *article.Document, p *plan.Plan, problems *source.Problems) {
	known := doc.KnownOf(problems)
	judged := *p
	judged.Experiments = slice.Filter(p.Experiments, func(e *plan.Experiment) bool {
		return known[e.Name] != article.KnowsNothing
	})
	c := &checker{d: dataset.WithoutRecords(doc, &judged), problems: problems, broken: map[string]bool{}}
	for _, e := range c.d.Experiments {
		e.Known = known[e.Plan.Name]
	}
	c.values()
	c.claims()
	for _, v := range doc.Values {
		if !v.Valid {
			continue
		}
		if is, ok := c.expression(v.Inline.Expr, "", v.Written); ok {
			c.filters(v.Inline.Filters, is, v.Written)
		}
	}
	c.colours()
	for _, t := range doc.Tables {
		c.table(t)
	}
	for _, f := range doc.Figures {
		c.figure(f)
	}
	for _, b := range doc.Published {
		c.published(b)
	}
}

type checker struct {
	d        *dataset.Dataset
	problems *source.Problems
	broken   map[string]bool // values of the front matter that have a problem of their own
}

// lacking reports whether an expression may concern an experiment that is not in the plan, so that its names cannot be
// checked. Selectors without an experiment mean the given one, or the only one of the article.
func (c *checker) lacking(n expr.Node, experiment string) bool {
	doc := c.d.Doc
	if len(c.d.Experiments) == len(doc.Experiments) && !doc.Unread("experiment") {
		return false
	}
	lacks := func(name string) bool {
		inArticle := slices.ContainsFunc(doc.Experiments,
			func(e *article.ExperimentBlock) bool { return e.Name.Value == name })
		return !slices.Contains(c.d.Names(), name) && (inArticle || doc.Unread("experiment"))
	}
	if expanded, err := c.d.Expand(n); err == nil {
		n = expanded
	}
	return slices.ContainsFunc(expr.Selectors(n), func(s *expr.Selector) bool {
		named := false
		for _, m := range s.Matches {
			if m.Name == dataset.ExperimentMatch {
				if named = true; m.Op != expr.Equal || lacks(m.Value) {
					return true
				}
			}
		}
		switch {
		case named:
			return false
		case experiment != "":
			return lacks(experiment)
		}
		return true // it may mean the missing experiment
	})
}

func (c *checker) add(t source.Text, err error) {
	if errors.Is(err, dataset.ErrNotMeasured) {
		return // the profile skips its experiment
	}
	p := article.AddExprError(t, err, c.problems)
	if r, ok := errors.AsType[dataset.Rule](err); ok {
		p.Rule = string(r)
	}
}

// usesBroken reports whether an expression uses a value that has a problem of its own.
func (c *checker) usesBroken(n expr.Node) bool {
	return slices.ContainsFunc(expr.Selectors(n), func(s *expr.Selector) bool { return c.broken[s.Name] })
}

// values checks the named values of the front matter, which may be lists. It reports a mistake once, and not again for
// values that use the broken one.
func (c *checker) values() {
	errs := map[string]error{}
	for _, v := range c.d.Doc.Front.Values {
		name := v.Name.Value
		switch _, isMetric := record.LookupMetric(name); {
		case isMetric:
			c.problems.Add("bad-name", v.Name.Pos, "%q is the name of a metric", name).Hint = "give the value another name"
			c.broken[name] = true
			continue
		case !expr.IsName(name):
			c.problems.Add("bad-name", v.Name.Pos, "expressions cannot use the name %q", name).
				Hint = `use letters, digits, "-" and "_", begin with a letter, and leave out the words and, or, not, true and false`
			continue
		case v.Value.Node == nil:
			c.broken[name] = true
			continue
		}
		if _, err := c.typeOf(v.Value.Node, "", true); err != nil {
			errs[name], c.broken[name] = err, true
		}
	}
	for _, v := range c.d.Doc.Front.Values {
		err := errs[v.Name.Value]
		circular := errors.Is(err, dataset.Rule("circular-value"))
		if err != nil && !c.lacking(v.Value.Node, "") && (circular || !c.usesBroken(v.Value.Node)) {
			c.add(v.Value.Text, err)
		}
	}
}

// expression checks the expression written in t, about an experiment or "". It returns false if the type is unknown.
func (c *checker) expression(n expr.Node, experiment string, t source.Text) (is expr.Type, ok bool) {
	if c.lacking(n, experiment) || c.usesBroken(n) {
		return is, false
	}
	is, err := c.typeOf(n, experiment, false)
	if err != nil {
		c.add(t, err)
	}
	return is, err == nil
}

// typeOf returns the type of an expression. With list, the expression may be a list.
func (c *checker) typeOf(n expr.Node, experiment string, list bool) (expr.Type, error) {
	n, err := c.d.Expand(n)
	if err != nil {
		return expr.Type{}, err
	}
	return c.d.In(experiment).Check(n, list)
}

// filters checks that a value of a type can be shown with its filters. Values that are not known to be numbers pass.
func (c *checker) filters(filters []expr.Filter, is expr.Type, t source.Text) {
	for _, f := range filters {
		var err error
		switch {
		case is.Kind != expr.KindNumber:
		case f.Name == "percent" && !is.Dimension.Like(expr.Share):
			err = dataset.Mistake(f.Span, "unlike-units", "remove the filter, or show a ratio or a share",
				"a %s is not a percentage", is.Dimension)
		case f.Name == "unit" && !f.Unit.Dimension.Like(is.Dimension):
			err = dataset.Mistake(f.Span, "unlike-units", "write a unit of the same kind as "+is.Dimension.Base(),
				"this is a %s, and cannot be shown in %s", is.Dimension, f.Unit.Symbol)
		}
		if err != nil {
			c.add(t, err)
		}
	}
}

func (c *checker) claims() {
	for _, block := range slices.Concat(c.d.Doc.Claims, c.d.Doc.Tests()) {
		n := block.Expect.Node
		claim.CheckSays(&block.Says, c.problems)
		if n == nil || c.usesBroken(n) || c.lacking(n, block.Experiment.Value) {
			continue
		}
		if name := block.Experiment; name.Value != "" && !slices.Contains(c.d.Names(), name.Value) {
			c.problems.Add("unknown-experiment", name.Pos, "no experiment %q in this article", name.Value).
				Hint = source.Suggest(name.Value, c.d.Names())
			continue
		}
		if err := claim.Check(c.d, block); err != nil {
			c.add(block.Expect.Text, err)
		} else if err := claim.CheckPublished(c.d, block); err != nil {
			c.add(block.Published.Text, err)
		}
	}
}

// experiment returns the experiment that a table, figure or block names; nil if it is skipped, unknown or ambiguous.
func (c *checker) experiment(name source.Text) *dataset.Experiment {
	e, ok := c.d.Experiment(name.Value)
	if !ok || name.Value == "" && (len(c.d.Doc.Experiments) > 1 || c.d.Doc.Unread("experiment")) || e.Plan.Skipped != "" ||
		len(e.Cells) == 0 {
		return nil
	}
	return e
}

func (c *checker) setting(e *dataset.Experiment, t source.Text) {
	if t.Value != "" && !slices.Contains(e.Settings(), t.Value) {
		c.problems.Add("unknown-parameter", t.Pos, "no parameter %q in experiment %q", t.Value, e.Plan.Name).
			Hint = e.SuggestSetting(t.Value)
	}
}

// column checks that t names a metric, parameter or label of e.
func (c *checker) column(e *dataset.Experiment, t source.Text) {
	if t.Value == "" || slices.Contains(e.Settings(), t.Value) {
		return
	}
	if _, ok := e.Metric(t.Value); !ok {
		c.problems.Add("unknown-metric", t.Pos, "%q is neither a metric nor a parameter of experiment %q",
			t.Value, e.Plan.Name).
			Hint = e.SuggestMetric(t.Value, e.Settings()...)
	}
}

// where checks that a filter selects at least one cell, in this profile or another one.
func (c *checker) where(e *dataset.Experiment, where article.Expression) {
	if where.Node == nil {
		return
	}
	var noCell error = dataset.Rule("no-cell")
	selects := func(e *dataset.Experiment) error {
		cells, err := e.Select(where.Node)
		if err == nil && len(cells) == 0 {
			return noCell
		}
		return err
	}
	err := selects(e)
	if err != nil {
		err = c.d.UnlessInOtherProfile(err, where.Node.Pos(), func(other *dataset.Dataset) error {
			if e, ok := other.Experiment(e.Plan.Name); ok {
				return selects(e)
			}
			return noCell
		})
	}
	switch {
	case err == nil:
	case err != noCell:
		c.add(where.Text, err)
	default:
		c.problems.Add("no-cell", where.Text.Pos, "no cell of experiment %q fits this", e.Plan.Name).
			Hint = "compare it with the matrix"
	}
}

func (c *checker) reference(ref article.PublishedRef, at source.Pos) {
	if !ref.Shown || c.d.Doc.Unread("published") {
		return
	}
	var names []string
	for _, b := range c.d.Doc.Published {
		if b.Name.Value != "" {
			names = append(names, b.Name.Value)
		}
	}
	switch name := ref.Name; {
	case len(c.d.Doc.Published) == 0:
		c.problems.Add("unknown-published", at, "there are no published numbers in this article").
			Hint = "add a yaml published block, or remove published:"
	case name.Value != "" && !slices.Contains(names, name.Value):
		c.problems.Add("unknown-published", name.Pos, "no published block %q in this article", name.Value).
			Hint = source.Suggest(name.Value, names)
	}
}

func (c *checker) table(t *article.Table) {
	c.reference(t.Published, t.Pos)
	e := c.experiment(t.Experiment)
	if e == nil {
		return
	}
	for _, row := range t.Rows {
		c.setting(e, row)
	}
	for _, column := range t.Columns {
		c.column(e, column)
	}
	for _, format := range t.Format {
		if !slices.ContainsFunc(t.Columns, func(column source.Text) bool { return column.Value == format.Name.Value }) {
			c.problems.Add("unknown-column", format.Name.Pos, "the table has no column %q", format.Name.Value).
				Hint = source.Suggest(format.Name.Value, article.Texts(t.Columns))
		}
		if m, ok := e.Metric(format.Name.Value); ok && m.Unit != "" && !slices.Contains(e.Settings(), m.Name) {
			c.filters(format.Value.Filters, expr.Type{Kind: expr.KindNumber, Dimension: dataset.DimensionOf(m)},
				format.Value.Text)
		}
	}
	c.column(e, t.Sort)
	c.where(e, t.Where)
}

// published checks that each row of a block matches exactly one cell, in this profile or another, and that no two rows
// have the same metric of a cell.
func (c *checker) published(b *article.Published) {
	e := c.experiment(b.Experiment)
	if e == nil {
		return
	}
	type number struct {
		cell   *dataset.Cell
		metric string
	}
	seen := map[number]bool{}
	for i := range b.Rows {
		row := &b.Rows[i]
		if len(row.Metrics) == 0 {
			c.problems.Add("no-metric", row.Pos, "this row has no published metric").
				Hint = "add one with its unit, such as throughput: 529.13/s"
		}
		for _, m := range row.Metrics {
			if _, ok := e.Metric(m.Name.Value); !ok {
				c.problems.Add("unknown-metric", m.Name.Pos, "%s is not measured in experiment %q",
					m.Name.Value, e.Plan.Name).
					Hint = e.SuggestMetric(m.Name.Value)
			}
		}
		cells := c.d.Join(b, row)
		switch len(cells) {
		case 0:
			fits := func(other *dataset.Dataset) bool { return len(other.Join(b, row)) > 0 }
			if !slices.ContainsFunc(c.d.OtherProfiles(), fits) {
				c.unjoined(e, row)
			}
		case 1:
			for _, m := range row.Metrics {
				n := number{cells[0], m.Name.Value}
				if seen[n] {
					c.problems.Add("duplicate-row", m.Name.Pos, "an earlier row of this block has %s of cell %q too",
						n.metric, n.cell.Trial.Name).
						Hint = "remove one, or add the parameter that tells them apart"
				}
				seen[n] = true
			}
		default:
			names := slice.Map(cells, func(cell *dataset.Cell) string { return cell.Trial.Name })
			c.problems.Add("ambiguous-row", row.Pos, "this row matches %d cells: %s", len(cells), strings.Join(names, "; ")).
				Hint = "add " + strings.Join(dataset.DifferingParameters(cells), " and ")
		}
	}
}

// unjoined reports a row that matches no cell: at the first field whose value no cell has, else at the row itself.
func (c *checker) unjoined(e *dataset.Experiment, row *article.PublishedRow) {
	known := e.Settings()
	for _, f := range row.Fields {
		if !slices.Contains(known, f.Name.Value) {
			continue // a note
		}
		var values []string
		found := false
		for _, cell := range e.Cells {
			if text, ok := cell.Setting(f.Name.Value); ok {
				same, err := expr.MatchText(expr.Equal, f.Value.Value, text)
				values, found = slice.Add(values, text), found || same && err == nil
			}
		}
		if !found {
			hint := source.Suggest(f.Value.Value, values)
			if !dataset.IsSuggestion(hint) {
				hint += "; or leave the row out by where:"
			}
			c.problems.Add("no-cell", f.Value.Pos, "no cell has %s %q", f.Name.Value, f.Value.Value).Hint = hint
			return
		}
	}
	c.problems.Add("no-cell", row.Pos, "no cell matches this row").
		Hint = "each value has a cell, but no cell has all of them: correct one, or leave the row out by where:"
}
