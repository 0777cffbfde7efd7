//go:build linux

package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"benchbook/runner/engine/agent"
	"benchbook/runner/link"
)

// It relays what its environment says until it is told to end, and says when it begins.
func TestRelays(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	cmd := exec.Command(agent.Name, agent.Link) // which testscript.Main put into the path
	cmd.Env = append(os.Environ(), fmt.Sprintf(
		`BENCHBOOK_LINK={"semantics": 1, "rtt_ns": 1000000, "routes": [{"listen": "127.0.0.1:0", "target": "%s"}]}`,
		listener.Addr()))
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	lines := bufio.NewReader(stderr)
	line, err := lines.ReadString('\n')
	address, ok := strings.CutPrefix(line, "benchbook-link: ")
	address, target, okTarget := strings.Cut(strings.TrimSpace(address), " leads to ")
	if err != nil || !ok || !okTarget || target != listener.Addr().String() {
		t.Fatalf("it said %q, %v", line, err)
	}
	if line, err = lines.ReadString('\n'); line != link.ReadyLine+"\n" {
		t.Fatalf("it said %q, %v", line, err)
	}
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	served, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(served, "hello")
	served.Close()
	if got, err := io.ReadAll(conn); err != nil || string(got) != "hello" {
		t.Errorf("got %q, %v", got, err)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
}
