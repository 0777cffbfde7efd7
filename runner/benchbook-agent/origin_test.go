//go:build linux

package main

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"benchbook/runner/engine/agent"
)

// It serves from what its environment says until it is told to end.
func TestServes(t *testing.T) {
	cmd := exec.Command(agent.Name, agent.Origin) // which testscript.Main put into the path
	cmd.Env = append(os.Environ(), `BENCHBOOK_ORIGIN={"semantics": 1, "listen": "127.0.0.1:0", "status": 200, "body": 11}`)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	line, err := bufio.NewReader(stderr).ReadString('\n')
	address, ok := strings.CutPrefix(strings.TrimSpace(line), "benchbook-origin: listening at ")
	if err != nil || !ok {
		t.Fatalf("it said %q, %v", line, err)
	}
	response, err := http.Get("http://" + address)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, err := io.ReadAll(response.Body); err != nil || len(body) != 11 {
		t.Errorf("got %q, %v", body, err)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
}
