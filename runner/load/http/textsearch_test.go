package http

import (
	"strings"
	"testing"
)

// However a text is cut, what is in it is found.
func TestSearch(t *testing.T) {
	for _, text := range []string{"", "ab", "aaaaab", "an aab", "aa", "xaabx"} {
		for a := range len(text) + 1 {
			for b := a; b <= len(text); b++ {
				s := SearchFor("aab")
				for _, piece := range []string{text[:a], text[a:b], text[b:]} {
					s.Add([]byte(piece))
				}
				if want := strings.Contains(text, "aab"); s.Found() != want {
					t.Errorf("%q, %q, %q: found %v, want %v", text[:a], text[a:b], text[b:], s.Found(), want)
				}
			}
		}
	}
	var empty Search
	if empty.Add([]byte("x")); !empty.Found() {
		t.Error("the empty text is not found")
	}
}
