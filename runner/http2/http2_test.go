package http2

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	peer "golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

const getText = "GET /a?b=c HTTP/1.1\r\nHost: one:80\r\nUser-Agent: benchbook\r\nX-A: b\r\n\r\n"

// told writes down what a Conn tells.
type told struct {
	strings.Builder
	body []byte
}

func (t *told) Begun(owner int32) { fmt.Fprintf(t, "%d begun\n", owner) }

func (t *told) Head(owner int32, status int, fields []Field) {
	fmt.Fprintf(t, "%d head %d %v\n", owner, status, fields)
}

func (t *told) Data(owner int32, piece []byte) {
	for range piece { // however it was cut
		fmt.Fprintf(t, "%d byte\n", owner)
	}
}

func (t *told) Ended(owner int32, status int, length int64) {
	fmt.Fprintf(t, "%d ended %d %d\n", owner, status, length)
}

func (t *told) Failed(owner int32, why Failure, cause error) {
	fmt.Fprintf(t, "%d failed %d: %v\n", owner, why, cause)
}

func (t *told) Body(int32) []byte { return t.body }

// server writes frames.
type server struct {
	bytes.Buffer
	*peer.Framer
	fields *hpack.Encoder
	block  bytes.Buffer
}

func newServer() *server {
	s := &server{}
	s.Framer = peer.NewFramer(&s.Buffer, nil)
	s.Framer.AllowIllegalWrites = true
	s.fields = hpack.NewEncoder(&s.block)
	return s
}

// encode is a block of fields, given as names and values in turn.
func (s *server) encode(pairs ...string) []byte {
	s.block.Reset()
	for i := 0; i < len(pairs); i += 2 {
		s.fields.WriteField(hpack.HeaderField{Name: pairs[i], Value: pairs[i+1]})
	}
	return bytes.Clone(s.block.Bytes())
}

func (s *server) head(id uint32, ends bool, pairs ...string) {
	s.WriteHeaders(peer.HeadersFrameParam{StreamID: id, BlockFragment: s.encode(pairs...), EndStream: ends,
		EndHeaders: true})
}

// begin is a connection with two requests under way, the first of them kept.
func begin(t testing.TB) *Conn {
	t.Helper()
	requests, err := Compile([][]byte{[]byte(getText)}, false)
	if err != nil {
		t.Fatal(err)
	}
	c := NewConn()
	c.Begin(7, requests[0], true)
	c.Begin(8, requests[0], false)
	return c
}

// feed has a connection read a text in pieces of a size.
func feed(t testing.TB, text []byte, size int) (what string, out []byte, err error) {
	c, to := begin(t), &told{}
	c.Out = c.Out[:0]
	for piece := range slices.Chunk(text, size) {
		if err = c.Feed(piece, to); err != nil {
			break
		}
	}
	return to.String(), c.Out, err
}

