package article

import (
	"github.com/yuin/goldmark/ast"

	"benchbook/notebook/source"
)

// Answer is the answer of an article in the words of its author, between ::: answer and :::. A page shows it first. Its
// blocks are its children.
//
// Source: docs/article.md#the-answer.
type Answer struct {
	ast.BaseBlock
	Place source.Pos // of its first line
}

// KindAnswer is the kind of an Answer.
var KindAnswer = ast.NewNodeKind("BenchbookAnswer")

func (*Answer) Kind() ast.NodeKind              { return KindAnswer }
func (a *Answer) Dump(source []byte, level int) { ast.DumpHelper(a, source, level, nil, nil) }

// answerWord begins an answer.
const answerWord = "answer"

// readAnswer replaces a div by the answer. It is false for a div that begins with another word.
func (doc *Document) readAnswer(d *Div, at source.Pos) bool {
	if string(doc.Text[d.Words.Start:d.Words.Stop]) != answerWord {
		return false
	}
	switch {
	case doc.Answer != nil:
		doc.Problems.Add("misplaced-block", at, "the article has an answer already").Hint = "write one answer"
	case d.Parent().Kind() != ast.KindDocument:
		doc.Problems.Add("misplaced-block", at, "an answer cannot depend on an outcome").
			Hint = "put the parts ::: when into the answer"
	}
	a := &Answer{Place: at}
	moveChildren(a, d)
	if doc.Answer == nil {
		doc.Answer = a
	}
	return true
}

// checkAnswer reports headings and blocks in the answer, which is text.
func (doc *Document) checkAnswer() {
	if doc.Answer == nil {
		return
	}
	_ = ast.Walk(doc.Answer, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *Block:
			doc.Problems.Add("misplaced-block", n.Place, "%s block cannot be in the answer", withArticle(n.Is)).
				Hint = "move the block out of ::: " + answerWord
		case *ast.Heading:
			doc.Problems.Add("misplaced-block", doc.Answer.Place, "the answer has a heading").
				Hint = "write one to three short paragraphs, or a list"
		}
		return ast.WalkContinue, nil
	})
}

// moveChildren replaces a div by a node, which gets its blocks.
func moveChildren(to ast.Node, d *Div) {
	for child := d.FirstChild(); child != nil; child = d.FirstChild() {
		to.AppendChild(to, child)
	}
	d.Parent().ReplaceChild(d.Parent(), d, to)
}
