//go:build linux

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/runner/agent"
)

// startPart starts a part of the program, and returns it once its log has an address after a prefix. It ends with the
// test; then its log can be read.
func startPart(t testing.TB, name, variable, prefix string) (cmd *exec.Cmd, log *bytes.Buffer, address string) {
	t.Helper()
	cmd = exec.Command(agent.Name, name) // testscript.Main puts it into the path
	cmd.Env = append(os.Environ(), variable)
	stderr, write := io.Pipe()
	log = &bytes.Buffer{}
	cmd.Stderr = io.MultiWriter(log, write)
	must.Do(cmd.Start())
	t.Cleanup(func() {
		cmd.Process.Kill()
		write.Close()
	})
	lines := bufio.NewReader(stderr)
	line, err := lines.ReadString('\n')
	_, address, ok := strings.Cut(line, prefix)
	if err != nil || !ok {
		t.Fatalf("it said %q, %v", line, err)
	}
	go func() { _, _ = io.Copy(io.Discard, lines) }() // until the program ends
	return cmd, log, strings.Fields(address)[0]
}

// Origins and links serve as their environment says, until a signal ends them.
func TestServe(t *testing.T) {
	_, _, service := startPart(t, agent.Origin,
		`BENCHBOOK_ORIGIN={"semantics": 1, "listen": "127.0.0.1:0", "status": 200, "body": 1256}`, "listening at ")
	cmd, log, address := startPart(t, agent.Link, fmt.Sprintf(`BENCHBOOK_LINK={"semantics": 1, "rtt": 1000000,
		"routes": [{"listen": "127.0.0.1:0", "target": "%s"}]}`, service), "benchbook-link: ")
	response := must.Get(http.Get("http://" + address))
	defer response.Body.Close()
	assert.Equal(t, len(must.Get(io.ReadAll(response.Body))), 1256, "bytes of the body")
	must.Do(cmd.Process.Signal(syscall.SIGTERM))
	must.Do(cmd.Wait())
	if lines := strings.Split(log.String(), "\n"); !strings.Contains(lines[0], " leads to 127.0.0.1:") ||
		lines[1] != agent.LinkReadyLine {
		t.Errorf("wrote %q", log)
	}
}
