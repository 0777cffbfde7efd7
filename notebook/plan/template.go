package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"benchbook/notebook/article"
	"benchbook/notebook/expr"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
	"benchbook/notebook/yamltext"
)

// settings answers what ${{ }} asks: matrix.x, tune.x, profile, services.x.port, and random in requests.
type settings struct {
	combination
	profile  string
	ports    map[string]string // first exposed port by service
	searches map[string]bool   // names that a search finds a value for
	tuned    map[string]string // what searches have found, by name; nil before
	requests bool              // random is drawn for every request
	early    bool              // in the matrix itself, whose values are looked at again where they are used
}

// known is what a template may name.
const known = "${{ }} knows matrix.NAME, tune.NAME, profile and services.NAME.port, and in the requests of a load random(FROM, TO)"

// Call is part of expr.Env.
func (s settings) Call(n *expr.Call) (expr.Value, error) {
	if n.Name != "random" {
		return expr.Value{}, &expr.Error{Span: n.Span, Msg: n.Name + " cannot be used here", Hint: known}
	}
	if s.early {
		return expr.Value{}, expr.ErrDeferred
	}
	if !s.requests {
		return expr.Value{}, &expr.Error{Span: n.Span, Msg: "random is drawn for every request, and this is part of none",
			Hint: "use it in target, headers or body of a load"}
	}
	var bounds [2]float64
	for i, arg := range n.Args {
		v, err := expr.Eval(arg, s)
		if err != nil {
			return expr.Value{}, err
		}
		q, err := expr.ParseQuantity(v.String())
		if err != nil || q.Unit.Dimension != expr.Plain || q.Value != float64(int64(q.Value)) {
			return expr.Value{}, &expr.Error{Span: arg.Pos(), Msg: "the bounds of random have to be whole numbers",
				Hint: "write random(1, 100)"}
		}
		bounds[i] = q.Value
	}
	if bounds[0] > bounds[1] {
		return expr.Value{}, &expr.Error{Span: n.Span, Msg: fmt.Sprintf("nothing lies between %v and %v", bounds[0], bounds[1]),
			Hint: "swap them"}
	}
	return expr.Value{}, expr.ErrDeferred
}

// Select is part of expr.Env.
func (s settings) Select(n *expr.Selector) (expr.Value, error) {
	if n.Name == "profile" {
		return expr.TextOf(s.profile), nil
	}
	if s.early {
		return expr.Value{}, expr.ErrDeferred
	}
	head, rest, _ := strings.Cut(n.Name, ".")
	switch head {
	case "matrix":
		if s.fields == nil {
			return expr.Value{}, &expr.Error{Span: n.Span, Msg: "this is the same for all cells, so it cannot use the matrix",
				Hint: "services, load, command, tune, capacity, prepare and conclude can"}
		}
		if v, ok := s.fields[rest]; ok {
			return expr.TextOf(v), nil
		}
		return expr.Value{}, unknown(n, "parameter", rest, slices.Sorted(maps.Keys(s.fields)))
	case "tune":
		if v, ok := s.tuned[rest]; ok {
			return expr.TextOf(v), nil
		}
		if s.searches[rest] {
			return expr.Value{}, expr.ErrDeferred
		}
		if s.searches == nil {
			return expr.Value{}, &expr.Error{Span: n.Span, Msg: "what is tuned is not known here",
				Hint: "services, load, command, prepare and conclude can use it"}
		}
		return expr.Value{}, unknown(n, "search", rest, slices.Sorted(maps.Keys(s.searches)))
	case "services":
		service, field, _ := strings.Cut(rest, ".")
		port, ok := s.ports[service]
		switch {
		case ok && field == "port" && port == "":
			return expr.Value{}, &expr.Error{Span: n.Span, Msg: `service "` + service + `" exposes no port`, Hint: "add expose: to it"}
		case ok && field == "port":
			return expr.TextOf(port), nil
		case !ok && field == "port" && len(s.ports) > 0:
			return expr.Value{}, unknown(n, "service", service, slices.Sorted(maps.Keys(s.ports)))
		}
	}
	return expr.Value{}, &expr.Error{Span: n.Span, Msg: `"` + n.Name + `" is not known here`, Hint: known}
}

