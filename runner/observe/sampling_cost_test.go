package observe

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/engine/docker"
)

// sampled reads what some services in containers use for so long, and says what that costs, in cores. The error is that
// there are not half of the readings.
func sampled(tb testing.TB, services int, length time.Duration) (cost float64, err error) {
	tb.Helper()
	e, err := docker.New(tb.Context(), docker.Options{})
	if errors.Is(err, engine.ErrUnavailable) && !strings.Contains(os.Getenv("BENCHBOOK_TEST_REQUIRE"), "engine") {
		tb.Skip(err)
	}
	if err != nil {
		tb.Fatal(err)
	}
	defer e.Close()
	image, err := e.Prepare(tb.Context(), engine.Image{Name: "debian:bookworm-slim"}, tb.Output())
	if err != nil {
		tb.Fatal(err)
	}
	space, err := e.Open(tb.Context(), "sampling")
	if err != nil {
		tb.Fatal(err)
	}
	defer func() {
		if err := space.Close(context.WithoutCancel(tb.Context())); err != nil {
			tb.Error(err)
		}
	}()
	var running []engine.Running
	for i := range services {
		r, err := space.Start(tb.Context(), engine.Service{Service: spec.Service{Name: fmt.Sprintf("s%d", i),
			Command: []string{"sleep", "600"}},
			Image: image})
		if err != nil {
			tb.Fatal(err)
		}
		running = append(running, r)
	}
	s := Watch(tb.Context(), running)
	time.Sleep(length)
	s.Finish()
	if len(s.cpu["s0"]) < int(length/sampleEvery)/2 || len(s.threads["s0"]) < 2 {
		err = fmt.Errorf("%d readings of processor time, %d of threads", len(s.cpu["s0"]), len(s.threads["s0"]))
	}
	return s.cost, err
}

// To read what five services use takes less than a hundredth of a core.
func TestSamplingIsCheap(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a Docker engine and some seconds: run without -short")
	}
	// On a machine that does much else each reading costs more, as nothing is where it was, and some are left out. It is
	// not so busy all the time.
	for tries := 1; ; tries++ {
		cost, err := sampled(t, 5, 5*time.Second)
		if err == nil && (cost < 0 || cost > 0.01) {
			err = fmt.Errorf("reading takes %.2f %% of a core, more than 1 %%", 100*cost)
		}
		if err == nil {
			return
		}
		if tries == 4 {
			t.Fatal(err)
		}
		t.Log(err)
	}
}
