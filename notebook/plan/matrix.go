package plan

import (
	"maps"
	"slices"
	"strings"

	"benchbook/notebook/article"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
)

// A combination is one cell of a matrix, before templates are expanded.
type combination struct {
	parameters []record.Parameter // identifying, in the order of the axes
	labels     []record.Parameter
	fields     map[string]string // all that ${{ matrix.… }} can name: "server" and "server.port"
	revision   string            // commit that its files are from; empty: the files on disk
}

func (c combination) clone() combination {
	c.parameters, c.labels, c.fields = slices.Clone(c.parameters), slices.Clone(c.labels), maps.Clone(c.fields)
	return c
}

// set sets the value of a label, or of a parameter, which identifies the combination.
func (c *combination) set(name, value string, identifies bool) {
	c.fields[name] = value
	list := &c.labels
	if identifies {
		list = &c.parameters
	}
	if i := slices.IndexFunc(*list, func(p record.Parameter) bool { return p.Name == name }); i >= 0 {
		(*list)[i].Value = value
	} else {
		*list = append(*list, record.Parameter{Name: name, Value: value})
	}
}

// name returns the trial's name: its identifying values, without empty ones.
func (c combination) name() string {
	var words []string
	for _, p := range c.parameters {
		if p.Value != "" {
			words = append(words, p.Value)
		}
	}
	return strings.Join(words, ", ")
}

// multiply returns the combinations of a matrix as GitHub Actions does: the product of the axes without those that
// exclude matches; then each row of include extends the combinations that it fits, or becomes a combination of its own.
// It returns false if there are none, or too many.
func (p *planner) multiply(m *article.Matrix, at source.Pos) ([]combination, bool) {
	none := []combination{{fields: map[string]string{}}}
	if m == nil {
		return none, true
	}
	if !p.checkMatrixSize(m, at) {
		return nil, false
	}
	axes := axesOf(m, p.problems)
	combinations := include(m, exclude(m, multiplied(m.Axes), p.problems), axes, p.problems)
	if len(combinations) > 0 {
		return combinations, true
	}
	return none, len(m.Axes) == 0
}

// checkMatrixSize returns whether a matrix is small enough to plan, and adds a problem if not.
func (p *planner) checkMatrixSize(m *article.Matrix, at source.Pos) bool {
	size := 1
	for _, axis := range m.Axes {
		size = min(size*max(1, len(axis.Value)), maxCells+1) // no overflow; an axis without values was reported
	}
	cells := len(m.Include) + size
	p.cells += cells
	p.matched += cells * (len(m.Axes) + len(m.Exclude) + len(m.Include))
	switch {
	case p.cells > maxCells:
		p.problems.Add("too-many", at, "with this matrix the article has more than %d cells", maxCells).
			Hint = "remove axes or values, or make several articles of it"
		return false
	case p.matched > maxMatching:
		p.problems.Add("too-many", at, "the matrix has too many rows of include and exclude for so many cells").
			Hint = "remove axes or values, or list the cells under include alone"
		return false
	}
	return true
}

// multiplied returns the product of the axes; nil without axes.
func multiplied(axes []article.Named[[]article.Row]) []combination {
	if len(axes) == 0 {
		return nil
	}
	product := []combination{{fields: map[string]string{}}}
	for _, axis := range axes {
		var next []combination
		for _, c := range product {
			for _, setting := range axis.Value {
				n := c.clone()
				n.set(axis.Name.Value, setting.Name.Value, true)
				n.fields[axis.Name.Value+".name"] = setting.Name.Value
				for _, label := range setting.Fields {
					n.set(label.Name.Value, label.Value.Value, false)
					n.fields[axis.Name.Value+"."+label.Name.Value] = label.Value.Value
				}
				next = append(next, n)
			}
		}
		product = next
	}
	return product
}

