package article

import (
	"slices"

	"benchbook/notebook/source"
	"benchbook/notebook/yamltext"
)

// contradictions reports keys of one block or profile that cannot both be meant. Where they come from different layers, the
// one that docs/load.md prefers wins, and nothing is reported: a block may override what it inherits.
func contradictions(n *yamltext.Node, problems *source.Problems) {
	both := func(in, a, b *yamltext.Node, what, hint string) {
		if in != nil && a != nil && a.Kind != yamltext.Null && b != nil && b.Kind != yamltext.Null {
			problems.Add("contradiction", keyOf(in, b), "%s", what).Hint = hint
		}
	}
	load, capacity := n.Get("load"), n.Get("capacity")
	rate, stages := load.Get("rate"), load.Get("stages")
	both(load, rate, load.Get("requests"), "a load with a rate lasts for a time, not for a number of requests", "write duration instead of requests")
	both(load, rate, load.Get("think"), "a load with a rate does not wait for answers, so nobody thinks", "remove think, or rate")
	both(load, rate, stages, "a load has either a rate or stages", "keep one of them")
	both(load, stages, load.Get("duration"), "stages have durations of their own", "remove duration")
	both(load, stages, load.Get("requests"), "stages last for a time, not for a number of requests", "remove requests")
	for _, key := range []string{"rate", "requests", "stages"} {
		both(load, capacity, load.Get(key), "capacity looks for the rate itself, so the load has no "+key, "remove "+key)
	}
	if stages != nil && stages.Kind == yamltext.List && len(stages.Items) > 0 {
		first := stages.Items[0]
		for _, s := range stages.Items[1:] {
			if first.Get("rate") != nil && s.Get("connections") != nil || first.Get("connections") != nil && s.Get("rate") != nil {
				problems.Add("contradiction", s.Text.Pos, "stages change either the rate or the connections").
					Hint = "use one of them in all stages"
			}
		}
	}
	if tune := n.Get("tune"); tune != nil {
		for _, f := range tune.Fields {
			for _, key := range []string{"from", "to", "maximize", "budget"} {
				both(f.Value, f.Value.Get("of"), f.Value.Get(key), "what another experiment has chosen is not searched for", "remove "+key+", or of")
			}
		}
	}
	if profiles := n.Get("profiles"); profiles != nil {
		for _, f := range profiles.Fields {
			contradictions(f.Value, problems)
		}
	}
}

// keyOf is the place of the key that has a value.
func keyOf(n, value *yamltext.Node) source.Pos {
	i := slices.IndexFunc(n.Fields, func(f yamltext.Field) bool { return f.Value == value })
	return n.Fields[i].Key.Pos
}
