package engine

import (
	"bytes"
	"strings"
	"sync"
)

// Limits of the program output that is kept, in bytes.
const (
	MaxStdout = 64 << 20 // from the beginning
	MaxStderr = 1 << 20  // from the end
	MaxLog    = 1 << 20  // from the end of both together
)

// Head keeps the first Limit bytes written to it.
type Head struct {
	Limit int
	Full  func() // called once, when Limit is exceeded; may be nil
	data  []byte
}

// Write implements io.Writer. It never fails.
func (h *Head) Write(p []byte) (int, error) {
	kept := min(h.Limit-len(h.data), len(p))
	h.data = append(h.data, p[:kept]...)
	if kept < len(p) && h.Full != nil {
		h.Full()
		h.Full = nil
	}
	return len(p), nil
}

// Bytes returns the kept bytes, which must not be changed.
func (h *Head) Bytes() []byte { return h.data }

// Tail keeps the last Limit bytes written to it. Several goroutines may use it.
type Tail struct {
	Limit int
	mu    sync.Mutex
	data  []byte // up to twice Limit, to copy less often
}

// Write implements io.Writer. It never fails.
func (t *Tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.data = append(t.data, p[max(0, len(p)-t.Limit):]...)
	if extra := len(t.data) - t.Limit; extra > t.Limit {
		t.data = append(t.data[:0], t.data[extra:]...)
	}
	return len(p), nil
}

// Bytes returns a copy of the kept bytes.
func (t *Tail) Bytes() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return bytes.Clone(t.data[max(0, len(t.data)-t.Limit):])
}

// LastLine returns the last non-empty line of output.
func LastLine(output []byte) string {
	output = bytes.TrimSpace(output)
	return string(bytes.TrimSpace(output[bytes.LastIndexByte(output, '\n')+1:]))
}

// EndOf returns the last 20 lines of a builder's output, indented to follow a message.
func EndOf(output []byte) string {
	lines := strings.Split(strings.TrimRight(string(output), "\r\n "), "\n")
	return "    " + strings.Join(lines[max(0, len(lines)-20):], "\n    ")
}

// LastLines returns the whole lines in the last most bytes of text, or "..." and the end of the last line if there are
// none.
func LastLines(text string, most int) string {
	if len(text) <= most {
		return text
	}
	text = text[len(text)-most:]
	if _, whole, _ := strings.Cut(text, "\n"); whole != "" {
		return strings.ToValidUTF8(whole, "")
	}
	return "..." + strings.ToValidUTF8(text, "")
}
