package yamltext

import (
	"bytes"
	"slices"

	"gopkg.in/yaml.v3"
)

// Without is a document without some keys of the mapping that it is; as it is if it has none of them.
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
