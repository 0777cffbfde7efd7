package docker

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
)

// head keeps the first bytes that are written to it, up to a limit, and takes the rest without keeping it.
type head struct {
	limit int
	data  []byte
}

func (h *head) Write(p []byte) (int, error) {
	if room := h.limit - len(h.data); room > 0 {
		h.data = append(h.data, p[:min(room, len(p))]...)
	}
	return len(p), nil
}

// tail keeps the last bytes that are written to it, up to a limit. Several goroutines may use it.
type tail struct {
	limit int
	mu    sync.Mutex
	data  []byte // at most twice the limit, so that moving it is rare
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if extra := len(p) - t.limit; extra > 0 {
		t.data = append(t.data[:0], p[extra:]...)
		return len(p), nil
	}
	t.data = append(t.data, p...)
	if extra := len(t.data) - t.limit; extra > t.limit {
		t.data = append(t.data[:0], t.data[extra:]...)
	}
	return len(p), nil
}

// Bytes returns a copy of what was kept.
func (t *tail) Bytes() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return bytes.Clone(t.data[max(0, len(t.data)-t.limit):])
}

// steps passes on of a builder's messages only those that begin an instruction: what the instructions themselves write is
// for whoever has to find out why one failed.
type steps struct{ log io.Writer }

func (s steps) Write(message []byte) (int, error) {
	if stepMessage.Match(message) {
		// The end of the line may come as a message of its own, which tells nothing.
		if _, err := fmt.Fprintf(s.log, "%s\n", bytes.TrimRight(message, "\r\n")); err != nil {
			return 0, err
		}
	}
	return len(message), nil
}

// lastLines returns the last n lines of an output, indented to stand below a message.
func lastLines(output []byte, n int) string {
	lines := strings.Split(strings.TrimRight(string(output), "\r\n "), "\n")
	lines = lines[max(0, len(lines)-n):]
	return "    " + strings.Join(lines, "\n    ")
}
