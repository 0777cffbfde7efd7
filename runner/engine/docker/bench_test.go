package docker

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"benchbook/runner/engine"
)

// BenchmarkRepetition says what the engine's part of a repetition costs, in milliseconds each: a space within one that stays, two services
// of which one comes after the other and has a file in it, a program beside them, and ending all of it. What it leaves is removed while the
// services of the next one start; how long that is still waited for then is told as clear.
func BenchmarkRepetition(b *testing.B) {
	ctx := b.Context()
	e, err := New(ctx, Options{})
	if errors.Is(err, engine.ErrUnavailable) {
		b.Skip(err)
	}
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	image, err := e.Prepare(ctx, engine.Image{Name: "debian:bookworm-slim"}, io.Discard)
	if err != nil {
		b.Fatal(err)
	}
	around, err := e.Open(ctx, "benchmark")
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := around.Close(context.WithoutCancel(ctx)); err != nil {
			b.Error(err)
		}
	}()
	server := engine.Service{Name: "server", Image: image, Command: []string{"sh", "-c", "sleep 0.3; echo up; exec tail -f /dev/null"},
		Ready: engine.Ready{Log: "up"}}
	front := engine.Service{Name: "front", Image: image, Command: []string{"sh", "-c", "echo up; exec tail -f /dev/null"},
		Ready: engine.Ready{Log: "up"}, Files: []engine.File{{Path: "/srv/config", Data: []byte("config")}}}
	spent := map[string]time.Duration{}
	n := 0
	for b.Loop() {
		n++
		last := time.Now()
		lap := func(what string, err error) {
			if err != nil {
				b.Fatalf("%s: %v", what, err)
			}
			spent[what] += time.Since(last)
			last = time.Now()
		}
		space, err := around.Inner(ctx)
		lap("open", err)
		cleared := make(chan error, 1)
		go func() { cleared <- around.Clear(ctx) }()
		running, err := startBoth(ctx, space, server, front)
		lap("start", err)
		lap("clear", <-cleared)
		_, err = running.Usage(ctx)
		lap("usage", err)
		exit, err := space.Run(ctx, engine.Program{Name: "program", Image: image, Command: []string{"true"}, Single: true}, nil)
		if err == nil && exit.Code != 0 {
			err = errors.New("the program failed")
		}
		lap("run", err)
		lap("close", space.Close(context.WithoutCancel(ctx)))
	}
	for what, d := range spent {
		b.ReportMetric(float64(d.Milliseconds())/float64(n), what+"-ms")
	}
}

// startBoth starts two services, the second of which comes after the first, and returns that one.
func startBoth(ctx context.Context, space engine.Space, first, second engine.Service) (engine.Running, error) {
	ready, started := make(chan struct{}), make(chan error, 1)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	second.After = func(ctx context.Context) error {
		select {
		case <-ready:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	go func() {
		_, err := space.Start(ctx, second)
		started <- err
	}()
	running, err := space.Start(ctx, first)
	if err != nil {
		cancel()
		return nil, errors.Join(err, <-started)
	}
	close(ready)
	return running, <-started
}
