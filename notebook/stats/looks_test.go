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

// Example 12 of the method.
func TestLevel(t *testing.T) {
	for _, tt := range []struct {
		name  string
		looks []int
		want  float64
	}{
		{"a plain number", []int{5}, 0.05},
		{"up to 20", Looks(20), 0.0125},
		{"up to 40", Looks(40), 0.01},
		{"nothing planned", nil, 0.05},
	} {
		if got := Level(DefaultAlpha, len(tt.looks)); math.Abs(got-tt.want) > 1e-15 {
			t.Errorf("%s: level %v, want %v", tt.name, got, tt.want)
		}
	}
}
