package chart

import (
	"maps"
	"slices"
	"testing"

	"benchbook/notebook/article"
)

// Each kind of figure is drawn, and nothing else is.
func TestDrawersHaveEachKind(t *testing.T) {
	var want []string
	for _, k := range article.FigureKinds {
		want = append(want, k.Drawn)
	}
	slices.Sort(want)
	if got := slices.Sorted(maps.Keys(drawers)); !slices.Equal(got, want) {
		t.Errorf("there are drawings of %v, and the kinds are %v", got, want)
	}
}
