package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"benchbook/runner/load/http"
)

// nghttpd is the server of HTTP/2 that comes with h2load, on a core of its own.
type nghttpd struct {
	cmd     *exec.Cmd
	url     string
	started time.Time
}

// serveHTTP2 starts it in a folder, over TLS or without.
func (s *settings) serveHTTP2(folder string, secure bool) (*nghttpd, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	port := strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
	listener.Close()
	args := []string{"-d", folder, "--no-tls", port}
	scheme := "http"
	if secure {
		args, scheme = []string{"-d", folder, port, filepath.Join(folder, "key"), filepath.Join(folder, "cert")}, "https"
	}
	n := &nghttpd{cmd: exec.Command("nghttpd", args...), url: scheme + "://127.0.0.1:" + port + "/index.html"}
	if err := start(n.cmd, s.cores[0]); err != nil {
		return nil, fmt.Errorf("starting nghttpd: %w", err)
	}
	for begin := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		conn, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			n.started = time.Now()
			return n, conn.Close()
		}
		if time.Since(begin) > 5*time.Second {
			return nil, errors.Join(fmt.Errorf("nghttpd does not listen: %w", err), n.cmd.Process.Kill())
		}
	}
}

// end ends it and returns its share of a core.
func (n *nghttpd) end() float64 {
	length := time.Since(n.started)
	n.cmd.Process.Kill()
	n.cmd.Wait() // which says that it was killed
	return processTime(n.cmd).Seconds() / length.Seconds()
}

// site is a folder with a small page, a key and a certificate.
func site() (folder string, err error) {
	if folder, err = os.MkdirTemp("", "bench-load"); err != nil {
		return "", err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(24 * time.Hour)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return "", err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", err
	}
	for name, text := range map[string][]byte{"index.html": []byte("Hello, World!\n"),
		"key":  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
		"cert": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})} {
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o600); err != nil {
			return "", err
		}
	}
	return folder, nil
}

// multiplexed loads nghttpd over so many connections with so many requests at a time on each, by ours and by h2load.
func (s *settings) multiplexed(p http.Protocol, connections, streams int) ([]row, error) {
	folder, err := site()
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	var rate, cpu, mine, theirs, full []float64
	left, tried, err := s.rounds(func(first bool) error {
		var ours, other result
		for _, own := range []bool{first, !first} {
			r, err := s.multiplexedOnce(own, folder, p, connections, streams)
			if err != nil {
				return err
			}
			if own {
				ours = r
			} else {
				other = r
			}
		}
		rate, cpu = append(rate, ours.perSecond/other.perSecond), append(cpu, ours.cpuEach/other.cpuEach)
		mine, theirs = append(mine, 1e6*ours.cpuEach), append(theirs, 1e6*other.cpuEach)
		full = append(full, ours.serverBusy)
		return nil
	}, &rate, &cpu, &mine, &theirs, &full)
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("%s, %d connections of %d streams: ", p, connections, streams)
	return []row{
		s.row(name+"requests/s, ratio to h2load", rate, atLeast(1), fmt.Sprintf(" (%d of %d rounds)", left, tried)),
		s.row("    CPU for a request, ratio to h2load", cpu, atMost(1), ""),
		s.row("    CPU for a request", mine, limit{unit: " µs"}, ""),
		s.row("    CPU for a request by h2load", theirs, limit{unit: " µs"}, ""),
		s.row("    how busy the server's core was", full, limit{}, ""),
	}, nil
}

// multiplexedOnce measures one generator.
func (s *settings) multiplexedOnce(own bool, folder string, p http.Protocol, connections, streams int) (r result,
	err error) {
	server, err := s.serveHTTP2(folder, p == http.HTTP2)
	if err != nil {
		return r, err
	}
	if own {
		r, err = s.runOurs(http.Config{Targets: []http.Target{{URL: server.url}}, Protocol: p, Connections: connections,
			Streams: streams, Duration: s.length, KeepAlive: true}, []int{s.generator()})
	} else {
		r, err = s.runH2load(server.url, connections, streams)
	}
	r.serverBusy = server.end()
	return r, err
}

var h2loadPrinted = regexp.MustCompile(
	`finished in \S+, ([0-9.]+) req/s, [\s\S]* (\d+) succeeded, 0 failed, 0 errored, 0 timeout`)

func (s *settings) runH2load(url string, connections, streams int) (r result, err error) {
	cmd := exec.Command("h2load", "-t1", "-c"+strconv.Itoa(connections), "-m"+strconv.Itoa(streams), "-D",
		s.length.String(), url)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := start(cmd, s.generator()); err != nil {
		return r, fmt.Errorf("starting h2load: %w", err)
	}
	if err := cmd.Wait(); err != nil {
		return r, fmt.Errorf("h2load: %w: %s", err, &out)
	}
	found := h2loadPrinted.FindSubmatch(out.Bytes())
	if found == nil {
		return r, fmt.Errorf("h2load printed:\n%s", &out)
	}
	r.perSecond, err = strconv.ParseFloat(string(found[1]), 64)
	answers, err2 := strconv.ParseFloat(string(found[2]), 64)
	r.cpuEach = processTime(cmd).Seconds() / answers
	return r, errors.Join(err, err2)
}
