package stats

import (
	"math"
	"slices"
	"testing"
)

func TestLooks(t *testing.T) {
	for n, want := range map[int][]int{
		1: {1}, 3: {3}, 4: {3, 4}, 5: {3, 5}, 7: {3, 5, 7}, 10: {3, 5, 10}, 20: {3, 5, 10, 20}, 40: {3, 5, 10, 20, 40},
		41: {3, 5, 10, 20, 40, 41},
	} {
		if got := Looks(n); !slices.Equal(got, want) {
			t.Errorf("up to %d: looks %v, want %v", n, got, want)
		}
	}
}

// Example 12 of the method, and what stands around it.
func TestLevel(t *testing.T) {
	tests := []struct {
		name        string
		planned     []int
		rounds, run int
		want        float64
	}{
		{"a plain number", []int{5}, 5, 1, 0.05},
		{"up to 20", Looks(20), 20, 1, 0.0125},
		{"up to 20, ended at the first look", Looks(20), 3, 1, 0.0125},
		{"its second whole run", Looks(20), 20, 2, 0.00625},
		{"its third", Looks(20), 3, 3, 0.003125},
		{"up to 10, then added to 20", Looks(10), 20, 1, 0.0125},
		{"up to 10, then added to 40", Looks(10), 40, 1, 0.01},
		{"5, then added to 7", []int{5}, 7, 1, 0.05 / 3},
		{"2, then added to 3", []int{2}, 3, 1, 0.025},
		{"looks of its own, then one more", []int{30, 60}, 61, 1, 0.05 / 6},
		{"three looks of its own below the third of ours, then one more", []int{3, 4, 5}, 6, 1, 0.0125},
		{"nothing planned", nil, 12, 1, 0.05},
	}
	for _, tt := range tests {
		got := Level(DefaultAlpha, LookCount(tt.planned, tt.rounds), tt.run)
		if math.Abs(got-tt.want) > 1e-15 {
			t.Errorf("%s: level %v, want %v", tt.name, got, tt.want)
		}
	}
}
