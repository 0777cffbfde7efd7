package http2

import "io"

// Exchanged is what came of one request.
type Exchanged struct {
	Status  int
	Length  int64  // of the body
	Allowed uint32 // as in Conn
	Err     error  // why there is no whole answer
}

// Exchange sends one request over a connection that nothing was sent on, and reads its answer. It gives its head and
// the pieces of its body away.
func Exchange(conn io.ReadWriter, r *Request, head func(status int, fields []Field), piece func([]byte)) Exchanged {
	one := &exchange{request: r, head: head, piece: piece}
	k := NewConn()
	k.Begin(0, r, true)
	buffer := make([]byte, 64<<10)
	var sendErr error
	for !one.over {
		// That a server does not read all of a request can wait: it may have answered it all the same.
		if sendErr == nil {
			_, sendErr = conn.Write(k.Out)
		}
		k.Out = k.Out[:0]
		if k.Continue(one); len(k.Out) > 0 && sendErr == nil {
			continue
		}
		n, err := conn.Read(buffer)
		if malformed := k.Feed(buffer[:n], one); malformed != nil {
			one.over, one.Err = true, malformed
		}
		if one.over || err == nil {
			continue
		}
		if one.over, one.Err = true, err; sendErr != nil {
			one.Err = sendErr
		}
	}
	one.Allowed = k.Allowed
	return one.Exchanged
}

// exchange receives the answer of Exchange.
type exchange struct {
	Exchanged
	request *Request
	head    func(int, []Field)
	piece   func([]byte)
	over    bool
}

var _ Receiver = (*exchange)(nil)

func (e *exchange) Begun(int32) {}

func (e *exchange) Head(_ int32, status int, fields []Field) { e.head(status, fields) }

func (e *exchange) Data(_ int32, piece []byte) { e.piece(piece) }

func (e *exchange) Ended(_ int32, status int, length int64) {
	e.over, e.Status, e.Length = true, status, length
}

func (e *exchange) Failed(_ int32, _ Failure, cause error) { e.over, e.Err = true, cause }

func (e *exchange) Body(int32) []byte { return e.request.body }
