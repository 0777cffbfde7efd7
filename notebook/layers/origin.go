package layers

import (
	"fmt"
	"path"
	"strings"

	"benchbook/notebook/source"
	"benchbook/notebook/yamltext"
)

// IsWritten says that somebody wrote what stands at a place: it is none of our own defaults.
func IsWritten(at source.Pos) bool {
	return at.Source != nil && at.Source.Path != BuiltIn && at.Source.Path != quickName
}

// walk visits every value that is no mapping, with its path of keys. A list counts as one.
func walk(n *yamltext.Node, at string, visit func(key string, n *yamltext.Node)) {
	if n.Kind != yamltext.Map || len(n.Fields) == 0 {
		visit(at, n)
		return
	}
	for _, f := range n.Fields {
		walk(f.Value, strings.TrimPrefix(at+"."+f.Key.Value, "."), visit)
	}
}

// notShown are keys whose values are no part of the definition: names, and what the profile has taken its part of.
var notShown = []string{"name", "extends", "profiles"}

// Origin says where every value came from, by its path.
func (m *Merged) Origin() map[string]string {
	out := map[string]string{}
	walk(m.Node.Without(notShown...), "", func(key string, n *yamltext.Node) {
		if key != "" && !strings.HasPrefix(key, "x-") && !strings.Contains(key, ".x-") {
			out[key] = m.from(n)
		}
	})
	above := map[string]bool{} // the mappings that said values stand in
	for key := range out {
		for i := strings.LastIndexByte(key, '.'); i >= 0; i = strings.LastIndexByte(key[:i], '.') {
			above[key[:i]] = true
		}
	}
	for _, key := range m.rules() {
		said := above[key] || out[key] != ""
		for i := strings.LastIndexByte(key, '.'); i >= 0 && !said; i = strings.LastIndexByte(key[:i], '.') {
			said = out[key[:i]] != ""
		}
		if !said {
			out[key] = BuiltIn
		}
	}
	return out
}

// rules lists the keys that have a value by a rule, where no layer gives them one.
func (m *Merged) rules() []string {
	var keys []string
	for _, f := range fieldsOf(m.Node, "services") {
		keys = append(keys, "services."+f.Key.Value+".healthcheck", "services."+f.Key.Value+".cpuset")
	}
	if m.Node.Get("load") != nil {
		keys = append(keys, "load.cpuset", "load.threads", "load.verify.before", "load.failures.max")
	}
	if m.Node.Get("command") != nil {
		keys = append(keys, "command.cpuset", "command.expect.exit")
	}
	for _, f := range fieldsOf(m.Node, "tune") {
		if at := "tune." + f.Key.Value; f.Value.Get("of") == nil {
			keys = append(keys, at+".from", at+".to", at+".maximize")
		}
	}
	return keys
}

// from says where a value stands.
func (m *Merged) from(n *yamltext.Node) string {
	at := n.Text.Pos.Source
	if at == nil {
		return BuiltIn
	}
	if !IsWritten(n.Text.Pos) || at.Path == optionName {
		return at.Path
	}
	name := at.Path
	switch dir := path.Dir(m.doc.Source.Path); {
	case at == m.doc.Source || path.Dir(name) == dir:
		name = path.Base(name)
	case strings.HasPrefix(name, path.Dir(dir)+"/"):
		name = strings.TrimPrefix(name, path.Dir(dir)+"/")
	}
	line, _ := at.Position(n.Text.Pos.Start)
	where := fmt.Sprintf("%s:%d", name, line)
	if from := m.profile[n]; from != "" {
		return from + ", " + where
	}
	return where
}
