package loadgen

import (
	"syscall"
	"time"
)

// shortest is the length below which a share of time says too little.
const shortest = 10 * time.Millisecond

// usage is the processor time that this process has used up to a moment.
type usage struct {
	at           int64 // the run's clock
	user, system time.Duration
}

// readUsage returns nil where the system does not tell.
func readUsage(now func() int64) *usage {
	var all syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &all) != nil {
		return nil
	}
	return &usage{at: now(), user: time.Duration(all.Utime.Nano()), system: time.Duration(all.Stime.Nano())}
}

// since is what was used after an earlier reading. It is nil unless both readings are there.
func (u *usage) since(before *usage) *CPU {
	if u == nil || before == nil {
		return nil
	}
	return &CPU{User: u.user - before.user, System: u.system - before.system, Length: time.Duration(u.at - before.at)}
}

// busiest is the share of the busiest thread, given the largest share that one of Threads says of itself.
func busiest(c *CPU, share float64) *float64 {
	if c.Length < shortest || len(c.Threads) == 0 {
		return nil
	}
	all := c.User + c.System
	for _, t := range c.Threads {
		all -= t.Polling
	}
	share = max(share, all.Seconds()/c.Length.Seconds()/float64(len(c.Threads)))
	share = min(1, share)
	return &share
}
