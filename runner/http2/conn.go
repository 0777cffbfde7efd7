package http2

import (
	"math"
	"slices"
)

// Receiver is told what comes over a connection. Whatever it is told of a request, it knows the request by the owner
// that Begin was given.
type Receiver interface {
	// Begun is told of the first bytes of an answer, an interim one among them.
	Begun(owner int32)
	// Head is told the fields of an answer that is kept, and Data its body in pieces.
	Head(owner int32, status int, fields []Field)
	Data(owner int32, piece []byte)
	// Ended is told of a whole answer, with its status and the bytes of its body. It may begin the next request.
	Ended(owner int32, status int, length int64)
	// Failed is told of a request that has ended without a whole answer. It may begin another one.
	Failed(owner int32, why Failure, cause error)
	// Body gives the body of a request again that did not fit into the windows of the server at once.
	Body(owner int32) []byte
}

// A Failure is what became of a request that got no answer.
type Failure int

// The failures of one request, while its connection goes on.
const (
	Reset     Failure = iota // the server broke it off
	Refused                  // the server goes away, and has not looked at it: it may be sent again elsewhere
	Malformed                // its answer breaks the rules
)

// Conn is a connection. It is used by one goroutine.
type Conn struct {
	Out []byte // what is to be sent; whoever sends it empties it

	// Allowed is how many requests the server lets be under way at a time.
	Allowed uint32
	// GoesAway says that the server, or the numbers of streams, allow no further request.
	GoesAway bool

	streams []stream // places of streams, of which those with a number are under way
	free    []int32  // places without one
	recent  []int32  // places by the number of the stream, of those that were begun last
	lastID  uint32
	active  int
	unsent  []uint32 // streams whose bodies wait for room

	table        tableState
	resize       bool  // the table of the server is to be emptied by the next block
	window       int64 // what the server takes on the connection
	streamWindow int64 // and on a stream that begins
	consumed     int64 // what has come on the connection and was not made room for
	replies      int   // bytes of replies that were put into Out since it was empty

	decoder *decoder
	partial []byte // the beginning of a frame
	settled bool   // the server's first frame was there
	data    struct {
		stream uint32
		left   int // bytes of the frame
		pad    int // how many of these mean nothing
		ends   bool
	}
	block struct { // fields that go on in further frames
		stream uint32 // 0 if there are none
		ends   bool
		bytes  []byte
	}
}

// tableState is what the server's table for our fields has.
type tableState uint8

const (
	tableEmpty tableState = iota
	tableShared
	tableOff // it is too small
)

// stream is a request under way.
type stream struct {
	id       uint32 // 0 for none
	owner    int32
	status   int32 // of the answer, 0 until its fields are there
	begun    bool
	keeps    bool // the answer is kept
	toHEAD   bool
	sent     int   // of the body
	unsent   int   // what is left of it
	window   int64 // what the server takes
	consumed int64 // as that of the connection
	length   int64 // of the answer's body so far
	wanted   int64 // its Content-Length, or -1
}

// NewConn begins a connection.
func NewConn() *Conn {
	return &Conn{Out: appendStart(nil), Allowed: math.MaxUint32, window: defaultWindow, streamWindow: defaultWindow,
		decoder: newDecoder()}
}

// Active is how many requests are under way.
func (c *Conn) Active() int { return c.active }

// Owners are those of the requests under way, in the order in which they began.
func (c *Conn) Owners() []int32 {
	live := slices.DeleteFunc(slices.Clone(c.streams), func(s stream) bool { return s.id == 0 })
	slices.SortFunc(live, func(a, b stream) int { return int(a.id) - int(b.id) })
	owners := make([]int32, len(live))
	for i := range live {
		owners[i] = live[i].owner
	}
	return owners
}

// Begin puts a request into Out, and as much of its body as the server takes. It returns the number of the stream.
func (c *Conn) Begin(owner int32, r *Request, keeps bool) (id uint32) {
	id = 1
	if c.lastID > 0 {
		id = c.lastID + 2
	}
	c.lastID = id
	c.GoesAway = c.GoesAway || id == maxStreamID
	if len(c.free) == 0 {
		c.grow()
	}
	place := c.free[len(c.free)-1]
	c.free = c.free[:len(c.free)-1]
	c.streams[place] = stream{id: id, owner: owner, keeps: keeps, toHEAD: r.toHEAD, unsent: len(r.body),
		window: c.streamWindow, wanted: -1}
	c.recent[int(id>>1)&(len(c.recent)-1)] = place
	c.active++
	c.appendHead(id, r)
	if len(r.body) > 0 && !c.appendBody(&c.streams[place], r.body) {
		c.unsent = append(c.unsent, id)
	}
	return id
}

