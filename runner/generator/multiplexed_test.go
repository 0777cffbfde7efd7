package generator

import (
	"bytes"
	"crypto/sha256"
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

	"benchbook/runner/load/http"
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
	sized := func(w nethttp.ResponseWriter, r *nethttp.Request) {
		n, _ := strconv.Atoi(r.URL.Query().Get("bytes"))
		w.Write(bytes.Repeat([]byte("x"), n))
	}
	echo := func(w nethttp.ResponseWriter, r *nethttp.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%x", sha256.Sum256(body))
	}
	body := bytes.Repeat([]byte("benchbook "), 300_000) // larger than all windows
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
