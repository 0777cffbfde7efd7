package http2

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Feed takes the next bytes. How they were cut never changes what comes out. The error says in which way the server
// does not speak HTTP/2; the connection is then of no further use.
func (c *Conn) Feed(b []byte, to Receiver) error {
	for len(b) > 0 {
		if c.data.left > 0 {
			n := min(len(b), c.data.left)
			c.takeData(b[:n], to)
			b = b[n:]
			continue
		}
		frame, rest, err := c.next(b)
		if err != nil {
			return err
		}
		if b = rest; frame == nil {
			return nil
		}
		if err := c.take(frame, to); err != nil {
			return err
		}
	}
	return nil
}

// next is the next frame, as far as it has to be whole; nil if more has to come.
func (c *Conn) next(b []byte) (frame, rest []byte, err error) {
	if len(c.partial) == 0 {
		n, err := c.needed(b)
		if err == nil && n <= len(b) {
			return b[:n], b[n:], nil
		}
		if err != nil {
			return nil, nil, err
		}
	}
	for {
		n, err := c.needed(c.partial)
		if err != nil {
			return nil, nil, err
		}
		if n <= len(c.partial) {
			frame, c.partial = c.partial, c.partial[:0]
			return frame, b, nil
		}
		if len(b) == 0 {
			return nil, nil, nil
		}
		more := min(len(b), n-len(c.partial))
		c.partial, b = append(c.partial, b[:more]...), b[more:]
	}
}

// needed is how many bytes there have to be of a frame: of its header alone until that is there, and of data only what
// says how they are padded.
func (c *Conn) needed(b []byte) (int, error) {
	if len(b) < headerSize {
		return headerSize, nil
	}
	length, kind, flags, _ := readHeader(b)
	if !c.settled && (kind != frameSettings || flags&flagAck != 0 || length > defaultFrame) {
		return 0, fmt.Errorf("the server does not speak HTTP/2: it begins with %q", b[:headerSize])
	}
	switch {
	case length > defaultFrame:
		return 0, fmt.Errorf("a frame has %d bytes, and may have %d", length, defaultFrame)
	case kind != frameData:
		return headerSize + length, nil
	case flags&flagPadded != 0 && length > 0:
		return headerSize + 1, nil
	}
	return headerSize, nil
}

func readHeader(b []byte) (length int, kind, flags byte, stream uint32) {
	return int(b[0])<<16 | int(b[1])<<8 | int(b[2]), b[3], b[4], binary.BigEndian.Uint32(b[5:]) & maxStreamID
}

// take takes a frame that is there as far as it has to be.
func (c *Conn) take(frame []byte, to Receiver) error {
	length, kind, flags, id := readHeader(frame)
	payload := frame[headerSize:]
	c.settled = true
	if err := c.check(kind, id); err != nil {
		return err
	}
	switch kind {
	case frameData:
		return c.beginData(length, payload, flags, id, to)
	case frameHeaders:
		return c.takeHeaders(payload, flags, id, to)
	case frameContinuation:
		return c.takeContinuation(payload, flags, to)
	case frameReset:
		return c.takeReset(payload, id, to)
	case frameSettings:
		return c.takeSettings(payload, flags, to)
	case framePing:
		return c.takePing(payload, flags)
	case frameGoAway:
		return c.takeGoAway(payload, to)
	case frameWindowUpdate:
		return c.takeWindow(payload, id, to)
	case framePush:
		return errors.New("the server pushes, which we have ruled out")
	}
	return nil // what is not known means nothing
}

// check reports a frame where there may be none of its kind.
func (c *Conn) check(kind byte, id uint32) error {
	if c.block.stream != 0 && (kind != frameContinuation || id != c.block.stream) {
		return fmt.Errorf("a frame of type %d came in the midst of fields", kind)
	}
	misplaced := false
	switch kind {
	case frameData, frameHeaders, frameReset, frameContinuation:
		misplaced = id%2 == 0 || id > c.lastID
	case frameSettings, framePing, frameGoAway:
		misplaced = id != 0
	case frameWindowUpdate:
		misplaced = id > c.lastID
	}
	if misplaced {
		return fmt.Errorf("a frame of type %d is on stream %d, where there is none", kind, id)
	}
	return nil
}

