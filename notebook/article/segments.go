package article

import (
	"github.com/yuin/goldmark/text"

	"benchbook/notebook/source"
)

// segmentsOf makes a fragment of lines of Markdown; shown is the text that goldmark parsed.
func segmentsOf(s *source.Source, shown []byte, segments []text.Segment, whole source.Pos) fragment {
	var pieces []pieceOfLine
	for _, line := range segments {
		pieces = append(pieces, pieceOfLine{text: string(line.Value(shown)), start: line.Start, padding: line.Padding})
	}
	return joined(s, pieces, whole)
}

// inlineText is a value in running text: what the segments of the article hold from a byte of theirs on.
func inlineText(s *source.Source, segments []text.Segment, from int, value string) source.Text {
	f := segmentsOf(s, s.Data, segments, source.Pos{Source: s})
	return f.find(value, from)
}
