package article

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// What the steps from one word to another cost. Steps that hardly make another word of it, such as another case or -
// for _, cost so little that several of them are still near.
const (
	costEdit   = 12 // a letter more, less or other
	costSwap   = 9  // two neighbours swapped
	costPlural = 4  // an s more or less at the end
	costHyphen = 2  // - for _ or a space, or none for one of them
	costCase   = 1  // a capital for a small letter
)

// maxListed bounds the words that a hint lists.
const maxListed = 12

// maxSuggest is longer than any word that is worth comparing.
const maxSuggest = 60

// near gives the candidates that are most like word, if they are near enough to be what was meant; several if they
// are equally near.
func near(word string, candidates []string) []string {
	letters := len([]rune(word))
	if letters > maxSuggest {
		return nil
	}
	most := costEdit * max(1, letters/3)
	var best []string
	for _, c := range candidates {
		if len(c) > 2*maxSuggest || c == word {
			continue
		}
		switch d := distance(word, c); {
		case d > most:
		case d < most || len(best) == 0:
			best, most = []string{c}, d
		case !slices.Contains(best, c):
			best = append(best, c)
		}
	}
	return best
}

// nearest gives the candidate that is most like word, the first of several, if one is near enough to be what was
// meant.
func nearest(word string, candidates []string) (string, bool) {
	if best := near(word, candidates); len(best) > 0 {
		return best[0], true
	}
	return "", false
}

// Suggest is a hint about what a misspelt word may mean: the candidate that is nearest to it, or two that are equally
// near, else all of them, the first dozen written out. It is empty if there are none.
func Suggest(word string, candidates []string) string {
	switch best := near(word, candidates); len(best) {
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

// distance is the least cost of the steps that turn a into b (optimal string alignment, with weights).
func distance(a, b string) int {
	s, t := []rune(a), []rune(b)
	extra := func(word []rune, i int) int {
		switch {
		case joint(word[i]):
			return costHyphen
		case i == len(word)-1 && i > 1 && unicode.ToLower(word[i]) == 's':
			return costPlural
		}
		return costEdit
	}
	rows := make([][]int, len(s)+1)
	for i := range rows {
		rows[i] = make([]int, len(t)+1)
		if i > 0 {
			rows[i][0] = rows[i-1][0] + extra(s, i-1)
		}
	}
	for j := 1; j <= len(t); j++ {
		rows[0][j] = rows[0][j-1] + extra(t, j-1)
	}
	for i := 1; i <= len(s); i++ {
		for j := 1; j <= len(t); j++ {
			row := min(rows[i-1][j]+extra(s, i-1), rows[i][j-1]+extra(t, j-1), rows[i-1][j-1]+other(s[i-1], t[j-1]))
			if i > 1 && j > 1 && s[i-1] != s[i-2] {
				if crossed := other(s[i-1], t[j-2]) + other(s[i-2], t[j-1]); crossed < costEdit {
					row = min(row, rows[i-2][j-2]+costSwap+crossed)
				}
			}
			rows[i][j] = row
		}
	}
	return rows[len(s)][len(t)]
}

// other is the cost of writing one character for another.
func other(r, q rune) int {
	switch {
	case r == q:
		return 0
	case unicode.ToLower(r) == unicode.ToLower(q):
		return costCase
	case joint(r) && joint(q):
		return costHyphen
	}
	return costEdit
}

// joint says that a character only holds the parts of a name together.
func joint(r rune) bool { return r == '-' || r == '_' || r == ' ' }
