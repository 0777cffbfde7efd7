package plan

import (
	"slices"
	"strings"

	"benchbook/notebook/article"
	"benchbook/notebook/expr"
	"benchbook/notebook/record"
)

// A combination is one cell of a matrix before anything is resolved.
type combination struct {
	parameters []record.Parameter // identifying, in the order of the axes
	labels     []record.Parameter
	fields     map[string]string // all that ${{ matrix.… }} can name: "server" and "server.port"
}

func (c combination) clone() combination {
	out := combination{parameters: slices.Clone(c.parameters), labels: slices.Clone(c.labels), fields: map[string]string{}}
	for k, v := range c.fields {
		out.fields[k] = v
	}
	return out
}

func (c *combination) set(name string, value article.Text, identifies bool) {
	c.fields[name] = value.Value
	list := &c.labels
	if identifies {
		list = &c.parameters
	}
	*list = append(*list, record.Parameter{Name: name, Value: value.Value})
}

// name is the trial's name: its identifying values.
func (c combination) name() string {
	var words []string
	for _, p := range c.parameters {
		words = append(words, p.Value)
	}
	return strings.Join(words, ", ")
}

// multiply makes the combinations of a matrix as GitHub Actions does: the product of the axes, without what exclude
// matches; then each row of include extends the combinations whose axis values it does not contradict, and one that fits
// none is a combination of its own.
func multiply(m *article.Matrix, problems *article.Problems) []combination {
	product := []combination{{fields: map[string]string{}}}
	if m == nil {
		return product
	}
	for _, axis := range m.Axes {
		var next []combination
		for _, c := range product {
			for _, setting := range axis.Value {
				n := c.clone()
				n.set(axis.Name.Value, setting.Name, true)
				for _, label := range setting.Labels {
					n.set(label.Name.Value, label.Value, false)
					n.fields[axis.Name.Value+"."+label.Name.Value] = label.Value.Value
				}
				next = append(next, n)
			}
		}
		product = next
	}
	if len(m.Axes) == 0 {
		product = nil
	}
	for _, row := range m.Exclude {
		before := len(product)
		product = slices.DeleteFunc(product, func(c combination) bool { return matches(row, c, problems) })
		if len(product) == before {
			problems.Add("unused-exclude", row.Pos, "this row excludes nothing").Hint = "compare its values with those of the axes"
		}
	}
	originals := len(product)
	for _, row := range m.Include {
		named := slices.ContainsFunc(row.Fields, func(f article.Named[article.Text]) bool { return f.Name.Value == "name" })
		extended := false
		for i := range product[:originals] {
			if c := &product[i]; fits(row, m, *c) {
				extended = true
				for _, f := range row.Fields {
					if !isAxis(m, f.Name.Value) {
						c.set(f.Name.Value, f.Value, false)
					}
				}
			}
		}
		if extended {
			continue
		}
		c := combination{fields: map[string]string{}}
		for _, f := range row.Fields {
			c.set(f.Name.Value, f.Value, !named || f.Name.Value == "name")
		}
		product = append(product, c)
	}
	if len(product) == 0 {
		product = append(product, combination{fields: map[string]string{}})
	}
	return product
}

func isAxis(m *article.Matrix, name string) bool {
	return slices.ContainsFunc(m.Axes, func(a article.Named[[]article.Setting]) bool { return a.Name.Value == name })
}

func fits(row article.Combination, m *article.Matrix, c combination) bool {
	for _, f := range row.Fields {
		if isAxis(m, f.Name.Value) && c.fields[f.Name.Value] != f.Value.Value {
			return false
		}
	}
	return true
}

func matches(row article.Combination, c combination, problems *article.Problems) bool {
	for _, f := range row.Fields {
		have, ok := c.fields[f.Name.Value]
		if !ok {
			problems.Add("unknown-parameter", f.Name.Pos, "no axis %q to exclude from", f.Name.Value).
				Hint = article.Suggest(f.Name.Value, names(c))
			return false
		}
		if have != f.Value.Value {
			return false
		}
	}
	return true
}

func names(c combination) []string {
	var out []string
	for name := range c.fields {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// settings answers what ${{ }} asks: matrix.x, profile, services.x.port.
type settings struct {
	combination
	profile string
	ports   map[string]string // first exposed port by service
}

// Call is part of expr.Env.
func (s settings) Call(n *expr.Call) (expr.Value, error) {
	return expr.Value{}, &expr.Error{Span: n.Span, Msg: n.Name + " cannot be used here", Hint: "${{ }} knows matrix.NAME, profile and services.NAME.port"}
}

// Select is part of expr.Env.
func (s settings) Select(n *expr.Selector) (expr.Value, error) {
	if n.Name == "profile" {
		return expr.TextOf(s.profile), nil
	}
	head, rest, _ := strings.Cut(n.Name, ".")
	switch head {
	case "matrix":
		if v, ok := s.fields[rest]; ok {
			return expr.TextOf(v), nil
		}
		return expr.Value{}, unknown(n, "parameter", rest, names(s.combination))
	case "services":
		service, field, _ := strings.Cut(rest, ".")
		if port, ok := s.ports[service]; ok && field == "port" {
			return expr.TextOf(port), nil
		}
	}
	return expr.Value{}, &expr.Error{Span: n.Span, Msg: `"` + n.Name + `" is not known here`,
		Hint: "${{ }} knows matrix.NAME, profile and services.NAME.port"}
}

func unknown(n *expr.Selector, what, word string, known []string) error {
	return &expr.Error{Span: n.Span, Msg: "no " + what + ` "` + word + `" in this experiment`, Hint: article.Suggest(word, known)}
}

// expand replaces the templates under n. Nodes without any are shared, not copied.
func expand(n *article.Node, env expr.Env, problems *article.Problems) *article.Node {
	out := *n
	switch n.Kind {
	case article.Scalar:
		if !strings.Contains(n.Text.Value, "${{") {
			return n
		}
		template, err := expr.ParseTemplate(n.Text.Value)
		if err != nil {
			return n // found and reported when the article was read
		}
		text, err := template.Fill(env)
		if err != nil {
			article.AddExprError(n.Text, err, problems)
			return n
		}
		out.Text.Value = text
	case article.List:
		out.Items = nil
		for _, item := range n.Items {
			out.Items = append(out.Items, expand(item, env, problems))
		}
	case article.Map:
		out.Fields = nil
		for _, f := range n.Fields {
			out.Fields = append(out.Fields, article.Field{Key: f.Key, Value: expand(f.Value, env, problems)})
		}
	}
	return &out
}
