package loadgen

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// LookUp follows a path to a single value and returns it as text, a string without its quotes. Doc is what
// encoding/json decodes into an any; with UseNumber, numbers come as they were written.
func LookUpJSON(doc any, path string) (string, error) {
	for step := range strings.SplitSeq(path, ".") {
		switch parent := doc.(type) {
		case map[string]any:
			child, ok := parent[step]
			if !ok {
				return "", fmt.Errorf("there is no %q", step)
			}
			doc = child
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(parent) {
				return "", fmt.Errorf("there is no %q in a list of %d", step, len(parent))
			}
			doc = parent[i]
		default:
			return "", fmt.Errorf("there is no %q in a single value", step)
		}
	}
	switch doc := doc.(type) {
	case string:
		return doc, nil
	case map[string]any, []any:
		return "", errors.New("it is not a single value")
	case nil:
		return "null", nil
	default: // json.Number, bool
		return fmt.Sprint(doc), nil
	}
}