// beginData takes the beginning of a frame with a piece of a body.
func (c *Conn) beginData(length int, payload []byte, flags byte, id uint32, to Receiver) error {
	d := &c.data
	d.stream, d.left, d.pad, d.ends = id, length-len(payload), 0, flags&flagEndStream != 0
	if len(payload) > 0 {
		if d.pad = int(payload[0]); d.pad > d.left {
			return errors.New("a frame has more padding than bytes")
		}
	}
	if c.consumed += int64(length); c.consumed >= ourWindow/2 {
		c.Out = appendNumber(c.Out, frameWindowUpdate, 0, uint32(c.consumed))
		c.consumed = 0
	}
	s := c.find(id)
	if s == nil {
		return nil // it was broken off
	}
	if s.status == 0 {
		c.fail(s, to, errors.New("a body came before its fields"))
		return nil
	}
	if s.consumed += int64(length); s.consumed >= ourWindow/2 && !d.ends {
		c.Out = appendNumber(c.Out, frameWindowUpdate, id, uint32(s.consumed))
		s.consumed = 0
	}
	if d.left == 0 && d.ends {
		c.end(s, to)
	}
	return nil
}

// takeData takes bytes of a body, or padding.
func (c *Conn) takeData(b []byte, to Receiver) {
	d := &c.data
	n := max(0, min(len(b), d.left-d.pad))
	d.left -= len(b)
	s := c.find(d.stream)
	if s == nil {
		return
	}
	if s.length += int64(n); s.keeps && n > 0 {
		to.Data(s.owner, b[:n])
	}
	if d.left == 0 && d.ends {
		c.end(s, to)
	}
}

// end ends a stream whose answer has come to its end.
func (c *Conn) end(s *stream, to Receiver) {
	hasBody := !s.toHEAD && s.status != 204 && s.status != 304
	if s.wanted >= 0 && s.length != s.wanted && (hasBody || s.length > 0) {
		c.fail(s, to, fmt.Errorf("the answer has a body of %d bytes, and its length is %d", s.length, s.wanted))
		return
	}
	owner, status, length := s.owner, int(s.status), s.length
	if s.unsent > 0 {
		c.reset(s, cancelled) // nobody waits for the rest of the request
	} else {
		c.remove(s)
	}
	to.Ended(owner, status, length)
}

// fail ends a stream whose answer breaks the rules.
func (c *Conn) fail(s *stream, to Receiver, cause error) {
	owner := s.owner
	c.reset(s, protocolError)
	to.Failed(owner, Malformed, cause)
}

// takeHeaders takes a frame with fields, or the first of several.
func (c *Conn) takeHeaders(payload []byte, flags byte, id uint32, to Receiver) error {
	pad := 0
	if flags&flagPadded != 0 {
		if len(payload) == 0 {
			return errors.New("a frame has no length of its padding")
		}
		pad, payload = int(payload[0]), payload[1:]
	}
	if flags&flagPriority != 0 {
		const priority = 5
		if len(payload) < priority {
			return errors.New("a frame has half a priority")
		}
		payload = payload[priority:]
	}
	if pad > len(payload) {
		return errors.New("a frame has more padding than bytes")
	}
	payload = payload[:len(payload)-pad]
	ends := flags&flagEndStream != 0
	if flags&flagEndHeaders != 0 {
		return c.takeBlock(payload, id, ends, to)
	}
	c.block.stream, c.block.ends, c.block.bytes = id, ends, append(c.block.bytes[:0], payload...)
	return nil
}

func (c *Conn) takeContinuation(payload []byte, flags byte, to Receiver) error {
	if c.block.stream == 0 {
		return errors.New("fields go on that have not begun")
	}
	if len(c.block.bytes)+len(payload) > MaxHeader {
		return fmt.Errorf("the fields of an answer take more than %d bytes", MaxHeader)
	}
	c.block.bytes = append(c.block.bytes, payload...)
	if flags&flagEndHeaders == 0 {
		return nil
	}
	id := c.block.stream
	c.block.stream = 0
	return c.takeBlock(c.block.bytes, id, c.block.ends, to)
}

// takeBlock takes the fields of an answer, an interim one, or a trailer.
func (c *Conn) takeBlock(block []byte, id uint32, ends bool, to Receiver) error {
	s := c.find(id)
	h, err := c.decoder.decode(block, s != nil && s.keeps && s.status == 0)
	if err != nil {
		return fmt.Errorf("fields cannot be decoded: %w", err)
	}
	if s == nil {
		return nil // it was broken off
	}
	if !s.begun {
		s.begun = true
		to.Begun(s.owner)
	}
	isTrailer := s.status != 0
	switch mistake := mistakeOf(&h, isTrailer, ends); {
	case mistake != nil:
		c.fail(s, to, mistake)
	case isTrailer:
		c.end(s, to)
	case h.status >= 200:
		s.status, s.wanted = int32(h.status), h.length
		if s.keeps {
			to.Head(s.owner, h.status, c.decoder.fields)
		}
		if ends {
			c.end(s, to)
		}
	}
	return nil
}

