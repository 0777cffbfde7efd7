package article

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"

	"benchbook/notebook/source"
)

// maxIndent is how far a fence may be indented in Markdown.
const maxIndent = 3

// A fenceMark is the line that begins a fence, or would: its backticks or tildes, and where the words behind them
// stand.
type fenceMark struct {
	character byte
	length    int
	at        source.Pos // of the mark and its words
	words     string
}

// fenceReader finds out what the fences of a document mean.
type fenceReader struct{ *Document }

// fenceAt reads the mark of a fence that the line at an offset begins with, behind what quotations and lists put before
// it. It is false if there is none.
func (doc fenceReader) fenceAt(start int) (fenceMark, bool) {
	line := doc.Text[start:]
	if end := bytes.IndexByte(line, '\n'); end >= 0 {
		line = line[:end]
	}
	from := 0
	for from < len(line) && (line[from] == ' ' || line[from] == '\t' || line[from] == '>') {
		from++
	}
	rest := bytes.TrimRight(line[from:], " \t\r")
	if len(rest) == 0 || rest[0] != '`' && rest[0] != '~' {
		return fenceMark{}, false
	}
	m := fenceMark{character: rest[0], at: doc.Source.Pos(start+from, start+from+len(rest))}
	for m.length < len(rest) && rest[m.length] == m.character {
		m.length++
	}
	m.words = strings.TrimSpace(string(rest[m.length:]))
	return m, m.length >= 3 && !strings.Contains(m.words, "`")
}

// opening is the mark that a fence begins with. It is false where it cannot be found again.
func (doc fenceReader) opening(f *ast.FencedCodeBlock) (fenceMark, bool) {
	at := -1
	switch {
	case f.Info != nil:
		at = f.Info.Segment.Start
	case f.Lines().Len() > 0:
		at = f.Lines().At(0).Start - 1
		for at > 0 && doc.Text[at] != '\n' {
			at-- // what stands before the line in a quotation
		}
	}
	if at < 0 {
		return fenceMark{}, false
	}
	start := bytes.LastIndexByte(doc.Text[:at], '\n') + 1
	if m, ok := doc.fenceAt(start); ok {
		return m, true
	}
	// Behind the mark of a list.
	if i := bytes.IndexAny(doc.Text[start:], "`~"); i >= 0 && start+i <= at {
		return doc.fenceAt(start + i)
	}
	return fenceMark{}, false
}

// unclosed reports a fence that has swallowed what follows it: another fence, or all of the rest. Nothing of it
// is read.
func (doc fenceReader) unclosed(f *ast.FencedCodeBlock) bool {
	mark, ok := doc.opening(f)
	if !ok {
		return false
	}
	sign := strings.Repeat(string(mark.character), mark.length)
	for i := range f.Lines().Len() {
		start := f.Lines().At(i).Start
		inner, ok := doc.fenceAt(start)
		if !ok || inner.at.Start-start > maxIndent || inner.character != mark.character || inner.length < mark.length ||
			!doc.means(inner.words) && (inner.words == "" || !doc.means(mark.words)) {
			continue
		}
		line, _ := doc.Source.Position(mark.at.Start)
		doc.Problems.Add("unclosed-fence", inner.at, "this fence begins inside the one of line %d, which is not closed",
			line).
			Hint = fmt.Sprintf("write a line %s below the last line of that one", sign)
		return true
	}
	end := mark.at.End
	if n := f.Lines().Len(); n > 0 {
		end = f.Lines().At(n - 1).Stop
	} else if i := bytes.IndexByte(doc.Text[end:], '\n'); i >= 0 {
		end += i + 1
	}
	if closing, ok := doc.fenceAt(min(end, len(doc.Text))); ok && closing.words == "" {
		return false
	}
	if doc.means(mark.words) {
		doc.Problems.Add("unclosed-fence", mark.at, "this fence is never closed").
			Hint = fmt.Sprintf("write a line %s below its last line", sign)
		return true
	}
	return false
}

// remarkIndented warns of a fence that would mean something to us if Markdown did not take it for text.
func (doc fenceReader) remarkIndented(start int) {
	if mark, ok := doc.fenceAt(start); ok && doc.means(mark.words) {
		doc.Problems.Warn("indented-fence", mark.at,
			"this block is shown as text: its fence is indented too far for Markdown").
			Hint = fmt.Sprintf("begin its lines with at most %d spaces", maxIndent)
	}
}

// means says that a fence with some words is one of ours, if only by intention.
func (doc fenceReader) means(words string) bool {
	fields := strings.Fields(words)
	return len(fields) > 1 && (fields[0] == "yaml" ||
		strings.HasPrefix(fields[1], "file=") || strings.HasPrefix(fields[1], "include="))
}

// nearBlock is the words of a fence that look like those of a block of ours in another language or with other signs
// between them: yml experiment, yaml:experiment, claim.
var nearBlock = regexp.MustCompile(
	`^(?i:(ya?ml|json|toml|benchbook)[^\pL\d]+)?(?i:(experiment|published|claim|table|figure))[^\pL\d]*( |$)`)

// nearlyBlock reports a fence that somebody meant to be a block of ours.
func (doc fenceReader) nearlyBlock(words string, at source.Pos, content []byte) bool {
	m := nearBlock.FindStringSubmatch(words)
	if m == nil || strings.HasPrefix(m[0], "yaml ") {
		return false
	}
	kind := strings.ToLower(m[2])
	message := fmt.Sprintf("%q is an ordinary listing", words)
	if language, _, found := strings.Cut(words, " "); found {
		message = fmt.Sprintf("a block of %s begins with yaml, not with %s", kind, language)
	}
	doc.Problems.Add("unknown-block", at, "%s", message).Hint = "write ```yaml " + kind + " for a block of benchbook"
	doc.setUnread(kind, content)
	return true
}

// segmentsOf makes a fragment of lines of Markdown; shown is the text that goldmark parsed.
func segmentsOf(s *source.Source, shown []byte, segments []text.Segment, whole source.Pos) source.Fragment {
	var pieces []source.Piece
	for _, line := range segments {
		pieces = append(pieces, source.Piece{Text: string(line.Value(shown)), Start: line.Start, Padding: line.Padding})
	}
	return source.Join(s, pieces, whole)
}

// inlineText is a value in running text: what the segments of the article hold from a byte of theirs on.
func inlineText(s *source.Source, segments []text.Segment, from int, value string) source.Text {
	f := segmentsOf(s, s.Data, segments, source.Pos{Source: s})
	return f.Find(value, from)
}
