package agent

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"benchbook/internal/test/must"
)

// pipes are the two streams of a program that passes on to an address.
func pipes(t *testing.T, address string) (net.Conn, error) {
	t.Helper()
	stdinReader, stdin := io.Pipe()
	stdout, stdoutWriter := io.Pipe()
	go func() {
		err := Pass(t.Context(), address, stdinReader, stdoutWriter)
		stdoutWriter.CloseWithError(err)
	}()
	return Conn(stdin, stdout, func() { _ = stdin.Close() })
}

func TestConn(t *testing.T) {
	listener := must.Get(net.Listen("tcp", "127.0.0.1:0"))
	go func() {
		served, err := listener.Accept()
		if err != nil {
			return
		}
		asked := make([]byte, 4)
		if _, err := io.ReadFull(served, asked); err == nil {
			fmt.Fprintf(served, "%s yourself", asked)
		}
		served.Close()
	}()
	conn := must.Get(pipes(t, listener.Addr().String()))
	fmt.Fprint(conn, "name")
	if got, err := io.ReadAll(conn); err != nil || string(got) != "name yourself" {
		t.Errorf("got %q, %v", got, err)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	listener.Close()
	if _, err := pipes(t, listener.Addr().String()); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("nobody listens: got %v", err)
	}
}
