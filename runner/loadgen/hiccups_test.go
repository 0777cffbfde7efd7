package loadgen

import (
	"testing"
	"time"
)

// Some bounds are true only on a machine that lets a test run when it wants to. Hiccups tell whether it did: a
// goroutine that wants to wake up every millisecond notes how late it is, whoever was in its way. Source: Tene's
// jHiccup.

// ordinary is the lateness of a wake-up that is nobody's fault.
const ordinary = 3 * time.Millisecond

// hiccups starts to look for them; the function that it returns ends that and tells how long they were, all together.
func hiccups() (end func() time.Duration) {
	stop, sum := make(chan struct{}), make(chan time.Duration)
	go func() {
		var late time.Duration
		for {
			before := time.Now()
			time.Sleep(time.Millisecond)
			if l := time.Since(before) - time.Millisecond; l > ordinary {
				late += l
			}
			select {
			case <-stop:
				sum <- late
				return
			default:
			}
		}
	}()
	return func() time.Duration {
		close(stop)
		return <-sum
	}
}

// A verdict says what is wrong with what was measured, nothing if that is within its bounds. What a busy machine adds
// to may be slack times as much as it should.
type verdict func(slack float64) error

// judge holds what a test measures to its bounds. What is out of them is measured again, a few times, if there were
// hiccups beyond a limit meanwhile, and not otherwise. A machine that is never quiet gets slack at last, and does so at
// once where the test is to be short.
func judge(t *testing.T, limit time.Duration, measure func() verdict) {
	t.Helper()
	const slack = 100
	tries := 3
	if testing.Short() {
		tries = 1
	}
	for try := 1; ; try++ {
		end := hiccups()
		v := measure()
		late := end()
		err := v(1)
		if err == nil {
			return
		}
		if late <= limit {
			t.Error(err)
			return
		}
		t.Logf("%v, and hiccups of %v", err, late)
		if try == tries {
			if err := v(slack); err != nil {
				t.Error(err)
			}
			return
		}
	}
}
