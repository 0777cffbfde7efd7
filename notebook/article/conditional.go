package article

import (
	"regexp"
	"slices"
	"strings"

	"github.com/yuin/goldmark/ast"

	"benchbook/notebook/expr"

	"benchbook/internal/slice"
	"benchbook/notebook/source"
	"benchbook/notebook/stats"
)

// Part is a part of a text for some outcomes, between ::: when CONDITION and :::. Its blocks are its children.
//
// Source: docs/article.md#parts-for-one-outcome.
type ConditionalPart struct {
	ast.BaseBlock
	Number   int             // of the parts before it
	Claim    source.Text     // whose verdict decides; empty if Test does
	Verdicts []stats.Verdict // with which it applies
	Else     bool            // Verdicts are those of no other part of its group
	Test     expr.Node       // it applies if this, as a claim, would be supported; nil if Claim decides
	TestText source.Text
	Place    source.Pos // of its first line

	written []source.Text // the words of Verdicts
}

// KindPart is the kind of a Part.
var KindConditionalPart = ast.NewNodeKind("BenchbookPart")

func (*ConditionalPart) Kind() ast.NodeKind              { return KindConditionalPart }
func (p *ConditionalPart) Dump(source []byte, level int) { ast.DumpHelper(p, source, level, nil, nil) }

// PartOf is the innermost part that a node stands in; nil if it stands in none.
func ConditionalPartOf(n ast.Node) *ConditionalPart {
	for n = n.Parent(); n != nil; n = n.Parent() {
		if p, ok := n.(*ConditionalPart); ok {
			return p
		}
	}
	return nil
}

// Words of conditions.
const (
	When = "when" // begins each
	Else = "else" // stands for the verdicts that the other parts of a group leave
)

// likeCondition is a condition in hints.
const likeCondition = "such as ::: when CLAIM supported or inconclusive, ::: when CLAIM else, or ::: when `a > b`"

// A reader finds the parts of a text.
type reader struct {
	text      *source.Source
	problems  *source.Problems
	parseTest func(source.Text) expr.Node // nil where there is a problem
}

// Parts replaces the divs of a tree, which was parsed from text, by parts, and gives these, each before those in it. It
// is not complete if there are divs that are none, which are problems.
func Parts(tree ast.Node, text *source.Source, parseTest func(source.Text) expr.Node,
	problems *source.Problems) (list []*ConditionalPart, complete bool) {
	r := reader{text, problems, parseTest}
	var divs []*Div
	_ = ast.Walk(tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if d, ok := n.(*Div); ok && entering {
			divs = append(divs, d)
		}
		return ast.WalkContinue, nil
	})
	misplaced := slices.ContainsFunc(divs, func(d *Div) bool {
		return d.Is == DivMisplaced && !d.Words.IsEmpty()
	})
	for _, d := range divs {
		at := text.Pos(d.Fence.Start, d.Fence.Stop)
		switch {
		case misplaced && d.Words.IsEmpty(): // of one of these
		case d.Is == DivMisplaced:
			problems.Add("misplaced-block", at, "a part of the text cannot stand in a list, a quotation or a note").
				Hint = "begin its lines at the margin, and let it hold all of the list, quotation or note"
		case d.Is == DivStray:
			problems.Add("unclosed-fence", at, "this line closes no part of the text").
				Hint = "remove it, or open a part above, " + likeCondition
		case d.Is == DivUnclosed:
			problems.Add("unclosed-fence", at, "this part of the text is never closed").
				Hint = "write a line ::: below its last line"
		default:
			if p := r.part(d); p != nil {
				p.Number = len(list)
				list = append(list, p)
			}
		}
	}
	return list, len(list) == len(divs)
}

// part puts a part into the place of a div; nil if its condition cannot be read.
func (r reader) part(d *Div) *ConditionalPart {
	p := &ConditionalPart{Place: r.text.Pos(d.Fence.Start, d.Fence.Stop)}
	written := string(r.text.Data[d.Words.Start:d.Words.Stop])
	words := source.NewText(written, r.text.Pos(d.Words.Start, d.Words.Stop),
		[]source.Run{{At: 0, Length: len(written), Start: d.Words.Start, Width: len(written)}})
	if !r.condition(p, words) {
		return nil
	}
	for child := d.FirstChild(); child != nil; child = d.FirstChild() {
		p.AppendChild(p, child)
	}
	d.Parent().ReplaceChild(d.Parent(), d, p)
	return p
}

