package readiness

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"benchbook/runner/engine"
)

// However a log is cut into pieces, a text is counted as often as it stands there.
func TestCounter(t *testing.T) {
	const log = "ready to accept; not ready to; ready readready to"
	for size := 1; size <= len(log); size++ {
		c := &counter{wanted: 100}
		w := c.stream("ready to")
		for rest := log; rest != ""; {
			n := min(size, len(rest))
			if _, err := w.Write([]byte(rest[:n])); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if want := strings.Count(log, "ready to"); c.found != want {
			t.Errorf("in pieces of %d found %d, want %d", size, c.found, want)
		}
	}
	c := &counter{wanted: 2}
	if _, err := c.stream("a").Write([]byte("banana")); !errors.Is(err, errEnough) || c.found != 2 {
		t.Errorf("got %v after %d, want errEnough after 2", err, c.found)
	}
}

func TestPollKeepsTheLastAnswer(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	missing := errors.New("answered with 503")
	err := poll(ctx, func(ctx context.Context) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return missing
	})
	if !errors.Is(err, missing) {
		t.Errorf("got %v, want %v", err, missing)
	}
	tries := 0
	err = poll(t.Context(), func(context.Context) error {
		if tries++; tries < 3 {
			return missing
		}
		return nil
	})
	if err != nil || tries != 3 {
		t.Errorf("got %v after %d tries, want success after 3", err, tries)
	}
}

// never is a service that goes on without getting ready.
type never struct{}

func (never) Wait(ctx context.Context) (int, error) {
	<-ctx.Done()
	return 0, ctx.Err()
}

func (never) Reach(context.Context) (Dial, error) { return nil, errors.New("it has no ports") }

func (never) Exec(context.Context, engine.Command) (engine.Exit, error) {
	return engine.Exit{Code: 1}, nil
}

func (never) Follow(ctx context.Context, _, _ io.Writer) error {
	<-ctx.Done()
	return ctx.Err()
}

func (never) Logs(context.Context) ([]byte, error) { return []byte("not yet\n"), nil }

// Whichever time of a service ends first, it still says what it waited for.
func TestTimeEnds(t *testing.T) {
	tests := []struct {
		name    string
		timeout time.Duration
		until   time.Duration // from now
	}{
		{"its own", 30 * time.Millisecond, time.Hour},
		{"that of what it is started for", time.Hour, 30 * time.Millisecond},
		{"that of what it is started for, before it was started", time.Hour, -time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			service := engine.Service{Name: "db", Ready: engine.Ready{Command: []string{"asks"}, Timeout: tt.timeout, Until: time.Now().Add(tt.until)}}
			err := Wait(ctx, service, never{})
			if notReady := (*engine.NotReadyError)(nil); !errors.As(err, &notReady) || string(notReady.Log) != "not yet\n" {
				t.Errorf("got %v, want a NotReadyError with the log", err)
			}
		})
	}
}

func TestReasons(t *testing.T) {
	refused := errors.New("port 80 did not accept a connection")
	tests := []struct {
		name         string
		cause, probe error
		want         string
	}{
		{"its time ran out", errors.New("its time of 1s ran out"), refused, "its time of 1s ran out; last, port 80 did not accept a connection"},
		{"it ended", &endedError{3}, refused, "it ended with status 3"},
		{"no probe", errors.New("its time of 1s ran out"), nil, "its time of 1s ran out"},
	}
	for _, tt := range tests {
		if got := joinReasons(tt.cause, tt.probe).Error(); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}
