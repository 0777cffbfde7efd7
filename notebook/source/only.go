package source

import (
	"bytes"
	"fmt"
	"slices"

	"gopkg.in/yaml.v3"
)

// Only returns a YAML mapping with the given keys alone. Text without other keys, and text that is not a mapping, is
// returned unchanged. Merge keys and aliases as keys are errors.
func Only(text []byte, keys ...string) ([]byte, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return nil, err
	}
	if len(document.Content) == 0 || document.Content[0].Kind != yaml.MappingNode {
		return text, nil
	}
	top, kept := document.Content[0], []*yaml.Node(nil)
	for i := 0; i+1 < len(top.Content); i += 2 {
		key := top.Content[i]
		if key.Kind == yaml.AliasNode || key.Tag == "!!merge" {
			return nil, fmt.Errorf("line %d: write out the keys that << or * stands for", key.Line)
		}
		if slices.Contains(keys, key.Value) {
			kept = append(kept, key, top.Content[i+1])
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
