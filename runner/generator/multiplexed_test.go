package generator

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	nethttp "net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	peer "golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"benchbook/runner/load/http"
	"benchbook/slowtest"
)

// goServer is Go's own server of HTTP/2, over TLS and without.
type goServer struct {
	requests atomic.Int64
	other    atomic.Int64 // in another version
	hosts    [2]string    // without TLS, and with it
	server   nethttp.Server
}

func serveHTTP2(t *testing.T, config *nethttp.HTTP2Config, answer nethttp.HandlerFunc) *goServer {
	t.Helper()
	s := &goServer{}
	s.server = nethttp.Server{HTTP2: config, ErrorLog: log.New(io.Discard, "", 0), TLSConfig: homeMade(t, nil)}
	s.server.TLSConfig.NextProtos = []string{"h2", "http/1.1"}
	s.server.Protocols = new(nethttp.Protocols)
	s.server.Protocols.SetHTTP1(true)
	s.server.Protocols.SetHTTP2(true)
	s.server.Protocols.SetUnencryptedHTTP2(true)
	s.server.Handler = nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		if s.requests.Add(1); r.ProtoMajor != 2 {
			s.other.Add(1)
		}
		answer(w, r)
	})
	t.Cleanup(func() { s.server.Close() })
	for i, begin := range []func(net.Listener) error{s.server.Serve,
		func(l net.Listener) error { return s.server.ServeTLS(l, "", "") }} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		s.hosts[i] = l.Addr().String()
		go begin(l)
	}
	return s
}

// target is the URL of a path by a protocol.
func (s *goServer) target(p http.Protocol, path string) string {
	if p == http.HTTP2 {
		return "https://" + s.hosts[1] + path
	}
	return "http://" + s.hosts[0] + path
}

var bothProtocols = []http.Protocol{http.HTTP2Clear, http.HTTP2}

