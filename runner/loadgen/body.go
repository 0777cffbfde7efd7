package loadgen

import (
	"bufio"
	"io"
	"regexp"
)

// maxJSON is how many bytes a body may have for values in its JSON to be checked: it is kept whole for that.
const maxJSON = 1 << 20

// maxExcerpt is how much of a body is kept for messages, in bytes.
const maxExcerpt = 80

// body looks at the body of an answer while it comes, however long it is, and keeps no more of it than the checks need.
type body struct {
	length int64
	start  []byte // the beginning, as much of it as is kept
	keeps  int    // bytes of it, at most

	contains search
	pattern  *matcher // nil where nothing has to match
}

// newBody prepares for the body of an answer that is checked by v. Whoever calls it calls end.
func newBody(v *Verify) (*body, error) {
	b := &body{keeps: maxExcerpt + 1} // so that a longer one can be told from a whole one
	if v == nil {
		return b, nil
	}
	b.contains = searchFor(v.Contains)
	if len(v.JSON) > 0 {
		b.keeps = maxJSON
	}
	if v.Match == "" {
		return b, nil
	}
	pattern, err := regexp.Compile(v.Match)
	if err == nil {
		b.pattern = newMatcher(pattern)
	}
	return b, err
}

// take takes the next bytes.
func (b *body) take(piece []byte) {
	b.length += int64(len(piece))
	kept := piece[:min(len(piece), b.keeps-len(b.start))]
	if need := len(b.start) + len(kept); need > cap(b.start) { // append and Buffer would make it larger than it may become
		b.start = append(make([]byte, 0, min(b.keeps, max(need, 2*cap(b.start)))), b.start...)
	}
	b.start = append(b.start, kept...)
	b.contains.add(piece)
	if b.pattern != nil {
		b.pattern.take(piece)
	}
}

// end says that no more comes. Only then is it known what matches. It may be called again.
func (b *body) end() {
	if b.pattern != nil {
		b.pattern.end()
	}
}

// matches reports whether the pattern, if there is one, was found; end was called before.
func (b *body) matches() bool { return b.pattern == nil || b.pattern.found }

// matcher looks for a pattern in pieces of a text.
type matcher struct {
	to    *io.PipeWriter
	found bool
	done  chan struct{}
}

func newMatcher(pattern *regexp.Regexp) *matcher {
	from, to := io.Pipe()
	m := &matcher{to: to, done: make(chan struct{})}
	go func() {
		defer close(m.done)
		m.found = pattern.MatchReader(bufio.NewReaderSize(from, bufferSize))
		from.Close() // the rest makes no difference
	}()
	return m
}

func (m *matcher) take(piece []byte) { _, _ = m.to.Write(piece) } // fails where the rest makes no difference

func (m *matcher) end() {
	m.to.Close()
	<-m.done
}
