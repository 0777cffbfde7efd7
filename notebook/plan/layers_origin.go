package plan

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"benchbook/notebook/source"
	"benchbook/notebook/yamltext"
)

// IsWritten says that somebody wrote the value at a place: it is not a built-in default.
func IsWritten(at source.Pos) bool {
	return at.Source != nil && at.Source.Path != BuiltIn && at.Source.Path != BuiltQuick
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

// notShown are keys that are not part of the definition: names, and profiles, which are merged already.
var notShown = []string{"name", "extends", "profiles"}

// Origin says where every value came from, by its path.
func (m *Merged) Origin() map[string]string {
	out := map[string]string{}
	walk(m.Node.Without(notShown...), "", func(key string, n *yamltext.Node) {
		if key != "" && !strings.HasPrefix(key, "x-") && !strings.Contains(key, ".x-") {
			out[key] = m.originOf(n)
		}
	})
	parents := map[string]bool{} // of the keys that are written
	for key := range out {
		for _, parent := range parentsOf(key) {
			parents[parent] = true
		}
	}
	for _, key := range m.ruledKeys() {
		isWritten := func(key string) bool { return out[key] != "" }
		if !isWritten(key) && !parents[key] && !slices.ContainsFunc(parentsOf(key), isWritten) {
			out[key] = BuiltIn
		}
	}
	return out
}

// parentsOf lists the keys that contain a key, the nearest first.
func parentsOf(key string) (parents []string) {
	for at := strings.LastIndexByte(key, '.'); at > 0; at = strings.LastIndexByte(key, '.') {
		key = key[:at]
		parents = append(parents, key)
	}
	return parents
}

// ruledKeys lists the keys that get a value by a rule if no layer has one.
func (m *Merged) ruledKeys() []string {
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

// originOf is the origin of a value: its file and line, with the profile that it is from.
func (m *Merged) originOf(n *yamltext.Node) string {
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
