package article

import (
	"benchbook/notebook/source"
	"benchbook/notebook/yamltext"
)

// contradictions reports keys of one block or profile that cannot both be meant. Where they come from different layers, the
// one that docs/load.md prefers wins, and nothing is reported: a block may override what it inherits.
func contradictions(n *yamltext.Node, problems *source.Problems) {
	both := func(in, a *yamltext.Node, key, what, hint string) {
		if b := in.Get(key); a != nil && a.Kind != yamltext.Null && b != nil && b.Kind != yamltext.Null {
			problems.Add("contradiction", in.Place(key), "%s", what).Hint = hint
		}
	}
	load, capacity := n.Get("load"), n.Get("capacity")
	for _, c := range []struct{ a, b, what, hint string }{
		{"rate", "requests", "a load with a rate lasts for a time, not for a number of requests", "write duration instead of requests"},
		{"rate", "think", "a load with a rate does not wait for answers, so nobody thinks", "remove think, or rate"},
		{"rate", "stages", "a load has either a rate or stages", "keep one of them"},
		{"stages", "duration", "stages have durations of their own", "remove duration"},
		{"stages", "requests", "stages last for a time, not for a number of requests", "remove requests"},
	} {
		both(load, load.Get(c.a), c.b, c.what, c.hint)
	}
	for _, key := range []string{"rate", "requests", "stages"} {
		both(load, capacity, key, "capacity looks for the rate itself, so the load has no "+key, "remove "+key)
	}
	unlikeStages(load.Get("stages"), problems)
	for _, f := range n.Get("tune").All() {
		for _, key := range []string{"from", "to", "maximize", "budget"} {
			both(f.Value, f.Value.Get("of"), key, "what another experiment has chosen is not searched for", "remove "+key+", or of")
		}
	}
	for _, f := range n.Get("profiles").All() {
		contradictions(f.Value, problems)
	}
}

// unlikeStages reports stages that change something else than the first one.
func unlikeStages(stages *yamltext.Node, problems *source.Problems) {
	if stages == nil || len(stages.Items) == 0 {
		return
	}
	first := stages.Items[0]
	for _, s := range stages.Items[1:] {
		if first.Get("rate") != nil && s.Get("connections") != nil || first.Get("connections") != nil && s.Get("rate") != nil {
			problems.Add("contradiction", s.Text.Pos, "stages change either the rate or the connections").
				Hint = "use one of them in all stages"
		}
	}
}
