package expr

import (
	"fmt"
	"strings"
)

// Where reports whether a trial, cell or row fulfils n, a filter as in where, --only and calibrate. A name is a
// parameter, a label, a column or experiment, whose text lookup returns; texts compare as in MatchText.
//
// Lookup returns an empty text and true for a name that only others have, and false for an unknown one. The first
// unknown name, even behind an or, is an *Error with the cause ErrUnknownName. Any other *Error says where n is not a
// condition on texts.
func Where(n Node, lookup func(name string) (string, bool)) (bool, error) {
	for _, s := range Selectors(n) {
		if len(s.Matches) > 0 {
			return false, errorAt(s.Span, "a filter compares names, and has no braces").hint(`write server == "async"`)
		}
		if _, known := lookup(s.Name); !known {
			hint := fmt.Sprintf("if it is a value, quote it: %q", s.Name)
			if short, ok := strings.CutPrefix(s.Name, "matrix."); ok {
				hint = "write " + short
			}
			return false, &Error{
				Span: s.Span, Msg: fmt.Sprintf("unknown name %q", s.Name),
				Hint: hint, Err: ErrUnknownName,
			}
		}
	}
	v, err := truth(n, texts(lookup))
	return v.Truth, err
}

// texts is the Env of a filter.
type texts func(name string) (string, bool)

func (t texts) Select(s *Selector) (Value, error) {
	text, _ := t(s.Name)
	return TextOf(text), nil
}

func (t texts) Call(c *Call) (Value, error) { return nothing{}.Call(c) }
