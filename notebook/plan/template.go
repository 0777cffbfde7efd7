package plan

import (
	"fmt"
	"slices"
	"strings"

	"benchbook/notebook/article"
	"benchbook/notebook/expr"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

// settings answers what ${{ }} asks: matrix.x, tune.x, profile and services.x.port.
type settings struct {
	combination
	profile  string
	ports    map[string]string // first exposed port by service
	searches map[string]bool   // names that a search finds a value for
	secrets  map[string]bool   // names of secrets; nil where none can be known
	tuned    map[string]string // what searches have found, by name; nil before
	unread   bool              // the matrix could not be read
	early    bool              // in the matrix itself, whose values are looked at again where they are used
}

// known is the hint for a name that templates do not know.
const known = "${{ }} knows matrix.NAME, tune.NAME, secrets.NAME, profile and services.NAME.port"

func (s settings) Call(n *expr.Call) (expr.Value, error) {
	return fail(n.Span, n.Name+" cannot be used here", known)
}

func (s settings) Select(n *expr.Selector) (expr.Value, error) {
	if n.Name == "profile" {
		return expr.TextOf(s.profile), nil
	}
	if s.early {
		return expr.Value{}, expr.ErrDeferred
	}
	switch head, rest, _ := strings.Cut(n.Name, "."); head {
	case "matrix":
		if s.fields == nil {
			return fail(n.Span, "this is the same for all cells, so it cannot use the matrix",
				"services, load, command, tune, capacity and prepare can")
		}
		if v, ok := s.fields[rest]; ok {
			return expr.TextOf(v), nil
		}
		if s.unread {
			return expr.Value{}, expr.ErrDeferred
		}
		return unknown(n, "parameter", rest, s.fields)
	case "tune":
		return s.tune(n, rest)
	case "secrets":
		return s.secret(n, rest)
	case "services":
		if service, field, _ := strings.Cut(rest, "."); field == "port" && len(s.ports) > 0 {
			return s.port(n, service)
		}
	}
	return fail(n.Span, `"`+n.Name+`" is not known here`, known)
}

// tune returns the value that a search has found, if it is known.
func (s settings) tune(n *expr.Selector, name string) (expr.Value, error) {
	switch v, found := s.tuned[name]; {
	case found:
		return expr.TextOf(v), nil
	case s.searches[name]:
		return expr.Value{}, expr.ErrDeferred
	case s.searches == nil:
		return fail(n.Span, "tuned values are not known here", "services, load, command and prepare can use it")
	}
	return unknown(n, "search", name, s.searches)
}

// secret returns the template without blanks, one word of a command: it is filled in when a trial starts.
func (s settings) secret(n *expr.Selector, name string) (expr.Value, error) {
	switch {
	case s.secrets[name]:
		return expr.TextOf("${{secrets." + name + "}}"), nil
	case s.secrets == nil:
		return fail(n.Span, "secrets are not known here", "services, load, command and prepare can use them")
	case len(s.secrets) == 0:
		return fail(n.Span, `no secret "`+name+`" in this experiment`,
			"add secrets: {"+name+": {environment: NAME}} to the experiment")
	}
	return unknown(n, "secret", name, s.secrets)
}

func (s settings) port(n *expr.Selector, service string) (expr.Value, error) {
	switch port, ok := s.ports[service]; {
	case !ok:
		return unknown(n, "service", service, s.ports)
	case port == "":
		return fail(n.Span, `service "`+service+`" exposes no port`, "add expose: to it")
	default:
		return expr.TextOf(port), nil
	}
}

func fail(at expr.Span, message, hint string) (expr.Value, error) {
	return expr.Value{}, &expr.Error{Span: at, Msg: message, Hint: hint}
}

// unknown is the error for a name that is not among the known ones.
func unknown[T any](n *expr.Selector, what, word string, known map[string]T) (expr.Value, error) {
	hint := source.Suggest(word, sortedKeys(known))
	if len(known) == 0 {
		hint = "there is none"
	}
	return fail(n.Span, "no "+what+` "`+word+`" in this experiment`, hint)
}

// firstPort returns the port that ${{ services.x.port }} means; an origin has port 80.
func firstPort(service *source.Node, env settings, problems *source.Problems) string {
	n := service.Get("expose")
	if n == nil {
		if service.Get("origin") != nil {
			return "80"
		}
		return ""
	}
	if n.Kind == source.List && len(n.Items) > 0 {
		n = n.Items[0]
	}
	if n.Kind != source.Scalar {
		return ""
	}
	return expand(n, env, problems).Text.Value
}

// expandAll replaces the templates of an experiment. What they may name depends on where they are.
func expandAll(n *source.Node, env settings, problems *source.Problems) *source.Node {
	return expandFields(n, func(key string, value *source.Node) *source.Node {
		here := env
		if key == "tune" || key == "capacity" {
			here.searches, here.secrets = nil, nil
		}
		return expand(value, here, problems)
	})
}

// expandFields is a mapping with the values that expand gives.
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
		if !strings.Contains(n.Text.Value, "${{") {
			return n
		}
		if err := fill(&out.Text, env); err != nil {
			article.AddExprError(out.Text, err, problems)
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
		if t.Value = text; !strings.Contains(text, "${{") {
			return nil
		}
	}
	return &expr.Error{Msg: "values of the matrix refer to each other in a cycle", Hint: "write out one of them"}
}

// deferred returns the values under n that a search finds.
func deferred(n *source.Node) []spec.Deferred {
	var list []spec.Deferred
	visitNames(n, "", func(at string, n *source.Node, name *expr.Selector) {
		one := spec.Deferred{Key: at, Template: n.Text.Value}
		if strings.HasPrefix(name.Name, "tune.") && !slices.Contains(list, one) {
			list = append(list, one)
		}
	})
	return list
}

// visitNames visits every name in the templates under n, with the path of keys of its value.
func visitNames(n *source.Node, at string, visit func(at string, n *source.Node, name *expr.Selector)) {
	if n.Kind == source.Scalar && strings.Contains(n.Text.Value, "${{") {
		template, err := expr.ParseTemplate(n.Text.Value)
		if err != nil {
			return // reported when the article was read
		}
		for _, name := range template.Names() {
			visit(at, n, name)
		}
	}
	for i, item := range n.Items {
		visitNames(item, fmt.Sprintf("%s[%d]", at, i), visit)
	}
	for _, f := range n.Fields {
		visitNames(f.Value, strings.TrimPrefix(at+"."+f.Key.Value, "."), visit)
	}
}
