package expr

import (
	"slices"
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

// maxSuggest is longer than any word that is worth comparing.
const maxSuggest = 60

// Near gives the candidates that are most like word, if they are near enough to be what was meant; several if they
// are equally near. One letter for another is never near to a word of a single letter, nor is the word itself.
func Near(word string, candidates []string) []string {
	letters := len([]rune(word))
	if letters > maxSuggest {
		return nil
	}
	most := costEdit * max(1, letters/3)
	if letters == 1 {
		most = costEdit - 1
	}
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

// nearest is the only candidate that Near finds, or empty.
func nearest(word string, candidates []string) string {
	if best := Near(word, candidates); len(best) == 1 {
		return best[0]
	}
	return ""
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
