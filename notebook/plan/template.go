package plan

import (
	"cmp"
	"maps"
	"strings"

	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/expr"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

// settings is the expr.Env of templates. It resolves matrix.x, tune.x, secrets.x, services.x.port and profile.
type settings struct {
	profile string
	// values of names by their first word: parameters and labels, tuned values (empty until found), templates of secrets,
	// and the first exposed ports of services. First words that cannot be used here are missing.
	values map[string]map[string]string
	unread bool // the matrix could not be read
	early  bool // in the matrix itself, whose names are resolved later, where its values are used
}

// spaces has the noun for each first word of names, and a message and hint for places where it cannot be used.
var spaces = map[string]struct{ what, notHere, hint string }{
	"matrix": {"parameter", "this is the same for all cells, so it cannot use the matrix",
		"services, load, command, tune, capacity and prepare can"},
	"tune":     {"search", "tuned values are not known here", "services, load, command and prepare can use it"},
	"secrets":  {"secret", "secrets are not known here", "services, load, command and prepare can use them"},
	"services": {"service", "ports are not known here", "services, load, command and prepare can use them"},
}

// known is the hint for a name that no template can use.
const known = "${{ }} knows matrix.NAME, tune.NAME, secrets.NAME, profile and services.NAME.port"

func (s settings) Call(n *expr.Call) (expr.Value, error) {
	return fail(n.Span, n.Name+" cannot be used here", known)
}

func (s settings) Select(n *expr.Selector) (expr.Value, error) {
	head, name, _ := strings.Cut(n.Name, ".")
	if service, isPort := strings.CutSuffix(name, ".port"); isPort && head == "services" {
		name = service
	} else if head == "services" {
		head = ""
	}
	space, isKnown := spaces[head]
	value, found := s.values[head][name]
	blank := found && value == ""
	switch {
	case n.Name == "profile":
		return expr.TextOf(s.profile), nil
	case s.early, head == "tune" && blank, head == "matrix" && !found && s.unread:
		return expr.Value{}, expr.ErrDeferred
	case !isKnown:
		return fail(n.Span, `"`+n.Name+`" is not known here`, known)
	case s.values[head] == nil:
		return fail(n.Span, space.notHere, space.hint)
	case head == "services" && blank:
		return fail(n.Span, `service "`+name+`" exposes no port`, "add expose: to it")
	case found:
		return expr.TextOf(value), nil
	}
	hint := source.Suggest(name, sortedKeys(s.values[head]))
	return fail(n.Span, "no "+space.what+` "`+name+`" in this experiment`, cmp.Or(hint, missing(head, name)))
}

// missing returns the hint for an experiment that has no parameters, searches, secrets or services at all.
func missing(head, name string) string {
	if head == "secrets" {
		return "add secrets: {" + name + ": {environment: NAME}} to the experiment"
	}
	return "add " + head + ": to the experiment"
}

func fail(at expr.Span, message, hint string) (expr.Value, error) {
	return expr.Value{}, &expr.Error{Span: at, Msg: message, Hint: hint}
}

// firstPort returns the value of ${{ services.x.port }}, empty without a port; an origin has port 80.
func firstPort(service *source.Node, env settings, problems *source.Problems) string {
	if ports := service.Under("expose").List(); len(ports) > 0 {
		return expand(ports[0], env, problems).Text.Value
	}
	if service.Get("origin") != nil {
		return "80"
	}
	return ""
}

// expandAll replaces the templates of an experiment. tune and capacity cannot use tuned values and secrets.
func expandAll(n *source.Node, env settings, problems *source.Problems) *source.Node {
	return expandFields(n, func(key string, value *source.Node) *source.Node {
		here := env
		if key == "tune" || key == "capacity" {
			here.values = maps.Clone(env.values)
			delete(here.values, "tune")
			delete(here.values, "secrets")
		}
		return expand(value, here, problems)
	})
}

// expandFields returns a copy of a mapping with its values replaced by expand.
func expandFields(n *source.Node, expand func(key string, value *source.Node) *source.Node) *source.Node {
	out := *n
	out.Fields = nil
	for _, f := range n.Fields {
		out.Fields = append(out.Fields, source.Field{Key: f.Key, Value: expand(f.Key.Value, f.Value)})
	}
	return &out
}

// expand replaces the templates under n. Nodes without any are shared, not copied.
func expand(n *source.Node, env expr.Env, problems *source.Problems) *source.Node {
	out := *n
	switch n.Kind {
	case source.Scalar:
		if !isTemplate(n.Text) {
			return n
		}
		if err := fill(&out.Text, env); err != nil {
			article.AddExprError(out.Text, err, problems)
			problems.Mute(out.Text.Pos) // later checks would take the template for a file name, for example
			return n
		}
	case source.List:
		out.Items = nil
		for _, item := range n.Items {
			out.Items = append(out.Items, expand(item, env, problems))
		}
	case source.Map:
		return expandFields(n, func(_ string, value *source.Node) *source.Node { return expand(value, env, problems) })
	}
	return &out
}

// maxFills bounds how often templates in filled-in values are filled in: values may refer to each other in a cycle.
const maxFills = 10

// fill replaces the templates of a text, and the templates in their values. Syntax errors were reported when the article
// was read.
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
		if t.Value = text; !isTemplate(*t) {
			return nil
		}
	}
	return &expr.Error{Msg: "values of the matrix refer to each other in a cycle", Hint: "write out one of them"}
}

// deferred returns the values under n that contain tuned values.
func deferred(n *source.Node) (list []spec.Deferred) {
	visitNames(n, func(at string, t source.Text, name *expr.Selector) {
		if strings.HasPrefix(name.Name, "tune.") {
			list = slice.Add(list, spec.Deferred{Key: at, Template: t.Value})
		}
	})
	return list
}

// visitNames calls visit for every name in the templates under n, with the path of keys to its value.
func visitNames(n *source.Node, visit func(at string, t source.Text, name *expr.Selector)) {
	n.Visit("", func(at string, t source.Text) {
		if !isTemplate(t) {
			return
		}
		template, err := expr.ParseTemplate(t.Value)
		if err != nil {
			return // reported when the article was read
		}
		for _, name := range template.Names() {
			visit(at, t, name)
		}
	})
}
