package article

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"

	"benchbook/internal/slice"
	"benchbook/notebook/expr"
	"benchbook/notebook/source"
	"benchbook/notebook/stats"
)

// ConditionalPart is text for some outcomes, from ::: when CONDITION to :::.
//
// Source: docs/article.md#parts-for-one-outcome.
type ConditionalPart struct {
	Number   int              // its index in Document.Parts
	Outer    *ConditionalPart // the part that contains it, or nil
	Claim    source.Text      // the claim whose verdict decides; empty with Test
	Verdicts []stats.Verdict  // the verdicts with which it is shown
	Else     bool             // Verdicts are those that no other part of its group has
	Test     expr.Node        // shown if this would be supported as a claim; nil with Claim
	TestText source.Text
	Place    source.Pos // of its first line

	div     *Div
	written []source.Text // the words of Verdicts
}

// ConditionalPartOf returns the innermost part that contains a node; nil outside of parts.
func ConditionalPartOf(n ast.Node) *ConditionalPart {
	for n = n.Parent(); n != nil; n = n.Parent() {
		if p := partAt(n); p != nil {
			return p
		}
	}
	return nil
}

// partAt returns the part of a Div; nil for other nodes.
func partAt(n ast.Node) *ConditionalPart {
	if d, ok := n.(*Div); ok {
		return d.Part
	}
	return nil
}

// Words after the colons.
const (
	answerWord = "answer"
	When       = "when" // begins each condition
	Else       = "else" // the verdicts that no other part of the group has
)

const conditionHint = "write a condition such as ::: when CLAIM supported or inconclusive, ::: when CLAIM else, or " +
	"::: when `a > b`"

// parts collects the answer and the conditional parts among the Divs of the tree.
func (doc *Document) parts() {
	divs := nodesOf[*Div](doc.Tree)
	isMisplaced := func(d *Div) bool { return d.Is == DivMisplaced && !d.Words.IsEmpty() }
	misplaced := slices.ContainsFunc(divs, isMisplaced)
	read := 0
	p := &doc.Problems
	for _, d := range divs {
		at := doc.Source.Pos(d.Fence.Start, d.Fence.Stop)
		switch {
		case misplaced && d.Words.IsEmpty(): // it may close a misplaced Div
		case d.Is == DivMisplaced:
			p.Add("misplaced-block", at, "a part of the text cannot be in a list, a quotation or a note").
				Hint = "begin its lines at the margin, and let it hold all of the list, quotation or note"
		case d.Is == DivStray:
			p.Add("unclosed-fence", at, "this line closes no part of the text").Hint = "remove it, or open a part above"
		case d.Is == DivUnclosed:
			p.Add("unclosed-fence", at, "this part of the text is never closed").
				Hint = "write a line ::: below its last line"
		case string(d.Words.Value(doc.Text)) == answerWord:
			read++
			doc.answer(d, at)
		default:
			part := &ConditionalPart{Number: len(doc.Parts), Outer: ConditionalPartOf(d), Place: at, div: d}
			if doc.condition(part, d.Words) {
				read++
				d.Part, doc.Parts = part, append(doc.Parts, part)
			}
		}
	}
	if read < len(divs) {
		doc.setUnread(nil, When)
	}
}

func (doc *Document) answer(d *Div, at source.Pos) {
	switch {
	case doc.Answer != nil:
		doc.Problems.Add("misplaced-block", at, "the article has an answer already").Hint = "write one answer"
	case d.Parent().Kind() != ast.KindDocument:
		doc.Problems.Add("misplaced-block", at, "an answer cannot depend on an outcome").
			Hint = "put the parts ::: when into the answer"
	}
	doc.Answer = cmp.Or(doc.Answer, d)
}

