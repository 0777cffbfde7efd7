package loadgen

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"benchbook/internal/slowtest"
	"benchbook/internal/test/must"
)

// homeMade is a TLS config with a self-signed certificate.
func homeMade(change func(*tls.Config)) *tls.Config {
	key := must.Get(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(-time.Hour)} // expired, too
	certificate := must.Get(x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key))
	c := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{certificate}, PrivateKey: key}},
		NextProtos: []string{"http/1.1"}}
	if change != nil {
		change(c)
	}
	return c
}

func (s *server) secureURL() string { return fmt.Sprintf("https://%s/", s.address) }

// bye sends a text, announces the end of the TLS session, and closes the connection.
func bye(text string) func(*conn) bool {
	return func(c *conn) bool {
		if text != "" {
			c.say(text)
		}
		c.secured.Close()
		return false
	}
}

// Over TLS, too, each server is asked by one client for four requests.
func TestServersOverTLS(t *testing.T) {
	slowtest.Skip(t)
	const each, cut = 4, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello"
	kept := counts{right: 4, connects: 1}
	for _, tt := range []struct {
		name   string
		change func(*tls.Config)
		answer func(*conn) bool
		config func(*Config)
		want   counts
	}{
		{"good", nil, good, nil, kept},
		{"good, TLS 1.2", func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }, good, nil, kept},
		{"good, without keep-alive", nil, good, func(c *Config) { c.KeepAlive = false }, counts{right: 4, connects: 4}},
		{"without ALPN", func(c *tls.Config) { c.NextProtos = nil }, good, nil, kept},
		{"byte by byte", nil, saying(strings.Split("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"+
			"5\r\nhello\r\n0\r\n\r\n", "")...), nil, kept},
		{"a large request and a large answer", nil, func(c *conn) bool {
			c.say(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", c.body) + strings.Repeat("x", c.body))
			return true
		}, func(c *Config) {
			c.Targets[0].Body = make([]byte, 2<<20)
			c.Verify = &Verify{Length: new(int64(2 << 20))}
		}, kept},
		{"announced close", nil, bye("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello"), nil,
			counts{right: 4, connects: 4}},
		{"close that was not announced", nil, bye(hello), nil, counts{right: 4, connects: 4, stale: 3}},
		{"close instead of an answer", nil, bye(""), nil, counts{wrong: Closed, connects: 4}},
		{"close in a body", nil, bye(cut), nil, counts{wrong: Short, connects: 4}},
		{"body until a close that is announced", nil, bye("HTTP/1.1 200 OK\r\n\r\nhello"), nil, counts{right: 4, connects: 4}},
		{"body until a close that is not announced", nil, closing(saying("HTTP/1.1 200 OK\r\n\r\nhello")), nil,
			counts{wrong: Short, connects: 4}},
		{"reset in a body", nil, resetting(cut), nil, counts{wrong: Reset, connects: 4}},
		{"two answers to one request", nil, saying(hello + hello), nil, counts{right: 4, connects: 4, unrequested: 4}},
		{"no TLS behind the handshake", nil, func(c *conn) bool {
			c.Write([]byte(hello))
			return true
		}, nil, counts{wrong: Malformed, connects: 4}},
		{"a record that nobody can decrypt", nil, func(c *conn) bool {
			c.Write(append([]byte{23, 3, 3, 0, 40}, make([]byte, 40)...))
			return true
		}, nil, counts{wrong: Malformed, connects: 4}},
		{"silence", nil, func(*conn) bool {
			time.Sleep(2 * time.Second)
			return false
		}, func(c *Config) { c.Timeout = time.Second }, counts{wrong: Timeout, connects: 4}},
		{"a handshake without an end", func(c *tls.Config) {
			c.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
				time.Sleep(2 * time.Second)
				return nil, nil
			}
		}, good, func(c *Config) { c.Timeout = 300 * time.Millisecond }, counts{wrong: Connect, connects: 4}},
		{"another protocol", func(c *tls.Config) { c.NextProtos = []string{"imap"} }, good, nil,
			counts{wrong: Connect, connects: 4}},
		{"a certificate wanted of us", func(c *tls.Config) {
			c.ClientAuth, c.MaxVersion = tls.RequireAnyClientCert, tls.VersionTLS12
		}, good, nil, counts{wrong: Connect, connects: 4}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := serveOver(t, homeMade(tt.change), tt.answer)
			config := Config{Targets: []Target{{URL: s.secureURL()}}, Connections: 1, Requests: each,
				Timeout: 5 * time.Second, KeepAlive: true}
			if tt.config != nil {
				tt.config(&config)
			}
			r := mustRun(t, config)
			if got := countsOf(r); got != tt.want || r.Attempted != each {
				t.Errorf("\n got %+v, %d attempted, %v\nwant %+v", got, r.Attempted, r.Failures, tt.want)
			}
			if waits := config.Timeout < 5*time.Second; waits && r.FailedLatency.Min < config.Timeout.Nanoseconds() {
				t.Errorf("a request was given up after %d ns, before its timeout", r.FailedLatency.Min)
			}
			setUp := r.Connects
			if tt.want.wrong == Connect {
				setUp = 0
			}
			if r.TLSSetup == nil || r.TLSSetup.Count != setUp {
				t.Errorf("set-up times are %+v, want %d", r.TLSSetup, setUp)
			}
		})
	}
}

