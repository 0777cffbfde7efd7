package render

import (
	"testing"

	"benchbook/internal/test/assert"
)

func TestFirstMarks(t *testing.T) {
	const a, b, c, d, e, other = "a is not valid: x", "b is not valid: x", "c is not valid: x", "d is not valid: x", "e is not valid: x", "different loads"
	for _, tt := range []struct{ marks, want []string }{
		{nil, nil},
		{[]string{a, other, b, c}, []string{a, other, b, c}},
		{[]string{a, b, c, d, other}, []string{a, b, c, d, other}},
		{[]string{a, b, c, d, e, other}, []string{a, b, c, other, "and 2 more cells like these"}},
	} {
		assert.Slice(t, firstMarks(tt.marks), tt.want)
	}
}