// checkAnswer reports headings and blocks in the answer, which may have text only.
func (doc *Document) checkAnswer() {
	if doc.Answer == nil {
		return
	}
	for _, b := range nodesOf[*Block](doc.Answer) {
		doc.Problems.Add("misplaced-block", b.Place, "%s block cannot be in the answer", withArticle(b.Is)).
			Hint = "move the block out of ::: " + answerWord
	}
	if len(nodesOf[*ast.Heading](doc.Answer)) > 0 {
		doc.Problems.Add("misplaced-block", doc.Source.Pos(doc.Answer.Fence.Start, doc.Answer.Fence.Stop),
			"the answer has a heading").Hint = "write one to three short paragraphs, or a list"
	}
}

// alternative matches the separator of verdicts in a condition.
var alternative = regexp.MustCompile(`[ \t]+or[ \t]+`)

// condition decodes the words after the colons into p. It returns false after a problem.
func (doc *Document) condition(p *ConditionalPart, words text.Segment) bool {
	at := doc.Source.Pos(words.Start, words.Stop)
	word, rest := cutWord(source.Text{Value: string(doc.Text[at.Start:at.End]), Pos: at})
	bad := func(rule string, at source.Pos, format string, args ...any) bool {
		doc.Problems.Add(rule, at, format, args...).Hint = conditionHint
		return false
	}
	switch {
	case word.Value != When:
		return bad("unknown-block", word.Pos, "unknown word %q after the colons", word.Value)
	case rest.Value == "":
		return bad("bad-condition", p.Place, "the part of the text has no condition")
	case strings.HasPrefix(rest.Value, "`"):
		code := strings.TrimSuffix(rest.Value[1:], "`")
		if strings.TrimSpace(code) == "" || strings.Contains(code, "`") || len(code) == len(rest.Value)-1 {
			return bad("bad-condition", rest.Pos, "a test must be alone after when, between two backticks")
		}
		p.TestText = rest.Part(1, 1+len(code))
		p.Test = ParseExpression(p.TestText, &doc.Problems)
		return p.Test != nil
	}
	p.Claim, rest = cutWord(rest)
	switch rest.Value {
	case "":
		return bad("bad-condition", p.Claim.Pos, "the condition names no verdict on the claim %s", p.Claim.Value)
	case Else:
		p.Else = true
		return true
	}
	start := 0
	for _, or := range append(alternative.FindAllStringIndex(rest.Value, -1), []int{len(rest.Value), len(rest.Value)}) {
		word := rest.Part(start, or[0])
		start = or[1]
		verdict := stats.Verdict(strings.Join(strings.Fields(word.Value), " "))
		if !slices.Contains(stats.Verdicts, verdict) {
			doc.Problems.Add("unknown-verdict", word.Pos, "unknown verdict %q", word.Value).
				Hint = "verdicts are " + join(stats.Verdicts, ", ") + "; write or between two of them"
			return false
		}
		p.Verdicts, p.written = append(p.Verdicts, verdict), append(p.written, word)
	}
	return true
}

func cutWord(t source.Text) (word, rest source.Text) {
	i := strings.IndexAny(t.Value+" ", " \t")
	after := len(t.Value) - len(strings.TrimLeft(t.Value[i:], " \t"))
	return t.Part(0, i), t.Part(after, len(t.Value))
}

func join(verdicts []stats.Verdict, separator string) string {
	return strings.Join(slice.Map(verdicts, func(v stats.Verdict) string { return string(v) }), separator)
}

// Tests returns the tests of all parts, as claims without a name.
func (doc *Document) Tests() []*Claim {
	var out []*Claim
	for _, p := range doc.Parts {
		if p.Test != nil {
			out = append(out, TestOf(p))
		}
	}
	return out
}

// TestOf returns the test of a part, as a claim without a name.
func TestOf(p *ConditionalPart) *Claim {
	return &Claim{Pos: p.TestText.Pos, Expect: Expression{p.Test, p.TestText}}
}

