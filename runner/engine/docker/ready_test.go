package docker

import (
	"bytes"
	"io"
	"testing"
	"time"

	"benchbook/notebook/spec"
	"benchbook/runner/engine"
)

// What a service writes is followed from its beginning, however much it is and however late somebody begins to read;
// and once nobody reads any more the service goes on.
func TestFollowMissesNothing(t *testing.T) {
	e := open(t)
	const much = 64 << 20 // of which the engine keeps a quarter
	service := engine.Service{Service: spec.Service{Name: "talkative", Ready: spec.Ready{Log: "the word"},
		Command: []string{"bash", "-c", "echo the word; head -c 67108864 /dev/zero | tr '\\0' x"}},
		Image: debian(t, e)}
	s, _ := start(t, e, engine.Service{Service: spec.Service{Name: "idle", Command: []string{"sleep", "1h"}},
		Image: service.Image})
	for _, read := range []int64{4 << 10, much} {
		created, r, err := s.newContainer(t.Context(), containerSpec{service: service})
		if err != nil {
			t.Fatal(err)
		}
		w := &waiting{space: s, service: service, id: r.id}
		if err := w.listen(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := created.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second) // longer than the service needs, unless it is held back
		var said bytes.Buffer
		if err := w.Follow(t.Context(), &limited{&said, read}, io.Discard); err != nil && err != io.ErrShortWrite {
			t.Fatal(err)
		}
		w.close()
		if !bytes.HasPrefix(said.Bytes(), []byte("the word\n")) || int64(said.Len()) < read {
			t.Errorf("%d bytes were read, from %.20q", said.Len(), said.Bytes())
		}
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
			exit, ended, err := r.Ended(t.Context())
			if err != nil || time.Now().After(deadline) {
				t.Fatalf("after %d bytes were read it does not end: %v", read, err)
			}
			if ended {
				if exit.Code != 0 {
					t.Errorf("after %d bytes were read it ended with status %d", read, exit.Code)
				}
				break
			}
		}
		if err := s.discard(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
}

// limited is a writer that has enough after so many bytes.
type limited struct {
	w    io.Writer
	left int64
}

func (l *limited) Write(p []byte) (int, error) {
	n, err := l.w.Write(p)
	if l.left -= int64(n); l.left <= 0 && err == nil {
		err = io.ErrShortWrite
	}
	return n, err
}
