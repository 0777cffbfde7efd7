package plan

import (
	"slices"

	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/source"
)

// maxExtends bounds how many experiments one may build upon.
const maxExtends = 20

// define merges a block with the experiments that it extends; below are the blocks that extend it. A block with a wrong
// extends extends nothing.
func (p *planner) define(block *article.ExperimentBlock, below []*article.ExperimentBlock) *outline {
	e := &outline{planner: p, block: block, node: block.Node,
		Experiment: &Experiment{Name: block.Name.Value, Pos: block.Pos, Engine: p.engine()}}
	extends := block.Node.Get("extends")
	if extends == nil || extends.Kind != source.Scalar {
		e.whole = extends == nil || extends.Kind == source.Null
		return e
	}
	below = append(below, block)
	known := p.names()
	i := slices.Index(known, extends.Text.Value)
	switch {
	case i < 0:
		p.unknownExperiment(extends.Text)
		return e
	case slices.Contains(below, p.doc.Experiments[i]):
		p.problems.Add("circle", extends.Text.Pos, "experiment %q extends itself, by way of %q", e.Name, extends.Text.Value).
			Hint = "write out what they share in one of them"
		return e
	case len(below) > maxExtends:
		p.problems.Add("too-many", extends.Text.Pos, "more than %d experiments extend each other in a row", maxExtends).
			Hint = "extend the one that the others have in common"
		return e
	}
	lower := p.define(p.doc.Experiments[i], below)
	e.whole = lower.whole
	e.node = article.Extend(searchedAnew(lower.node.Without("name", "extends"), block.Node), block.Node)
	return e
}

// names returns the names of the experiments of the article.
func (p *planner) names() []string {
	return slice.Map(p.doc.Experiments, func(b *article.ExperimentBlock) string { return b.Name.Value })
}

// unknownExperiment reports a name that no experiment has.
func (p *planner) unknownExperiment(name source.Text) {
	if !p.doc.MayBeUnread(name.Value, "experiment") {
		p.problems.Add("unknown-experiment", name.Pos, "no experiment %q in this article", name.Value).
			Hint = source.Suggest(name.Value, p.names())
	}
}

// searchedAnew removes "of" from the searches below a block that searches for these values itself.
func searchedAnew(lower, block *source.Node) *source.Node {
	tune := lower.Get("tune")
	for _, f := range block.Get("tune").All() {
		below := tune.Get(f.Key.Value)
		if below.Get("of") != nil && f.Value.Get("of") == nil && len(f.Value.Fields) > 0 {
			tune = with(tune, f.Key.Value, below.Without("of"))
		}
	}
	return with(lower, "tune", tune)
}