func TestFeed(t *testing.T) {
	tests := []struct {
		name   string
		serve  func(*server)
		want   string
		broken string // part of the error
	}{
		{"an answer", func(s *server) {
			s.head(1, false, ":status", "200", "content-length", "5", "server", "x")
			s.WriteData(1, true, []byte("hello"))
		}, "7 begun;7 head 200 [{content-length 5} {server x}];" + strings.Repeat("7 byte;", 5) + "7 ended 200 5;", ""},
		{"two answers, mixed, from the same table", func(s *server) {
			for _, id := range []uint32{3, 1} {
				s.head(id, false, ":status", "200", "x-long", "value")
			}
			s.WriteData(1, false, []byte("a"))
			s.WriteData(3, false, []byte("bb"))
			s.WriteData(1, true, nil)
			s.WriteData(3, true, []byte("b"))
		}, "8 begun;7 begun;7 head 200 [{x-long value}];7 byte;7 ended 200 1;8 ended 200 3;", ""},
		{"no body", func(s *server) { s.head(3, true, ":status", "204", "content-length", "3") },
			"8 begun;8 ended 204 0;", ""},
		{"padding and priority", func(s *server) {
			s.WriteHeaders(peer.HeadersFrameParam{StreamID: 3, BlockFragment: s.encode(":status", "200"), EndHeaders: true,
				PadLength: 9, Priority: peer.PriorityParam{Weight: 5}})
			s.WriteDataPadded(3, false, []byte("hello"), make([]byte, 100))
			s.WriteDataPadded(3, false, nil, nil)
			s.WriteDataPadded(3, true, []byte("h"), make([]byte, 1))
		}, "8 begun;8 ended 200 6;", ""},
		{"fields in pieces", func(s *server) {
			block := s.encode(":status", "200", "a", "b")
			s.WriteHeaders(peer.HeadersFrameParam{StreamID: 3, BlockFragment: block[:2], EndStream: true})
			s.WriteContinuation(3, false, nil)
			s.WriteContinuation(3, true, block[2:])
		}, "8 begun;8 ended 200 0;", ""},
		{"interim answers and a trailer", func(s *server) {
			s.head(1, false, ":status", "103", "link", "x")
			s.head(1, false, ":status", "100")
			s.head(1, false, ":status", "200")
			s.WriteData(1, false, []byte("a"))
			s.head(1, true, "x-sum", "1")
		}, "7 begun;7 head 200 [];7 byte;7 ended 200 1;", ""},
		{"a stream that is broken off", func(s *server) {
			s.head(1, false, ":status", "200")
			s.WriteRSTStream(1, peer.ErrCodeInternal)
			s.WriteData(1, true, []byte("late"))
			s.WriteRSTStream(3, peer.ErrCodeRefusedStream)
		}, "7 begun;7 head 200 [];7 failed 0: the server ended the stream with error code 2;" +
			"8 failed 0: the server ended the stream with error code 7;", ""},
		{"goodbye", func(s *server) {
			s.WriteGoAway(1, peer.ErrCodeNo, []byte("bye"))
			s.head(1, true, ":status", "200")
		}, "8 failed 1: the server ended the connection with error code 0;7 begun;7 head 200 [];7 ended 200 0;", ""},
		{"what is not known", func(s *server) {
			s.WriteRawFrame(0x77, 0xff, 99, []byte("x"))
			s.WritePriority(99, peer.PriorityParam{})
			s.WriteSettings(peer.Setting{ID: 99, Val: 1})
			s.WriteWindowUpdate(1, 5)
			s.WriteWindowUpdate(0, 5)
			s.WritePing(true, [8]byte{})
			s.WriteSettingsAck()
		}, "", ""},
		{"a body that is longer than announced", func(s *server) {
			s.head(3, false, ":status", "200", "content-length", "5")
			s.WriteData(3, true, []byte("hello!"))
		}, "8 begun;8 failed 2: the answer has a body of 6 bytes, and its length is 5;", ""},
		{"two lengths", func(s *server) { s.head(3, true, ":status", "200", "content-length", "5", "content-length", "6") },
			`8 begun;8 failed 2: the length of an answer is "6";`, ""},
		{"no length", func(s *server) { s.head(3, true, ":status", "200", "content-length", "+5") },
			`8 begun;8 failed 2: the length of an answer is "+5";`, ""},
		{"a body before its fields", func(s *server) { s.WriteData(3, true, []byte("hello!")) },
			"8 failed 2: a body came before its fields;", ""},
		{"no status", func(s *server) { s.head(3, true, "server", "x") }, "8 begun;8 failed 2: an answer has no status;", ""},
		{"a status behind fields", func(s *server) { s.head(3, true, "server", "x", ":status", "200") },
			`8 begun;8 failed 2: an answer has the field :status: "200";`, ""},
		{"a status with letters", func(s *server) { s.head(3, true, ":status", "2xx") },
			`8 begun;8 failed 2: an answer has the field :status: "2xx";`, ""},
		{"status 101", func(s *server) { s.head(3, true, ":status", "101") },
			`8 begun;8 failed 2: an answer has the field :status: "101";`, ""},
		{"an interim answer alone", func(s *server) { s.head(3, true, ":status", "100") },
			"8 begun;8 failed 2: an interim answer is all there is;", ""},
		{"a second head", func(s *server) {
			s.head(3, false, ":status", "200")
			s.head(3, true, ":status", "200")
		}, "8 begun;8 failed 2: an answer has a second head;", ""},
		{"a name in capitals", func(s *server) { s.head(3, true, ":status", "200", "Server", "x") },
			`8 begun;8 failed 2: an answer has the field "Server": "x";`, ""},
		{"a line end in a value", func(s *server) { s.head(3, true, ":status", "200", "server", "x\r\n") },
			`8 begun;8 failed 2: an answer has the field "server": "x\r\n";`, ""},
		{"a field of HTTP/1.1", func(s *server) { s.head(3, true, ":status", "200", "connection", "close") },
			"8 begun;8 failed 2: an answer has the field connection, which does not exist in HTTP/2;", ""},
		{"too many fields", func(s *server) {
			pairs := []string{":status", "200"}
			for range 500 {
				pairs = append(pairs, "name", strings.Repeat("x", 200))
			}
			s.head(3, true, pairs...)
			s.head(1, true, ":status", "200", "name", strings.Repeat("x", 200))
		}, "8 begun;8 failed 2: the fields of an answer have more than 65536 bytes;7 begun;7 head 200 [{name " +
			strings.Repeat("x", 200) + "}];7 ended 200 0;", ""},
		{"a window that is opened too far", func(s *server) { s.WriteWindowUpdate(3, 1<<31-1) },
			"8 failed 2: the window of a stream is opened by nothing, or too far;", ""},

		{"HTTP/1.1", func(s *server) { s.Reset(); s.WriteString("HTTP/1.1 400 Bad Request\r\n\r\n") }, "",
			`the server does not speak HTTP/2: it begins with "HTTP/1.1 "`},
		{"no settings", func(s *server) { s.Reset(); s.WritePing(false, [8]byte{}) }, "", "does not speak HTTP/2"},
		{"a large frame", func(s *server) { s.WriteData(1, true, make([]byte, 16385)) }, "", "may have 16384"},
		{"a stream that nobody asked for", func(s *server) { s.head(5, true, ":status", "200") }, "", "on stream 5"},
		{"a stream of the server", func(s *server) { s.WriteData(2, true, nil) }, "", "on stream 2"},
		{"settings of a stream", func(s *server) { s.WriteRawFrame(peer.FrameSettings, 0, 1, nil) }, "", "on stream 1"},
		{"half a setting", func(s *server) { s.WriteRawFrame(peer.FrameSettings, 0, 0, []byte("abc")) }, "",
			"settings have 3 bytes"},
		{"a setting that cannot be", func(s *server) {
			s.WriteSettings(peer.Setting{ID: peer.SettingInitialWindowSize, Val: 1 << 31})
		}, "", "setting 4 is 2147483648"},
		{"a push", func(s *server) {
			s.WritePushPromise(peer.PushPromiseParam{StreamID: 1, PromiseID: 2, EndHeaders: true})
		},
			"", "pushes"},
		{"fields within fields", func(s *server) {
			s.WriteHeaders(peer.HeadersFrameParam{StreamID: 3, BlockFragment: s.encode(":status", "200")})
			s.WriteData(3, true, nil)
		}, "", "in the midst of fields"},
		{"fields that go on without a beginning", func(s *server) { s.WriteContinuation(3, true, nil) }, "",
			"go on that have not begun"},
		{"fields without an end", func(s *server) {
			s.WriteHeaders(peer.HeadersFrameParam{StreamID: 3, BlockFragment: s.encode(":status", "200")})
			for range 5 {
				s.WriteContinuation(3, false, make([]byte, 16000))
			}
		}, "", "take more than 65536 bytes"},
		{"fields that refer to nothing", func(s *server) {
			s.WriteHeaders(peer.HeadersFrameParam{StreamID: 3, BlockFragment: []byte{0xff, 0x7f}, EndHeaders: true})
		}, "", "cannot be decoded"},
		{"more padding than bytes", func(s *server) { s.WriteRawFrame(peer.FrameData, peer.FlagDataPadded, 1, []byte{9, 1}) },
			"", "more padding than bytes"},
		{"half a ping", func(s *server) { s.WriteRawFrame(peer.FramePing, 0, 0, []byte("abc")) }, "", "a ping has 3 bytes"},
		{"half a goodbye", func(s *server) { s.WriteRawFrame(peer.FrameGoAway, 0, 0, []byte("abc")) }, "",
			"a goodbye has 3 bytes"},
		{"the window of the connection opened by nothing", func(s *server) { s.WriteWindowUpdate(0, 0) }, "", "by nothing"},
	}
	for _, tt := range tests {
		s := newServer()
		s.WriteSettings()
		tt.serve(s)
		for _, size := range []int{1 << 20, 1, 7} {
			got, _, err := feed(t, s.Bytes(), size)
			if got = strings.ReplaceAll(got, "\n", ";"); got != tt.want {
				t.Errorf("%s, in pieces of %d:\n got %s\nwant %s", tt.name, size, got, tt.want)
			}
			if (err != nil) != (tt.broken != "") || err != nil && !strings.Contains(err.Error(), tt.broken) {
				t.Errorf("%s, in pieces of %d: got %v, want %q", tt.name, size, err, tt.broken)
			}
		}
	}
}

