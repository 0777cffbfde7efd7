package timing

import (
	"strings"
	"testing"
)

func TestSearchInPieces(t *testing.T) {
	for _, text := range []string{"", "ab", "aaaaab", "an aab", "aa", "xaabx"} {
		for a := range len(text) + 1 {
			for b := a; b <= len(text); b++ {
				s := searchFor("aab")
				for _, piece := range []string{text[:a], text[a:b], text[b:]} {
					s.add([]byte(piece))
				}
				if want := strings.Contains(text, "aab"); s.found != want {
					t.Errorf("%q, %q, %q: found %v, want %v", text[:a], text[a:b], text[b:], s.found, want)
				}
			}
		}
	}
	if !searchFor("").found {
		t.Error("the empty text is not found")
	}
}