// placeInPart sets the part of a block's tables and figures, and reports blocks that cannot depend on an outcome.
func (doc *Document) placeInPart(p *ConditionalPart, b *Block) {
	if p == nil {
		return
	}
	for _, t := range b.Tables {
		t.Part = p
	}
	for _, f := range b.Figures {
		f.Part = p
	}
	if slices.Contains([]string{"experiment", "claim", "published", "file"}, b.Is) {
		doc.Problems.Add("misplaced-block", b.Place, "%s block cannot depend on an outcome", withArticle(b.Is)).
			Hint = "move the block out of ::: " + When
	}
}

// Statement is a place where the text states a claim in fixed words, whatever its verdict.
type Statement struct {
	Claim source.Text
	Is    string // "heading", "title" and the like; empty in running text, where a page quotes words that do not hold
	Part  *ConditionalPart
}

// Instead returns the text to write instead, which states the claim with its verdict.
func (s Statement) Instead() string {
	if s.Is == "title" {
		return "title: claim:" + s.Claim.Value
	}
	return "[](claim:" + s.Claim.Value + ")"
}

// Statements returns the statements of the prose, then those of titles, captions and other lines in YAML, except for
// the words of claims themselves.
func (doc *Document) Statements() []Statement {
	var out []Statement
	for _, l := range nodesOf[*ClaimLink](doc.Tree) {
		if !l.HasChildren() {
			continue
		}
		s := Statement{Claim: l.Name, Part: ConditionalPartOf(l)}
		for above := l.Parent(); above != nil; above = above.Parent() {
			switch n := above.(type) {
			case *ast.Heading:
				s.Is = "heading"
			case *Div:
				if n == doc.Answer {
					s.Is = "answer"
				}
			}
		}
		out = append(out, s)
	}
	return append(out, doc.stated...)
}

// checkParts checks that adjacent parts about one claim cover each outcome once, and sets the verdicts of else.
func (doc *Document) checkParts(claims map[string]source.Text) {
	for _, p := range doc.Parts {
		doc.checkClaimName(p.Claim, claims)
	}
	if doc.Unread(When) {
		return
	}
	for _, p := range doc.Parts {
		if partAt(p.div.PreviousSibling()) != nil {
			continue // the group was checked with its first part
		}
		var names []string
		groups := map[string][]*ConditionalPart{}
		for q := p; q != nil; q = partAt(q.div.NextSibling()) {
			if name := q.Claim.Value; q.Test == nil && claims[name].Value != "" {
				names, groups[name] = slice.Add(names, name), append(groups[name], q)
			}
		}
		for _, name := range names {
			checkGroup(name, groups[name], &doc.Problems)
		}
	}
}

// checkGroup checks that the parts of a group cover each verdict exactly once.
func checkGroup(claim string, group []*ConditionalPart, problems *source.Problems) {
	left := slices.Clone(stats.Verdicts)
	var others *ConditionalPart
	for _, p := range group {
		if p.Else && others != nil {
			problems.Add("duplicate-outcome", p.Place, "claim %q has an earlier part for else", claim).
				Hint = "keep one of them"
		}
		if p.Else {
			others = p
		}
		for i, v := range p.Verdicts {
			if !slices.Contains(left, v) {
				problems.Add("duplicate-outcome", p.written[i].Pos, "claim %q has an earlier part for %s", claim, v).
					Hint = "name each verdict in one of the parts that follow each other"
			}
			left = slices.DeleteFunc(left, func(l stats.Verdict) bool { return l == v })
		}
	}
	switch words := join(left, " or "); {
	case others == nil && len(left) > 0:
		problems.Add("uncovered-outcome", group[0].Place, "no part says what holds if claim %q is %s", claim, words).
			Hint = "add ::: when " + claim + " " + words + ", or ::: when " + claim + " " + Else
	case others != nil && len(left) == 0:
		problems.Add("duplicate-outcome", others.Place, "the other parts are for all outcomes of claim %q", claim).
			Hint = "remove this part"
	}
	for _, p := range group {
		if p.Else {
			p.Verdicts = left
		}
	}
}
