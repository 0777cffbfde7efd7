package docker

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"benchbook/notebook/spec"
	"benchbook/runner/engine"
)

// BenchmarkRepetition says what the engine's part of a repetition costs: a space, a service, a program beside it, and
// taking all of it down, in milliseconds each.
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
		space, err := e.Open(ctx, "benchmark")
		lap("open", err)
		service := engine.Service{Service: spec.Service{Name: "server",
			Command: []string{"sh", "-c", "echo up; exec tail -f /dev/null"}, Ready: spec.Ready{Log: "up"}},
			Image: image}
		running, err := space.Start(ctx, service)
		lap("start", err)
		_, err = running.Usage(ctx)
		lap("usage", err)
		exit, err := space.Run(ctx, engine.Program{Name: "program", Image: image, Command: []string{"true"}}, nil)
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
