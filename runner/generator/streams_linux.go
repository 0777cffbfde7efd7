package generator

import (
	"slices"

	"golang.org/x/sys/unix"

	"benchbook/runner/http2"
	"benchbook/runner/load/http"
)

// What an engine does with requests over HTTP/2, where several share a connection. Of all else, such as when they start
// and how they are counted, each has a place of its own in engine.connections, whose socket is not used.

// carrier is a connection of HTTP/2.
type carrier struct {
	socket
	*http2.Conn
	of *carriers

	number   int32 // in carriers.all
	lane     int32 // which of the load's connections it is
	opener   int32 // the place of the request that it was opened for; none once that is told of
	connect  int64 // how long opening it took
	lastCame int64 // when something came over it
	bytesIn  int64 // in the window, that no request was told of yet
	bytesOut int64
	written  int  // of what is to be sent
	waiting  bool // in carriers.unsent
	left     bool // another one has taken its lane
	reset    bool // sending was told so, and reading is not told again
}

// carriers are those of an engine.
type carriers struct {
	engine *engine
	all    []*carrier
	lanes  []*carrier // by lane: where the next request goes; nil for a connection that is to be opened
	stale  []bool     // by lane: the server has closed the last one while nothing was under way
	on     []ride     // by place
	unsent []*carrier // those with something to send
	encode *http2.Encoder
}

// ride is the stream that the request of a place is on; without a carrier for none.
type ride struct {
	carrier *carrier
	stream  uint32
}

func newCarriers(e *engine, connections int) *carriers {
	lanes := connections * e.perClient
	return &carriers{engine: e, lanes: make([]*carrier, lanes), stale: make([]bool, lanes),
		on: make([]ride, len(e.connections)), encode: http2.NewEncoder()}
}

// laneOf is the lane of a place: the streams of a connection belong to clients with consecutive numbers, and each
// client has a place for each server.
func (s *carriers) laneOf(i int32) int32 {
	client, server := int(i)/s.engine.perClient, int(i)%s.engine.perClient
	return int32(client/s.engine.config.StreamsEach()*s.engine.perClient + server)
}

// board puts the request of a place on the connection of its lane.
func (s *carriers) board(i int32, c *connection) {
	lane := s.laneOf(i)
	k := s.lanes[lane]
	if k != nil && k.GoesAway {
		s.vacate(k)
		k = nil
	}
	c.reused = k != nil && k.lastCame > 0
	if k == nil {
		if c.stale = c.stale || s.stale[lane]; c.stale {
			s.stale[lane] = false
		}
		if k = s.open(lane, i, c); k == nil {
			return
		}
	}
	r, err := s.requestOf(i, c)
	if err != nil {
		s.engine.err = err
		return
	}
	s.on[i] = ride{k, k.Begin(i, r, c.answer.whole != nil)}
	s.toSend(k)
}

// requestOf is the request of a place, good until the next call.
func (s *carriers) requestOf(i int32, c *connection) (*http2.Request, error) {
	if r := s.engine.targets[c.target].multiplexed; r != nil {
		return r, nil
	}
	return s.encode.Encode(s.engine.plainText(i, c), s.engine.config.Protocol == http.HTTP2)
}

// open opens the connection of a lane for the request of a place; nil if that failed.
func (s *carriers) open(lane, i int32, c *connection) *carrier {
	number := (s.engine.index + int(lane)/s.engine.perClient*s.engine.engines) % len(s.engine.addresses[c.origin])
	fd, errno := connect(&s.engine.addresses[c.origin][number])
	if fd < 0 || errno != 0 && errno != unix.EINPROGRESS {
		if fd >= 0 {
			shut(fd)
		}
		s.engine.clock = s.engine.now()
		s.engine.refused(i, c, errno)
		return nil
	}
	k := &carrier{Conn: http2.NewConn(), of: s, lane: lane, opener: i}
	if k.number = int32(slices.Index(s.all, nil)); k.number == none {
		k.number = int32(len(s.all))
		s.all = append(s.all, nil)
	}
	s.all[k.number], s.lanes[lane] = k, k
	sendAtOnce(fd)
	k.opened, k.fd, k.state = s.engine.clock, int32(fd), connecting
	k.generation = s.engine.sockets.add(fd, int32(len(s.engine.connections))+k.number)
	s.engine.watch(&k.socket, unix.EPOLL_CTL_ADD, true)
	return k
}

