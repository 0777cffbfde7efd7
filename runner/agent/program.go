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

// Name is the name of the program.
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

// ErrorPrefix begins the line with the error of a part.
func ErrorPrefix(part string) string { return "benchbook-" + part + ": " }

// Connect is what Host is called with to connect to an address, and to pass on what comes from either side.
const Connect = "connect"

// Program reads the program, which is for Linux and the architecture of this machine.
type Program func() ([]byte, error)

// connected is what Connect writes first, on a line of its own.
const connected = "connected"

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

// Conn makes a connection of the two streams of a Pass that is connected, and calls end when it is closed. The error is
// what the program wrote instead.
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
