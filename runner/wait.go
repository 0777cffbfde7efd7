package runner

import (
	"strings"
	"time"
)

// Wait is what a repetition waits for.
type Wait struct {
	For     string        // a service that is to become ready, a hook, the load or the command
	Service bool          // it is a service: several may be waited for at once
	Missing string        // of a service, as far as it is known
	Usual   time.Duration // how long it may well last; 0 if nothing tells
}

// What usually takes no longer.
const (
	usualStart = 5 * time.Second  // a service until it is ready
	usualHook  = 10 * time.Second // a hook
	usualEnd   = 5 * time.Second  // answers that are late, and the end of a load
)

// waits tells what the repetition waits for from now on.
func (a *attempt) waits(what string, usual time.Duration) {
	a.Progress.Waits(Wait{For: a.secrets().redactor(a.trial).Text(what), Usual: usual})
}

// work is what is measured, in words, and how long that usually lasts.
func (a *attempt) work() (what string, usual time.Duration) {
	if a.trial.Command != nil {
		return "the command " + strings.Join(a.trial.Command.Run, " "), 0
	}
	l := a.trial.Load
	usual = l.Duration
	if usual > 0 {
		usual += l.Warmup + usualEnd
	}
	return "the load on " + strings.Join(l.URLs(), " "), usual
}