// Go's own server is asked by several clients on each of two connections.
func TestHTTP2(t *testing.T) {
	slowtest.Skip(t)
	sized := func(w nethttp.ResponseWriter, r *nethttp.Request) {
		n, _ := strconv.Atoi(r.URL.Query().Get("bytes"))
		w.Write(bytes.Repeat([]byte("x"), n))
	}
	echo := func(w nethttp.ResponseWriter, r *nethttp.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%x", sha256.Sum256(body))
	}
	body := bytes.Repeat([]byte("benchbook "), 150_000) // larger than all windows, which are a MiB
	wants := func(name, value string) nethttp.HandlerFunc {
		return func(w nethttp.ResponseWriter, r *nethttp.Request) {
			if got := r.Header.Get(name); got != value {
				nethttp.Error(w, got, 400)
			}
		}
	}
	type want struct {
		kind   http.Kind
		length int64 // of bodies
		status int
	}
	tests := []struct {
		name   string
		answer nethttp.HandlerFunc
		path   string
		change func(*http.Config)
		want   want
	}{
		{"a small answer", sized, "/?bytes=5", nil, want{length: 5}},
		{"an answer without a body", sized, "/", nil, want{}},
		{"an answer of many frames", sized, "/?bytes=3000000", nil, want{length: 3_000_000}},
		{"a length announced and chunks", func(w nethttp.ResponseWriter, r *nethttp.Request) {
			for range 5 {
				w.Write([]byte("hello"))
				w.(nethttp.Flusher).Flush()
			}
		}, "/", nil, want{length: 25}},
		{"HEAD", func(w nethttp.ResponseWriter, r *nethttp.Request) { w.Header().Set("Content-Length", "77") }, "/",
			func(c *http.Config) { c.Targets[0].Method = "HEAD" }, want{}},
		{"status 204", func(w nethttp.ResponseWriter, r *nethttp.Request) { w.WriteHeader(204) }, "/", nil,
			want{status: 204}},
		{"a wrong status", func(w nethttp.ResponseWriter, r *nethttp.Request) { w.WriteHeader(503) }, "/", nil,
			want{kind: http.Wrong, status: 503}},
		{"interim answers", func(w nethttp.ResponseWriter, r *nethttp.Request) {
			w.WriteHeader(103)
			w.WriteHeader(103)
			w.Write([]byte("hello"))
		}, "/", nil, want{length: 5}},
		{"trailers", func(w nethttp.ResponseWriter, r *nethttp.Request) {
			w.Header().Set("Trailer", "X-Sum")
			w.Write([]byte("hello"))
			w.Header().Set("X-Sum", "1")
		}, "/", nil, want{length: 5}},
		{"a large head of the answer", func(w nethttp.ResponseWriter, r *nethttp.Request) {
			w.Header().Set("X-Large", strings.Repeat("y", 40_000))
		}, "/", nil, want{}},
		{"a head of the answer that is too large", func(w nethttp.ResponseWriter, r *nethttp.Request) {
			w.Header().Set("X-Large", strings.Repeat("y", 80_000))
		}, "/", nil, want{kind: http.Malformed}},
		{"a head that changes", func(w nethttp.ResponseWriter, r *nethttp.Request) {
			w.Header().Set("X-Now", time.Now().String())
			w.Write([]byte("hello"))
		}, "/", nil, want{length: 5}},
		{"headers of the request", wants("X-A", "b c"), "/", func(c *http.Config) {
			c.Targets[0].Headers = map[string]string{"X-A": "b c", "Host": "another"}
		}, want{}},
		{"a large head of the request", wants("X-Large", strings.Repeat("z", 50_000)), "/", func(c *http.Config) {
			c.Targets[0].Headers = map[string]string{"X-Large": strings.Repeat("z", 50_000)}
		}, want{}},
		{"a small body", echo, "/", func(c *http.Config) {
			c.Targets[0].Method, c.Targets[0].Body = "POST", []byte("one")
		}, want{length: 64}},
		{"a large body", echo, "/", func(c *http.Config) {
			c.Targets[0].Method, c.Targets[0].Body = "PUT", body
			c.Verify.Contains, c.Verify.Before = fmt.Sprintf("%x", sha256.Sum256(body)), nil
		}, want{length: 64}},
		{"a large body that differs", echo, "/", func(c *http.Config) {
			c.Targets[0].Method = "POST"
			c.Targets[0].Body = append([]byte("${{ random(100, 999) }}"), body...)
		}, want{length: 64}},
		{"a large body that nobody reads", sized, "/?bytes=5", func(c *http.Config) {
			c.Targets[0].Method, c.Targets[0].Body = "PUT", body
		}, want{length: 5}},
		{"a path that is drawn", func(w nethttp.ResponseWriter, r *nethttp.Request) {
			n, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/items/"))
			if n < 10 || n > 99 || r.URL.RawQuery != "a=b%20c" {
				w.WriteHeader(400)
			}
			w.Write([]byte("hello"))
		}, "/items/${{ random(10, 99) }}?a=b%20c", nil, want{length: 5}},
		{"streams that the server breaks off", func(w nethttp.ResponseWriter, r *nethttp.Request) {
			w.Write([]byte("hello"))
			w.(nethttp.Flusher).Flush()
			panic(nethttp.ErrAbortHandler)
		}, "/", nil, want{kind: http.Reset}},
		{"answers that come too late", func(w nethttp.ResponseWriter, r *nethttp.Request) {
			<-r.Context().Done()
		}, "/", func(c *http.Config) { c.Timeout = time.Second }, want{kind: http.Timeout}},
	}
	for _, tt := range tests {
		for _, p := range bothProtocols {
			t.Run(tt.name+", "+string(p), func(t *testing.T) {
				t.Parallel()
				s := serveHTTP2(t, nil, tt.answer)
				const requests = 60
				config := http.Config{Targets: []http.Target{{URL: s.target(p, tt.path)}}, Protocol: p, Connections: 2, Streams: 5,
					Requests: requests, Timeout: 20 * time.Second, KeepAlive: true, Threads: 1,
					Verify: &http.Verify{Before: new(false), Length: new(tt.want.length)}}
				if tt.change != nil {
					tt.change(&config)
				}
				if tt.want.status != 0 && tt.want.kind == "" {
					config.Verify.Status = []int{tt.want.status}
				}
				r := mustRun(t, config)
				if r.Attempted != requests || r.Attempted != r.Answered+r.Failed ||
					tt.want.kind == "" && r.Failed > 0 || r.Failures[tt.want.kind] != r.Failed || r.Stale > 0 {
					t.Errorf("%d attempted, %d answered, failures %v, %d stale; want %d, all %q", r.Attempted, r.Answered, r.Failures,
						r.Stale, requests, tt.want.kind)
				}
				if tt.want.kind != http.Timeout && tt.want.kind != http.Malformed && (r.Connects != 2 || r.Connect.Count != 2) {
					t.Errorf("%d connections were opened, want 2", r.Connects)
				}
				if n := s.other.Load(); n > 0 {
					t.Errorf("%d requests came by another protocol", n)
				}
				if status := tt.want.status; status != 0 && r.Status[status] != requests {
					t.Errorf("statuses are %v", r.Status)
				}
				if p == http.HTTP2 && (len(r.TLS) != 1 || r.TLS[0].Protocol != "h2" || r.TLSSetup.Count != r.Connects) {
					t.Errorf("negotiated %v, TLS was set up %d times", r.TLS, r.TLSSetup.Count)
				}
			})
		}
	}
}

