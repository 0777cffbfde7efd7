package spec

import (
	"testing"

	"benchbook/internal/test/assert"
)

// The example of docs/method.md#tuned-values, and its edges.
func TestCandidates(t *testing.T) {
	for _, test := range []struct {
		name   string
		search Search
		cores  int
		want   []int
	}{
		{"the default of six cores", Search{From: 1}, 6, []int{1, 2, 3, 5, 8, 12, 18, 24}},
		{"at least eight", Search{From: 1}, 1, []int{1, 2, 3, 5, 8}},
		{"the last is cut", Search{From: 1, To: 10}, 4, []int{1, 2, 3, 5, 8, 10}},
		{"from elsewhere", Search{From: 6, To: 20}, 4, []int{6, 9, 14, 20}},
		{"a single one", Search{From: 4, To: 4}, 4, []int{4}},
		{"chosen by another", Search{Of: "e"}, 4, nil},
	} {
		assert.Slice(t, test.search.Candidates(test.cores), test.want, "%s", test.name)
	}
}
