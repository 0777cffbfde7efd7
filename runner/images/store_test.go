package images

import (
	"context"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"benchbook/runner/engine/enginetest/fake"
)

// There are never more builds at once than there are processors, or two.
func TestBuildsAreBounded(t *testing.T) {
	s := &Store{Engine: fake.New(fake.Script{}), Begin: func(string) Preparation { return nobody{} }}
	var mu sync.Mutex
	now, most, full := 0, 0, make(chan struct{})
	var needs []Need
	for i := range 4 * atOnce() {
		needs = append(needs, Need{store: s, key: fmt.Sprint(i), make: func(context.Context, io.Writer) (made, error) {
			mu.Lock()
			now++
			if most = max(most, now); now == atOnce() && i < atOnce() {
				close(full)
			}
			mu.Unlock()
			select {
			case <-full: // as many as may be are under way, once
			case <-time.After(20 * time.Second):
			}
			mu.Lock()
			now--
			mu.Unlock()
			return made{}, nil
		}})
	}
	if _, err := Make(t.Context(), needs...); err != nil || most != atOnce() {
		t.Errorf("%d at once, want %d: %v", most, atOnce(), err)
	}
}

// nobody is told nothing.
type nobody struct{ io.Writer }

func (nobody) End(bool) {}