// What we have to answer at once is answered.
func TestReplies(t *testing.T) {
	s := newServer()
	s.WriteSettings()
	s.WritePing(false, [8]byte{1, 2, 3})
	s.head(3, true, "server", "x")
	_, out, err := feed(t, s.Bytes(), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"[FrameHeader SETTINGS flags=ACK len=0]", "[FrameHeader PING flags=ACK len=8]",
		"[FrameHeader RST_STREAM stream=3 len=4]"}
	var got []string
	for r := peer.NewFramer(nil, bytes.NewReader(out)); ; {
		f, err := r.ReadFrame()
		if err != nil {
			break
		}
		got = append(got, f.Header().String())
		if p, ok := f.(*peer.PingFrame); ok && p.Data != [8]byte{1, 2, 3} {
			t.Errorf("the ping came back as %v", p.Data)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A server that asks for replies and takes none does not fill our memory with them.
func TestRepliesThatNobodyTakes(t *testing.T) {
	for name, ask := range map[string]func(*server){
		"pings":    func(s *server) { s.WritePing(false, [8]byte{}) },
		"settings": func(s *server) { s.WriteSettings() },
	} {
		s := newServer()
		s.WriteSettings()
		for range 1000 {
			ask(s)
		}
		const times = 1000
		for _, takes := range []bool{true, false} {
			c, text := begin(t), s.Bytes()
			var err error
			for n := 0; n < times && err == nil; n++ {
				if takes {
					c.Out = c.Out[:0]
				}
				err = c.Feed(text, &told{})
			}
			if takes != (err == nil) || len(c.Out) > 2*maxReplies {
				t.Errorf("%s, which are taken %v: got %v with %d bytes to send", name, takes, err, len(c.Out))
			}
		}
	}
}

// Windows that were used up are opened again.
func TestWindowsAreOpened(t *testing.T) {
	c, to, s := begin(t), &told{}, newServer()
	c.Out = c.Out[:0]
	s.WriteSettings()
	s.head(3, false, ":status", "200")
	const frame = 16384
	for range 64 {
		s.WriteData(3, false, make([]byte, frame))
	}
	opened := map[uint32]int64{}
	text := s.Bytes()
	sent := int64(0)
	for range 600 { // 600 MiB
		if err := c.Feed(text, to); err != nil {
			t.Fatal(err)
		}
		text = text[len(text)-64*(frame+headerSize):]
		sent += 64 * frame
	}
	for r := peer.NewFramer(nil, bytes.NewReader(c.Out)); ; {
		f, err := r.ReadFrame()
		if err != nil {
			break
		}
		if w, ok := f.(*peer.WindowUpdateFrame); ok {
			opened[w.StreamID] += int64(w.Increment)
		}
	}
	for _, id := range []uint32{0, 3} {
		if left := ourWindow - sent + opened[id]; left < ourWindow/2 || left > ourWindow {
			t.Errorf("after %d bytes the window of stream %d is %d", sent, id, left)
		}
	}
}

// peerOf reads what a Conn sends as a server does.
type peerOf struct {
	*peer.Framer
	in bytes.Buffer
}

func newPeer(t *testing.T, tableSize uint32) *peerOf {
	p := &peerOf{}
	p.Framer = peer.NewFramer(nil, &p.in)
	p.ReadMetaHeaders = hpack.NewDecoder(tableSize, nil)
	p.MaxHeaderListSize = 1 << 20
	return p
}

// requests reads what was sent, by stream: its fields and how long its body is.
func (p *peerOf) requests(t *testing.T, out []byte) map[uint32]string {
	t.Helper()
	got := map[uint32]string{}
	p.in.Write(bytes.TrimPrefix(out, []byte(preface)))
	for p.in.Len() > 0 {
		f, err := p.ReadFrame()
		if err != nil {
			t.Fatalf("reading what was sent: %v", err)
		}
		switch f := f.(type) {
		case *peer.MetaHeadersFrame:
			for _, field := range f.Fields {
				got[f.StreamID] += field.Name + "=" + field.Value + ";"
			}
			if f.StreamEnded() {
				got[f.StreamID] += "end"
			}
		case *peer.DataFrame:
			got[f.StreamID] += fmt.Sprintf("%d bytes;", len(f.Data()))
			if f.StreamEnded() {
				got[f.StreamID] += "end"
			}
		}
	}
	return got
}

// Requests arrive as they were meant, whatever the server's table has.
func TestRequests(t *testing.T) {
	texts := [][]byte{[]byte(getText),
		[]byte("POST /d HTTP/1.1\r\nHost: one:80\r\nContent-Length: 3\r\nUser-Agent: benchbook\r\nX-A: b\r\nX-B: " +
			strings.Repeat("y", 40000) + "\r\n\r\nabc")}
	want := []string{":method=GET;:scheme=https;:authority=one:80;:path=/a?b=c;user-agent=benchbook;x-a=b;end",
		":method=POST;:scheme=https;:authority=one:80;:path=/d;content-length=3;user-agent=benchbook;x-a=b;x-b=" +
			strings.Repeat("y", 40000) + ";3 bytes;end"}
	requests, err := Compile(texts, true)
	if err != nil {
		t.Fatal(err)
	}
	if a, b, c := len(requests[0].first), len(requests[0].again), len(requests[0].plain); b >= a || b >= c {
		t.Errorf("a block has %d bytes at first, %d then and %d without a table", a, b, c)
	}
	for _, table := range []uint32{4096, 100, 0} {
		for _, order := range [][]int{{0, 1, 0, 1, 1, 0}, {1, 1, 0, 0}} {
			c, p := NewConn(), newPeer(t, 4096)
			encoder := NewEncoder()
			var sent []int
			ask := func(differs bool) {
				for _, i := range order {
					r := requests[i]
					if differs {
						if r, err = encoder.Encode(texts[i], true); err != nil {
							t.Fatal(err)
						}
					}
					c.Begin(int32(len(sent)), r, false)
					sent = append(sent, i)
				}
			}
			ask(false)
			ask(true)
			got := p.requests(t, c.Out)
			c.Out = c.Out[:0]
			s := newServer()
			s.WriteSettings(peer.Setting{ID: peer.SettingHeaderTableSize, Val: table})
			if err := c.Feed(s.Bytes(), &told{}); err != nil {
				t.Fatal(err)
			}
			p.ReadMetaHeaders.SetAllowedMaxDynamicTableSize(table)
			ask(false)
			ask(true)
			for id, text := range p.requests(t, c.Out) {
				got[id] += text
			}
			for n, i := range sent {
				if got[uint32(2*n+1)] != want[i] {
					t.Fatalf("table of %d, request %d:\n got %.200q\nwant %.200q", table, n, got[uint32(2*n+1)], want[i])
				}
			}
		}
	}
}

func TestRequestsThatCannotBe(t *testing.T) {
	for _, text := range []string{"", "GET /", "GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
		"GET / HTTP/1.1\r\nTE: gzip\r\n\r\n"} {
		if _, err := Compile([][]byte{[]byte(text)}, false); err == nil {
			t.Errorf("%q is accepted", text)
		}
		if _, err := NewEncoder().Encode([]byte(text), false); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
}

// However a server opens its windows, it gets no more than it takes, and all of it in the end.
func TestBodiesKeepToWindows(t *testing.T) {
	const size = 300_000
	c, p, to := NewConn(), newPeer(t, 4096), &told{body: make([]byte, size)}
	r, err := NewEncoder().Encode(fmt.Appendf(nil, "POST / HTTP/1.1\r\nHost: a\r\n\r\n%s", to.body), false)
	if err != nil {
		t.Fatal(err)
	}
	s := newServer()
	s.WriteSettings(peer.Setting{ID: peer.SettingInitialWindowSize, Val: 1000})
	c.Begin(1, r, false)
	windows := map[uint32]int{0: 65535, 1: 65535, 3: 1000}
	got := map[uint32]int{}
	check := func() {
		t.Helper()
		p.in.Write(bytes.TrimPrefix(c.Out, []byte(preface)))
		c.Out = c.Out[:0]
		for p.in.Len() > 0 {
			f, err := p.ReadFrame()
			if err != nil {
				t.Fatal(err)
			}
			if d, ok := f.(*peer.DataFrame); ok {
				n := len(d.Data())
				got[d.StreamID] += n
				windows[0] -= n
				windows[d.StreamID] -= n
				if windows[0] < 0 || windows[d.StreamID] < 0 {
					t.Fatalf("stream %d: windows are %v", d.StreamID, windows)
				}
				if d.StreamEnded() != (got[d.StreamID] == size) {
					t.Fatalf("stream %d ends after %d bytes", d.StreamID, got[d.StreamID])
				}
			}
		}
	}
	check()
	if got[1] != 65535 {
		t.Errorf("%d bytes came at first, want 65535", got[1])
	}
	if err := c.Feed(s.Bytes(), to); err != nil {
		t.Fatal(err)
	}
	windows[1] += 1000 - 65535
	c.Begin(3, r, false)
	for i := range 2000 {
		s.Buffer.Reset()
		id := []uint32{0, 1, 3}[i%3]
		s.WriteWindowUpdate(id, 1500)
		windows[id] += 1500
		if err := c.Feed(s.Bytes(), to); err != nil {
			t.Fatal(err)
		}
		check()
	}
	if got[1] != size || got[3] != size {
		t.Errorf("%v bytes came, want %d each", got, size)
	}
}

// Numbers of streams are not used twice, and frames find those that were begun long ago.
func TestStreams(t *testing.T) {
	requests, err := Compile([][]byte{[]byte(getText)}, false)
	if err != nil {
		t.Fatal(err)
	}
	c, to, s := NewConn(), &told{}, newServer()
	s.WriteSettings()
	old := c.Begin(1, requests[0], false)
	for i := range 1000 {
		id := c.Begin(2, requests[0], false)
		if want := uint32(2*i + 3); id != want {
			t.Fatalf("stream %d, want %d", id, want)
		}
		s.head(id, true, ":status", "204")
		if err := c.Feed(s.Bytes(), to); err != nil {
			t.Fatal(err)
		}
		s.Buffer.Reset()
	}
	if c.Active() != 1 || !slices.Equal(c.Owners(), []int32{1}) {
		t.Fatalf("%d are under way, of %v", c.Active(), c.Owners())
	}
	s.head(old, true, ":status", "200")
	if err := c.Feed(s.Bytes(), to); err != nil || !strings.HasSuffix(to.String(), "1 ended 200 0\n") || c.Active() != 0 {
		t.Errorf("the first stream was forgotten, %v", err)
	}
	c.lastID = maxStreamID - 2
	if c.Begin(3, requests[0], false); !c.GoesAway {
		t.Error("numbers do not come to their end")
	}
}
