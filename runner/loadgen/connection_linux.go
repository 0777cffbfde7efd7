package loadgen

import "unsafe"

// connection is a place for a connection, with the request that is on it or was last. There is one for every client of
// a closed loop, and as many as may be open at a time in an open one, so it is kept small: a request is never kept, but
// written again from its draw if it has to be sent again.
type connection struct {
	socket
	answer answerReader

	start     int64 // of the request: when it started, or was due
	sent      int64 // when it left
	firstByte int64
	connect   int64 // as in outcome
	tls       int64
	bytesIn   int64 // in the window
	bytesOut  int64
	wake      int64 // when a thinking client's pause is over
	draw      uint64
	written   int // bytes of the request that have been sent

	target int32
	origin int32
	before int32 // in the list that it is in
	behind int32

	reused      bool // the request goes over the connection of another
	retried     bool // and that was stale
	stale       bool // as in outcome, from here on of the request that is next if none is under way
	unrequested bool
	blocked     bool
	sendFailed  bool // the connection takes no more, what has come over it may still be an answer
}

// socket is one, with what is set up on it.
type socket struct {
	session    *session
	opened     int64 // when the attempt to connect began
	fd         int32
	generation uint32
	state      state
	writable   bool // the poller tells when there is room to send
}

// A state is what a connection is at.
type state uint8

const (
	unconnected state = iota
	connecting
	securing // TLS is being set up
	sending  // part of the request
	waiting  // for the answer, or the rest of it
	idle
)

// disconnect forgets the socket.
func (c *socket) disconnect() { c.state, c.session, c.writable = unconnected, nil, false }

// sizeOfConnection is the memory of ours that each connection takes, its entry in owners included.
const sizeOfConnection = unsafe.Sizeof(connection{}) + unsafe.Sizeof(owner{})

// queue is a queue of connections, linked through them.
type queue struct{ first, last int32 }

func newQueue() queue { return queue{none, none} }

func (l *queue) push(all []connection, i int32) {
	c := &all[i]
	c.before, c.behind = l.last, none
	if l.last == none {
		l.first = i
	} else {
		all[l.last].behind = i
	}
	l.last = i
}

func (l *queue) remove(all []connection, i int32) {
	c := &all[i]
	if c.before == none {
		l.first = c.behind
	} else {
		all[c.before].behind = c.behind
	}
	if c.behind == none {
		l.last = c.before
	} else {
		all[c.behind].before = c.before
	}
}
