package sysinfo

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"benchbook/notebook/record"
	"benchbook/runner/engine/kernel"

	"benchbook/internal/slice"
)

// A Settler looks at the machine before each repetition, and gives it time to come to rest if the one before has left
// it at work. The zero value looks at this machine. It is used by one run at a time.
type Settler struct {
	Root  string                      // the root directory; "/" if empty
	Noise func(context.Context) Noise // measures what the machine is like; MeasureNoise if nil
	Pause func(context.Context) error // between two looks; a tenth of a second if nil
	Write func()                      // asks for dirty pages to be written; the system's sync if nil
	Now   func() time.Time            // time.Now if nil

	// Longest bounds each wait further, here and on other machines, as tests do that run beside others; 0 leaves the
	// bounds below.
	Longest time.Duration

	past settled
}

// settled is what a Settler knows of the repetitions before.
type settled struct {
	Begun   time.Time     `json:"begun"`   // of the first repetition
	Waited  time.Duration `json:"waited"`  // in all, but for what follows
	After   time.Duration `json:"after"`   // the same, after repetitions that the machine disturbed
	Vain    int           `json:"vain"`    // how many of the latter in a row have not helped
	Useless int           `json:"useless"` // how many of the others in a row have not
	Last    HostUsage     `json:"last"`
	Swap    int64         `json:"swap"`
}

// Noise is how evenly the machine computes and keeps time while nothing of ours runs.
type Noise struct {
	Jitter time.Duration // how late the latest of some timers of a millisecond was
	// how much longer the slow ones of equal computations took than the quick ones, as a share, on the worst CPU
	Spin     float64
	Runnable float64 // threads of others that wanted a CPU at the same time, the mean; -1 unknown
}

// Bounds of waiting. It is seldom needed: fresh services get local ports of their own, and what they wrote goes with
// them. But where others have just disturbed a repetition, what comes next is likely to be lost as well, and takes
// longer than a wait.
const (
	longestWait = 3 * time.Second // before one repetition; half of that for each such wait before it that was in vain
	// of the time since the first repetition, once as much as the longest wait was used up
	waitShare = 0.03

	// before one that follows on a disturbed one; half of that for each such wait before it that was in vain
	longestAfter = 30 * time.Second
	afterFirst   = 2 * time.Minute // in all, and beyond that
	afterShare   = 0.1             // of the time since the first repetition

	settlePause = 20 * time.Millisecond
)

// What a machine at rest may do.
const (
	restForeign  = 0.12     // share of the CPUs that others want, as docs/validity.md#checks has it for the window
	restTimeWait = 0.5      // share of the machine's own local ports that wait
	restDirty    = 64 << 20 // bytes
)

// Words for what was waited for.
const (
	forOthers   = "programs of others"
	forTimeWait = "connections in TIME_WAIT"
	forDirty    = "dirty pages"
)

// Settle waits until the machine is at rest, for a few seconds at most, and says what it was like then. After a
// repetition that was disturbed it waits longer. The error is the context's.
func (s *Settler) Settle(ctx context.Context, disturbed bool) (*record.Before, error) {
	now := s.Now
	if now == nil {
		now = time.Now
	}
	began := now()
	if s.past.Begun.IsZero() {
		s.past.Begun, s.past.Swap, s.past.Last = began, SwappedIn(), ReadHost()
	}
	allowed, longer := s.allowed(began, disturbed)
	var reasons []string
	wrote := false
	for {
		state, restless := s.look(ctx)
		waited := now().Sub(began)
		for _, reason := range restless {
			reasons = slice.Add(reasons, reason)
		}
		if len(restless) == 0 || waited >= allowed {
			s.noteSince(state)
			state.Settled, state.For = len(restless) == 0, reasons
			if len(reasons) > 0 {
				state.Waited = waited.Seconds()
			}
			s.noteWait(state, waited, longer)
			return state, ctx.Err()
		}
		if slices.Contains(restless, forDirty) && !wrote { // by itself the kernel takes half a minute
			wrote = true
			s.write()
		}
		if err := s.pause(ctx); err != nil {
			return nil, err
		}
	}
}

// allowed is how long the wait may be that begins now; longer says that it is one after a disturbance.
func (s *Settler) allowed(now time.Time, disturbed bool) (most time.Duration, longer bool) {
	passed := float64(now.Sub(s.past.Begun))
	most = min(longestWait>>s.past.Useless, longestWait+time.Duration(waitShare*passed)-s.past.Waited)
	after := min(longestAfter>>s.past.Vain, afterFirst+time.Duration(afterShare*passed)-s.past.After)
	if longer = disturbed && after > most; longer {
		most = after
	}
	if s.Longest > 0 {
		most = min(most, s.Longest)
	}
	return most, longer
}

// noteWait counts a wait that is over.
func (s *Settler) noteWait(state *record.Before, waited time.Duration, longer bool) {
	switch {
	case state.Settled:
		s.past.Vain, s.past.Useless = 0, 0
	case longer:
		s.past.Vain++
	default:
		s.past.Useless++
	}
	if len(state.For) == 0 {
		return
	}
	if longer {
		s.past.After += waited
	} else {
		s.past.Waited += waited
	}
}

