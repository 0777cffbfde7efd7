package engine

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// limited has enough after so many bytes.
type limited struct {
	bytes.Buffer
	limit int
}

var errLimit = errors.New("enough")

func (l *limited) Write(p []byte) (int, error) {
	n, err := l.Buffer.Write(p)
	if l.Len() >= l.limit {
		err = errLimit
	}
	return n, err
}

func TestFollow(t *testing.T) {
	l, ended := NewLog(), make(chan struct{})
	write := func(text string) {
		if n, err := l.Write([]byte(text)); n != len(text) || err != nil {
			t.Fatal(n, err)
		}
	}
	write("before ")
	early := &limited{limit: 3}
	if err := l.Follow(t.Context(), ended, early); !errors.Is(err, errLimit) {
		t.Errorf("of what is there: %v, want %v", err, errLimit)
	}
	done := make(chan error)
	late := &limited{limit: len("before after")}
	go func() { done <- l.Follow(t.Context(), ended, late) }()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		l.mu.Lock()
		n := len(l.followers)
		l.mu.Unlock()
		if n == 1 || time.Now().After(deadline) {
			break
		}
	}
	write("after")
	write(" more")
	if err := <-done; !errors.Is(err, errLimit) || late.String() != "before after" {
		t.Errorf("got %q, %v, want what there was until it had enough", late.String(), err)
	}

	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Follow(cancelled, ended, &limited{limit: 100}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	close(ended)
	all := &limited{limit: 100}
	if err := l.Follow(t.Context(), ended, all); err != nil || all.String() != "before after more" {
		t.Errorf("ended: got %q, %v", all.String(), err)
	}
	if len(l.followers) > 0 {
		t.Errorf("%d still follow", len(l.followers))
	}
	write(strings.Repeat("x", 3<<20))
	if n := len(l.kept.Bytes()); n != 1<<20 {
		t.Errorf("%d bytes are kept, want a mebibyte", n)
	}
}