// frames is a server of HTTP/2 that does what a test says, frame by frame.
type frames struct {
	*peer.Framer
	conn   net.Conn
	fields *hpack.Encoder
	block  bytes.Buffer
}

// serveFrames gives each connection to a function of its own number, which ends with it.
func serveFrames(t *testing.T, serve func(n int, f *frames)) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for n := 0; ; n++ {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				f := &frames{Framer: peer.NewFramer(conn, conn), conn: conn}
				f.fields = hpack.NewEncoder(&f.block)
				if _, err := io.ReadFull(conn, make([]byte, len(peer.ClientPreface))); err == nil {
					serve(n, f)
				}
			}()
		}
	}()
	return fmt.Sprintf("http://%s/", l.Addr())
}

// request waits for the next request, and returns its stream; 0 if there is none any more.
func (f *frames) request() uint32 {
	for {
		frame, err := f.ReadFrame()
		if err != nil {
			return 0
		}
		if h, ok := frame.(*peer.HeadersFrame); ok {
			return h.StreamID
		}
	}
}

// answer sends a whole answer, or its head alone.
func (f *frames) answer(id uint32, ends bool) {
	f.block.Reset()
	f.fields.WriteField(hpack.HeaderField{Name: ":status", Value: "200"})
	f.WriteHeaders(peer.HeadersFrameParam{StreamID: id, BlockFragment: f.block.Bytes(), EndStream: ends,
		EndHeaders: true})
}

// leave closes the connection in order: with something of the client unread, it would be a reset.
func (f *frames) leave() {
	f.conn.(*net.TCPConn).CloseWrite()
	for f.request() != 0 {
	}
}