// SettleKept settles as a Settler does that lives for as long as a file does: each repetition may ask in a process of
// its own.
func (s *Settler) SettleKept(ctx context.Context, file string, disturbed bool) (*record.Before, error) {
	data, err := os.ReadFile(file)
	switch {
	case errors.Is(err, os.ErrNotExist): // it is the first repetition
	case err != nil:
		return nil, err
	default:
		if err := json.Unmarshal(data, &s.past); err != nil {
			return nil, fmt.Errorf("reading %s: %w", file, err)
		}
	}
	before, err := s.Settle(ctx, disturbed)
	if err != nil {
		return nil, err
	}
	if data, err = json.Marshal(s.past); err != nil {
		return nil, err
	}
	return before, os.WriteFile(file, data, 0o600)
}

// look says what the machine is like now, and what keeps it from being at rest.
func (s *Settler) look(ctx context.Context) (state *record.Before, restless []string) {
	measure := s.Noise
	if measure == nil {
		measure = MeasureNoise
	}
	noise, root := measure(ctx), cmp.Or(s.Root, "/")
	state = &record.Before{Jitter: noise.Jitter.Seconds(), Spin: noise.Spin, Foreign: -1, Steal: -1, SwappedIn: -1,
		TimeWait: kernel.TimeWait(root), Dirty: dirtyBytes(root)}
	if cpus := len(onlineCPUs(root)); noise.Runnable >= 0 && cpus > 0 {
		state.Foreign = min(1, noise.Runnable/float64(cpus))
	}
	if state.Foreign > restForeign {
		restless = append(restless, forOthers)
	}
	if ports := hostPorts(root); ports > 0 && float64(state.TimeWait) > restTimeWait*float64(ports) {
		restless = append(restless, forTimeWait)
	}
	if state.Dirty > restDirty {
		restless = append(restless, forDirty)
	}
	return state, restless
}

// noteSince adds what happened since the last repetition was begun.
func (s *Settler) noteSince(state *record.Before) {
	host, swap := ReadHost(), SwappedIn()
	if last := s.past.Last; host.Total > last.Total {
		state.Steal = max(0, (host.Steal-last.Steal)/(host.Total-last.Total))
	}
	if swap >= 0 && s.past.Swap >= 0 {
		state.SwappedIn = swap - s.past.Swap
	}
	s.past.Last, s.past.Swap = host, swap
}

func (s *Settler) pause(ctx context.Context) error {
	if s.Pause != nil {
		return s.Pause(ctx)
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(settlePause):
		return nil
	}
}

func (s *Settler) write() {
	if s.Write != nil {
		s.Write()
		return
	}
	go writeDirty() // it may last longer than we wait
}

// dirtyBytes is how much waits to be written to disks, or is being written; -1 where the system does not tell.
func dirtyBytes(root string) int64 {
	sum, found := int64(0), false
	for line := range strings.Lines(Text(root, "proc/meminfo")) {
		name, rest, _ := strings.Cut(line, ":")
		if name != "Dirty" && name != "Writeback" {
			continue
		}
		kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
		if err != nil {
			return -1
		}
		sum, found = sum+kib<<10, true
	}
	if !found {
		return -1
	}
	return sum
}

// hostPorts is how many local ports this machine gives to programs that ask for none; 0 where it does not tell.
func hostPorts(root string) int {
	fields := strings.Fields(Text(root, "proc/sys/net/ipv4/ip_local_port_range"))
	if len(fields) != 2 {
		return 0
	}
	first, err := strconv.Atoi(fields[0])
	last, errLast := strconv.Atoi(fields[1])
	if err != nil || errLast != nil || last < first {
		return 0
	}
	return last - first + 1
}

// onlineCPUs are the logical CPUs of the machine.
func onlineCPUs(root string) []int {
	cpus, _ := kernel.ParseCPUs(Text(root, "sys/devices/system/cpu/online"))
	return cpus
}

// runnable is how many threads of the whole machine want a CPU at this moment, or have one, without the one that asks;
// -1 where the system does not tell.
//
// Source: proc_loadavg(5).
func runnable(file *os.File) int {
	var room [128]byte
	n, _ := file.ReadAt(room[:], 0)
	fields := strings.Fields(string(room[:n]))
	if len(fields) < 4 {
		return -1
	}
	running, _, _ := strings.Cut(fields[3], "/")
	count, err := strconv.Atoi(running)
	if err != nil {
		return -1
	}
	return max(0, count-1)
}

// SettleAll lets all machines of an experiment come to rest at once, and says what the most restless of them was like.
func SettleAll(ctx context.Context, all ...func(context.Context) (*record.Before, error)) (*record.Before, error) {
	states, failures := make([]*record.Before, len(all)), make([]error, len(all))
	var settling sync.WaitGroup
	for i, settle := range all {
		settling.Go(func() { states[i], failures[i] = settle(ctx) })
	}
	settling.Wait()
	if err := errors.Join(failures...); err != nil {
		return nil, cmp.Or(ctx.Err(), err)
	}
	worst := *states[0]
	for _, s := range states[1:] {
		worst.Waited, worst.Settled = max(worst.Waited, s.Waited), worst.Settled && s.Settled
		worst.Jitter, worst.Spin, worst.Foreign = max(worst.Jitter, s.Jitter), max(worst.Spin, s.Spin),
			max(worst.Foreign, s.Foreign)
		worst.Steal, worst.SwappedIn = max(worst.Steal, s.Steal), max(worst.SwappedIn, s.SwappedIn)
		worst.TimeWait, worst.Dirty = max(worst.TimeWait, s.TimeWait), max(worst.Dirty, s.Dirty)
		for _, reason := range s.For {
			if !slices.Contains(worst.For, reason) {
				worst.For = append(slices.Clone(worst.For), reason)
			}
		}
	}
	return &worst, nil
}
