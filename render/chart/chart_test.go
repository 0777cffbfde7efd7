package chart

import (
	"maps"
	"slices"
	"testing"

	"benchbook/notebook/figurekind"
)

// Each kind of figure is drawn, and nothing else is.
func TestDrawersHaveEachKind(t *testing.T) {
	if got, want := slices.Sorted(maps.Keys(drawers)), figurekind.Names(nil); !slices.Equal(got, want) {
		t.Errorf("there are drawings of %v, and the kinds are %v", got, want)
	}
}
