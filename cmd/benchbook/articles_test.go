package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
)

// The articles of this repository assert nothing that their own numbers deny, and would not if these came out
// otherwise. This counts the places:
//
//	benchbook check 2>&1 | grep -c asserts-what-does-not-hold
func TestArticlesAssertWhatHolds(t *testing.T) {
	for _, args := range [][]string{{"check"}, {"check", "--mutate"}} {
		var said bytes.Buffer
		status := run(append([]string{"-C", filepath.Join("..", "..")}, args...), &said, &said, scripted())
		if n := strings.Count(said.String(), "[asserts-what-does-not-hold]"); n > 0 || status != 0 {
			t.Errorf("benchbook %s: status %d, %d places assert what does not hold:\n%s",
				strings.Join(args, " "), status, n, &said)
		}
	}
}