// Whatever a server does with its connections, each request ends once, as it should.
func TestConnectionsOfHTTP2(t *testing.T) {
	slowtest.Skip(t)
	type numbers struct {
		answered, stale, connects int64
		kind                      http.Kind
	}
	const requests = 12
	tests := []struct {
		name  string
		serve func(n int, f *frames)
		want  numbers
	}{
		{"goodbye before every fourth request", func(n int, f *frames) {
			for i := 1; ; i++ {
				id := f.request()
				if id == 0 {
					return
				}
				if i == 4 {
					f.WriteGoAway(id-2, peer.ErrCodeNo, nil)
					f.request() // until the client has closed
					return
				}
				f.answer(id, true)
			}
		}, numbers{answered: 12, stale: 3, connects: 4}},
		{"goodbye behind an answer", func(n int, f *frames) {
			id := f.request()
			f.WriteGoAway(id, peer.ErrCodeNo, nil)
			f.answer(id, true)
			f.request()
		}, numbers{answered: 12, connects: 12}},
		{"close behind an answer", func(n int, f *frames) { f.answer(f.request(), true); f.leave() },
			numbers{answered: 12, stale: 11, connects: 12}},
		{"close instead of an answer", func(n int, f *frames) { f.request(); f.leave() },
			numbers{kind: http.Closed, connects: 12}},
		{"close in an answer", func(n int, f *frames) { f.answer(f.request(), false); f.leave() },
			numbers{kind: http.Short, connects: 12}},
		{"reset in an answer", func(n int, f *frames) {
			f.answer(f.request(), false)
			time.Sleep(5 * time.Millisecond)
			f.conn.(*net.TCPConn).SetLinger(0)
		}, numbers{kind: http.Reset, connects: 12}},
		{"a stream that is refused", func(n int, f *frames) {
			for id := f.request(); id != 0; id = f.request() {
				f.WriteRSTStream(id, peer.ErrCodeRefusedStream)
			}
		}, numbers{kind: http.Reset, connects: 1}},
		{"a frame that cannot be", func(n int, f *frames) {
			f.request()
			f.WriteRawFrame(peer.FramePing, 0, 0, []byte("abc"))
			f.request()
		}, numbers{kind: http.Malformed, connects: 12}},
		{"answers that come too late, on a connection that lives", func(n int, f *frames) {
			for id := f.request(); id != 0; id = f.request() {
				f.WritePing(false, [8]byte{})
			}
		}, numbers{kind: http.Timeout, connects: 1}},
		{"silence", func(n int, f *frames) {
			for f.request() != 0 {
			}
		}, numbers{kind: http.Timeout, connects: 1}},
		{"a server of HTTP/1.1", func(n int, f *frames) {
			io.WriteString(f.conn, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
			f.request()
		}, numbers{kind: http.Malformed, connects: 12}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			url := serveFrames(t, func(n int, f *frames) {
				if !strings.Contains(tt.name, "HTTP/1.1") {
					f.WriteSettings()
				}
				tt.serve(n, f)
			})
			config := http.Config{Targets: []http.Target{{URL: url}}, Protocol: http.HTTP2Clear, Connections: 1,
				Requests: requests, Timeout: 20 * time.Second, KeepAlive: true}
			if tt.want.kind == http.Timeout {
				config.Timeout = 300 * time.Millisecond
			}
			r := mustRun(t, config)
			got := numbers{answered: r.Answered, stale: r.Stale, connects: r.Connects}
			for kind, n := range r.Failures {
				if n > 0 {
					got.kind += kind
				}
			}
			if tt.name == "silence" { // whose connections are given up, but for the settings that came
				got.connects = min(got.connects, 1)
			}
			if got != tt.want || r.Attempted != requests {
				t.Errorf("\n got %+v, %d attempted, %v\nwant %+v", got, r.Attempted, r.Failures, tt.want)
			}
		})
	}
}

// A server that pings without end and reads no reply is given up, over TLS too, before the replies fill our memory.
func TestRepliesThatNobodyReads(t *testing.T) {
	for _, p := range bothProtocols {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			scheme := "http"
			if p == http.HTTP2 {
				scheme = "https"
				config := homeMade(t, nil)
				config.NextProtos = []string{"h2"}
				l = tls.NewListener(l, config)
			}
			t.Cleanup(func() { l.Close() })
			go func() {
				for {
					conn, err := l.Accept()
					if err != nil {
						return
					}
					go func() {
						defer conn.Close()
						var pings bytes.Buffer
						for f := peer.NewFramer(&pings, nil); pings.Len() < 1<<16; {
							f.WritePing(false, [8]byte{})
						}
						_, err := io.ReadFull(conn, make([]byte, len(peer.ClientPreface)))
						for peer.NewFramer(conn, nil).WriteSettings(); err == nil; {
							_, err = conn.Write(pings.Bytes())
						}
					}()
				}
			}()
			r := mustRun(t, http.Config{Targets: []http.Target{{URL: fmt.Sprintf("%s://%s/", scheme, l.Addr())}}, Protocol: p,
				Connections: 1, Requests: 2, Timeout: 5 * time.Second, KeepAlive: true})
			if r.Failures[http.Malformed] != 2 {
				t.Errorf("failures are %v, want 2 malformed", r.Failures)
			}
		})
	}
}

