package sysinfo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"benchbook/notebook/record"
)

// A machine in files, whose clock goes on when somebody waits.
type machine struct {
	t     *testing.T
	root  string
	clock time.Time
	noise Noise
	wrote int
}

func newMachine(t *testing.T) *machine {
	m := &machine{t: t, root: t.TempDir(), clock: time.Unix(1e9, 0)}
	m.write("sys/devices/system/cpu/online", "0-3\n")
	m.write("proc/sys/net/ipv4/ip_local_port_range", "1001\t2000\n")
	m.sockets(0)
	m.dirty(0)
	return m
}

func (m *machine) write(name, text string) {
	m.t.Helper()
	path := filepath.Join(m.root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) sockets(timeWait int) {
	m.write("proc/net/sockstat", fmt.Sprintf("TCP: inuse 3 orphan 0 tw %d alloc 9 mem 1\n", timeWait))
}

func (m *machine) dirty(mebibytes int) {
	m.write("proc/meminfo", fmt.Sprintf("MemTotal: 4096 kB\nDirty:      %d kB\nWriteback:    0 kB\n", mebibytes<<10))
}

// settler looks at the machine; while it waits, pausing happens.
func (m *machine) settler(pausing func(waited time.Duration)) *Settler {
	began := m.clock
	return &Settler{Root: m.root, Now: func() time.Time { return m.clock }, Write: func() { m.wrote++ },
		Noise: func(context.Context) Noise { return m.noise },
		Pause: func(ctx context.Context) error {
			m.clock = m.clock.Add(settlePause)
			if pausing != nil {
				pausing(m.clock.Sub(began))
			}
			return ctx.Err()
		}}
}

func TestSettle(t *testing.T) {
	tests := []struct {
		name    string
		set     func(*machine)
		pausing func(*machine, time.Duration)
		want    record.Before
		wrote   int
	}{
		{"a machine at rest", func(m *machine) { m.noise = Noise{Jitter: time.Millisecond, Spin: 0.02, Runnable: 0.4} }, nil,
			record.Before{Settled: true, Jitter: 0.001, Spin: 0.02, Foreign: 0.1}, 0},
		{"others that end", func(m *machine) { m.noise.Runnable = 2 },
			func(m *machine, waited time.Duration) {
				if waited >= 300*time.Millisecond {
					m.noise.Runnable = 0
				}
			}, record.Before{Waited: 0.3, For: []string{forOthers}, Settled: true}, 0},
		{"others that go on", func(m *machine) { m.noise.Runnable = 8 }, nil,
			record.Before{Waited: 3, For: []string{forOthers}, Foreign: 1}, 0},
		{"ports and pages", func(m *machine) { m.sockets(501); m.dirty(65) },
			func(m *machine, waited time.Duration) {
				m.dirty(1)
				if waited >= 200*time.Millisecond {
					m.sockets(7)
				}
			}, record.Before{Waited: 0.2, For: []string{forTimeWait, forDirty}, Settled: true, TimeWait: 7, Dirty: 1 << 20}, 1},
		{"a system that tells nothing", func(m *machine) {
			m.noise.Runnable = -1
			m.write("proc/meminfo", "")
			os.Remove(filepath.Join(m.root, "proc/net/sockstat"))
		},
			nil, record.Before{Settled: true, Foreign: -1, TimeWait: -1, Dirty: -1}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := newMachine(t)
			tt.set(m)
			var pausing func(time.Duration)
			if tt.pausing != nil {
				pausing = func(waited time.Duration) { tt.pausing(m, waited) }
			}
			got, err := m.settler(pausing).Settle(t.Context(), false)
			if err != nil {
				t.Fatal(err)
			}
			got.Steal, got.SwappedIn = 0, 0 // of this machine
			if fmt.Sprintf("%+v", *got) != fmt.Sprintf("%+v", tt.want) || m.wrote != tt.wrote {
				t.Errorf("got %+v, wrote %d times; want %+v, %d", *got, m.wrote, tt.want, tt.wrote)
			}
		})
	}
}

// A machine that never comes to rest is not waited for all the time: in the end that is a thirtieth of the run.
func TestSettlingIsBounded(t *testing.T) {
	m := newMachine(t)
	m.noise.Runnable = 4
	s := m.settler(nil)
	waited := time.Duration(0)
	const repetitions, window = 60, 10 * time.Second
	for range repetitions {
		before := m.clock
		if _, err := s.Settle(t.Context(), false); err != nil {
			t.Fatal(err)
		}
		waited += m.clock.Sub(before)
		m.clock = m.clock.Add(window)
	}
	if most := longestWait + time.Duration(2*waitShare*float64(repetitions*window)); waited < longestWait ||
		waited > most {
		t.Errorf("waited %v beside %v, want at most %v", waited, repetitions*window, most)
	}
}