// grow makes room for twice as many streams.
func (c *Conn) grow() {
	had := len(c.streams)
	n := max(1, 2*had)
	c.streams = append(make([]stream, 0, n), c.streams...)[:n]
	for place := n - 1; place >= had; place-- {
		c.free = append(c.free, int32(place))
	}
	const spread = 4 // so that few are forgotten while they are under way
	c.recent = make([]int32, spread*n)
	for place := range had {
		c.recent[int(c.streams[place].id>>1)&(len(c.recent)-1)] = int32(place)
	}
}

// appendHead writes the fields of a request.
func (c *Conn) appendHead(id uint32, r *Request) {
	block := r.plain
	switch {
	case c.table == tableShared && r.again != nil:
		block = r.again
	case c.table == tableEmpty && r.first != nil:
		block, c.table = r.first, tableShared
	}
	const emptyTable = 0x20 // a change of its size to 0. Source: RFC 7541, 6.3.
	size := len(block)
	if c.resize {
		size++
	}
	flags := byte(flagEndHeaders)
	if size > defaultFrame {
		flags = 0
	}
	if len(r.body) == 0 {
		flags |= flagEndStream
	}
	n := min(size, defaultFrame)
	c.Out = appendHeader(c.Out, n, frameHeaders, flags, id)
	if c.resize {
		c.Out = append(c.Out, emptyTable)
		c.resize = false
		n--
	}
	c.Out = append(c.Out, block[:n]...)
	for block = block[n:]; len(block) > 0; block = block[n:] {
		n, flags = min(len(block), defaultFrame), 0
		if n == len(block) {
			flags = flagEndHeaders
		}
		c.Out = append(appendHeader(c.Out, n, frameContinuation, flags, id), block[:n]...)
	}
}

// appendBody writes as much of a body as the windows and Out have room for, and reports whether that is all.
func (c *Conn) appendBody(s *stream, body []byte) (all bool) {
	for s.unsent > 0 && len(c.Out) < maxOut {
		n := int(min(int64(s.unsent), defaultFrame, s.window, c.window))
		if n <= 0 {
			return false
		}
		flags := byte(0)
		if n == s.unsent {
			flags = flagEndStream
		}
		c.Out = append(appendHeader(c.Out, n, frameData, flags, s.id), body[s.sent:s.sent+n]...)
		s.sent, s.unsent = s.sent+n, s.unsent-n
		s.window -= int64(n)
		c.window -= int64(n)
	}
	return s.unsent == 0
}

// Continue puts more of the bodies into Out for which there was no room.
func (c *Conn) Continue(to Receiver) {
	if len(c.unsent) == 0 {
		return
	}
	waiting := c.unsent[:0]
	for _, id := range c.unsent {
		if s := c.find(id); s != nil && (c.window <= 0 || s.window <= 0 || len(c.Out) >= maxOut ||
			!c.appendBody(s, to.Body(s.owner))) {
			waiting = append(waiting, id)
		}
	}
	c.unsent = waiting
}

// Cancel breaks a request off that is under way.
func (c *Conn) Cancel(id uint32) {
	if s := c.find(id); s != nil {
		c.reset(s, cancelled)
	}
}

// reset ends a stream and says so to the server.
func (c *Conn) reset(s *stream, code ErrorCode) {
	c.Out = appendNumber(c.Out, frameReset, s.id, uint32(code))
	c.remove(s)
}

// remove forgets a stream that is over. It stays as it was until another one begins.
func (c *Conn) remove(s *stream) {
	place := c.recent[int(s.id>>1)&(len(c.recent)-1)]
	if &c.streams[place] != s {
		place = int32(slices.IndexFunc(c.streams, func(other stream) bool { return other.id == s.id }))
	}
	s.id = 0
	c.free = append(c.free, place)
	c.active--
}

// find is the stream with a number, if it is under way.
func (c *Conn) find(id uint32) *stream {
	if id == 0 || len(c.streams) == 0 {
		return nil
	}
	if s := &c.streams[c.recent[int(id>>1)&(len(c.recent)-1)]]; s.id == id {
		return s
	}
	for i := range c.streams { // one that was begun long ago, or that is over
		if c.streams[i].id == id {
			return &c.streams[i]
		}
	}
	return nil
}
