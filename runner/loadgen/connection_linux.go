package loadgen

// connection is a slot for a connection, with its current or last request. It is small, since there may be 100,000.
type connection struct {
	socket
	answer  answerReader
	outcome       // of the request; while none is under way, its flags are for the next one
	wake    int64 // when a thinking client's pause is over
	written int   // bytes of the request sent so far

	origin int32
	before int32 // neighbours in its queue
	behind int32

	reused     bool // an earlier request used the connection
	retried    bool // the request was sent again, as that connection was stale
	sendFailed bool // the connection takes no more bytes; there may still be an answer
}

// socket is a TCP connection, with TLS if its origin has it.
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
	sending  // the rest of the request
	waiting  // for the answer, or the rest of it
	idle
)

func (c *socket) disconnect() { c.state, c.session, c.writable = unconnected, nil, false }

// connectionList is a linked list of connections, in the order in which they were pushed.
type connectionList struct{ first, last int32 }

func newQueue() connectionList { return connectionList{none, none} }

func (l *connectionList) push(all []connection, i int32) {
	c := &all[i]
	c.before, c.behind = l.last, none
	if l.last == none {
		l.first = i
	} else {
		all[l.last].behind = i
	}
	l.last = i
}

func (l *connectionList) remove(all []connection, i int32) {
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