// After a repetition that others have disturbed, they are given more time, which is bounded too.
func TestSettlingAfterADisturbance(t *testing.T) {
	m := newMachine(t)
	m.noise.Runnable = 4
	s := m.settler(func(waited time.Duration) {
		if waited > 20*time.Second {
			m.noise.Runnable = 0
		}
	})
	got, err := s.Settle(t.Context(), true)
	if err != nil || !got.Settled || got.Waited < 20 || got.Waited > 21 {
		t.Errorf("of others that end: %+v, %v", got, err)
	}
	// Others that come again and again.
	began := m.clock
	s = m.settler(func(time.Duration) {
		if m.clock.Sub(began) > 20*time.Second {
			m.noise.Runnable = 0
		}
	})
	waited := time.Duration(0)
	const repetitions, window = 60, 10 * time.Second
	for range repetitions {
		before := m.clock
		m.noise.Runnable, began = 4, before
		if _, err := s.Settle(t.Context(), true); err != nil {
			t.Fatal(err)
		}
		if once := m.clock.Sub(before); once > longestAfter+settlePause {
			t.Fatalf("waited %v at once", once)
		}
		waited += m.clock.Sub(before)
		m.clock = m.clock.Add(window)
	}
	// A tenth of a time that has the waiting in it, and what is always allowed.
	if most := longestWait + afterFirst + time.Duration(1.2*(afterShare+waitShare)*float64(repetitions*window)) +
		time.Minute; waited < afterFirst || waited > most {
		t.Errorf("waited %v beside %v, want at most %v", waited, repetitions*window, most)
	}
}

// Each wait can be bounded further, after a disturbance too.
func TestSettlingForAMoment(t *testing.T) {
	for _, disturbed := range []bool{false, true} {
		m := newMachine(t)
		m.noise.Runnable = 4
		s := m.settler(nil)
		s.Longest = 100 * time.Millisecond
		got, err := s.Settle(t.Context(), disturbed)
		if most := (s.Longest + settlePause).Seconds(); err != nil || got.Settled || got.Waited < s.Longest.Seconds() ||
			got.Waited > most {
			t.Errorf("disturbed %v: %+v, %v, want a wait of %v to %v s", disturbed, got, err, s.Longest.Seconds(), most)
		}
	}
}

// Who has waited in vain waits half as long the next time, and as long as at first once it has helped.
func TestSettlingInVain(t *testing.T) {
	for disturbed, waits := range map[bool][]float64{true: {30, 15, 7.5, 3.75, 0, 30}, false: {3, 1.5, 0.75, 0, 3}} {
		m := newMachine(t)
		s := m.settler(nil)
		if !disturbed { // the run is long enough for all of them
			s.past.Begun = m.clock.Add(-time.Hour)
		}
		for i, want := range waits {
			m.noise.Runnable = 4
			if want == 0 {
				m.noise.Runnable = 0
			}
			got, err := s.Settle(t.Context(), disturbed)
			if err != nil {
				t.Fatal(err)
			}
			if got.Waited < want || got.Waited > want+settlePause.Seconds() {
				t.Errorf("disturbed %v, wait %d: %g s, want %g", disturbed, i+1, got.Waited, want)
			}
		}
	}
}

func TestSettlingEndsWithTheRun(t *testing.T) {
	m := newMachine(t)
	m.noise.Runnable = 4
	ctx, cancel := context.WithCancel(t.Context())
	s := m.settler(func(time.Duration) { cancel() })
	if _, err := s.Settle(ctx, false); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// What is measured of this machine is possible, and does not take long.
func TestNoise(t *testing.T) {
	noise := MeasureNoise(t.Context())
	if noise.Jitter < 0 || noise.Jitter > 10*time.Second || noise.Spin < 0 || noise.Runnable < -1 {
		t.Errorf("%+v", noise)
	}
}

func TestSettleAll(t *testing.T) {
	is := func(b record.Before, err error) func(context.Context) (*record.Before, error) {
		return func(context.Context) (*record.Before, error) { return &b, err }
	}
	got, err := SettleAll(t.Context(), is(record.Before{Settled: true, Jitter: 1, Foreign: 0.1, Steal: -1}, nil),
		is(record.Before{Waited: 2, For: []string{forOthers}, Foreign: 0.5, Spin: 3, Steal: -1}, nil))
	if err != nil || got.Settled || got.Waited != 2 || got.Jitter != 1 || got.Foreign != 0.5 || got.Spin != 3 ||
		len(got.For) != 1 || got.Steal != -1 {
		t.Errorf("got %+v, %v", got, err)
	}
	gone := errors.New("gone")
	if _, err := SettleAll(t.Context(), is(record.Before{}, nil), is(record.Before{}, gone)); !errors.Is(err, gone) {
		t.Errorf("got %v, want that of the machine that could not be asked", err)
	}
}

// A machine that is asked in one process after another has waited as long as they have together, and tells what
// happened between them.
func TestSettleKept(t *testing.T) {
	m, file := newMachine(t), filepath.Join(t.TempDir(), "rest")
	m.noise.Runnable = 4 // it is never at rest
	settle := func() *record.Before {
		t.Helper()
		before, err := m.settler(nil).SettleKept(t.Context(), file, false)
		if err != nil {
			t.Fatal(err)
		}
		return before
	}
	if first := settle(); first.Waited < longestWait.Seconds() {
		t.Errorf("before the first repetition it waited %v s", first.Waited)
	}
	if second := settle(); second.Waited > longestWait.Seconds()/2 {
		t.Errorf("before the second it waited %v s, though the share of the time was used up", second.Waited)
	}
	// What other virtual machines took is counted from what the last repetition saw, here a hundred seconds of the
	// processor ago.
	data, err := os.ReadFile(file)
	var kept settled
	if err := errors.Join(err, json.Unmarshal(data, &kept)); err != nil {
		t.Fatal(err)
	}
	kept.Last.Total -= 100
	kept.Last.Steal -= 50
	if data, err = json.Marshal(kept); err == nil {
		err = os.WriteFile(file, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if third := settle(); third.Steal < 0.2 {
		t.Errorf("of half the time between two repetitions, which others took, it reports %v", third.Steal)
	}
}
