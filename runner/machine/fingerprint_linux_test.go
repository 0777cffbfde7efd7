package machine

import (
	"context"
	"os"
	"testing"
	"time"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

func TestFingerprint(t *testing.T) {
	open := func() int { return len(must.Get(os.ReadDir("/proc/self/fd"))) }
	before := open()
	f := must.Get(TakeFingerprint(t.Context()))
	// Any machine that runs this does more than a thousandth, and less than a thousand times, of what a laptop does.
	for name, x := range map[string][2]float64{"calls": {f.Calls, 1e7}, "switches": {f.Switches, 2e5},
		"copied": {f.Copied, 1e10}, "integer": {f.Integer, 5e8}} {
		if x[0] < x[1]/1000 || x[0] > x[1]*1000 {
			t.Errorf("%s %g a second, far from %g", name, x[0], x[1])
		}
	}
	facts := map[string]string{}
	f.AddTo(facts, "")
	f.AddTo(facts, "load")
	if len(facts) != 8 || facts["host.speed.copied"] == "" || facts["hosts.load.host.speed.copied"] == "" {
		t.Errorf("facts %v", facts)
	}
	for tries := 0; open() > before && tries < 1000; tries++ { // the other thread closes its ends
		time.Sleep(10 * time.Millisecond)
	}
	if after := open(); after > before {
		t.Errorf("%d files are open, %d before", after, before)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := TakeFingerprint(ctx)
	assert.Is(t, err, context.Canceled)
}
