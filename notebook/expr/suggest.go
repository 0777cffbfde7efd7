package expr

import "strings"

// maxMisspelt is longer than anything we could suggest.
const maxMisspelt = 30

// nearest returns the candidate that word was most likely meant to be: the first
// with the fewest edits, and empty if that is another word altogether. Case counts
// for nothing.
func nearest(word string, candidates []string) string {
	if len(word) > maxMisspelt {
		return ""
	}
	word = strings.ToLower(word)
	best, fewest := "", max(1, len(word)/3)+1
	if len(word) < 3 {
		fewest = 1 // one edit makes any short word of any other
	}
	for _, c := range candidates {
		if d := edits(word, strings.ToLower(c)); d < fewest {
			best, fewest = c, d
		}
	}
	return best
}

// edits is how many characters have to be put in, taken out, replaced or swapped with
// their neighbour to make b of a: the optimal string alignment distance.
func edits(a, b string) int {
	from, to := []rune(a), []rune(b)
	rows := make([][]int, len(from)+1)
	for i := range rows {
		rows[i] = make([]int, len(to)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(from); i++ {
		for j := 1; j <= len(to); j++ {
			replaced := rows[i-1][j-1]
			if from[i-1] != to[j-1] {
				replaced++
			}
			rows[i][j] = min(replaced, rows[i-1][j]+1, rows[i][j-1]+1)
			if i > 1 && j > 1 && from[i-1] == to[j-2] && from[i-2] == to[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(from)][len(to)]
}
