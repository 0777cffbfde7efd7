package loadgen

import (
	"strings"
	"testing"
)

func TestIsMark(t *testing.T) {
	for c := range 256 {
		if got, want := isMark(byte(c)), strings.IndexByte("!#$%&'*+-.^_`|~", byte(c)) >= 0; got != want {
			t.Errorf("%q: got %v, want %v", rune(c), got, want)
		}
	}
}
