package pages

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"

	"benchbook/notebook/article"
	"benchbook/notebook/source"
)

// mark is a pair of comments in a Markdown file with a part of an article between them: see docs/command.md#weave.
type mark struct {
	kind    string     // table, value, figure or claim
	name    string     // label, expression or claim
	article string     // slug
	at      source.Pos // of the words in the first comment
	body    source.Pos
}

// text returns the present text between the comments.
func (m mark) text() string { return string(m.body.Source.Data[m.body.Start:m.body.End]) }

var (
	comment = regexp.MustCompile(`(?s)(<!--\s*(/?)benchbook\b:?)\s*(.*?)\s*(-->|\z)`)
	asked   = regexp.MustCompile(`(?s)^(table|value|figure|claim)\s+(\S.*?)\s+of\s+(\S+)$`)
	word    = regexp.MustCompile(`[^\s|]+`)
)

// marksIn returns the marks of a Markdown file in order, without those in code.
func marksIn(src *source.Source, problems *source.Problems) []mark {
	var out []mark
	var open *mark // still without its second comment
	missing := func(m *mark) {
		problems.Add("bad-mark", m.at, "the part has no end").Hint = "close it with <!-- /benchbook -->"
	}
	for _, m := range comment.FindAllSubmatchIndex(htmlOf(src, problems), -1) {
		at, words := src.Pos(m[2], m[3]), src.Pos(m[6], m[7])
		switch closes := m[4] < m[5]; {
		case m[8] == m[9]:
			problems.Add("bad-mark", at, "the comment has no end").Hint = "close it with -->"
		case closes && open == nil:
			problems.Add("bad-mark", at, "nothing begins before this end").Hint = "remove it, or begin a part before it"
		case closes:
			open.body.End = at.Start
			if open.kind != "" {
				out = append(out, *open)
			}
			open = nil
		default:
			if open != nil {
				missing(open)
			}
			open = readMark(at, words, problems)
			open.body = src.Pos(m[1], len(src.Data))
		}
	}
	if open != nil {
		missing(open)
	}
	return out
}

// readMark parses the words of the comment at the given place. After a problem the kind of the mark is empty.
func readMark(at, words source.Pos, problems *source.Problems) *mark {
	found := asked.FindSubmatch(at.Source.Data[words.Start:words.End])
	if found == nil {
		at.End = words.End
		problems.Add("bad-mark", at, "unknown part of an article").Hint =
			"write table LABEL of ARTICLE, figure LABEL of ARTICLE, value EXPRESSION of ARTICLE or claim NAME of ARTICLE"
		return &mark{at: at}
	}
	return &mark{kind: string(found[1]), name: string(found[2]), article: string(found[3]), at: words}
}

// htmlOf returns the file with everything except raw HTML, including comments, replaced by spaces. Offsets stay equal.
func htmlOf(src *source.Source, problems *source.Problems) []byte {
	out := bytes.Repeat([]byte(" "), len(src.Data))
	keep := func(list *text.Segments) {
		for i := range list.Len() {
			copy(out[list.At(i).Start:list.At(i).Stop], src.Data[list.At(i).Start:])
		}
	}
	parser := article.ForPages()
	_ = ast.Walk(parser.Parse(src.Data), func(n ast.Node, _ bool) (ast.WalkStatus, error) {
		switch n := n.(type) {
		case *ast.HTMLBlock:
			keep(n.Lines())
			if n.HasClosure() {
				copy(out[n.ClosureLine.Start:n.ClosureLine.Stop], src.Data[n.ClosureLine.Start:])
			}
		case *ast.RawHTML:
			keep(n.Segments)
		}
		return ast.WalkContinue, nil
	})
	if at, message, hint := parser.Exceeded(); at >= 0 {
		problems.Add("too-large", src.Pos(at, at+1), "%s", message).Hint = hint
	}
	return out
}

// woven returns the text of src with the bodies of its marks replaced.
func woven(src *source.Source, marks []mark, bodies []string) []byte {
	var out bytes.Buffer
	last := 0
	for i, m := range marks {
		out.Write(src.Data[last:m.body.Start])
		out.WriteString(bodies[i])
		last = m.body.End
	}
	out.Write(src.Data[last:])
	return out.Bytes()
}

// differs returns where a part first differs from the wanted text, and a message, which is empty if they are equal.
func differs(m mark, want string) (at source.Pos, words string) {
	is := m.text()
	switch {
	case is == want:
		return at, ""
	case strings.TrimSpace(is) == "":
		return m.at, "there is nothing between the comments yet"
	}
	wanted := word.FindAllString(want, -1)
	for i, place := range word.FindAllStringIndex(is, -1) {
		if i == len(wanted) {
			break
		}
		if here := is[place[0]:place[1]]; here != wanted[i] {
			start := m.body.Start
			return m.body.Source.Pos(start+place[0], start+place[1]),
				fmt.Sprintf("the text has %q, and the records give %q", here, wanted[i])
		}
	}
	return m.at, "the lines are not those of the records"
}

// numberWithUnit matches a number with a unit that a measurement may have.
var numberWithUnit = regexp.MustCompile(`\d[\d.,]*(?:\s|\x{a0}|\x{202f})?(?:times|×|%|(?:[µmn]?s|[kMG]i?B|/s)\b)`)

// typedNumbers returns the numbers with units that an author typed on a line that also has a value mark.
func typedNumbers(src *source.Source, marks []mark) (out []source.Pos) {
	lineOf := func(at int) int {
		line, _ := src.Position(at)
		return line
	}
	hasValue := map[int]bool{} // by line
	for _, m := range marks {
		if m.kind == "value" {
			hasValue[lineOf(m.at.Start)], hasValue[lineOf(m.body.End)] = true, true
		}
	}
	for _, found := range numberWithUnit.FindAllIndex(src.Data, -1) {
		inMark := slices.ContainsFunc(marks, func(m mark) bool { return m.at.Start <= found[0] && found[0] < m.body.End })
		if hasValue[lineOf(found[0])] && !inMark {
			out = append(out, src.Pos(found[0], found[1]))
		}
	}
	return out
}
