package http

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// tick is the unit in which Linux counts the time of a thread for us (USER_HZ).
const tick = 10 * time.Millisecond

// shortest is the length below which the ticks of threads say too little about their share.
const shortest = 10 * tick

// usage is the processor time that this process has used up to a moment.
type usage struct {
	at           int64 // the run's clock
	user, system time.Duration
	threads      map[int]time.Duration // by thread id, nil where they cannot be told apart
}

// readUsage returns nil where the system does not tell.
func readUsage(now func() int64) *usage {
	var all syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &all) != nil {
		return nil
	}
	return &usage{
		at:      now(),
		user:    time.Duration(all.Utime.Nano()),
		system:  time.Duration(all.Stime.Nano()),
		threads: readThreads(),
	}
}

// readThreads returns nil where the system does not tell.
func readThreads() map[int]time.Duration {
	files, err := filepath.Glob("/proc/self/task/*/stat")
	if err != nil || len(files) == 0 {
		return nil
	}
	threads := make(map[int]time.Duration, len(files))
	for _, file := range files {
		stat, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended meanwhile
		}
		id, used, err := parseStat(stat)
		if err != nil {
			return nil
		}
		threads[id] = used
	}
	return threads
}

// parseStat reads a thread's id and its time, user and system together. Source: proc_pid_stat(5).
func parseStat(stat []byte) (id int, used time.Duration, err error) {
	// The name, the second field, may itself have spaces and parentheses in it.
	open, end := bytes.IndexByte(stat, '('), bytes.LastIndexByte(stat, ')')
	if open < 0 || end < open {
		return 0, 0, errors.New("no name in parentheses")
	}
	if id, err = strconv.Atoi(string(bytes.TrimSpace(stat[:open]))); err != nil {
		return 0, 0, err
	}
	const state, utime, stime = 3, 14, 15 // fields, counted from 1
	fields := bytes.Fields(stat[end+1:])
	if len(fields) <= stime-state {
		return 0, 0, fmt.Errorf("only %d fields after the name", len(fields))
	}
	for _, n := range []int{utime, stime} {
		ticks, err := strconv.ParseInt(string(fields[n-state]), 10, 64)
		if err != nil {
			return 0, 0, err
		}
		used += time.Duration(ticks) * tick
	}
	return id, used, nil
}

// since is what was used after an earlier reading, by a load that runs on so many threads at a time.
// It is nil unless both readings are there.
func (u *usage) since(before *usage, threads int) *CPU {
	if u == nil || before == nil {
		return nil
	}
	cpu := &CPU{
		User:   u.user - before.user,
		System: u.system - before.system,
		Length: time.Duration(u.at - before.at),
	}
	if u.threads == nil || before.threads == nil || cpu.Length < shortest {
		return cpu
	}
	busiest := (cpu.User + cpu.System) / time.Duration(threads)
	for id, used := range u.threads {
		busiest = max(busiest, used-before.threads[id])
	}
	share := min(1, busiest.Seconds()/cpu.Length.Seconds())
	cpu.Busiest = &share
	return cpu
}
