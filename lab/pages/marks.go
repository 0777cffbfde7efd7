package pages

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/yuin/goldmark/ast"

	"benchbook/notebook/article"
	"benchbook/notebook/source"
)

// mark is a part of an article between two comments in a Markdown file: docs/command.md#weave.
type mark struct {
	kind    string     // table, value, figure or claim
	name    string     // label, expression or claim
	article string     // slug
	at      source.Pos // of the words in the first comment
	body    source.Pos
}

// text returns the present text of the part.
func (m mark) text() string { return string(m.body.Source.Data[m.body.Start:m.body.End]) }

var (
	comment = regexp.MustCompile(`<!--\s*(/?)benchbook\b(:?)`)
	asked   = regexp.MustCompile(`(?s)^(table|value|figure|claim)\s+(\S.*?)\s+of\s+(\S+)$`)
)

// marksIn finds the marks of a Markdown file, in their order. What looks like one in code is left alone.
func marksIn(src *source.Source, problems *source.Problems) []mark {
	var out []mark
	var open *mark // whose second comment is to come
	missing := func(m *mark) {
		problems.Add("bad-mark", m.at, "the part has no end").Hint = "close it with <!-- /benchbook -->"
	}
	for _, piece := range htmlIn(src, problems) {
		text, next := src.Data[piece.Start:piece.End], piece.Start
		for _, m := range comment.FindAllSubmatchIndex(text, -1) {
			begin, after := piece.Start+m[0], piece.Start+m[1]
			if begin < next { // within a comment
				continue
			}
			end := bytes.Index(src.Data[after:piece.End], []byte("-->"))
			at := src.Pos(begin, after)
			if end < 0 {
				problems.Add("bad-mark", at, "the comment has no end").Hint = "close it with -->"
				continue
			}
			said := src.Pos(after, after+end)
			next = said.End
			if closes := m[2] < m[3]; closes && open == nil {
				problems.Add("bad-mark", at, "nothing begins before this end").Hint = "remove it, or begin a part before it"
			} else if closes {
				open.body.End = begin
				if open.kind != "" {
					out = append(out, *open)
				}
				open = nil
			} else {
				if open != nil {
					missing(open)
				}
				open = readMark(src, said, at, problems)
				open.body = src.Pos(said.End+len("-->"), len(src.Data))
			}
		}
	}
	if open != nil {
		missing(open)
	}
	return out
}

// readMark parses the words of a comment. The kind is empty if they have a problem.
func readMark(src *source.Source, said, at source.Pos, problems *source.Problems) *mark {
	words := src.Data[said.Start:said.End]
	start := said.Start + len(words) - len(bytes.TrimLeft(words, " \t\r\n"))
	m := &mark{at: src.Pos(start, start+len(bytes.TrimSpace(words)))}
	found := asked.FindSubmatch(bytes.TrimSpace(words))
	if found == nil {
		m.at = src.Pos(at.Start, max(at.End, m.at.End))
		problems.Add("bad-mark", m.at, "unknown part of an article").Hint =
			"write table LABEL of ARTICLE, figure LABEL of ARTICLE, value EXPRESSION of ARTICLE or claim NAME of ARTICLE"
		return m
	}
	m.kind, m.name, m.article = string(found[1]), string(found[2]), string(found[3])
	return m
}

// htmlIn gives the places of raw HTML, which comments are.
func htmlIn(src *source.Source, problems *source.Problems) []source.Pos {
	var out []source.Pos
	parser := article.ForPages()
	_ = ast.Walk(parser.Parse(src.Data), func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		switch n := n.(type) {
		case *ast.HTMLBlock:
			if entering && n.Lines().Len() > 0 {
				out = append(out, src.Pos(n.Lines().At(0).Start, max(n.Lines().At(n.Lines().Len()-1).Stop, n.ClosureLine.Stop)))
			}
		case *ast.RawHTML:
			if entering && n.Segments.Len() > 0 {
				out = append(out, src.Pos(n.Segments.At(0).Start, n.Segments.At(n.Segments.Len()-1).Stop))
			}
		}
		return ast.WalkContinue, nil
	})
	if at, message, hint := parser.Exceeded(); at >= 0 {
		problems.Add("too-large", src.Pos(at, at+1), "%s", message).Hint = hint
	}
	slices.SortFunc(out, func(a, b source.Pos) int { return a.Start - b.Start }) // the tree has footnotes at its end
	for i := range out {
		if i > 0 { // blocks may overlap
			out[i].Start = max(out[i].Start, min(out[i-1].End, out[i].End))
			out[i].End = max(out[i].End, out[i].Start)
		}
	}
	return out
}

// woven is the text with other bodies in its marks, with line ends as it has them.
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

// differs returns where a part first differs from the wanted text, and how in words; empty if it does not differ.
func differs(m mark, want string) (at source.Pos, words string) {
	is := m.text()
	switch {
	case is == want:
		return at, ""
	case strings.TrimSpace(is) == "":
		return m.at, "nothing stands between the comments yet"
	}
	from := 0
	for from < len(is) && from < len(want) && is[from] == want[from] {
		from++
	}
	const between = " \t\r\n|"
	from = strings.LastIndexAny(is[:from], between) + 1
	word := func(text string) (start int, word string) {
		start = len(text) - len(strings.TrimLeft(text, between))
		word, _, _ = strings.Cut(text[start:], " ")
		if end := strings.IndexAny(word, between); end >= 0 {
			word = word[:end]
		}
		return start, word
	}
	start, there := word(is[from:])
	_, here := word(want[from:])
	if there == "" || there == here {
		return m.at, "the lines are not those of the records"
	}
	start += m.body.Start + from
	return m.body.Source.Pos(start, start+len(there)), fmt.Sprintf("here stands %q, and the records give %q", there, here)
}

// numberWithUnit matches a number with a unit, as of something that was measured.
var numberWithUnit = regexp.MustCompile(`\d[\d.,]*(?:\s|\x{a0}|\x{202f})?(?:times|×|%|(?:[µmn]?s|[kMG]i?B|/s)\b)`)

// typedNumbers returns the numbers with units on lines with a value of the records that are not part of a mark.
func typedNumbers(src *source.Source, marks []mark) (out []source.Pos) {
	inMark := func(at int) bool {
		return slices.ContainsFunc(marks, func(m mark) bool { return m.at.Start <= at && at < m.body.End })
	}
	for i, m := range marks {
		if m.kind != "value" || i > 0 && marks[i-1].kind == "value" && !bytes.ContainsRune(
			src.Data[marks[i-1].body.End:m.at.Start], '\n') {
			continue // the line was searched
		}
		start := bytes.LastIndexByte(src.Data[:m.at.Start], '\n') + 1
		end := len(src.Data)
		if n := bytes.IndexByte(src.Data[m.body.End:], '\n'); n >= 0 {
			end = m.body.End + n
		}
		for _, found := range numberWithUnit.FindAllIndex(src.Data[start:end], -1) {
			if !inMark(start + found[0]) {
				out = append(out, src.Pos(start+found[0], start+found[1]))
			}
		}
	}
	return out
}
