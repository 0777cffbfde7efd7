package engine

import (
	"context"
	"io"
	"slices"
	"sync"
)

// A Log is what a service or program writes, as far as it is kept, for those who follow it too.
type Log struct {
	mu        sync.Mutex
	kept      Tail
	followers []*follower
}

// follower is somebody who is given what is written, until the writer has enough.
type follower struct {
	w      io.Writer
	err    error
	enough chan struct{} // closed then
}

// NewLog is an empty log.
func NewLog() *Log { return &Log{kept: Tail{Limit: MaxLog}} }

// Bytes is what is kept.
func (l *Log) Bytes() []byte { return l.kept.Bytes() }

// Write implements io.Writer. It never fails.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.followers = slices.DeleteFunc(l.followers, func(f *follower) bool {
		if _, f.err = f.w.Write(p); f.err != nil {
			close(f.enough)
		}
		return f.err != nil
	})
	return l.kept.Write(p)
}

// Follow copies what is kept and what is written from then on, until the writer has enough, whose error it returns, or
// the context or the log has ended.
func (l *Log) Follow(ctx context.Context, ended <-chan struct{}, w io.Writer) error {
	l.mu.Lock()
	if _, err := w.Write(l.kept.Bytes()); err != nil {
		l.mu.Unlock()
		return err
	}
	f := &follower{w: w, enough: make(chan struct{})}
	l.followers = append(l.followers, f)
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.followers = slices.DeleteFunc(l.followers, func(o *follower) bool { return o == f })
	}()
	select {
	case <-f.enough:
		return f.err
	case <-ended:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
