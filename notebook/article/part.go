package article

import (
	"benchbook/notebook/conditional"
	"benchbook/notebook/expr"
	"benchbook/notebook/source"
)

// parts finds the parts of the text for some outcomes.
func (doc *Document) parts() {
	parse := func(t source.Text) expr.Node { return ParseExpression(t, &doc.Problems) }
	var complete bool
	doc.Parts, complete = conditional.Parts(doc.Tree, doc.Source, parse, &doc.Problems)
	doc.unread[conditional.When] = !complete
}

// Tests are the conditions of parts that are expressions, as claims without a name.
func (doc *Document) Tests() []*Claim {
	var out []*Claim
	for _, p := range doc.Parts {
		if p.Test != nil {
			out = append(out, TestOf(p))
		}
	}
	return out
}

// TestOf is the condition of a part that is an expression, as a claim without a name.
func TestOf(p *conditional.Part) *Claim {
	return &Claim{Pos: p.TestText.Pos, Expect: Expression{p.Test, p.TestText}}
}

// standsIn notes the part that a block stands in, and reports those that no outcome can change.
func (doc *Document) standsIn(p *conditional.Part, b *Block) {
	if p == nil {
		return
	}
	for _, t := range b.Tables {
		t.Part = p
	}
	for _, f := range b.Figures {
		f.Part = p
	}
	what, ok := map[string]string{"experiment": "an experiment", "claim": "a claim", "published": "published numbers",
		"file": "a file"}[b.Is]
	if ok {
		doc.Problems.Add("misplaced-block", b.Place, "%s cannot depend on an outcome", what).
			Hint = "move the block out of ::: " + conditional.When
	}
}

// checkParts checks the conditions of the parts of the text.
func (doc *checker) checkParts(claims map[string]source.Text) {
	for _, p := range doc.Parts {
		doc.claimName(p.Claim, claims)
	}
	if !doc.unread[conditional.When] {
		conditional.Check(doc.Parts, func(claim string) bool { return claims[claim].Value != "" }, &doc.Problems)
	}
}