// A load that a server does not allow is refused, before timing and while it runs.
func TestTooFewStreams(t *testing.T) {
	s := serveHTTP2(t, &nethttp.HTTP2Config{MaxConcurrentStreams: 10}, func(nethttp.ResponseWriter, *nethttp.Request) {})
	for _, p := range bothProtocols {
		for _, before := range []bool{true, false} {
			config := http.Config{Targets: []http.Target{{URL: s.target(p, "/")}}, Protocol: p, Connections: 2, Streams: 11,
				Requests: 100, Timeout: 20 * time.Second, KeepAlive: true, Verify: &http.Verify{Before: &before}}
			const want = "the server allows 10 requests at a time on a connection"
			if _, err := Run(t.Context(), config); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s, checked before: %v: got %v, want %q", p, before, err, want)
			}
			config.Streams = 10
			if r := mustRun(t, config); r.Answered != 100 {
				t.Errorf("%s: %d of 100 were answered", p, r.Answered)
			}
		}
	}
}

// Servers that do not speak HTTP/2 are told from those that do.
func TestNoHTTP2(t *testing.T) {
	clear, secure := serve(t, good), serveOver(t, homeMade(t, nil), good)
	silent := serveOver(t, homeMade(t, func(c *tls.Config) { c.NextProtos = nil }), good)
	for _, tt := range []struct {
		url      string
		protocol http.Protocol
		want     string
	}{
		{clear.url(), http.HTTP2Clear, "the server does not speak HTTP/2"},
		{secure.secureURL(), http.HTTP2, "setting up TLS"},
		{silent.secureURL(), http.HTTP2, `the server does not speak HTTP/2 over TLS: it agreed on "" by ALPN`},
	} {
		config := http.Config{Targets: []http.Target{{URL: tt.url}}, Protocol: tt.protocol, Connections: 1, Requests: 3,
			Timeout: 2 * time.Second, KeepAlive: true, Verify: &http.Verify{}}
		if _, err := Run(t.Context(), config); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.url, err, tt.want)
		}
		if tt.protocol == http.HTTP2Clear {
			continue
		}
		config.Verify = nil
		if r := mustRun(t, config); r.Failures[http.Connect] != 3 {
			t.Errorf("%s: got %v, want 3 without a connection", tt.url, r.Failures)
		}
	}
}

// Requests leave on schedule, however many share a connection.
func TestHTTP2OnSchedule(t *testing.T) {
	slowtest.Skip(t)
	t.Parallel()
	s := serveHTTP2(t, nil, func(w nethttp.ResponseWriter, r *nethttp.Request) { time.Sleep(20 * time.Millisecond) })
	for _, p := range bothProtocols {
		r := mustRun(t, http.Config{Targets: []http.Target{{URL: s.target(p, "/a")}, {URL: s.target(p, "/b")}}, Protocol: p,
			Connections: 3, Streams: 20, Threads: 2, Rate: 400, Duration: 500 * time.Millisecond,
			Warmup: 50 * time.Millisecond, Timeout: 5 * time.Second, KeepAlive: true})
		if r.Due != 200 || r.Answered != 200 || r.Sent != 200 || r.Warmup.Attempted != 20 || r.Service.Min < sec(0.02) ||
			r.Service.Sum+r.Lag.Sum != r.Latency.Sum {
			t.Errorf("%s: %d due, %d answered, %d sent, %d in warm-up", p, r.Due, r.Answered, r.Sent, r.Warmup.Attempted)
		}
		if r.Connects > 2 {
			t.Errorf("%s: %d connections were opened for the window, want at most 2", p, r.Connects)
		}
	}
}

