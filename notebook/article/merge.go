package article

import (
	"cmp"
	"slices"

	"benchbook/notebook/source"
	"benchbook/notebook/yamltext"
)

// Merge lays over on top of base: mappings merge key by key, anything else replaces, null removes. What replaces comes after what stays,
// but for the axes of an experiment's matrix.
func Merge(base, over *yamltext.Node) *yamltext.Node {
	out := yamltext.Merge(base, over, false)
	keepAxes(out.Get("matrix"), base.Get("matrix"))
	return out
}

// keepAxes leaves the axes of a matrix in the order that they have below: they name its trials.
func keepAxes(matrix, below *yamltext.Node) {
	if matrix == below || matrix == nil || below == nil || matrix.Kind != yamltext.Map || below.Kind != yamltext.Map {
		return
	}
	place := func(f yamltext.Field) int {
		i := slices.IndexFunc(below.Fields, func(b yamltext.Field) bool { return b.Key.Value == f.Key.Value })
		if i < 0 {
			return len(below.Fields)
		}
		return i
	}
	slices.SortStableFunc(matrix.Fields, func(a, b yamltext.Field) int { return cmp.Compare(place(a), place(b)) })
}

// Extend lays an experiment over the one that it extends, as Merge does. Inside profiles null stays: what it removes is only there
// when the profile is laid on top.
func Extend(base, over *yamltext.Node) *yamltext.Node {
	const profiles = "profiles"
	out := Merge(base.Without(profiles), over.Without(profiles))
	later := over.Get(profiles)
	if later == nil || later.Kind != yamltext.Null {
		later = yamltext.Merge(base.Get(profiles), later, true)
		if later != nil {
			out.Fields = append(out.Fields, yamltext.Field{Key: source.Text{Value: profiles, Pos: later.Text.Pos}, Value: later})
		}
	}
	return out
}
