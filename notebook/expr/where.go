package expr

import (
	"fmt"
	"strings"
)

// Where reports whether a trial, cell or row fulfils n, a filter as in where, --only and calibrate. There a name is a
// parameter, a label, a column or experiment, whose text lookup returns; texts compare as MatchText says.
//
// A name that others have and this one has not is an empty text and true; false is for names that nobody has. All of
// these are found, also behind an or: the error is an *Error with the cause ErrUnknownName and the place of the
// first. Any other *Error says where n is no condition on texts.
func Where(n Node, lookup func(name string) (string, bool)) (bool, error) {
	for _, s := range Selectors(n) {
		if len(s.Matches) > 0 {
			err := errorAt(s.Span, "a filter compares names, and has no braces")
			err.Hint = `write server == "async"`
			return false, err
		}
		if _, known := lookup(s.Name); !known {
			return false, &Error{
				Span: s.Span, Msg: fmt.Sprintf("unknown name %q", s.Name),
				Hint: hintFilter(s.Name), Err: ErrUnknownName,
			}
		}
	}
	return truth(n, texts(lookup))
}

// hintFilter guesses how a name got into a filter that does not know it.
func hintFilter(name string) string {
	if short, ok := strings.CutPrefix(name, "matrix."); ok {
		return "write " + short
	}
	return fmt.Sprintf("if it is a value, quote it: %q", name)
}

// texts is the Env of a filter.
type texts func(name string) (string, bool)

func (t texts) Select(s *Selector) (Value, error) {
	text, _ := t(s.Name)
	return TextOf(text), nil
}

func (t texts) Call(c *Call) (Value, error) { return nothing{}.Call(c) }