// The times to connect and to set up TLS are part of the latency of requests that open their connection, and the
// negotiated encryption is reported.
func TestTLSSetup(t *testing.T) {
	t.Parallel()
	s := serveOver(t, homeMade(func(c *tls.Config) {
		c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}
		c.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
			time.Sleep(10 * time.Millisecond)
			return nil, nil
		}
	}), after(5*time.Millisecond))
	r := mustRun(t, Config{Targets: []Target{{URL: s.secureURL()}}, Connections: 2, Requests: 6, Verify: &Verify{Contains: "hello"}})
	want := TLS{Version: "TLS 1.2", CipherSuite: "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", Protocol: "http/1.1"}
	if len(r.TLS) != 1 || r.TLS[0] != want {
		t.Errorf("got %+v, want %+v", r.TLS, want)
	}
	if r.Connect.Min <= 0 || r.TLSSetup.Min < sec(0.01) || r.Latency.Sum < r.Connect.Sum+r.TLSSetup.Sum+6*sec(0.005) {
		t.Errorf("latencies of %d ns in all, connecting %d, TLS %d, each at least %d", r.Latency.Sum, r.Connect.Sum,
			r.TLSSetup.Sum, r.TLSSetup.Min)
	}
}

// OpenSSL sends session tickets right after a handshake: they are not bytes of the answer.
func TestFirstByteBehindTickets(t *testing.T) {
	dir := t.TempDir()
	certificate, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	must.Run(exec.Command("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", "-keyout", key,
		"-out", certificate))
	free := must.Get(net.Listen("tcp", "127.0.0.1:0"))
	address := free.Addr().String()
	must.Do(free.Close())
	server := exec.Command("openssl", "s_server", "-quiet", "-accept", address, "-cert", certificate, "-key", key)
	answers, requests := must.Get(server.StdinPipe()), must.Get(server.StdoutPipe())
	must.Do(server.Start())
	t.Cleanup(func() { _, _ = server.Process.Kill(), server.Wait() })
	const pause = 300 * time.Millisecond
	go func() {
		for lines := bufio.NewScanner(requests); lines.Scan(); {
			if lines.Text() == "" { // the end of a request
				time.Sleep(pause)
				_, _ = io.WriteString(answers, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
			}
		}
	}()
	for try := 0; ; try++ { // until it listens
		c, err := net.Dial("tcp", address)
		if err == nil {
			c.Close()
			break
		}
		if try == 100 {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
	}
	r := mustRun(t, Config{Targets: []Target{{URL: "https://" + address + "/"}}, Connections: 1, Requests: 1, Threads: 1})
	if r.Answered != 1 || r.FirstByte.Min < pause.Nanoseconds() {
		t.Errorf("%d answers, %v, the first byte after %v", r.Answered, r.Failures, time.Duration(r.FirstByte.Min))
	}
}
