// Package agent is how our program in containers and on other machines is called, and what it does there for an engine:
// it connects to a service from within its network, and it stays for as long as somebody is attached to it.
//
// The program, Name, is one static binary that runs in an empty container without any rights. What it is told are the
// arguments of a command, and all that it needs on another machine comes over its standard input and output, since
// nothing else passes between two machines in every case.
package agent

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
)

// Name is that of the program.
const Name = "benchbook-agent"

// Parts of the program, which are its first argument.
const (
	Load   = "load"
	Time   = "time"
	Origin = "origin"
	Link   = "link"
	Idle   = "idle"
	Host   = "host"
)

// ErrorPrefix begins the line in which a part says why it cannot do what it is told.
func ErrorPrefix(part string) string { return "benchbook-" + part + ": " }

// Words that Host is called with.
const (
	Hold    = "hold"    // stay until standard input ends
	Connect = "connect" // to the address that follows, and pass on what comes
)

// Program reads the program. It is one of Linux, for the architecture of this machine.
type Program func() ([]byte, error)

// connected is what Connect writes first, on a line of its own.
const connected = "connected"

// Stay waits for the end of a stream: nobody is attached any more.
func Stay(stdin io.Reader) error {
	_, err := io.Copy(io.Discard, stdin)
	return err
}

// Pass connects to an address, says so, and passes on what comes from either side until the other end closes.
func Pass(ctx context.Context, address string, stdin io.Reader, stdout io.Writer) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		if failed := (*net.OpError)(nil); errors.As(err, &failed) {
			err = failed.Err // the address means nothing to anybody elsewhere
		}
		return err
	}
	defer conn.Close()
	if _, err := fmt.Fprintln(stdout, connected); err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(conn, stdin) // the other side tells whether it has got it
		_ = conn.(*net.TCPConn).CloseWrite()
	}()
	_, err = io.Copy(stdout, conn)
	return err
}

// Conn makes a connection of the two streams of a Pass, once it has said that it is connected. When it is closed, end
// is called. The error is what the program wrote in the place of that.
func Conn(stdin io.Writer, stdout io.Reader, end func()) (net.Conn, error) {
	reader := bufio.NewReader(stdout)
	line, err := reader.ReadString('\n')
	if line != connected+"\n" {
		return nil, errors.Join(fmt.Errorf("it was not connected: %q", strings.TrimSpace(line)), err)
	}
	near, far := net.Pipe()
	go func() {
		_, _ = io.Copy(far, reader)
		_ = far.Close()
	}()
	go func() {
		_, _ = io.Copy(stdin, far)
		end()
	}()
	return near, nil
}
