//go:build linux

package agent

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
)

// originAt starts an origin on loopback. It ends with the test.
func originAt(t testing.TB, o spec.HTTPOrigin) (address string, written *log) {
	t.Helper()
	s := must.Get(ListenOrigin(OriginConfig{Semantics: record.OriginSemantics, Listen: "127.0.0.1:0", Seed: 7,
		HTTPOrigin: o}))
	return s.Addresses()[0].String(), serve(t, s)
}

func constant(body int64, d time.Duration) spec.HTTPOrigin {
	return spec.HTTPOrigin{Body: body, Latency: spec.Latency{Distribution: "constant", Value: d}}
}

// Bytes over a connection: the test waits for a while at $, and until something has come back at !.
func TestConnections(t *testing.T) {
	const ok, keep = "HTTP/1.1 200 OK\r\n", "Content-Length: 2\r\nContent-Type: text/plain\r\n"
	const get, last = "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
	const bad, large = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
	const answer, final = ok + keep + "\r\nab", ok + "Connection: close\r\n" + keep + "\r\nab"
	tests := []struct{ name, sent, want string }{
		{"close", last, final},
		{"two requests", get + "$" + last, answer + final},
		{"two requests at once", get + last, answer + final},
		{"three at once, and half a connection", get + get + get, answer + answer + answer},
		{"in pieces", "GE$T / HT$TP/1.1\r$\nHost: x\r\nConnection: cl$ose\r\n\r$\n", final},
		{"HEAD", strings.Replace(last, "GET", "HEAD", 1), strings.TrimSuffix(final, "ab")},
		{"HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", final},
		{"HTTP/1.0 kept", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n$" + last, ok + "Connection: keep-alive\r\n" +
			keep + "\r\nab" + final},
		{"a body", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhe$llo" + last, answer + final},
		{"a long body", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n" + strings.Repeat("x", 300_000) + last, answer + final},
		{"a chunked body", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhe$llo\r\n1$0\r\n" +
			"0123456789abcdef\r$\n0\r\nX: y\r\n\r\n" + last, answer + final},
		{"expects to go on", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n" +
			"Connection: close\r\n\r\n!hello",
			"HTTP/1.1 100 Continue\r\n\r\n" + final},
		{"expects to go on, and does", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n" +
			"Connection: close\r\n\r\nhello", final},
		{"empty lines before", "\r\n\r\n" + last, final},
		{"nothing", "", ""},
		{"half a request", "GET / HT", ""},
		{"half a head", "GET / HTTP/1.1\r\nHost: x\r\n", ""},
		{"half a body", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhe", ""},
		{"no request", "hello\r\n\r\n", bad},
		{"two lengths", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", bad},
		{"a length and chunks", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" +
			"0\r\n\r\n" + last, bad},
		{"an unknown coding", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", bad},
		{"a signed length", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\n", bad},
		{"a bad chunk", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", bad},
		{"no host", "GET / HTTP/1.1\r\n\r\n", bad},
		{"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", bad},
		{"a head too large", "GET / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("y", 70_000), large},
		{"two codings", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", bad},
		{"two hosts", "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", bad},
		{"a trailer too large", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: " +
			strings.Repeat("y", 70_000), large},
		{"an answer and then no request", get + "$nonsense\r\n\r\n", answer + bad},
	}
	for _, latency := range []time.Duration{0, 5 * time.Millisecond} {
		for _, tt := range tests {
			t.Run(fmt.Sprintf("%s after %v", tt.name, latency), func(t *testing.T) {
				t.Parallel()
				address, _ := originAt(t, constant(2, latency))
				conn := must.Get(net.Dial("tcp", address))
				defer conn.Close()
				must.Do(conn.SetDeadline(time.Now().Add(time.Minute)))
				var first []byte
				for rest := tt.sent; rest != ""; {
					at := strings.IndexAny(rest, "$!")
					if at < 0 {
						at = len(rest)
					}
					must.Get(io.WriteString(conn, rest[:at]))
					if rest = rest[at:]; rest == "" {
						break
					}
					if rest[0] == '$' {
						time.Sleep(15 * time.Millisecond)
					} else {
						first = make([]byte, 1)
						must.Get(io.ReadFull(conn, first))
					}
					rest = rest[1:]
				}
				must.Do(conn.(*net.TCPConn).CloseWrite())
				got := append(first, must.Get(io.ReadAll(conn))...)
				assert.Equal(t, plain(string(got)), tt.want)
			})
		}
	}
}

// plain removes the header lines that all answers have.
func plain(answers string) string {
	var out strings.Builder
	for line := range strings.Lines(answers) {
		if !strings.HasPrefix(line, "Date: ") && !strings.HasPrefix(line, "Server: ") {
			out.WriteString(line)
		}
	}
	return out.String()
}

// A client that resets the connection while its answer is due does not harm others.
func TestReset(t *testing.T) {
	address, _ := originAt(t, constant(2, 20*time.Millisecond))
	for range 50 {
		conn := must.Get(net.Dial("tcp", address))
		fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		must.Do(errors.Join(conn.(*net.TCPConn).SetLinger(0), conn.Close()))
	}
	time.Sleep(40 * time.Millisecond)
	response := must.Get(http.Get("http://" + address))
	must.Do(response.Body.Close())
	assert.Equal(t, response.StatusCode, 200)
}

// A client that does not read blocks its own answer, but no other client.
func TestSlowReader(t *testing.T) {
	const size = 40 << 20
	address, _ := originAt(t, spec.HTTPOrigin{Body: size})
	slow := must.Get(net.Dial("tcp", address))
	defer slow.Close()
	fmt.Fprint(slow, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	response := must.Get(http.Get("http://" + address))
	if date, err := http.ParseTime(response.Header.Get("Date")); err != nil || time.Since(date).Abs() > 5*time.Second {
		t.Errorf("the date is %v, %v", date, err)
	}
	assert.Equal(t, must.Get(io.Copy(io.Discard, response.Body)), size, "bytes")
	response = must.Get(http.ReadResponse(bufio.NewReader(slow), nil))
	assert.Equal(t, must.Get(io.Copy(io.Discard, response.Body)), size, "bytes of the slow one")
}

// Requests get their draws in the order in which they arrive, over any connections, and the same ones in every
// repetition.
func TestDrawsAreAssignedByArrival(t *testing.T) {
	const n = 40
	config := spec.HTTPOrigin{Latency: spec.Latency{Distribution: "lognormal", Median: 10 * time.Millisecond, Sigma: 1}}
	times := rand.New(rand.NewPCG(7, 0))
	var want []time.Duration
	for range n {
		want = append(want, (&OriginConfig{HTTPOrigin: config}).quantile(times.Float64()))
	}
	for _, connections := range []int{1, 3} {
		address, _ := originAt(t, config)
		clients := make([]*http.Client, connections)
		for i := range clients {
			clients[i] = &http.Client{Transport: &http.Transport{}}
			defer clients[i].CloseIdleConnections()
		}
		for i, want := range want {
			begin := time.Now()
			response := must.Get(clients[i%connections].Get("http://" + address))
			must.Do(response.Body.Close())
			if took := time.Since(begin); took < want {
				t.Errorf("answer %d over %d connections came after %v, want %v", i, connections, took, want)
			}
		}
	}
}

// Latencies have the quantiles of their distribution. Source of those of the normal distribution: any table.
func TestQuantiles(t *testing.T) {
	const ms = time.Millisecond
	for _, tt := range []struct {
		name   string
		origin spec.HTTPOrigin
		want   [5]time.Duration // at 0, 0.1, 0.5, 0.9, 0.99
	}{
		{"none", spec.HTTPOrigin{}, [5]time.Duration{}},
		{"constant", constant(0, 5*ms), [5]time.Duration{5 * ms, 5 * ms, 5 * ms, 5 * ms, 5 * ms}},
		{"lognormal", spec.HTTPOrigin{Latency: spec.Latency{Distribution: "lognormal", Median: 100 * ms, Sigma: 0.5}}, [5]time.Duration{0,
			52_690 * time.Microsecond, 100 * ms, 189_790 * time.Microsecond, 320_010 * time.Microsecond}},
		{"lognormal up to a day", spec.HTTPOrigin{Latency: spec.Latency{Distribution: "lognormal", Median: time.Hour, Sigma: 20}},
			[5]time.Duration{0, 26, time.Hour, maxLatency, maxLatency}},
	} {
		c := OriginConfig{HTTPOrigin: tt.origin}
		for i, p := range []float64{0, 0.1, 0.5, 0.9, 0.99} {
			if got := c.quantile(p); (got - tt.want[i]).Abs() > tt.want[i]/1000 {
				t.Errorf("%s: p%g is %v, want %v", tt.name, 100*p, got, tt.want[i])
			}
		}
	}
}
