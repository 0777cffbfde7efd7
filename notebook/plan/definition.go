package plan

import (
	"slices"

	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/source"
)

// Definition is a block merged with the experiments that it extends.
type Definition struct {
	Block *article.ExperimentBlock
	Node  *source.Node // the merged block
	Whole bool         // everything that it extends was found
}

// maxExtends bounds how many definitions one experiment may build upon.
const maxExtends = 20

// define merges a block with the experiments that it extends; below are the blocks that extend it. A block with a wrong
// extends extends nothing.
func (p *planner) define(block *article.ExperimentBlock, below []*article.ExperimentBlock) *Definition {
	d := &Definition{Block: block, Node: block.Node}
	extends := block.Node.Get("extends")
	if extends == nil || extends.Kind != source.Scalar {
		d.Whole = extends == nil || extends.Kind == source.Null
		return d
	}
	below = append(below, block)
	known := slice.Map(p.doc.Experiments, func(b *article.ExperimentBlock) string { return b.Name.Value })
	i := slices.Index(known, extends.Text.Value)
	switch {
	case i < 0:
		if !p.doc.MayBeUnread(extends.Text.Value, "experiment") {
			p.problems.Add("unknown-experiment", extends.Text.Pos, "no experiment %q in this article", extends.Text.Value).
				Hint = source.Suggest(extends.Text.Value, known)
		}
		return d
	case slices.Contains(below, p.doc.Experiments[i]):
		p.problems.Add("circle", extends.Text.Pos, "experiment %q extends itself, by way of %q", block.Name.Value,
			extends.Text.Value).Hint = "write out what they share in one of them"
		return d
	case len(below) > maxExtends:
		p.problems.Add("too-many", extends.Text.Pos, "more than %d experiments extend each other in a row", maxExtends).
			Hint = "extend the one that the others have in common"
		return d
	}
	lower := p.define(p.doc.Experiments[i], below)
	d.Whole = lower.Whole
	d.Node = article.Extend(searchedAnew(lower.Node.Without("name", "extends"), block.Node), block.Node)
	return d
}

// searchedAnew removes "of" from the searches below a block that searches for these values itself.
func searchedAnew(lower, block *source.Node) *source.Node {
	tune := lower.Get("tune")
	for _, f := range block.Get("tune").All() {
		below := tune.Get(f.Key.Value)
		if below.Get("of") != nil && f.Value.Get("of") == nil && len(f.Value.Fields) > 0 {
			tune = With(tune, f.Key.Value, below.Without("of"))
		}
	}
	return With(lower, "tune", tune)
}

func (p *planner) profileNames(d *Definition) []string {
	profiles := profilesOf(article.Extend(p.defaults(), d.Node))
	return slice.Map(profiles, func(p article.Profile) string { return p.Name.Value })
}