// cutWord divides a text after its first word.
func cutWord(t source.Text) (word, rest source.Text) {
	i := strings.IndexAny(t.Value+" ", " \t")
	word = t.Part(0, i)
	for i < len(t.Value) && strings.ContainsRune(" \t", rune(t.Value[i])) {
		i++
	}
	return word, t.Part(i, len(t.Value))
}

// condition reads the words after the colons of a part.
func (r reader) condition(p *ConditionalPart, words source.Text) bool {
	word, rest := cutWord(words)
	if word.Value != When {
		r.problems.Add("unknown-block", word.Pos, "unknown word %q after the colons", word.Value).
			Hint = "a part of the text begins with when, " + likeCondition
		return false
	}
	bad := func(at source.Pos, message string) bool {
		r.problems.Add("bad-condition", at, "%s", message).Hint = "write a condition " + likeCondition
		return false
	}
	if rest.Value == "" {
		return bad(p.Place, "the part of the text has no condition")
	}
	if code, ok := strings.CutPrefix(rest.Value, "`"); ok {
		code, ok = strings.CutSuffix(code, "`")
		if !ok || strings.TrimSpace(code) == "" || strings.Contains(code, "`") {
			return bad(rest.Pos, "a test must stand alone after when, between two backticks")
		}
		p.TestText = rest.Part(1, 1+len(code))
		p.Test = r.parseTest(p.TestText)
		return p.Test != nil
	}
	p.Claim, rest = cutWord(rest)
	switch rest.Value {
	case "":
		return bad(p.Claim.Pos, "the condition names no verdict on the claim "+p.Claim.Value)
	case Else:
		p.Else = true
		return true
	}
	return r.verdicts(p, rest)
}

// alternative stands between the verdicts of a condition.
var alternative = regexp.MustCompile(`[ \t]+or[ \t]+`)

// verdicts reads the verdicts of a condition.
func (r reader) verdicts(p *ConditionalPart, words source.Text) bool {
	known := slice.Map(stats.Verdicts, func(v stats.Verdict) string { return string(v) })
	start := 0
	for _, or := range append(alternative.FindAllStringIndex(words.Value, -1), []int{len(words.Value), len(words.Value)}) {
		word := words.Part(start, or[0])
		start = or[1]
		verdict := strings.Join(strings.Fields(word.Value), " ")
		if !slices.Contains(known, verdict) {
			r.problems.Add("unknown-verdict", word.Pos, "unknown verdict %q", word.Value).
				Hint = "verdicts are " + strings.Join(known, ", ") + "; write or between two of them"
			return false
		}
		p.Verdicts, p.written = append(p.Verdicts, stats.Verdict(verdict)), append(p.written, word)
	}
	return true
}

// Check checks that the parts about a claim that follow each other have one for each outcome, and finds out for which
// else is. Of claims that are not known nothing is said.
func CheckConditions(list []*ConditionalPart, isKnown func(claim string) bool, problems *source.Problems) {
	for _, p := range list {
		if _, follows := p.PreviousSibling().(*ConditionalPart); follows {
			continue
		}
		var names []string
		groups := map[string][]*ConditionalPart{}
		for n := ast.Node(p); n != nil; n = n.NextSibling() {
			q, ok := n.(*ConditionalPart)
			if !ok {
				break
			}
			if q.Test == nil && isKnown(q.Claim.Value) {
				names, groups[q.Claim.Value] = slice.Add(names, q.Claim.Value), append(groups[q.Claim.Value], q)
			}
		}
		for _, name := range names {
			checkGroup(name, groups[name], problems)
		}
	}
}

// checkGroup checks that the parts of a group are for all outcomes, each of them for its own.
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
			at := slices.Index(left, v)
			if at < 0 {
				problems.Add("duplicate-outcome", p.written[i].Pos, "claim %q has an earlier part for %s", claim, v).
					Hint = "name each verdict in one of the parts that follow each other"
				continue
			}
			left = slices.Delete(left, at, at+1)
		}
	}
	words := strings.Join(slice.Map(left, func(v stats.Verdict) string { return string(v) }), " or ")
	switch {
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
