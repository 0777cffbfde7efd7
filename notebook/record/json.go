package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// InvalidJSON says what is wrong with JSON without the names of Go's types. Any other error stays as it is.
func InvalidJSON(err error) error {
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		if strings.HasPrefix(syntax.Error(), "unexpected end") {
			return errors.New("the JSON ends too early")
		}
		return fmt.Errorf("invalid JSON at byte %d", syntax.Offset)
	}
	if kind, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		value, number, _ := strings.Cut(kind.Value, " ") // "number 1.5"
		article := "a"
		if strings.ContainsAny(value[:min(len(value), 1)], "aeiou") {
			article = "an"
		}
		if kind.Field == "" {
			return fmt.Errorf("the JSON cannot be %s %s", article, value)
		}
		return errors.New(strings.TrimRight(fmt.Sprintf("%q cannot be %s %s %s", kind.Field, article, value, number), " "))
	}
	return err
}
