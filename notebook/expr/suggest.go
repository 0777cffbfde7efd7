package expr

import (
	"slices"
	"strings"
)

// maxSuggest bounds the letters of compared words.
const maxSuggest = 60

// Near returns the candidates that word may misspell: the nearest ones, several if equally near. It ignores case,
// hyphens, underscores, spaces and a plural s, and leaves out word itself.
func Near(word string, candidates []string) []string {
	letters := len([]rune(word))
	if letters > maxSuggest {
		return nil
	}
	most := max(1, letters/3)
	if letters == 1 {
		most = 0
	}
	var best []string
	for _, c := range candidates {
		if len(c) > 2*maxSuggest || c == word {
			continue
		}
		switch d := distance(plain(word), plain(c)); {
		case d > most:
		case d < most || len(best) == 0:
			best, most = []string{c}, d
		case !slices.Contains(best, c):
			best = append(best, c)
		}
	}
	return best
}

// didYouMean suggests how to write the candidate that Near finds, or returns thereIs unless there is exactly one.
func didYouMean(word string, candidates []string, write func(string) string, thereIs string) string {
	if best := Near(word, candidates); len(best) == 1 {
		return "did you mean " + write(best[0]) + "?"
	}
	return thereIs
}

var joints = strings.NewReplacer("-", "", "_", "", " ", "")

// plain returns a word in lower case, without joints and plural s.
func plain(word string) []rune {
	word = joints.Replace(strings.ToLower(word))
	if len(word) > 2 {
		word = strings.TrimSuffix(word, "s")
	}
	return []rune(word)
}

// distance returns the number of insertions, deletions, replacements and swaps of neighbours that turn s into t.
func distance(s, t []rune) int {
	rows := make([][]int, len(s)+1)
	for i := range rows {
		rows[i] = make([]int, len(t)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(s); i++ {
		for j := 1; j <= len(t); j++ {
			other := rows[i-1][j-1]
			if s[i-1] != t[j-1] {
				other++
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, other)
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(s)][len(t)]
}
