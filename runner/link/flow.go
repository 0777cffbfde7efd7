//go:build linux

package link

import (
	"io"
	"sync"
	"time"
)

// Bounds of what is in transit, in bytes of memory.
const (
	maxFlow      = 4 << 20   // of one direction of a connection
	maxAll       = 256 << 20 // of all flows,
	reservedFlow = 64 << 10  // but each flow may always have this much
	markSize     = 64        // size of a mark without data
)

// Bounds of what is read and kept at once.
const (
	maxRead = 64 << 10 // bytes that are read
	maxKept = 1 << 10  // marks that an empty queue has room for
)

// mark is something that travels over the link: bytes that were read at once, or an event.
type mark struct {
	due   time.Duration
	data  []byte
	event event
}

func (m *mark) size() int { return markSize + len(m.data) }

type event int

const (
	noEvent event = iota
	opened        // the last segment of the handshake
	ended         // the end of the stream
	broken        // a reset
)

// flow is one direction of a connection. Relay.mu guards it.
type flow struct {
	relay    *Relay
	conn     *connection
	line     *line
	from, to *end

	queue   []mark        // in transit, in the order of arrival
	size    int           // of the queue, and of the mark that is being written
	last    time.Duration // when the last mark arrives
	ended   bool          // the receiver has got the end of the stream
	over    bool          // nothing is read or written any more
	ready   time.Duration // when the receiver was last ready after the sender had to wait for it; for the sender
	changed sync.Cond     // queue is no longer empty, or over is set
}

// pushLocked sends a mark on its way. It arrives when it is due, but not before the one in front of it.
func (f *flow) pushLocked(m mark) {
	if f.over {
		return
	}
	f.last = max(f.last, m.due)
	m.due = f.last
	f.queue = append(f.queue, m)
	f.size += m.size()
	f.relay.used += m.size()
	f.changed.Signal()
}

// finishLocked drops what is in transit.
func (f *flow) finishLocked() {
	f.over = true
	f.releaseLocked(f.size)
	f.queue = nil
	f.changed.Signal()
}

func (f *flow) releaseLocked(size int) {
	f.size -= size
	f.relay.used -= size
	f.relay.room.Broadcast()
}

// waitForRoom waits until more may be read. It reports false if the flow is over.
func (f *flow) waitForRoom() bool {
	r := f.relay
	r.mu.Lock()
	defer r.mu.Unlock()
	for !f.over && (f.size >= maxFlow || r.used >= r.limit && f.size >= reservedFlow) {
		r.room.Wait()
	}
	return !f.over
}

// receive reads from the sender until the end of the stream or a reset.
func (f *flow) receive() {
	r := f.relay
	if !r.server.SleepUntil(f.conn.opens) {
		return
	}
	for f.waitForRoom() {
		data, err := f.from.read(f.line.piece())
		if err != nil && err != io.EOF {
			f.conn.lost(f.from)
			return
		}
		left, ok := f.line.put(r.server.Clock, len(data))
		if !ok {
			return
		}
		m := mark{data: data}
		if err == io.EOF {
			m.event = ended
		}
		r.mu.Lock()
		m.due = left + r.tripLocked()
		f.pushLocked(m)
		r.mu.Unlock()
		if err == io.EOF {
			if f.from.wasReset() {
				f.conn.lost(f.from)
			}
			return
		}
	}
}

// send hands over what arrives, until the flow is over. After the end of the stream a reset may follow.
func (f *flow) send() {
	for {
		m, ok := f.arrive()
		if !ok {
			return
		}
		switch m.event {
		case opened:
			f.to.acknowledge()
		case ended:
			f.conn.end(f)
		case broken:
			f.conn.abort(f.to)
		default:
			blocked, err := f.to.write(m.data)
			if err != nil {
				f.conn.lost(f.to)
			}
			if blocked {
				f.ready = f.relay.server.Now()
			}
		}
		f.release(m)
	}
}

func (f *flow) release(m mark) {
	release(m.data)
	f.relay.mu.Lock()
	defer f.relay.mu.Unlock()
	if !f.over {
		f.releaseLocked(m.size())
	}
}

// arrive waits until the next mark is due, and takes it from the queue. It reports false if the flow is over.
func (f *flow) arrive() (m mark, ok bool) {
	r := f.relay
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(f.queue) == 0 && !f.over {
		f.changed.Wait()
	}
	if f.over {
		return mark{}, false
	}
	due := f.queue[0].due
	r.mu.Unlock()
	ok = r.server.SleepUntil(due)
	r.mu.Lock()
	if !ok || f.over {
		return mark{}, false
	}
	if due >= f.ready { // otherwise it was the receiver that was late
		r.server.Lateness.Add(r.server.Now() - due)
	}
	m, f.queue[0] = f.queue[0], mark{}
	switch {
	case len(f.queue) > 1:
		f.queue = f.queue[1:]
	case cap(f.queue) > maxKept:
		f.queue = nil
	default:
		f.queue = f.queue[:0]
	}
	return m, true
}

// maxQueued is how far ahead the link may be occupied. Beyond it, senders wait.
const maxQueued = 10 * time.Millisecond

// line is one direction of the link, which all connections share.
type line struct {
	rate float64       // bytes per second; 0: unlimited
	turn chan struct{} // has room for the one whose turn it is; the others wait in the order in which they came
	free time.Duration // when it has sent what it was given; for the one whose turn it is
}

func newLine(rate float64) *line { return &line{rate: rate, turn: make(chan struct{}, 1)} }

// piece is how much a connection sends at once: what takes a millisecond, but at least an Ethernet packet, so that the
// first bytes do not wait for many others.
func (l *line) piece() int {
	if l.rate == 0 {
		return maxRead
	}
	return int(min(max(l.rate/1000, 1460), maxRead))
}

// clock is what a line needs of a delay.Clock.
type clock interface {
	Now() time.Duration
	SleepUntil(due time.Duration) bool
}

// put waits for its turn, occupies the line with n bytes, and returns when the last of them has left. It reports false
// if the clock was closed.
func (l *line) put(c clock, n int) (left time.Duration, ok bool) {
	if l.rate == 0 {
		return c.Now(), true
	}
	l.turn <- struct{}{}
	defer func() { <-l.turn }()
	if !c.SleepUntil(l.free - maxQueued) {
		return 0, false
	}
	l.free = max(l.free, c.Now()) + time.Duration(float64(n)/l.rate*1e9)
	return l.free, true
}
