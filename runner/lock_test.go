package runner

import (
	"context"
	"errors"
	"testing"
	"time"
)

// Of two runs on a machine one waits for the other, says so, and can be told to give up.
func TestLock(t *testing.T) {
	h, dir, waits := Host{ID: "c2-abcdef"}, t.TempDir(), 0
	waiting := func() { waits++ }
	unlock, err := h.Lock(t.Context(), dir, waiting)
	if err != nil || waits != 0 {
		t.Fatalf("the first run waited %d times: %v", waits, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*lockEvery)
	defer cancel()
	if _, err := h.Lock(ctx, dir, waiting); !errors.Is(err, context.DeadlineExceeded) || waits != 1 {
		t.Errorf("the second run said %d times that it waits, and then %v", waits, err)
	}
	other, err := Host{ID: "c4-abcdef"}.Lock(t.Context(), dir, waiting)
	if err != nil || waits != 1 {
		t.Errorf("a run on another machine waited: %v", err)
	} else {
		other()
	}
	time.AfterFunc(lockEvery, unlock)
	unlock, err = h.Lock(t.Context(), dir, waiting)
	if err != nil || waits != 2 {
		t.Fatalf("the third run waited %d times: %v", waits-1, err)
	}
	unlock()
}
