package source

import (
	"errors"

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
	problems.Add("too-large", at, "the file has %d bytes; the limit is %d", size, maxText).
		Hint = "divide it, or put data into files that images are built from"
}

// Fits reports whether a text is UTF-8 and small enough to be read; another one is a problem.
func Fits(s *Source, problems *Problems) bool {
	whole := Pos{s, 0, min(1, len(s.Data))}
	if len(s.Data) > maxText {
		tooLarge(whole, int64(len(s.Data)), problems)
		return false
	}
	if len(s.lines) > maxLines {
		at := s.lines[maxLines-1]
		problems.Add("too-large", Pos{s, at, min(at+1, len(s.Data))}, "the file has more than %d lines", maxLines).
			Hint = "divide it, or put data into files that images are built from"
		return false
	}
	for i, start := range s.lines {
		end := len(s.Data)
		if i+1 < len(s.lines) {
			end = s.lines[i+1]
		}
		if end-start > maxLine {
			problems.Add("too-large", Pos{s, start, start + 1}, "the line has %d bytes; the limit is %d", end-start, maxLine).
				Hint = "break it into several lines"
			return false
		}
	}
	invalid := firstInvalid(s.Data)
	switch {
	case isUTF16(s.Data):
		problems.Add("bad-utf8", s.Pos(0, min(2, len(s.Data))), "the file is UTF-16").Hint = "save it as UTF-8"
		return false
	case invalid < len(s.Data):
		problems.Add("bad-utf8", s.Pos(invalid, invalid+1), "the file is not UTF-8 from here on").Hint = "save it as UTF-8"
		return false
	}
	return true
}
