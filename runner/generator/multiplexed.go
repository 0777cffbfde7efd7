package generator

import (
	"crypto/tls"
	"fmt"
	"net"
	"strconv"

	"benchbook/runner/http2"
	"benchbook/runner/load/http"
)

// compileHTTP2 encodes the requests that are always the same, by server.
func (l *load) compileHTTP2() error {
	for origin, o := range l.origins {
		var texts [][]byte
		var of []*target
		for i := range l.targets {
			if t := &l.targets[i]; t.origin == origin && t.request.Static != nil {
				texts, of = append(texts, t.request.Static), append(of, t)
			}
		}
		requests, err := http2.Compile(texts, o.secure != nil)
		if err != nil {
			return err
		}
		for i, r := range requests {
			of[i].multiplexed = r
		}
	}
	return nil
}

// speaksHTTP2 reports a server that does not.
func speaksHTTP2(agreed http.TLS) error {
	if agreed.Protocol == string(http.HTTP2) {
		return nil
	}
	return fmt.Errorf("the server does not speak HTTP/2 over TLS: it agreed on %q by ALPN", agreed.Protocol)
}

// tooFewStreams says that the load cannot be put on a server.
func tooFewStreams(allowed uint32, c *http.Config) error {
	return fmt.Errorf("the server allows %d requests at a time on a connection (SETTINGS_MAX_CONCURRENT_STREAMS), and "+
		"streams is %d; lower streams, and raise connections for as many requests", allowed, c.StreamsEach())
}

// keepAll keeps the fields of an answer over HTTP/2 that are wanted.
func (a *whole) keepAll(fields []http2.Field) {
	for _, f := range fields {
		a.keep([]byte(f.Name), []byte(f.Value))
	}
}

// readHTTP2 is readHTTP1 for HTTP/2.
func (l *load) readHTTP2(conn net.Conn, q *question, answer *whole) (status int, length int64, err error) {
	if secured, ok := conn.(*tls.Conn); ok {
		if err := speaksHTTP2(negotiated(secured)); err != nil {
			return 0, 0, err
		}
	}
	r, err := http2.NewEncoder().Encode(q.text, l.config.Protocol == http.HTTP2)
	if err != nil {
		return 0, 0, err
	}
	got := http2.Exchange(conn, r, func(status int, fields []http2.Field) {
		answer.statusLine = "HTTP/2 " + strconv.Itoa(status)
		answer.keepAll(fields)
	}, answer.body.take)
	switch {
	case got.Allowed < uint32(l.config.StreamsEach()):
		err = tooFewStreams(got.Allowed, l.config)
	case got.Err != nil:
		err = l.broken(got.Err)
	}
	return got.Status, got.Length, err
}
