//go:build linux

package link

import "time"

// Bounds of what is on its way, in bytes of memory.
const (
	chunkSize    = 4 << 10   // that bytes are kept in
	maxFlow      = 4 << 20   // of one direction of a connection
	maxAll       = 256 << 20 // of all together,
	reservedFlow = 64 << 10  // beside what each direction may always have
	maxSpare     = 64 << 20  // of chunks that are kept for later
	markSize     = 64        // what a mark counts as, so that many small reads are bounded too
)

// mark is something that travels over the link: bytes that were read at once, or an event behind them.
type mark struct {
	due   int64
	bytes int
	event event
}

// event is what a mark brings beside bytes.
type event int

const (
	noEvent event = iota
	opened        // the last segment of the handshake
	ended         // the end of the stream
	broken        // a reset
)

// queue is what is on its way in one direction of a connection, and what has arrived but could not be handed over yet.
type queue struct {
	chunks [][]byte // of chunkSize each; the first begins at head, the last ends at tail
	head   int
	tail   int
	marks  []mark
	first  int // of marks that is still on its way
}

// memory is what is kept of all queues of a relay.
type memory struct {
	limit int // at which nothing more is taken in, beside what each may always have
	used  int
	spare [][]byte
}

func (m *memory) chunk() []byte {
	m.used += chunkSize
	if n := len(m.spare); n > 0 {
		c := m.spare[n-1]
		m.spare = m.spare[:n-1]
		return c
	}
	return make([]byte, chunkSize)
}

func (m *memory) free(c []byte) {
	m.used -= chunkSize
	if len(m.spare) < maxSpare/chunkSize {
		m.spare = append(m.spare, c)
	}
}

// size is the memory that a queue takes.
func (q *queue) size() int { return len(q.chunks)*chunkSize + (len(q.marks)-q.first)*markSize }

// add appends bytes, and a mark of when they arrive.
func (q *queue) add(m *memory, data []byte, due int64, e event) {
	q.marks = append(q.marks, mark{due, len(data), e})
	m.used += markSize
	for len(data) > 0 {
		if len(q.chunks) == 0 || q.tail == chunkSize {
			q.chunks = append(q.chunks, m.chunk())
			q.tail = 0
		}
		n := copy(q.chunks[len(q.chunks)-1][q.tail:], data)
		q.tail += n
		data = data[n:]
	}
}

// next is the mark that arrives next; ok is false where there is none.
func (q *queue) next() (m mark, ok bool) {
	if q.first == len(q.marks) {
		return mark{}, false
	}
	return q.marks[q.first], true
}

func (q *queue) pop(m *memory) {
	q.first++
	m.used -= markSize
	switch {
	case q.first == len(q.marks):
		q.marks, q.first = q.marks[:0], 0
		if cap(q.marks) > 1024 {
			q.marks = nil
		}
	case q.first > 512 && q.first > len(q.marks)/2:
		q.marks = append(q.marks[:0], q.marks[q.first:]...)
		q.first = 0
	}
}

// parts lists the first n bytes, in up to most pieces.
func (q *queue) parts(n, most int, out [][]byte) [][]byte {
	for i := 0; n > 0 && i < min(len(q.chunks), most); i++ {
		c := q.chunks[i]
		if i == len(q.chunks)-1 {
			c = c[:q.tail]
		}
		if i == 0 {
			c = c[q.head:]
		}
		c = c[:min(n, len(c))]
		out, n = append(out, c), n-len(c)
	}
	return out
}

// drop takes the first n bytes away, and gives memory back.
func (q *queue) drop(m *memory, n int) {
	q.head += n
	done := 0
	for last := len(q.chunks) - 1; done <= last && (q.head >= chunkSize || done == last && q.head == q.tail); done++ {
		m.free(q.chunks[done])
		q.head = max(0, q.head-chunkSize)
	}
	if done > 0 {
		q.chunks = append(q.chunks[:0], q.chunks[done:]...)
	}
}

// clear takes everything away.
func (q *queue) clear(m *memory) {
	for _, c := range q.chunks {
		m.free(c)
	}
	m.used -= (len(q.marks) - q.first) * markSize
	*q = queue{}
}

// maxRead is how much is read at once.
const maxRead = 64 << 10

// maxQueued is how much of the link's time may be taken before who wants to send has to wait.
const maxQueued = int64(10 * time.Millisecond)

// line is one direction of the link, which all connections share.
type line struct {
	rate    float64 // bytes per second; 0: without bound
	free    int64   // when it has sent what it was given
	waiting []*flow // in the order in which they came
}

// piece is how much of one connection is taken at once: what takes a millisecond, but at least a packet of Ethernet, so
// that the first bytes do not wait for many others.
func (l *line) piece() int {
	if l.rate == 0 {
		return maxRead
	}
	return int(min(max(l.rate/1000, 1460), maxRead))
}

// open says whether something can be put on the line now.
func (l *line) open(now int64) bool { return l.free-now <= maxQueued }

// put occupies the line with bytes, and says when the last of them has left.
func (l *line) put(now int64, bytes int) int64 {
	if l.rate == 0 {
		return now
	}
	l.free = max(l.free, now) + int64(float64(bytes)/l.rate*1e9)
	return l.free
}
