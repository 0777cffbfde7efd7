package machine

import (
	"bytes"
	"context"
	"path/filepath"
	"testing"
	"time"
)

// A watch passes on its readings from any moment on, and ends with its context.
func TestWatch(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	socket, ended := filepath.Join(t.TempDir(), "s"), make(chan error)
	var wrote bytes.Buffer
	go func() { ended <- watch(ctx, socket, &wrote) }()
	var readings Readings
	for deadline := time.Now().Add(20 * time.Second); len(readings) < 3; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("got %+v", readings)
		}
		readings, _ = readingsSince(socket, time.Time{}) // the socket may not be there yet
	}
	if readings[0].Total <= 0 || !readings[1].At.After(readings[0].At) {
		t.Errorf("got %+v", readings)
	}
	rest, err := readingsSince(socket, readings[1].At)
	if err != nil || len(rest) < len(readings)-1 || !rest[0].At.Equal(readings[1].At) {
		t.Errorf("since the second reading: got %+v, %v", rest, err)
	}
	cancel()
	if err := <-ended; err != nil || wrote.String() != Watching+"\n" {
		t.Errorf("it wrote %q and ended with %v", &wrote, err)
	}
}

func TestAnswerRefuses(t *testing.T) {
	for _, args := range [][]string{nil, {"nothing"}, {askRest, "soon"}, {askRest}, {askReadings, "now"}} {
		if err := Answer(t.Context(), args, &bytes.Buffer{}); err == nil {
			t.Errorf("%q was answered", args)
		}
	}
}
