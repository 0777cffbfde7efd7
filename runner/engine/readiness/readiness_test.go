package readiness

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
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
