package article

import (
	"github.com/yuin/goldmark/text"

	"benchbook/notebook/source"
	"benchbook/notebook/yamltext"
)

// segmentsOf makes a fragment of lines of Markdown; shown is the text that goldmark parsed.
func segmentsOf(s *source.Source, shown []byte, segments []text.Segment, whole source.Pos) yamltext.Fragment {
	var pieces []yamltext.Piece
	for _, line := range segments {
		pieces = append(pieces, yamltext.Piece{Text: string(line.Value(shown)), Start: line.Start, Padding: line.Padding})
	}
	return yamltext.Join(s, pieces, whole)
}

// inlineText is a value in running text: what the segments of the article hold from a byte of theirs on.
func inlineText(s *source.Source, segments []text.Segment, from int, value string) source.Text {
	f := segmentsOf(s, s.Data, segments, source.Pos{Source: s})
	return f.Find(value, from)
}
