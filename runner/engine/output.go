// Package output keeps what programs write: as much of it as package engine promises, and not more, however much it is.
package engine

import (
	"bytes"
	"strings"
	"sync"
)

// Bounds of what is kept of a program's output, in bytes, as package engine promises them.
const (
	MaxStdout = 64 << 20 // from its beginning
	MaxStderr = 1 << 20  // to its end
	MaxLog    = 1 << 20  // of both together, to the end
)

// Head keeps the first bytes that are written to it, up to Limit, and takes the rest without keeping it.
type Head struct {
	Limit int
	Full  func() // called once, when more is written than that; nil for nobody
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

// Bytes returns what was kept, which must not be changed.
func (h *Head) Bytes() []byte { return h.data }

// Tail keeps the last bytes that are written to it, up to Limit. Several goroutines may use it.
type Tail struct {
	Limit int
	mu    sync.Mutex
	data  []byte // at most twice the limit, so that moving it is rare
}

// Write implements io.Writer. It never fails.
func (t *Tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if extra := len(p) - t.Limit; extra > 0 {
		t.data = append(t.data[:0], p[extra:]...)
		return len(p), nil
	}
	t.data = append(t.data, p...)
	if extra := len(t.data) - t.Limit; extra > t.Limit {
		t.data = append(t.data[:0], t.data[extra:]...)
	}
	return len(p), nil
}

// Bytes returns a copy of what was kept.
func (t *Tail) Bytes() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return bytes.Clone(t.data[max(0, len(t.data)-t.Limit):])
}

// LastLines is the end of a text: whole lines where it is longer than so many bytes, or the end of one after dots.
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