// An engine with a core to spare stays awake for answers that come soon over kept connections, and sleeps when they
// take long.
func TestAwake(t *testing.T) {
	slowtest.Skip(t)
	some, rest := 300*time.Millisecond, 20*time.Millisecond
	for _, tt := range []struct {
		protocol    http.Protocol
		keepAlive   bool
		takes       time.Duration
		least, most time.Duration // of 300 ms
	}{
		{http.HTTP2Clear, true, 0, time.Millisecond, some}, {http.HTTP2Clear, true, rest, 0, 15 * time.Millisecond},
		{http.HTTP1, true, 0, time.Millisecond, some}, {http.HTTP1, true, rest, 0, 15 * time.Millisecond},
		{http.HTTP1, false, 0, 0, 0},
	} {
		if !coreToSpare(1) {
			tt.least, tt.most = 0, 0
		}
		s := serveHTTP2(t, nil, func(w nethttp.ResponseWriter, r *nethttp.Request) { time.Sleep(tt.takes) })
		config := http.Config{Targets: []http.Target{{URL: s.target(http.HTTP2Clear, "/")}}, Protocol: tt.protocol,
			Connections: 1, Threads: 1, Duration: some, Timeout: 5 * time.Second, KeepAlive: tt.keepAlive}
		if tt.protocol != http.HTTP1 {
			config.Streams = 2
		}
		if got := mustRun(t, config).CPU.Threads[0].Polling; got < tt.least || got > tt.most {
			t.Errorf("%+v: the engine waited awake for %v", tt, got)
		}
	}
}

// All streams of a connection come and go with it.
func TestStagesOfHTTP2(t *testing.T) {
	slowtest.Skip(t)
	t.Parallel()
	var now, most atomic.Int64
	s := serveHTTP2(t, nil, func(w nethttp.ResponseWriter, r *nethttp.Request) {
		n := now.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		time.Sleep(5 * time.Millisecond)
		now.Add(-1)
	})
	r := mustRun(t, http.Config{Targets: []http.Target{{URL: s.target(http.HTTP2Clear, "/")}}, Protocol: http.HTTP2Clear,
		Streams: 10, Threads: 1, Connections: 1, Timeout: 20 * time.Second, KeepAlive: true, Stages: []http.Stage{
			{Duration: 300 * time.Millisecond, Connections: 3}, {Duration: 300 * time.Millisecond, Connections: 3},
			{Duration: 300 * time.Millisecond, Connections: 1}}})
	if r.Failed > 0 || r.Connects != 3 || most.Load() != 30 {
		t.Errorf("%d failed, %d connections, at most %d requests at a time; want 0, 3 and 30", r.Failed, r.Connects,
			most.Load())
	}
}

// Clients on one connection have values and cookies of their own.
func TestJourneysOverHTTP2(t *testing.T) {
	for _, p := range bothProtocols {
		shop := newShop(t)
		s := serveHTTP2(t, nil, shop.answer)
		shop.URL = strings.TrimSuffix(s.target(p, "/"), "/")
		config := shop.config("1,ann", "2,bob", "3,eve")
		config.Protocol, config.Connections, config.Streams = p, 2, 5
		r := mustRun(t, config)
		// of 90 steps, the first two of three may be of a journey that is cut, for each of ten clients
		if r.Answered != 90 || r.Connects != 2 || r.Journeys.Attempted < 24 || r.Journeys.Failed > 0 {
			t.Errorf("%s: %d answered over %d connections, journeys %+v", p, r.Answered, r.Connects, r.Journeys)
		}
		shop.mu.Lock()
		if len(shop.wrong) > 0 || shop.bought["eve"] < 5 {
			t.Errorf("%s: %q was wrong, bought %v", p, shop.wrong, shop.bought)
		}
		shop.mu.Unlock()
	}
}

// Parts of a load that several generators put on add up to it.
func TestPartsOfHTTP2(t *testing.T) {
	t.Parallel()
	s := serveHTTP2(t, nil, func(nethttp.ResponseWriter, *nethttp.Request) {})
	config := http.Config{Targets: []http.Target{{URL: s.target(http.HTTP2Clear, "/")}}, Protocol: http.HTTP2Clear,
		Connections: 5, Streams: 7, Requests: 301, Timeout: 20 * time.Second, KeepAlive: true}
	answered, connects := int64(0), int64(0)
	for _, r := range runParts(t, config, 2) {
		answered, connects = answered+r.Answered, connects+r.Connects
	}
	if answered != 301 || connects != 5 {
		t.Errorf("%d answered over %d connections, want 301 over 5", answered, connects)
	}
}
