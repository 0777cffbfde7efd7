package article

import "strings"

// nearest gives the candidate that is most like word, if one is near enough to be what was meant.
func nearest(word string, candidates []string) (string, bool) {
	best, least := "", 1+max(1, len([]rune(word))/3)
	for _, c := range candidates {
		if d := distance(strings.ToLower(word), strings.ToLower(c)); d < least {
			best, least = c, d
		}
	}
	return best, best != ""
}

// Suggest is a hint about what a misspelt word may mean: the nearest candidate, else all of them.
func Suggest(word string, candidates []string) string {
	if c, ok := nearest(word, candidates); ok {
		return `did you mean "` + c + `"?`
	}
	if len(candidates) == 0 {
		return ""
	}
	return "known here: " + strings.Join(candidates, ", ")
}

// distance counts insertions, deletions, replacements and swaps of neighbours that turn a into b
// (optimal string alignment).
func distance(a, b string) int {
	s, t := []rune(a), []rune(b)
	var before, above []int
	row := make([]int, len(t)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(s); i++ {
		before, above, row = above, row, make([]int, len(t)+1)
		row[0] = i
		for j := 1; j <= len(t); j++ {
			step := 1
			if s[i-1] == t[j-1] {
				step = 0
			}
			row[j] = min(above[j]+1, row[j-1]+1, above[j-1]+step)
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(t)]
}
