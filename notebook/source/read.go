package source

import (
	"bytes"
	"errors"
	"unicode/utf8"

	"benchbook/internal/files"
)

// Bounds of a text that is read. They are far above what people write, and keep what parsers make of a hostile text
// under 200 MB and a second.
const (
	maxText  = 1_000_000     // bytes
	maxRead  = 100 * maxText // bytes of a file that is read at all, to say by how much it is too large
	maxLines = 100_000
	maxLine  = 100_000 // bytes
)

// Read reads a text from a file, which is shown to people by another path. It is false, which is a problem, for a pipe
// or the like, which could never end, for a file that cannot be read, and for one that is far too large.
func Read(file, shown string, problems *Problems) (*Source, bool) {
	source := New(shown, nil)
	data, _, err := files.Read(file, maxRead)
	if large, ok := errors.AsType[*files.TooLargeError](err); ok {
		tooLarge(Pos{Source: source}, max(large.Size, large.Most+1), problems)
		return source, false
	}
	if err != nil {
		problems.Add("not-a-file", Pos{Source: source}, "the file cannot be read: %s", files.Reason(err)).
			Hint = "replace it with a file that you can read"
		return source, false
	}
	return New(shown, data), true
}

func tooLarge(at Pos, size int64, problems *Problems) {
	problems.Add("too-large", at, "the file has %d bytes; the limit is %d", size, maxText).Hint = divide
}

const divide = "divide it, or put data into files that images are built from"

// Fits reports whether a text is UTF-8 and small enough to be read; another one is a problem.
func Fits(s *Source, problems *Problems) bool {
	before := problems.Found()
	switch {
	case len(s.Data) > maxText:
		tooLarge(s.Pos(0, 1), int64(len(s.Data)), problems)
	case len(s.lines) > maxLines:
		at := s.lines[maxLines-1]
		problems.Add("too-large", s.Pos(at, at+1), "the file has more than %d lines", maxLines).Hint = divide
	case isUTF16(s.Data):
		problems.Add("bad-utf8", s.Pos(0, 2), "the file is UTF-16").Hint = "save it as UTF-8"
	case !utf8.Valid(s.Data):
		invalid := firstInvalid(s.Data)
		problems.Add("bad-utf8", s.Pos(invalid, invalid+1), "the file is not UTF-8 from here on").Hint = "save it as UTF-8"
	default:
		start := 0
		for line := range bytes.Lines(s.Data) {
			if len(line) > maxLine {
				problems.Add("too-large", s.Pos(start, start+1), "the line has %d bytes; the limit is %d", len(line), maxLine).
					Hint = "break it into several lines"
				break
			}
			start += len(line)
		}
	}
	return problems.Found() == before
}

// isUTF16 reports whether a text begins as editors of Windows write it: with a mark of the order of bytes, or every
// other byte zero.
func isUTF16(data []byte) bool {
	if bytes.HasPrefix(data, []byte{0xff, 0xfe}) || bytes.HasPrefix(data, []byte{0xfe, 0xff}) {
		return true
	}
	return len(data) >= 4 && (data[0] == 0 && data[1] != 0 && data[2] == 0 && data[3] != 0 ||
		data[0] != 0 && data[1] == 0 && data[2] != 0 && data[3] == 0)
}

// firstInvalid returns the offset of the first byte that is not UTF-8, or the length of valid data.
func firstInvalid(data []byte) int {
	for i, r := range string(data) {
		if r == utf8.RuneError && !bytes.HasPrefix(data[i:], []byte("\ufffd")) {
			return i
		}
	}
	return len(data)
}
