// Package textsearch looks for a text in another one that comes in pieces, without keeping these.
package http

import "bytes"

// Search looks for one text. The zero value looks for the empty one, which is in every other.
type Search struct {
	text  []byte
	found bool
	tail  []byte // the last bytes that came, fewer than those of the text
}

// For begins to look for a text.
func SearchFor(text string) Search { return Search{text: []byte(text)} }

// Add takes the next piece.
func (s *Search) Add(piece []byte) {
	if s.Found() {
		return
	}
	most := len(s.text) - 1
	seam := append(s.tail, piece[:min(len(piece), most)]...)
	s.found = bytes.Contains(seam, s.text) || bytes.Contains(piece, s.text)
	if len(piece) < most {
		s.tail = append(s.tail[:0], seam[max(0, len(seam)-most):]...)
	} else {
		s.tail = append(s.tail[:0], piece[len(piece)-most:]...)
	}
}

// Found reports whether the text has come.
func (s *Search) Found() bool { return s.found || len(s.text) == 0 }