// exclude removes the combinations that rows of exclude match, and reports rows that match none.
func exclude(m *article.Matrix, product []combination, problems *source.Problems) []combination {
	known := map[string]bool{}
	for _, c := range product {
		for name := range c.fields {
			known[name] = true
		}
	}
	all := len(product)
	for _, row := range m.Exclude {
		before, ok := len(product), true
		for _, f := range row.Fields { // known has labels that only some values of an axis have
			if before > 0 && !known[f.Name.Value] {
				problems.Add("unknown-parameter", f.Name.Pos, "no axis %q to exclude from", f.Name.Value).
					Hint = source.Suggest(f.Name.Value, sortedKeys(known))
				ok = false
			}
		}
		if !ok {
			continue
		}
		product = slices.DeleteFunc(product, func(c combination) bool { return matches(row, c) })
		if len(product) == before {
			problems.Add("unused-exclude", row.Pos, "this row excludes nothing").
				Hint = "compare its values with those of the axes"
		}
	}
	if all > 0 && len(product)+len(m.Include) == 0 {
		problems.Add("no-cell", m.Exclude[len(m.Exclude)-1].Pos, "with this row exclude leaves nothing to measure").
			Hint = "exclude less"
	}
	return product
}

// include extends combinations with the rows of include that fit them, and adds a combination for every other row.
// Rows that give a combination different values of one field are a problem: only the last would be measured.
func include(m *article.Matrix, product []combination, axes map[string]string, problems *source.Problems) []combination {
	originals := len(product)
	type field struct {
		of   int // the combination
		name string
	}
	given, conflicts := map[field]source.Text{}, map[string]bool{} // conflicts are names that were reported
	for _, row := range m.Include {
		extended := false
		for i := range product[:originals] {
			c := &product[i]
			if !fits(row, axes, *c) {
				continue
			}
			extended = true
			for _, f := range row.Fields {
				name := f.Name.Value
				if axes[name] == name {
					continue
				}
				if before, ok := given[field{i, name}]; ok && before.Value != f.Value.Value && !conflicts[name] {
					conflicts[name] = true
					line, _ := before.Pos.Source.Position(before.Pos.Start)
					problems.Add("duplicate-cell", f.Value.Pos, "the cell %q has %s %q by the row in line %d and %q by this one",
						c.name(), name, before.Value, line, f.Value.Value).
						Hint = "make " + name + " an axis, or give each row a value of an axis that no other row has"
				}
				given[field{i, name}] = f.Value
				c.set(name, f.Value.Value, false)
			}
		}
		if extended {
			continue
		}
		named := slices.ContainsFunc(row.Fields, func(f article.Named[source.Text]) bool { return f.Name.Value == "name" })
		c := combination{fields: map[string]string{}}
		for _, f := range row.Fields {
			name := f.Name.Value
			c.set(name, f.Value.Value, !named || name == "name")
			if axis := axes[name]; axis == name {
				c.fields[axis+".name"] = f.Value.Value
			} else if axis != "" {
				c.fields[axis+"."+name] = f.Value.Value
			}
		}
		product = append(product, c)
	}
	return product
}

// axesOf maps every axis to itself and every label to its axis, and reports names with more than one meaning.
func axesOf(m *article.Matrix, problems *source.Problems) map[string]string {
	axes := map[string]string{}
	for _, a := range m.Axes {
		axes[a.Name.Value] = a.Name.Value
	}
	for _, a := range m.Axes {
		for _, setting := range a.Value {
			for _, label := range setting.Fields {
				name := label.Name.Value
				switch of, seen := axes[name]; {
				case seen && of == name:
					problems.Add("duplicate-parameter", label.Name.Pos, "%q is an axis, so it cannot be a label of axis %q", name,
						a.Name.Value).Hint = "give the label another name"
				case seen && of != a.Name.Value:
					problems.Add("duplicate-parameter", label.Name.Pos, "axes %q and %q both have a label %q", of,
						a.Name.Value, name).Hint = "give one of them another name"
				default:
					axes[name] = a.Name.Value
				}
			}
		}
	}
	return axes
}

// fits reports whether a row of include agrees with the axes of a combination and the labels of their values.
func fits(row article.Row, axes map[string]string, c combination) bool {
	return !slices.ContainsFunc(row.Fields, func(f article.Named[source.Text]) bool {
		return axes[f.Name.Value] != "" && c.fields[f.Name.Value] != f.Value.Value
	})
}

// matches reports whether a combination has all values of a row of exclude.
func matches(row article.Row, c combination) bool {
	for _, f := range row.Fields {
		if have, ok := c.fields[f.Name.Value]; !ok || have != f.Value.Value {
			return false
		}
	}
	return len(row.Fields) > 0
}
