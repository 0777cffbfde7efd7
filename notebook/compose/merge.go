package compose

import (
	"slices"
	"strings"

	"benchbook/notebook/article"
	"benchbook/notebook/source"
	"benchbook/notebook/yamltext"
)

// Merge lays the services of an article over those of Compose files, as Compose lays one file over another: mappings
// merge, what has a target replaces what has the same one, lists grow, and commands replace. Null removes.
//
// Source: the Compose specification, "Merge".
func Merge(base, over *yamltext.Node) *yamltext.Node {
	if over == nil || over.Kind != yamltext.Map {
		return base
	}
	shaped := *over
	shaped.Fields = slices.Clone(over.Fields)
	for i, service := range shaped.Fields {
		below := base.Get(service.Key.Value)
		if below == nil || service.Value.Kind != yamltext.Map {
			continue
		}
		above := *service.Value
		above.Fields = nil
		for _, f := range service.Value.Fields {
			f.Value = overlaid(f.Key.Value, below.Get(f.Key.Value), f.Value)
			above.Fields = append(above.Fields, f)
		}
		for key, other := range map[string]string{"image": "build", "build": "image"} {
			if above.Get(key) != nil && above.Get(other) == nil && below.Get(key) == nil && below.Get(other) != nil {
				none := &yamltext.Node{Kind: yamltext.Null, Text: source.Text{Pos: above.Get(key).Text.Pos}}
				above.Fields = append(above.Fields, yamltext.Field{Key: source.Text{Value: other, Pos: none.Text.Pos}, Value: none})
			}
		}
		shaped.Fields[i].Value = &above
	}
	return article.Merge(base, &shaped)
}

// overlaid is the value of a key of a service in a shape in which merging gives what Compose would.
func overlaid(key string, below, above *yamltext.Node) *yamltext.Node {
	if below == nil || above.Kind == yamltext.Null {
		return above
	}
	switch key {
	case "environment", "sysctls":
		return mapping(above, "=")
	case "depends_on":
		return mapping(above, "")
	case "build":
		return buildOver(below, above)
	case "volumes", "configs":
		return appended(below, above, targetOf)
	case "secrets":
		return appended(below, above, func(n *yamltext.Node) string {
			if source := n.Get("source"); source != nil && n.Get("target") == nil {
				return target("", secretsDir, source.Text.Value)
			}
			return target(targetOf(n), secretsDir, "")
		})
	case "expose", "tmpfs", "cap_add", "cap_drop", "security_opt":
		return appended(below, above, func(n *yamltext.Node) string { return n.Text.Value })
	}
	return above
}

// mapping is a list as a mapping: its items are names, with values after the separator if there is one.
func mapping(n *yamltext.Node, separator string) *yamltext.Node {
	if n.Kind != yamltext.List {
		return n
	}
	out := &yamltext.Node{Kind: yamltext.Map, Text: n.Text}
	for _, item := range n.Items {
		name, value := item.Text, &yamltext.Node{Kind: yamltext.Map, Text: source.Text{Pos: item.Text.Pos}}
		if separator != "" {
			at := strings.Index(name.Value, separator)
			if item.Kind != yamltext.Scalar || at < 0 {
				return n // which is reported when it is decoded
			}
			value = &yamltext.Node{Text: name.Part(at+1, len(name.Value))}
			name = name.Part(0, at)
		}
		out.Fields = append(out.Fields, yamltext.Field{Key: name, Value: value})
	}
	return out
}

func buildOver(below, above *yamltext.Node) *yamltext.Node {
	if above.Kind == yamltext.Scalar {
		return &yamltext.Node{Kind: yamltext.Map, Text: above.Text, Fields: []yamltext.Field{
			{Key: source.Text{Value: "context", Pos: above.Text.Pos}, Value: above}}}
	}
	if above.Kind != yamltext.Map {
		return above
	}
	out := *above
	out.Fields = slices.Clone(above.Fields)
	other := map[string]string{"dockerfile": "dockerfile_inline", "dockerfile_inline": "dockerfile"}
	for i, f := range above.Fields {
		if f.Key.Value == "args" {
			out.Fields[i].Value = mapping(f.Value, "=")
		}
		if hides := other[f.Key.Value]; hides != "" && below.Get(hides) != nil && above.Get(hides) == nil {
			out.Fields = append(out.Fields, yamltext.Field{Key: source.Text{Value: hides, Pos: f.Key.Pos},
				Value: &yamltext.Node{Kind: yamltext.Null, Text: source.Text{Pos: f.Key.Pos}}})
		}
	}
	return &out
}

// targetOf is where a volume or config is in the container.
func targetOf(n *yamltext.Node) string {
	if n.Kind == yamltext.Map {
		if target := n.Get("target"); target != nil {
			return target.Text.Value
		}
		return ""
	}
	parts := strings.Split(n.Text.Value, ":")
	if len(parts) == 1 {
		return parts[0]
	}
	return parts[1]
}

// appended is a list with the items of another behind those of the first, each key once: the later one, in the place of
// the earlier.
func appended(below, above *yamltext.Node, key func(*yamltext.Node) string) *yamltext.Node {
	if above.Kind == yamltext.Scalar {
		above = &yamltext.Node{Kind: yamltext.List, Text: above.Text, Items: []*yamltext.Node{above}}
	}
	if above.Kind != yamltext.List || below.Kind != yamltext.List {
		return above
	}
	out := &yamltext.Node{Kind: yamltext.List, Text: above.Text, Items: slices.Clone(below.Items)}
	for _, item := range above.Items {
		i := slices.IndexFunc(out.Items, func(o *yamltext.Node) bool { return key(o) == key(item) })
		if i >= 0 {
			out.Items[i] = item
		} else {
			out.Items = append(out.Items, item)
		}
	}
	return out
}
