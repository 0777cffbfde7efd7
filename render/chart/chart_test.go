package chart

import (
	"maps"
	"slices"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/notebook/article"
)

// Each kind of figure is drawn, and nothing else is.
func TestDrawersHaveEachKind(t *testing.T) {
	var want []string
	for _, k := range article.FigureKinds {
		want = append(want, k.Drawn)
	}
	slices.Sort(want)
	assert.Slice(t, slices.Sorted(maps.Keys(drawers)), want, "kinds that are drawn")
}
