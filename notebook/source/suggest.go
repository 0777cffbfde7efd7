package source

import (
	"fmt"
	"strings"

	"benchbook/notebook/expr"
)

// maxListed bounds the words that a hint lists.
const maxListed = 16

// Nearest gives the candidate that is most like word, the first of several, if one is near enough to be what was
// meant.
func Nearest(word string, candidates []string) (string, bool) {
	if best := expr.Near(word, candidates); len(best) > 0 {
		return best[0], true
	}
	return "", false
}

// Suggest is a hint about what a misspelt word may mean: the candidate that is nearest to it, or two that are equally
// near, else all of them, the first dozen written out. It is empty if there are none.
func Suggest(word string, candidates []string) string {
	switch best := expr.Near(word, candidates); len(best) {
	case 1:
		return fmt.Sprintf("did you mean %q?", best[0])
	case 2:
		return fmt.Sprintf("did you mean %q or %q?", best[0], best[1])
	}
	if len(candidates) == 0 {
		return ""
	}
	hint := "known here: " + strings.Join(candidates[:min(len(candidates), maxListed)], ", ")
	if more := len(candidates) - maxListed; more > 0 {
		hint += fmt.Sprintf(" and %d more", more)
	}
	return hint
}
