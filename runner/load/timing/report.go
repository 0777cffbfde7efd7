// Package timing runs a program once and says what it took. It is meant for inside a container: see
// "benchbook-agent time".
//
// Real time is monotonic, from just before the program is started to its end. User and system time are those of all its
// processes up to then: the program, the children that it waited for, and those that it left to others, which come to
// us, ended or not. Peak memory is that of the largest of them.
//
// The program's output is read while it runs and looked through as it passes; nothing of it is kept but metrics and the
// end of standard error, so memory is bounded whatever a program prints. Reading takes processor time beside the
// program, in this process and not in the one measured: it is done in large pieces, and a program that prints little
// sees none of it.
package timing

import "time"

// Report is what a run took. It travels as JSON.
type Report struct {
	Exit   int           `json:"exit"` // 128 plus the signal, if it was killed by one
	Start  time.Time     `json:"start"`
	Real   time.Duration `json:"real_ns"`
	User   time.Duration `json:"user_ns"`
	System time.Duration `json:"system_ns"`
	// Reading is the processor time that this process has used meanwhile, which is spent on the program's output.
	Reading time.Duration `json:"reading_ns"`
	// Standstill is the longest time for which this process was stopped meanwhile, because its machine, its container
	// or itself was paused; -1 if the kernel does not tell. It counts from when the process wanted to wake up, up to
	// 0.1 s later.
	Standstill time.Duration `json:"standstill_ns"`
	// PeakMemory is the largest resident set of any one process of it, in bytes; 0 where it stayed below our own, whose
	// size every child starts with, so that it cannot be told.
	PeakMemory int64 `json:"peak_memory"`
	// Metrics are the lines of standard output that may be metrics: objects in JSON that say "metric".
	Metrics  []string `json:"metrics,omitempty"`
	Contains bool     `json:"contains"` // standard output has the text of Options
	// what was too large to be kept and may have been a metric; empty for nothing
	Lost   string `json:"lost,omitempty"`
	Stderr string `json:"stderr"`          // its last 64 KiB
	Stdout string `json:"stdout,omitzero"` // its last mebibyte, where Options ask for it
	// its last 4 KiB, where the text of Options is missing or the status is not 0
	Said   string `json:"said,omitzero"`
	Before Hooks  `json:"before,omitzero"` // see Settings; after one that failed nothing else was run
	After  Hooks  `json:"after,omitzero"`
}
