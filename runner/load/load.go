// Package load drives trials: it puts requests on a service, or runs a command, and brings back what was measured.
//
// A Driver says what the numbers are by docs/method.md#definitions; it decides nothing about order, saving or what is
// fresh. Whatever a benchmark does wrong is in the Measurement's Failure; an error means that we could not measure.
package load

import (
	"context"
	"io"
	"net/url"
	"time"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/loadgen"
)

// Driver measures trials of one kind.
type Driver interface {
	// Prepare makes the driver's own images available. It is called once, before anything is timed.
	Prepare(ctx context.Context, e engine.Engine, log io.Writer) error

	// Files are what the driver needs inside a service of a trial, put there before it starts. Prepare was called before.
	Files(trial *plan.Trial, service string) []spec.File

	// Measure drives a trial whose services are ready.
	Measure(ctx context.Context, at Place, trial *plan.Trial) (Measurement, error)
}

// Starter is a Driver whose program can be started before the services of a trial are ready.
type Starter interface {
	// StandBy starts the program beside the services. It sends nothing until Measure gets the Standby in its Place. It
	// is nil if the program cannot start before the services. The caller calls End; Measure reports what goes wrong.
	StandBy(ctx context.Context, at Place, trial *plan.Trial) *Standby
}

// UnendedError says which program of a load was still running when the time of its repetition was over.
type UnendedError struct {
	Name string
	Err  error // of the engine
}

func (e *UnendedError) Error() string { return e.Name + " did not end: " + e.Err.Error() }

func (e *UnendedError) Unwrap() error { return e.Err }

// Checker is a Driver that can ask for what a load asks for without putting it on.
type Checker interface {
	// Check asks for every target once, and gives what was answered. Prepare was called before.
	Check(ctx context.Context, at Place, trial *plan.Trial) ([]loadgen.Answer, error)
}

// Place is where a trial is driven from.
type Place struct {
	Space  engine.Space
	CPUSet string // cores of the load; empty for all
	Cores  int    // how many they are
	Seed   uint64 // of the load's random numbers: another one in each repetition, the same for all trials of a round
	// Image finds the image of a command, prepared beforehand.
	Image func(spec.Image) engine.Prepared
	// Services are those of the trial, by name; of one that is scaled, the first.
	Services map[string]engine.Running
	// Standby is the program of the load, if it was started before; nil if Measure starts it.
	Standby *Standby
	// Ahead is how far the clock of the machine that the load is put on from is ahead of ours.
	Ahead time.Duration
	// KeepStdout asks for what a command writes to standard output.
	KeepStdout bool
}

// Beside names the service whose network namespace the load shares, if that was asked for: the one that it is put on.
func (at Place) Beside(l *spec.Load) string {
	if l.Network != string(source.SharedNetwork) {
		return ""
	}
	u, err := url.Parse(l.URLs()[0])
	if err != nil || at.Services[u.Hostname()] == nil {
		return ""
	}
	return u.Hostname()
}

// Measurement is what one repetition came to.
type Measurement struct {
	// Failure says why there are no numbers, or none that count; Log is the end of what the program wrote.
	Failure string
	Log     string
	// GivenUp says that a command in a service was not waited for to its end, and may still run.
	GivenUp bool
	// Output is what another tool than ours printed, as records keep it.
	Output string

	Samples    []record.Sample
	Histograms map[string]record.Histogram
	Load       *record.Load
	Command    *record.Command

	// Start and Length are the window of a load, or the run of a command; zero without one.
	Start  time.Time
	Length time.Duration
	// GeneratorCPU is the processor time of the load, or of the command and its timer, in the window, without that of
	// services; -1 if it is unknown.
	GeneratorCPU time.Duration
	Warmup       time.Duration // spent before the window

	// Wrote is what the command (stdout) and its own hooks (prepare, conclude) wrote to standard output.
	Wrote map[string]string

	Facts map[string]string
}

// OwnHooks are the hooks that run in the container of the trial's command. All others run in services.
func OwnHooks(t *plan.Trial, hooks []spec.Hook) [][]string {
	var own [][]string
	for _, h := range hooks {
		if h.Service == "" && t.Command != nil && t.Command.Service == "" {
			own = append(own, h.Run)
		}
	}
	return own
}

// HookFailed is the failure of a hook: its name, and what there is to say of its program.
func HookFailed(hook, failure string) string { return "the hook " + hook + " failed: " + failure }
