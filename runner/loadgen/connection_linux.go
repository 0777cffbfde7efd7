package loadgen

// connection is a slot for a connection, with its current or last request. It is small, as there may be very many.
type connection struct {
	socket
	answer  answerReader
	outcome       // of its request; its flags are of the next one while none is under way
	wake    int64 // when a thinking client's pause is over
	written int   // bytes of the request sent so far

	origin int32
	before int32 // in its queue
	behind int32

	reused     bool // an earlier request used the connection
	retried    bool // and it was stale
	sendFailed bool // the connection takes no more bytes; there may still be an answer
}

// socket is an open connection.
type socket struct {
	session    *session
	opened     int64 // when connecting began
	fd         int32
	generation uint32
	state      state
	writable   bool // the poller waits for room to send
}

type state uint8

const (
	unconnected state = iota
	connecting
	securing // TLS is being set up
	sending  // part of the request
	waiting  // for the answer, or the rest of it
	idle
)

func (c *socket) disconnect() { c.state, c.session, c.writable = unconnected, nil, false }

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
