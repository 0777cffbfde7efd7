package yamltext

import (
	"bytes"
	"fmt"
	"slices"

	"gopkg.in/yaml.v3"
)

// Without returns a document without some keys of its mapping, and unchanged if it has none of them. A merge key or
// alias of the mapping may stand for any key, so it is an error.
func Without(text []byte, keys ...string) ([]byte, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return nil, err
	}
	if len(document.Content) == 0 || document.Content[0].Kind != yaml.MappingNode {
		return text, nil
	}
	top, kept := document.Content[0], []*yaml.Node(nil)
	for i := 0; i+1 < len(top.Content); i += 2 {
		if key := top.Content[i]; key.Kind == yaml.AliasNode || key.Tag == "!!merge" {
			return nil, fmt.Errorf("line %d: write out the keys that << or * stands for", key.Line)
		}
		if !slices.Contains(keys, top.Content[i].Value) {
			kept = append(kept, top.Content[i], top.Content[i+1])
		}
	}
	if len(kept) == len(top.Content) {
		return text, nil
	}
	top.Content = kept
	var out bytes.Buffer
	e := yaml.NewEncoder(&out)
	e.SetIndent(2)
	if err := e.Encode(&document); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
