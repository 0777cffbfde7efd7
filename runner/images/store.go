// Package images makes available what trials run: images, our own programs, and what drivers bring. It knows what is in
// them, and which images and programs are others now than records say.
package images

import (
	"cmp"
	"context"
	"errors"
	"io"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"benchbook/runner/engine"
	"benchbook/runner/engine/agent"
)

// A Preparation is told what a builder says, and then whether there is an image now.
type Preparation interface {
	io.Writer
	End(ok bool)
}

// Store makes available what trials need on an engine, each thing once, and remembers what is in it.
type Store struct {
	Engine engine.Engine
	Agent  agent.Program // reads our program
	Cache  string        // folder where it is kept what images hold; empty for none
	// is called before something is made available, with what it is; nothing else is told meanwhile
	Begin func(string) Preparation

	mu       sync.Mutex               // held while several needs are met, for outcomes, images and own
	telling  sync.Mutex               // held while one of the Preparations is told something
	outcomes map[string]*NoImageError // by the keys of needs; nil for one that was met
	images   map[string]image         // by Set.key
	own      ownProgram

	packages map[string]packages // of images, by their ids
	programs map[string]string   // of the machine: which file each is, by the words of articles
}

// A Need is something that has to be there before trials are measured.
type Need struct {
	key  string // tells it from others
	what string // it is for, in words
	// meet makes it available. The error is a *NoImageError, whose Pos may be unknown, if it is of those that need it.
	meet func(ctx context.Context, log io.Writer) error
}

// Meet meets needs, as far as they are not yet, independent ones at once. What could not be had is noted, and not tried
// again.
func (s *Store) Meet(ctx context.Context, needs []Need) error {
	var open []Need
	for _, n := range needs {
		_, met := s.outcomes[n.key]
		if !met && !slices.ContainsFunc(open, func(o Need) bool { return o.key == n.key }) {
			open = append(open, n)
		}
	}
	if s.outcomes == nil {
		s.outcomes = map[string]*NoImageError{}
	}
	group, bounded := errgroup.WithContext(ctx)
	group.SetLimit(atOnce())
	for _, n := range open {
		group.Go(func() error {
			if bounded.Err() != nil {
				return bounded.Err()
			}
			log := s.begin(n.what)
			err := n.meet(bounded, log)
			log.End(err == nil)
			var missing *NoImageError
			if err != nil && (bounded.Err() != nil || !errors.As(err, &missing)) {
				return err
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			s.outcomes[n.key] = missing
			return nil
		})
	}
	err := group.Wait()
	return cmp.Or(ctx.Err(), err) // whatever builders say that were interrupted
}

// atOnce is how many needs are met at the same time: most wait for packages or for the engine, and some compile.
func atOnce() int { return max(2, runtime.NumCPU()) }

// begin begins to tell of a need, until that ends. Several needs are met at once, and each thing is told alone.
func (s *Store) begin(what string) Preparation {
	s.telling.Lock()
	defer s.telling.Unlock()
	return &exclusive{s.Begin(what), &s.telling}
}

// exclusive is a Preparation of which there are several, one of which is used at a time.
type exclusive struct {
	to Preparation
	mu *sync.Mutex
}

func (e *exclusive) Write(text []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.to.Write(text)
}

func (e *exclusive) End(ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.to.End(ok)
}