func unknown(n *expr.Selector, what, word string, known []string) error {
	hint := source.Suggest(word, known)
	if len(known) == 0 {
		hint = "there is none"
	}
	return &expr.Error{Span: n.Span, Msg: "no " + what + ` "` + word + `" in this experiment`, Hint: hint}
}

// firstPort is the port that ${{ services.x.port }} means.
func firstPort(service *yamltext.Node, env settings, problems *source.Problems) string {
	n := service.Get("expose")
	if n == nil {
		if service.Get("origin") != nil {
			return originPort
		}
		return ""
	}
	if n.Kind == yamltext.List && len(n.Items) > 0 {
		n = n.Items[0]
	}
	if n.Kind != yamltext.Scalar {
		return ""
	}
	return expand(n, env, problems).Text.Value
}

// expandAll replaces the templates of an experiment, as far as they can be used where they stand.
func expandAll(n *yamltext.Node, env settings, problems *source.Problems) *yamltext.Node {
	out := *n
	out.Fields = nil
	for _, f := range n.Fields {
		here := env
		if f.Key.Value == "tune" || f.Key.Value == "capacity" {
			here.searches = nil
		}
		value := f.Value
		if f.Key.Value == "load" && value.Kind == yamltext.Map {
			load := *value
			load.Fields = nil
			for _, inner := range value.Fields {
				here.requests = slices.Contains([]string{"target", "headers", "body"}, inner.Key.Value)
				load.Fields = append(load.Fields, yamltext.Field{Key: inner.Key, Value: expand(inner.Value, here, problems)})
			}
			value = &load
		} else {
			value = expand(value, here, problems)
		}
		out.Fields = append(out.Fields, yamltext.Field{Key: f.Key, Value: value})
	}
	return &out
}

// expand replaces the templates under n. Nodes without any are shared, not copied.
func expand(n *yamltext.Node, env expr.Env, problems *source.Problems) *yamltext.Node {
	out := *n
	switch n.Kind {
	case yamltext.Scalar:
		if !strings.Contains(n.Text.Value, "${{") {
			return n
		}
		if err := fill(&out.Text, env); err != nil {
			article.AddExprError(out.Text, err, problems)
			return n
		}
	case yamltext.List:
		out.Items = nil
		for _, item := range n.Items {
			out.Items = append(out.Items, expand(item, env, problems))
		}
	case yamltext.Map:
		out.Fields = nil
		for _, f := range n.Fields {
			out.Fields = append(out.Fields, yamltext.Field{Key: f.Key, Value: expand(f.Value, env, problems)})
		}
	}
	return &out
}

// maxFills bounds how often what a template brings along is filled in: values may name each other in a circle.
const maxFills = 10

// fill replaces the templates of a text, and those that come with what it puts in. What is wrong with a template as it is
// written was said when the article was read.
func fill(t *source.Text, env expr.Env) error {
	for range maxFills {
		template, err := expr.ParseTemplate(t.Value)
		if err != nil {
			return nil
		}
		text, err := template.Fill(env)
		if err != nil || text == t.Value {
			return err
		}
		if t.Value = text; !strings.Contains(text, "${{") {
			return nil
		}
	}
	return &expr.Error{Msg: "values of the matrix name each other in a circle", Hint: "write out one of them"}
}

// deferred lists the values that a search finds.
func deferred(n *yamltext.Node, at string, list []spec.Deferred) []spec.Deferred {
	switch n.Kind {
	case yamltext.Scalar:
		for _, name := range templateNames(n) {
			if strings.HasPrefix(name.Name, "tune.") {
				return append(list, spec.Deferred{Key: at, Template: n.Text.Value})
			}
		}
	case yamltext.List:
		for i, item := range n.Items {
			list = deferred(item, fmt.Sprintf("%s[%d]", at, i), list)
		}
	case yamltext.Map:
		for _, f := range n.Fields {
			list = deferred(f.Value, strings.TrimPrefix(at+"."+f.Key.Value, "."), list)
		}
	}
	return list
}

// templateNames gives the names in the templates of a text.
func templateNames(n *yamltext.Node) []*expr.Selector {
	if !strings.Contains(n.Text.Value, "${{") {
		return nil
	}
	template, err := expr.ParseTemplate(n.Text.Value)
	if err != nil {
		return nil
	}
	return template.Names()
}
