package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"benchbook/runner/engine"
)

// endedSoon is how long it may take until a program that has ended is seen to have.
const endedSoon = 2 * time.Second

// Standby has the programs of a load that were started and wait for the word to begin, so that no time is lost on their
// containers. Started and End may be called on nil.
type Standby struct{ programs []*awaited }

// awaited is one of them.
type awaited struct {
	word    *io.PipeWriter
	cancel  context.CancelFunc
	started chan struct{}  // closed when it runs, or never will
	running engine.Running // nil if it never ran; to be read when it is started
	ended   chan struct{}
	exit    engine.Exit // to be read when it has ended, as the error
	err     error
}

// standBy starts programs that wait for the word.
func standBy(ctx context.Context, space engine.Space, programs []engine.Program) *Standby {
	s := new(Standby)
	for _, program := range programs {
		s.programs = append(s.programs, wait(ctx, space, program))
	}
	return s
}

func wait(ctx context.Context, space engine.Space, program engine.Program) *awaited {
	ctx, cancel := context.WithCancel(ctx)
	read, write := io.Pipe()
	program.Stdin = read
	w := &awaited{word: write, cancel: cancel, started: make(chan struct{}), ended: make(chan struct{})}
	begun := sync.OnceFunc(func() { close(w.started) })
	go func() {
		defer close(w.ended)
		defer begun()
		w.exit, w.err = space.Run(ctx, program, func(r engine.Running) {
			w.running = r
			begun()
		})
		_ = read.Close() // nobody is there any more to take the word
	}()
	return w
}

// Started waits until the programs run, and returns them without those that never did; none if the context ends first.
func (s *Standby) Started(ctx context.Context) []engine.Running {
	if s == nil {
		return nil
	}
	var all []engine.Running
	for _, w := range s.programs {
		select {
		case <-w.started:
		case <-ctx.Done():
			return nil
		}
		if w.running != nil {
			all = append(all, w.running)
		}
	}
	return all
}

// clocks are those of the programs, which take turns on some hosts. The first program on each host tells the clock for
// all of them there, so that its uncertainty does not come between them. A program that has not begun, or has ended,
// says why when it gets its word.
func (s *Standby) clocks(ctx context.Context, hosts []string) ([]clock, error) {
	n := min(len(hosts), len(s.programs))
	first, failures := make([]clock, n), make([]error, n)
	var asking sync.WaitGroup
	for i, w := range s.programs[:n] {
		asking.Go(func() {
			select {
			case <-w.started:
			case <-ctx.Done():
				failures[i] = context.Cause(ctx)
				return
			}
			clocked, ok := w.running.(engine.Clocked)
			if !ok {
				return
			}
			ahead, uncertain, err := clocked.Clock(ctx)
			if err == nil {
				first[i] = clock{ahead, uncertain}
				return
			}
			select {
			case <-w.ended:
			case <-time.After(endedSoon):
				failures[i] = fmt.Errorf("asking for the clock of host %q: %w", hosts[i], err)
			}
		})
	}
	asking.Wait()
	all := make([]clock, len(s.programs))
	for i := range all {
		all[i] = first[i%n]
	}
	return all, errors.Join(failures...)
}

// run gives all programs their words, and returns how they ended, in their order. When one fails the others are ended;
// failed is its number then, and -1 otherwise.
func (s *Standby) run(word func(number int) string) (exits []engine.Exit, failed int, err error) {
	for i, w := range s.programs {
		_, _ = io.WriteString(w.word, word(i)) // one that has ended says why
		_ = w.word.Close()
	}
	ended := make(chan int, len(s.programs))
	for i, w := range s.programs {
		go func() {
			<-w.ended
			ended <- i
		}()
	}
	exits, failed = make([]engine.Exit, len(s.programs)), -1
	for range s.programs {
		i := <-ended
		w := s.programs[i]
		exits[i] = w.exit
		if failed < 0 && (w.err != nil || w.exit.Code != 0) {
			failed, err = i, w.err
			for _, other := range s.programs {
				other.cancel()
			}
		}
	}
	return exits, failed, err
}

// End ends the programs that have not ended, and returns when they are no longer waited for. It may be called twice.
func (s *Standby) End() {
	if s == nil {
		return
	}
	for _, w := range s.programs {
		w.cancel() // before its input ends, which it need not find out
		_ = w.word.Close()
	}
	for _, w := range s.programs {
		<-w.ended
	}
}