// mistakeOf is why fields may not stand where they are: at the beginning of an answer, or as its trailer.
func mistakeOf(h *head, isTrailer, ends bool) error {
	switch {
	case h.mistake != nil:
		return h.mistake
	case isTrailer && (h.status != 0 || !ends):
		return errors.New("an answer has a second head")
	case !isTrailer && h.status == 0:
		return errors.New("an answer has no status")
	case !isTrailer && h.status < 200 && ends:
		return errors.New("an interim answer is all there is")
	}
	return nil
}

func (c *Conn) takeReset(payload []byte, id uint32, to Receiver) error {
	if len(payload) != 4 {
		return fmt.Errorf("a frame that ends a stream has %d bytes", len(payload))
	}
	if s := c.find(id); s != nil {
		owner := s.owner
		c.remove(s)
		to.Failed(owner, Reset, fmt.Errorf("the server ended the stream with error code %d",
			binary.BigEndian.Uint32(payload)))
	}
	return nil
}

func (c *Conn) takePing(payload []byte, flags byte) error {
	const size = 8
	if len(payload) != size {
		return fmt.Errorf("a ping has %d bytes", len(payload))
	}
	if flags&flagAck == 0 {
		return c.reply(framePing, payload)
	}
	return nil
}

// reply answers a frame of the server with one of the same kind.
func (c *Conn) reply(kind int, payload []byte) error {
	if len(c.Out) == 0 {
		c.replies = 0
	}
	if c.replies += headerSize + len(payload); c.replies > maxReplies {
		return errors.New("the server keeps asking for replies and reads none")
	}
	c.Out = append(appendHeader(c.Out, len(payload), kind, flagAck, 0), payload...)
	return nil
}

// takeGoAway gives up the requests that the server has not looked at and never will.
func (c *Conn) takeGoAway(payload []byte, to Receiver) error {
	const least = 8
	if len(payload) < least {
		return fmt.Errorf("a goodbye has %d bytes", len(payload))
	}
	c.GoesAway = true
	last := binary.BigEndian.Uint32(payload) & maxStreamID
	cause := fmt.Errorf("the server ended the connection with error code %d", binary.BigEndian.Uint32(payload[4:]))
	var refused []int32
	for i := range c.streams {
		if s := &c.streams[i]; s.id > last {
			refused = append(refused, s.owner)
			c.remove(s)
		}
	}
	for _, owner := range refused {
		to.Failed(owner, Refused, cause)
	}
	return nil
}

func (c *Conn) takeSettings(payload []byte, flags byte, to Receiver) error {
	const size = 6
	if len(payload)%size != 0 || flags&flagAck != 0 && len(payload) > 0 {
		return fmt.Errorf("settings have %d bytes", len(payload))
	}
	if flags&flagAck != 0 {
		return nil
	}
	for ; len(payload) > 0; payload = payload[size:] {
		if err := c.set(binary.BigEndian.Uint16(payload), binary.BigEndian.Uint32(payload[2:])); err != nil {
			return err
		}
	}
	if err := c.reply(frameSettings, nil); err != nil {
		return err
	}
	c.Continue(to)
	return nil
}

func (c *Conn) set(id uint16, value uint32) error {
	wrong := func() error { return fmt.Errorf("setting %d is %d", id, value) }
	switch id {
	case settingTableSize:
		if value < defaultTable {
			c.table, c.resize = tableOff, true
		}
	case settingPush:
		if value != 0 {
			return wrong()
		}
	case settingMaxStreams:
		c.Allowed = value
	case settingWindow:
		if value > maxWindow {
			return wrong()
		}
		change := int64(value) - c.streamWindow
		c.streamWindow = int64(value)
		for i := range c.streams {
			s := &c.streams[i]
			if s.window += change; s.id != 0 && s.window > maxWindow {
				return wrong()
			}
		}
	case settingMaxFrame:
		const most = 1<<24 - 1
		if value < defaultFrame || value > most {
			return wrong()
		}
	}
	return nil
}

func (c *Conn) takeWindow(payload []byte, id uint32, to Receiver) error {
	if len(payload) != 4 {
		return fmt.Errorf("a window of stream %d is opened by %d bytes", id, len(payload))
	}
	more := int64(binary.BigEndian.Uint32(payload) & maxWindow)
	window, s := &c.window, c.find(id)
	if s != nil {
		window = &s.window
	} else if id != 0 {
		return nil // it is over
	}
	if *window += more; more == 0 || *window > maxWindow {
		if s == nil {
			return errors.New("the window of the connection is opened by nothing, or too far")
		}
		c.fail(s, to, errors.New("the window of a stream is opened by nothing, or too far"))
		return nil
	}
	c.Continue(to)
	return nil
}
