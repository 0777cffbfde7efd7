// Package load measures trials: it puts requests on a service, or runs a command, and returns what was measured.
//
// Everything runs by Exec. A load generator, and a command in an image of its own, have a container that the runner
// starts with the services, whose first process is our program and idles.
//
// A Driver says what the numbers are by docs/method.md#definitions; it decides nothing about order, saving or freshness.
// What goes wrong with a benchmark is the Failure of the Measurement; an error means that we could not measure.
package load

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/runner/agent"
	"benchbook/runner/engine"
	"benchbook/runner/loadgen"
)

// Driver measures trials of one kind.
type Driver interface {
	// Prepare makes the driver's own images available. It is called once, before anything is timed.
	Prepare(ctx context.Context, e engine.Engine, log io.Writer) error

	// Container returns the idle container that Measure runs its commands in; nil if it needs none. Prepare was called
	// before.
	Container(at Place, trial *plan.Trial) *engine.Service

	// Measure measures a trial whose services are ready. The Place has the container, if there is one.
	Measure(ctx context.Context, at Place, trial *plan.Trial) (Measurement, error)
}

// Place is where a trial is measured.
type Place struct {
	Load   engine.Container // of the load or the command; nil if it runs in a service
	CPUSet string           // cores of the load; empty for all
	Cores  int              // number of cores of the load
	Host   string           // node of a cluster; empty for the engine's own machine
	Seed   uint64           // of the load's random numbers: the same for all trials of a round
	Number int              // of the repetition, from 1
	// Image returns an image of the trial as the engine knows it.
	Image func(spec.Image) engine.Prepared
	// Services are the trial's, by name; the first container of a scaled one.
	Services map[string]engine.Container
	// Ahead is how far the clock of the machine that the load runs on is ahead of ours.
	Ahead time.Duration
	// KeepStdout asks for what a command writes to standard output.
	KeepStdout bool
}

// Measurement is what one repetition came to.
type Measurement struct {
	// Failure says why there are no numbers, or none that count; Log is the end of what the program wrote.
	Failure string
	Log     string
	// GivenUp says that a command in a service was not awaited and may still run.
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
	// GeneratorCPU is the processor time of the load, or of the command and its timer, in the window, without the
	// services; -1 if it is unknown.
	GeneratorCPU time.Duration
	Warmup       time.Duration // spent before the window

	// Wrote is what the command (stdout) and the hooks before it (prepare) wrote to standard output.
	Wrote map[string]string

	Facts map[string]string
}

// UnendedError is a program of a load that was still running when the time of its repetition was over.
type UnendedError struct {
	Name string
	Err  error // of the engine
}

func (e *UnendedError) Error() string { return e.Name + " did not end: " + e.Err.Error() }

func (e *UnendedError) Unwrap() error { return e.Err }

// Names of the container of a load, and of a command in an image of its own.
const (
	LoadName    = "load"
	commandName = "command"
)

// Where our program is: in an image of ours, and in an image of an author or a tool.
const (
	ownPath   = "/" + agent.Name
	guestPath = "/.benchbook/" + agent.Name
)

// guest returns an idle container of an image of an author or a tool, with our program in it.
func (at Place) guest(name string, image engine.Prepared, program []byte, files []spec.File) *engine.Service {
	configs := append([]spec.File{{Path: guestPath, Exec: true, Data: program}}, files...)
	return &engine.Service{Image: image, Host: at.Host, Service: spec.Service{Name: name, CPUSet: at.CPUSet,
		Entrypoint: []string{guestPath}, Command: []string{agent.Idle}, Configs: configs}}
}

// generate runs our generator, which is at a path in the container of the load.
func (at Place) generate(ctx context.Context, path string, config loadgen.Config, args ...string) (engine.Exit, error) {
	text, _ := json.Marshal(config) // plain data
	exit, err := at.Load.Exec(ctx, engine.Command{Args: append([]string{path, agent.Load}, args...), Stdin: text})
	if err != nil {
		return exit, fmt.Errorf("running the load generator: %w", err)
	}
	return exit, nil
}

// targetsOf returns the targets of a load, which may be a single one.
func targetsOf(l *spec.Load) []spec.Target {
	if len(l.Targets) > 0 {
		return l.Targets
	}
	return []spec.Target{{URL: l.Target, Method: l.Method, Headers: l.Headers, Body: l.Body, Weight: 1}}
}

// Check asks for every target of a load once, from the container of [Requests], and returns what was answered.
func (at Place) Check(ctx context.Context, l *spec.Load) ([]loadgen.Answer, error) {
	return at.check(ctx, ownPath, l)
}

// check is Check with our program at a path in the container of the load.
func (at Place) check(ctx context.Context, path string, l *spec.Load) ([]loadgen.Answer, error) {
	one := *l // its schedule does not matter, and a share of a rate may not be known
	one.Connections, one.Threads, one.Requests, one.Duration, one.Warmup, one.Think = 1, 1, 1, 0, 0, 0
	one.Rate, one.Arrivals, one.Cut = 0, "", false
	exit, err := at.generate(ctx, path, requestsConfig(&one, at), loadgen.CheckArgument)
	if err != nil {
		return nil, err
	}
	if exit.Code != 0 {
		return []loadgen.Answer{{Method: l.Method, URL: l.Target, Failure: generatorFailure(exit)}}, nil
	}
	var answers []loadgen.Answer
	if err := json.Unmarshal(exit.Stdout, &answers); err != nil {
		return nil, fmt.Errorf("reading what was answered: %w", err)
	}
	return answers, nil
}

// WrongAnswers describes the failures of answers; empty without any.
func WrongAnswers(answers []loadgen.Answer) string {
	var wrong []string
	for _, a := range answers {
		if a.Failure != "" {
			wrong = append(wrong, fmt.Sprintf("%s %s: %s", a.Method, a.URL, a.Failure))
		}
	}
	return strings.Join(wrong, "; ")
}

// checkBefore asks for every target once with our own generator, which knows what a right answer is, if the load says so.
func (at Place) checkBefore(ctx context.Context, l *spec.Load) (failure string, err error) {
	if !l.CheckBefore {
		return "", nil
	}
	answers, err := at.check(ctx, guestPath, l)
	if err != nil {
		return "", fmt.Errorf("checking answers: %w", err)
	}
	if wrong := WrongAnswers(answers); wrong != "" {
		failure = "the answer before timing was not right: " + wrong
	}
	return failure, nil
}

// generatorFailure returns why the generator could not do what it was asked for.
func generatorFailure(exit engine.Exit) string {
	if exit.OutOfMemory {
		return "the load generator ran out of memory"
	}
	said := strings.TrimPrefix(strings.TrimSpace(string(exit.Stderr)), agent.ErrorPrefix(agent.Load))
	return cmp.Or(said, fmt.Sprintf("the load generator ended with status %d", exit.Code)) // a killed one says nothing
}