// vacate has the next request of a lane open another connection. This one is closed when nothing is under way on it.
func (s *carriers) vacate(k *carrier) {
	if s.lanes[k.lane] == k {
		s.lanes[k.lane] = nil
	}
	k.left = true
}

// close closes a connection, on which nothing is under way.
func (s *carriers) close(k *carrier) {
	if k.state == unconnected {
		return
	}
	s.vacate(k)
	s.engine.sockets.close(&k.socket)
	s.all[k.number] = nil
}

// handle takes note of an event.
func (s *carriers) handle(k *carrier, events uint32) {
	const trouble = unix.EPOLLRDHUP | unix.EPOLLHUP | unix.EPOLLERR
	s.engine.clock = s.engine.now()
	if k.state == connecting {
		s.connected(k)
		return
	}
	if events&unix.EPOLLOUT != 0 {
		s.toSend(k)
	}
	if events&(unix.EPOLLIN|trouble) != 0 {
		s.read(k, events&trouble != 0)
	}
}

// connected goes on with a connection that is open, or is known not to open.
func (s *carriers) connected(k *carrier) {
	code, err := unix.GetsockoptInt(int(k.fd), unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && code != 0 {
		err = unix.Errno(code)
	}
	if err != nil {
		s.refused(k, err)
		return
	}
	k.connect = s.engine.clock - k.opened
	secure := s.engine.origins[int(k.lane)%s.engine.perClient].secure
	if secure == nil {
		s.ready(k, none)
		return
	}
	s.engine.secure(&k.socket, int32(len(s.engine.connections))+k.number, secure, k.opened)
}

// ready sends what waits for the connection.
func (s *carriers) ready(k *carrier, tls int64) {
	k.state = waiting
	if i := k.opener; i != none {
		s.engine.connections[i].connect, s.engine.connections[i].tls = k.connect, tls
		k.opener = none
	}
	s.toSend(k)
}

// secured goes on with a connection on which TLS is set up, or is known not to be.
func (s *carriers) secured(k *carrier, h *handshaken) {
	err := h.err
	if err == nil {
		err = speaksHTTP2(h.session.negotiated())
	}
	if err != nil {
		s.refused(k, err)
		return
	}
	s.engine.handshakes.negotiated[h.session.negotiated()] = true
	k.session = h.session
	s.engine.watch(&k.socket, unix.EPOLL_CTL_ADD, false)
	s.ready(k, h.end-(k.opened+k.connect))
	s.feed(k, nil) // the server may have sent something right behind the handshake
}

// refused ends the requests whose connection did not open.
func (s *carriers) refused(k *carrier, err error) {
	kind, err := refusal(err)
	if kind == "" {
		s.engine.err = err
		return
	}
	for _, i := range s.lose(k) {
		s.engine.fail(i, &s.engine.connections[i], kind)
	}
}

// lose closes a connection and gives the places of the requests that were under way on it.
func (s *carriers) lose(k *carrier) []int32 {
	owners := k.Owners()
	for _, i := range owners {
		s.on[i] = ride{}
	}
	s.close(k)
	return owners
}

// toSend has what a connection has to send be sent before the engine waits.
func (s *carriers) toSend(k *carrier) {
	if !k.waiting {
		k.waiting = true
		s.unsent = append(s.unsent, k)
	}
}

// sendAll sends what connections have to send.
func (s *carriers) sendAll() {
	for n := 0; n < len(s.unsent); n++ { // more may come meanwhile
		k := s.unsent[n]
		if k.waiting = false; k.state == waiting {
			s.send(k)
		}
	}
	s.unsent = s.unsent[:0]
}

// send sends as much as the kernel takes.
func (s *carriers) send(k *carrier) {
	for {
		out := &k.Out
		if tls := k.session; tls != nil {
			if len(k.Out) > 0 && len(tls.wire.out) == 0 { // the rest stays where it is counted
				if err := tls.seal(k.Out); err != nil {
					s.lost(k, unix.ECONNRESET)
					return
				}
				k.Out = k.Out[:0]
			}
			out = &tls.wire.out
		}
		if k.written == len(*out) {
			break
		}
		n, errno := send(int(k.fd), (*out)[k.written:])
		switch errno {
		case 0:
			if k.written += n; s.engine.window.Contains(s.engine.clock) {
				k.bytesOut += int64(n)
			}
		case unix.EINTR:
		case unix.EAGAIN:
			s.engine.watch(&k.socket, unix.EPOLL_CTL_MOD, true)
			return
		case unix.ENOBUFS, unix.ENOMEM:
			_, s.engine.err = refusal(errno)
			return
		default: // the poller will tell that it is broken, and what has come over it is read first
			k.reset = k.reset || errno == unix.ECONNRESET
			k.written, *out = 0, (*out)[:0]
			return
		}
		if k.written == len(*out) {
			k.written, *out = 0, (*out)[:0]
			k.Continue(k)
		}
	}
	if k.writable {
		s.engine.watch(&k.socket, unix.EPOLL_CTL_MOD, false)
	}
}

// read reads what has come over a connection.
func (s *carriers) read(k *carrier, broken bool) {
	for range mostReads {
		n, errno := receive(int(k.fd), s.engine.buffer)
		if errno == unix.EAGAIN {
			return
		}
		if errno == unix.EINTR {
			continue
		}
		s.engine.clock = s.engine.now()
		if errno != 0 || n == 0 {
			s.lost(k, errno)
			return
		}
		k.lastCame = s.engine.clock
		if s.engine.window.Contains(s.engine.clock) {
			k.bytesIn += int64(n)
		}
		if !s.feed(k, s.engine.buffer[:n]) {
			return
		}
		if n < len(s.engine.buffer) && !broken {
			return
		}
		s.sendAll()
		if k.state == unconnected {
			return
		}
	}
}

// feed takes bytes that have come, and reports whether the connection goes on.
func (s *carriers) feed(k *carrier, b []byte) (goesOn bool) {
	var malformed, err error
	if k.session == nil {
		malformed = k.Feed(b, k)
	} else {
		err = k.session.open(b, s.engine.plain, func(plain []byte) {
			if malformed == nil {
				malformed = k.Feed(plain, k)
			}
		})
	}
	switch {
	case k.state == unconnected: // closed meanwhile
		return false
	case malformed != nil || err != nil && !isAlert(err):
		for _, i := range s.lose(k) {
			s.engine.fail(i, &s.engine.connections[i], http.Malformed)
		}
		return false
	case err != nil:
		s.lost(k, unix.ECONNRESET)
		return false
	case k.session.hasEnded():
		s.lost(k, 0)
		return false
	case k.Allowed < uint32(s.engine.config.StreamsEach()):
		s.engine.err = tooFewStreams(k.Allowed, s.engine.config)
		return false
	}
	if k.GoesAway {
		s.vacate(k)
	}
	if k.left && k.Active() == 0 {
		s.close(k)
		return false
	}
	s.toSend(k) // what HTTP/2 or TLS itself has to answer
	return true
}

// lost takes note that nothing more comes over a connection, because of an error or without.
func (s *carriers) lost(k *carrier, errno unix.Errno) {
	if errno == 0 && k.reset {
		errno = unix.ECONNRESET
	}
	lane, isNext := k.lane, s.lanes[k.lane] == k
	owners := s.lose(k)
	if len(owners) == 0 {
		s.stale[lane] = isNext
	}
	for _, i := range owners {
		c, kind := &s.engine.connections[i], http.Reset
		switch {
		case errno == unix.ETIMEDOUT:
			kind = http.Timeout
		case errno == 0 && c.answer.begun:
			kind = http.Short
		case errno == 0:
			kind = http.Closed
		}
		s.again(i, c, kind, c.reused && !c.answer.begun && kind != http.Timeout)
	}
}

// again sends a request once more if the server cannot have worked on it, or ends it.
func (s *carriers) again(i int32, c *connection, kind http.Kind, may bool) {
	if !may || c.retried || s.engine.late(c.start) {
		s.engine.fail(i, c, kind)
		return
	}
	c.retried, c.stale = true, true
	c.firstByte, c.bytesIn = 0, 0
	c.answer.reset()
	s.board(i, c)
}

// alight takes the request of a place off its connection, if it is on one.
func (s *carriers) alight(i int32, c *connection) {
	k := s.on[i].carrier
	if k == nil {
		return
	}
	k.Cancel(s.on[i].stream)
	s.on[i] = ride{}
	if k.opener == i {
		k.opener = none
	}
	s.toSend(k)
	if k.lastCame < c.start { // nothing comes over it any more
		s.vacate(k)
	}
	if k.left && k.Active() == 0 {
		s.close(k)
	}
}

// isOpening says that the connection of a request is not open yet.
func (s *carriers) isOpening(i int32) bool {
	k := s.on[i].carrier
	return k != nil && (k.state == connecting || k.state == securing)
}

// What a carrier is told of its requests.
var _ http2.Receiver = (*carrier)(nil)

func (k *carrier) Begun(i int32) {
	c := &k.of.engine.connections[i]
	c.firstByte, c.answer.begun = k.of.engine.clock, true
}

func (k *carrier) Head(i int32, _ int, fields []http2.Field) {
	k.of.engine.connections[i].answer.whole.keepAll(fields)
}

func (k *carrier) Data(i int32, piece []byte) {
	k.of.engine.connections[i].answer.whole.body.take(piece)
}

func (k *carrier) Body(i int32) []byte {
	r, err := k.of.requestOf(i, &k.of.engine.connections[i])
	if err != nil {
		return nil
	}
	return r.Body()
}

func (k *carrier) Ended(i int32, status int, length int64) {
	e, c := k.of.engine, &k.of.engine.connections[i]
	k.toldOf(i, c)
	c.answer.status, c.answer.length = status, length
	e.judge(i, c)
	e.pacing.freed(i)
}

func (k *carrier) Failed(i int32, why http2.Failure, _ error) {
	e, c := k.of.engine, &k.of.engine.connections[i]
	k.toldOf(i, c)
	switch why {
	case http2.Refused:
		k.of.vacate(k)
		k.of.again(i, c, http.Closed, true)
	case http2.Malformed:
		e.fail(i, c, http.Malformed)
	default:
		e.fail(i, c, http.Reset)
	}
}

// toldOf takes a request off the connection that is over there, and lets it have what went over the connection.
func (k *carrier) toldOf(i int32, c *connection) {
	k.of.on[i] = ride{}
	c.bytesIn, c.bytesOut = c.bytesIn+k.bytesIn, c.bytesOut+k.bytesOut
	k.bytesIn, k.bytesOut = 0, 0
}

// abandon closes the connections of clients that have all left, the first of whom has a number.
func (s *carriers) abandon(first int) {
	for server := range s.engine.perClient {
		if k := s.lanes[first/s.engine.config.StreamsEach()*s.engine.perClient+server]; k != nil && k.Active() == 0 {
			s.close(k)
		}
	}
}

// closeAll closes all connections.
func (s *carriers) closeAll() {
	for _, k := range s.all {
		if k != nil {
			s.close(k)
		}
	}
}
