package loadgen

import "bytes"

// search looks for a text in a stream of pieces.
type search struct {
	text  []byte
	found bool
	tail  []byte // the last bytes of the stream, fewer than those of the text
}

func searchFor(text string) search { return search{text: []byte(text), found: text == ""} }

// add searches the next piece.
func (s *search) add(piece []byte) {
	if s.found || len(s.text) == 0 {
		return
	}
	s.tail = append(s.tail, piece...)
	s.found = bytes.Contains(s.tail, s.text)
	s.tail = append(s.tail[:0], s.tail[max(0, len(s.tail)-len(s.text)+1):]...)
}
