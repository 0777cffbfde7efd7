package load

import (
	"context"
	"io"
	"sync"

	"benchbook/runner/engine"
	"benchbook/runner/loadgen"
)

// Standby is the program of a load that was started and waits for the word to begin, so that no time is lost on its
// container. Started and End may be called on nil.
type Standby struct {
	word    *io.PipeWriter
	cancel  context.CancelFunc
	started chan struct{}  // closed when it runs, or never will
	running engine.Running // nil if it never ran; to be read when it is started
	ended   chan struct{}
	exit    engine.Exit // to be read when it has ended, as the error
	err     error
}

// standBy starts a program that waits for the word.
func standBy(ctx context.Context, space engine.Space, program engine.Program) *Standby {
	ctx, cancel := context.WithCancel(ctx)
	read, write := io.Pipe()
	program.Stdin = read
	s := &Standby{word: write, cancel: cancel, started: make(chan struct{}), ended: make(chan struct{})}
	begun := sync.OnceFunc(func() { close(s.started) })
	go func() {
		defer close(s.ended)
		defer begun()
		s.exit, s.err = space.Run(ctx, program, func(r engine.Running) {
			s.running = r
			begun()
		})
		_ = read.Close() // nobody is left to read the word
	}()
	return s
}

// Started waits until the program runs, and returns it; nil if it never did, or the context ends first.
func (s *Standby) Started(ctx context.Context) engine.Running {
	if s == nil {
		return nil
	}
	select {
	case <-s.started:
		return s.running
	case <-ctx.Done():
		return nil
	}
}

// run gives the program its word, and returns how it ended.
func (s *Standby) run() (engine.Exit, error) {
	_, _ = io.WriteString(s.word, loadgen.AwaitedWord) // one that has ended says why
	_ = s.word.Close()
	<-s.ended
	return s.exit, s.err
}

// End ends the program, and returns when it has ended. It may be called twice.
func (s *Standby) End() {
	if s == nil {
		return
	}
	s.cancel() // before its input ends, which it need not find out
	_ = s.word.Close()
	<-s.ended
}
