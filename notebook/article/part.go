package article

import (
	"strings"

	"github.com/yuin/goldmark/ast"

	"benchbook/notebook/expr"
	"benchbook/notebook/source"
)

// parts finds the parts of the text for some outcomes.
func (doc *Document) parts() {
	parse := func(t source.Text) expr.Node { return ParseExpression(t, &doc.Problems) }
	var complete bool
	doc.Parts, complete = Parts(doc.Tree, doc.Source, parse, &doc.Problems)
	if !complete {
		doc.unread[When] = "\n"
	}
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
func TestOf(p *ConditionalPart) *Claim {
	return &Claim{Pos: p.TestText.Pos, Expect: Expression{p.Test, p.TestText}}
}

// standsIn notes the part that a block stands in, and reports those that no outcome can change.
func (doc *Document) standsIn(p *ConditionalPart, b *Block) {
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
			Hint = "move the block out of ::: " + When
	}
}

// Statement is a place where the text states a claim in words of its author, which stay the same whatever comes of it.
type Statement struct {
	Claim source.Text
	Is    string // "heading", "title" and the like; empty in running text, where a page quotes words that do not hold
	Part  *ConditionalPart
}

// Instead is what says what became of the claim in its place.
func (s Statement) Instead() string {
	if s.Is == "title" {
		return "title: claim:" + s.Claim.Value
	}
	return "[](claim:" + s.Claim.Value + ")"
}

// Statements are those of the prose, and then those of titles, captions and other lines in YAML. A claim's own words
// are none.
func (doc *Document) Statements() []Statement {
	var out []Statement
	_ = ast.Walk(doc.Tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if l, ok := n.(*ClaimLink); ok && entering && l.HasChildren() {
			s := Statement{Claim: l.Name, Part: ConditionalPartOf(l)}
			for above := l.Parent(); above != nil; above = above.Parent() {
				if above.Kind() == ast.KindHeading {
					s.Is = "heading"
				}
			}
			out = append(out, s)
		}
		return ast.WalkContinue, nil
	})
	for _, t := range doc.Tables {
		out = appendTitle(out, t.Claim, t.Title, t.Part)
	}
	for _, f := range doc.Figures {
		out = appendTitle(out, f.Claim, f.Title, f.Part)
	}
	return append(out, doc.stated...)
}

// appendTitle appends the title of a table or figure that names a claim.
func appendTitle(list []Statement, claim, title source.Text, p *ConditionalPart) []Statement {
	if claim.Value == "" || title.Value == "" || strings.HasPrefix(title.Value, "claim:") {
		return list
	}
	return append(list, Statement{claim, "title", p})
}

// checkParts checks the conditions of the parts of the text.
func (doc *checker) checkParts(claims map[string]source.Text) {
	for _, p := range doc.Parts {
		doc.claimName(p.Claim, claims)
	}
	if !doc.Unread(When) {
		CheckConditions(doc.Parts, func(claim string) bool { return claims[claim].Value != "" }, &doc.Problems)
	}
}
