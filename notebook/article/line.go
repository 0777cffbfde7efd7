package article

import (
	"strings"

	"github.com/yuin/goldmark/ast"

	"benchbook/notebook/source"
)

// Line is a line of Markdown that stands in YAML: a title, a caption and the like.
type Line struct {
	Part   *ConditionalPart // in which it is shown; nil if in none
	Text   source.Text
	Tree   ast.Node
	Values map[ast.Node]*InlineValue // by their pieces of code
}

// lines reads the titles, captions and other lines of Markdown that stand in YAML, so that what they show is checked
// like the rest of the text. They are not part of the tree: render reads them anew where it shows them.
func (doc *Document) lines() {
	p := ForLines()
	for _, t := range doc.names() {
		*t = t.OneLine()
	}
	for _, l := range doc.written() {
		*l.at = l.at.OneLine()
		t := *l.at
		if t.Value == "" {
			continue
		}
		source := []byte(t.Value)
		tree := p.Parse(source)
		if at, message, hint := p.Exceeded(); at >= 0 {
			doc.Problems.Add("too-large", t.Pos, "%s", message).Hint = hint
			return
		}
		line := Line{Part: l.part, Text: t, Tree: tree, Values: map[ast.Node]*InlineValue{}}
		_ = ast.Walk(tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
			if entering {
				if v := doc.shown(l, n, source); v != nil {
					line.Values[n] = v
				}
			}
			return ast.WalkContinue, nil
		})
		doc.Lines = append(doc.Lines, line)
	}
}

// writtenLine is a line of Markdown in YAML.
type writtenLine struct {
	at   *source.Text
	is   string           // "title", "caption" and the like; empty for what a claim itself says
	part *ConditionalPart // in which it is shown; nil if in none
}

// written lists the lines of Markdown that stand in YAML.
func (doc *Document) written() []writtenLine {
	var list []writtenLine
	add := func(part *ConditionalPart, is string, lines ...*source.Text) {
		for _, at := range lines {
			list = append(list, writtenLine{at, is, part})
		}
	}
	add(nil, "title", &doc.Front.Title)
	add(nil, "description", &doc.Front.Description)
	for _, c := range doc.Claims {
		add(nil, "", append(c.Says.All(), &c.Text)...)
	}
	for _, t := range doc.Tables {
		add(t.Part, "title", &t.Title)
		add(t.Part, "caption", &t.Caption)
	}
	for _, f := range doc.Figures {
		add(f.Part, "title", &f.Title)
		add(f.Part, "caption", &f.Caption)
	}
	return list
}

// names lists what the front matter calls people, works and subjects, which is text.
func (doc *Document) names() []*source.Text {
	var list []*source.Text
	for _, of := range [][]source.Text{doc.Front.Authors, doc.Front.Tags} {
		for i := range of {
			list = append(list, &of[i])
		}
	}
	if r := doc.Front.Reproduces; r != nil {
		list = append(list, &r.Title, &r.Author, &r.Year)
	}
	return list
}

// shown notes a value, which it gives, a claim, a reference or another link in a line of Markdown.
func (doc *Document) shown(in writtenLine, n ast.Node, src []byte) *InlineValue {
	t := *in.at
	switch n := n.(type) {
	case *ast.CodeSpan:
		first, ok := n.FirstChild().(*ast.Text)
		if !ok {
			return nil
		}
		start, stop := first.Segment.Start, first.Segment.Stop
		rest, found := strings.CutPrefix(string(src[start:stop]), valueMark)
		if !found {
			return nil
		}
		words := strings.TrimSpace(rest)
		start += len(valueMark) + strings.Index(rest, words)
		v := &InlineValue{Written: t.Part(start, start+len(words))}
		doc.read(v, words)
		return v
	case *ast.Link:
		written, destination := string(n.Destination), Resolve(n.Destination)
		end := max(strings.LastIndex(t.Value, written), 0) + len(written)
		to := doc.linkTo(destination, func(word string) source.Pos {
			return t.At(end-min(len(word), len(written)), end)
		})
		if l, ok := to.(*ClaimLink); ok && in.is != "" && n.HasChildren() {
			doc.stated = append(doc.stated, Statement{l.Name, in.is, in.part})
		}
		if to != nil {
			return nil
		}
	}
	if l, words, ok := doc.linkOf(n, src); ok {
		end := max(strings.LastIndex(t.Value, words), 0) + len(words)
		l.Pos = t.At(end-len(words), end)
		doc.lineLinks = append(doc.lineLinks, l)
	}
	return nil
}
