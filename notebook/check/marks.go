package check

import (
	"regexp"
	"strings"

	"github.com/yuin/goldmark/ast"

	"benchbook/notebook/article"
	"benchbook/notebook/source"
)

// mostMarks is how many marks of claims a reader takes in at once, in a paragraph.
const mostMarks = 3

var sentenceEnd = regexp.MustCompile(`[.!?][)"'”’]*\s`)

// Marks warns of sentences and paragraphs with more marks of claims than a reader takes in.
//
// Source: docs/command.md#check, too-many-marks.
func Marks(doc *article.Document, problems *source.Problems) {
	_ = ast.Walk(doc.Tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if first := n.FirstChild(); entering && first != nil && first.Type() == ast.TypeInline && n.Type() == ast.TypeBlock {
			m := marks{text: doc.Text, problems: problems}
			m.read(n)
			return ast.WalkSkipChildren, nil
		}
		return ast.WalkContinue, nil
	})
}

// marks counts those of a paragraph.
type marks struct {
	text       []byte
	problems   *source.Problems
	all        int
	inSentence int
}

func (m *marks) read(n ast.Node) {
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		switch c := c.(type) {
		case *ast.Text:
			if sentenceEnd.MatchString(string(c.Segment.Value(m.text)) + " ") {
				m.inSentence = 0
			}
		case *article.ClaimLink:
			m.add(c)
		default:
			m.read(c)
		}
	}
}

func (m *marks) add(l *article.ClaimLink) {
	m.all++
	m.inSentence++
	const hint = "split it, or bind fewer of its words: every claim is in the list of claims as well"
	switch {
	case m.all == mostMarks+1:
		m.problems.Warn("too-many-marks", l.Name.Pos, "the fourth mark of this paragraph").Hint = hint
	case m.inSentence == 2 && m.all <= mostMarks:
		m.problems.Warn("too-many-marks", l.Name.Pos, "the second mark of this sentence").Hint = hint
	}
	behind := ""
	if next, ok := l.NextSibling().(*ast.Text); ok {
		behind = string(next.Segment.Value(m.text))
	}
	if goesOn := behind != "" && strings.Contains(",;:", behind[:1]); !l.HasChildren() && !goesOn {
		m.inSentence = 0 // what became of the claim is a sentence
	}
}
