package observe

import (
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

func TestBusiestBetween(t *testing.T) {
	moment := time.Now()
	of := func(after time.Duration, all map[processID]neighbour) neighbours {
		return neighbours{moment.Add(after), time.Minute, all}
	}
	const seconds = time.Second
	before := of(0, map[processID]neighbour{
		{1, "1"}:  {"init", 0, 5 * seconds},
		{7, "30"}: {"dockerd", 1, 100 * seconds},
		{8, "31"}: {"shim", 7, 10 * seconds},
		{9, "32"}: {"shim", 7, 20 * seconds},
		{20, "4"}: {"benchbook", 1, 1 * seconds},
		{21, "5"}: {"server", 20, 0},
		{30, "6"}: {"python", 8, 0},
		{40, "6"}: {"idle", 1, 0},
		{50, "6"}: {"ended", 1, 0},
	})
	after := of(10*time.Second, map[processID]neighbour{
		{1, "1"}:  {"init", 0, 5 * seconds},
		{7, "30"}: {"dockerd", 1, 103 * seconds},
		{8, "31"}: {"shim", 7, 11 * seconds},
		{9, "32"}: {"shim", 7, 21 * seconds},
		{20, "4"}: {"benchbook", 1, 6 * seconds},
		{21, "5"}: {"server", 20, 9 * seconds}, // started by this process
		{30, "6"}: {"python", 8, 9 * seconds},  // in a container
		{40, "6"}: {"idle", 1, seconds / 10},
		{50, "7"}: {"new", 1, 2 * seconds}, // with the number of one that has ended
		{60, "8"}: {"circle", 61, seconds},
		{61, "8"}: {"circle", 60, 0},
	})
	inContainer := func(pid int) bool { return pid == 30 }
	for _, c := range []struct {
		name        string
		from, until neighbours
		want        string
	}{
		{"three programs, the busiest first", before, after, "dockerd 15 %, new 10 %, shim 10 %"},
		{"another benchbook", before, of(10*time.Second, map[processID]neighbour{
			{20, "4"}: {"benchbook", 1, 6 * seconds},
			{70, "9"}: {"benchbook", 1, 8 * seconds},
		}), "another benchbook, process 70: 40 %"},
		{"none", before, of(10*time.Second, before.byID), ""},
		{"no time", before, before, ""},
		{"nothing known", neighbours{}, neighbours{}, ""},
	} {
		assert.Equal(t, busiestBetween(c.from, c.until, 2, 20, inContainer), c.want, "%s", c.name)
	}
	const hog = "end process 7 (dockerd), which uses 0.3 of a CPU"
	assert.Equal(t, hogBetween(before, after, 20, inContainer), hog, "the busiest process")
	after.up = 10 * time.Second
	const young = "wait for process 7 (dockerd), which uses 0.3 of a CPU"
	assert.Equal(t, hogBetween(before, after, 20, inContainer), young, "a process that was started 9.7 s ago")
	kernel := of(10*time.Second, map[processID]neighbour{{80, "9"}: {"kworker/u8:0", 2, 3 * seconds}})
	const waits = "wait for process 80 (kworker/u8:0), which uses 0.3 of a CPU"
	assert.Equal(t, hogBetween(before, kernel, 20, inContainer), waits, "a thread of the kernel")
	for _, until := range []neighbours{of(10*time.Second, before.byID), before, {}} {
		assert.Equal(t, hogBetween(before, until, 20, inContainer), "", "nothing is busy")
	}
}

// A busy program that is not ours is named; here it is one that the test treats as a stranger.
func TestReadNeighbours(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("processes are read on Linux only")
	}
	c := exec.Command("sh", "-c", "while :; do :; done")
	must.Do(c.Start())
	defer func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	}()
	before := readNeighbours()
	for deadline := time.Now().Add(20 * time.Second); ; {
		time.Sleep(100 * time.Millisecond)
		after := readNeighbours()
		others := func(pid int) bool { return pid != c.Process.Pid }
		if words := busiestBetween(before, after, 1, -1, others); words != "" {
			if words[:3] != "sh " && words[:5] != "dash " {
				t.Errorf("%q, want that of the shell", words)
			}
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("a program that computes is not seen")
		}
	}
	own := os.Getpid()
	if words := busiestBetween(before, readNeighbours(), 1, own,
		func(pid int) bool { return pid != c.Process.Pid }); words != "" {
		t.Errorf("what this process started is a neighbour: %s", words)
	}
}
