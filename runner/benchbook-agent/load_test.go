//go:build linux

package main

import (
	"bytes"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"benchbook/runner/agent"
)

// listen starts a server that answers whatever is sent with a text, and returns its URL.
func listen(t *testing.T, answer string) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				request := make([]byte, 4096)
				for {
					if _, err := conn.Read(request); err != nil {
						return
					}
					if _, err := io.WriteString(conn, answer); err != nil {
						return
					}
				}
			}()
		}
	}()
	return "http://" + listener.Addr().String() + "/"
}

// A signal ends the program at once, whatever it waits for.
func TestSignals(t *testing.T) {
	for _, signal := range []os.Signal{syscall.SIGINT, syscall.SIGTERM} {
		for _, name := range []string{"measuring", "reading its config"} {
			t.Run(signal.String()+" while "+name, func(t *testing.T) {
				t.Parallel()
				silent, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				defer silent.Close()
				config := ""
				if name == "measuring" {
					config = `{"targets": [{"url": "http://` + silent.Addr().String() +
						`/"}], "connections": 2, "requests": 2, "timeout_ns": 3600000000000}`
				}
				var stdout, stderr strings.Builder
				cmd := exec.Command(agent.Name, agent.Load)
				cmd.Env = append(cmd.Environ(), "BENCHBOOK_LOAD="+config)
				cmd.Stdout, cmd.Stderr = &stdout, &stderr
				stdin, err := cmd.StdinPipe()
				if err != nil {
					t.Fatal(err)
				}
				defer stdin.Close()
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				if config != "" {
					conn, err := silent.Accept()
					if err != nil {
						t.Fatal(err)
					}
					defer conn.Close()
					if _, err := conn.Read(make([]byte, 1)); err != nil { // of its request
						t.Fatal(err)
					}
				} else if _, err := stdin.Write(bytes.Repeat([]byte(" "), 1<<20)); err != nil {
					// which is more than a pipe takes that nobody reads
					t.Fatal(err)
				}
				start := time.Now()
				if err := cmd.Process.Signal(signal); err != nil {
					t.Fatal(err)
				}
				cmd.Wait()
				if code := cmd.ProcessState.ExitCode(); code != 1 {
					t.Errorf("status %d (%v), want 1", code, cmd.ProcessState)
				}
				if stdout.Len() > 0 || strings.Count(stderr.String(), "\n") != 1 || !strings.Contains(stderr.String(), "signal") {
					t.Errorf("stdout %q, stderr %q; want nothing, and one line about the signal", &stdout, &stderr)
				}
				if d := time.Since(start); d > time.Minute {
					t.Errorf("ended only after %v", d)
				}
			})
		}
	}
}
