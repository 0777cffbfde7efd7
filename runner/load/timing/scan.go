package timing

import (
	"bytes"
	"fmt"
)

// Bounds of what is kept of a program's output.
const (
	maxLine    = 64 << 10 // of a metric
	maxMetrics = 1 << 20  // of all of them
	maxStderr  = 64 << 10
	maxStdout  = 1 << 20 // of what is kept to be searched
	maxSaid    = 4 << 10 // of standard output, to be shown beside a failure
)

// A scanner looks through standard output as it passes, for lines that may be metrics and for a text.
type scanner struct {
	contains search

	at      int    // where in a line we are: atStart, inObject, inOther
	line    []byte // the line up to here, inObject
	metrics []string
	kept    int // bytes of metrics
	lost    string
}

const (
	atStart  = iota // nothing but space so far
	inObject        // it begins with {
	inOther
)

func newScanner(contains string) *scanner { return &scanner{contains: searchFor(contains)} }

func (s *scanner) write(p []byte) {
	s.contains.add(p)
	for len(p) > 0 {
		switch s.at {
		case atStart:
			c := p[0]
			switch {
			case c == '{':
				s.at = inObject
				continue // it is part of the line
			case c != ' ' && c != '\t' && c != '\r' && c != '\n':
				s.at = inOther
			}
			p = p[1:]
		case inOther:
			end := bytes.IndexByte(p, '\n')
			if end < 0 {
				return
			}
			s.at, p = atStart, p[end+1:]
		case inObject:
			end := bytes.IndexByte(p, '\n')
			part := p
			if end >= 0 {
				part = p[:end]
			}
			// One byte more than may be kept tells that there was more.
			s.line = append(s.line, part[:min(len(part), maxLine+1-len(s.line))]...)
			if end < 0 {
				return
			}
			s.object()
			s.at, p = atStart, p[end+1:]
		}
	}
}

// end is called when nothing more comes: the last line may have no end.
func (s *scanner) end() {
	if s.at == inObject {
		s.object()
	}
	s.at = atStart
}

// object takes a line that begins with {.
func (s *scanner) object() {
	line := s.line
	s.line = s.line[:0]
	if !bytes.Contains(line, []byte(`"metric"`)) {
		return
	}
	switch {
	case len(line) > maxLine:
		s.lost = fmt.Sprintf("a line of more than %d KiB that begins like a metric", maxLine>>10)
	case s.kept+len(line) > maxMetrics:
		s.lost = fmt.Sprintf("more than %d MiB of metrics", maxMetrics>>20)
	default:
		s.kept += len(line)
		s.metrics = append(s.metrics, string(line))
	}
}

// A tail keeps the end of a stream.
type tail struct {
	limit int // bytes
	kept  []byte
}

func (t *tail) write(p []byte) {
	p = p[max(0, len(p)-t.limit):]
	if over := len(t.kept) + len(p) - t.limit; over > 0 {
		t.kept = t.kept[:copy(t.kept, t.kept[over:])]
	}
	t.kept = append(t.kept, p...)
}

func (t *tail) Write(p []byte) (int, error) {
	t.write(p)
	return len(p), nil
}

func (t *tail) String() string { return string(t.kept) }
