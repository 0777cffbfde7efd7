package agent

import (
	"bytes"
	"fmt"
)

// Limits of a program's output that is kept, in bytes.
const (
	maxLine    = 64 << 10 // of a metric
	maxMetrics = 1 << 20  // of all metrics
	maxStderr  = 64 << 10
	maxStdout  = 1 << 20
	maxSaid    = 4 << 10 // of standard output, to be shown next to a failure
)

// scanner finds lines that may be metrics.
type scanner struct {
	line    []byte // so far, if it begins with {
	other   bool   // the line begins with something else
	metrics []string
	size    int // of metrics
	lost    string
}

func (s *scanner) Write(p []byte) (n int, err error) {
	n = len(p)
	for len(p) > 0 {
		if len(s.line) == 0 {
			p = s.skip(p)
		}
		part, rest, ended := bytes.Cut(p, []byte("\n"))
		if !s.other {
			s.line = append(s.line, part[:min(len(part), maxLine+1-len(s.line))]...) // 1 more shows that it is too long
		}
		if p = rest; ended {
			s.endLine()
		}
	}
	return n, nil
}

// skip skips to the next brace, which begins a line unless other. A program that prints many lines without one must not
// wait for us.
func (s *scanner) skip(p []byte) []byte {
	skipped, rest := p, []byte(nil)
	if at := bytes.IndexByte(p, '{'); at >= 0 {
		skipped, rest = p[:at], p[at:]
	}
	if end := bytes.LastIndexByte(skipped, '\n'); end >= 0 {
		s.other, skipped = false, skipped[end+1:]
	}
	s.other = s.other || len(bytes.TrimLeft(skipped, " \t\r")) > 0
	return rest
}

// endLine ends the line. The last one of an output may have no end.
func (s *scanner) endLine() {
	switch {
	case !bytes.Contains(s.line, []byte(`"metric"`)):
	case len(s.line) > maxLine:
		s.lost = fmt.Sprintf("a line of more than %d KiB that begins like a metric", maxLine>>10)
	case s.size+len(s.line) > maxMetrics:
		s.lost = fmt.Sprintf("more than %d MiB of metrics", maxMetrics>>20)
	default:
		s.size += len(s.line)
		s.metrics = append(s.metrics, string(s.line))
	}
	s.line, s.other = s.line[:0], false
}

// search reports whether a text was written to it.
type search struct {
	text  []byte
	found bool
	seam  []byte // the end of what was written, shorter than the text
}

func (s *search) Write(p []byte) (int, error) {
	if overlap := len(s.text) - 1; !s.found && overlap >= 0 {
		seam := append(s.seam, p[:min(len(p), overlap)]...)
		s.found = bytes.Contains(seam, s.text) || bytes.Contains(p, s.text)
		if len(p) >= overlap {
			seam = p
		}
		s.seam = append(s.seam[:0], seam[max(0, len(seam)-overlap):]...)
	}
	return len(p), nil
}

// tail keeps the last bytes that are written to it.
type tail struct {
	limit int
	kept  []byte
}

func (t *tail) Write(p []byte) (int, error) {
	end := p[max(0, len(p)-t.limit):]
	if over := len(t.kept) + len(end) - t.limit; over > 0 {
		t.kept = t.kept[:copy(t.kept, t.kept[over:])]
	}
	t.kept = append(t.kept, end...)
	return len(p), nil
}
