// Package load measures trials: it puts requests on a service, or runs a command, and returns what was measured.
//
// Everything runs by Exec. Load generators, and commands with an image of their own, run in a container that the runner
// starts with the services; its first process is our program, which idles.
//
// A Driver returns numbers by docs/method.md#definitions; it decides nothing about order, saving or freshness. A
// benchmark that goes wrong is a Measurement with a Failure; an error means that we could not measure.
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

	// Container returns the idle container that Measure runs its commands in; nil if it needs none. Call Prepare first.
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
	// Services has the containers of the trial's services by name; of a scaled service, the first.
	Services map[string]engine.Container
	// Ahead is how far the clock of the machine that the load runs on is ahead of ours.
	Ahead time.Duration
	// KeepStdout asks for the standard output of a command.
	KeepStdout bool
}

// Measurement is the result of one repetition.
type Measurement struct {
	// Failure says why there are no numbers, or none that count; Log is the end of what the program wrote.
	Failure string
	Log     string
	// GivenUp means that a command in a service was not awaited and may still run.
	GivenUp bool
	// Output is what a tool other than our own printed, as records keep it.
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

// UnendedError means that the program of a load was still running when its repetition was out of time.
type UnendedError struct {
	Name string
	Err  error // from the engine
}

func (e *UnendedError) Error() string { return e.Name + " did not end: " + e.Err.Error() }

func (e *UnendedError) Unwrap() error { return e.Err }

// Names of the containers of a load, and of a command with an image of its own.
const (
	LoadName    = "load"
	commandName = "command"
)

// Paths of our program: in an image of ours, and in an image of an author or a tool.
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

// generate runs our generator, which is at path in the container of the load.
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

// Check asks for every target of a load once, from the container of [Requests], and returns the answers.
func (at Place) Check(ctx context.Context, l *spec.Load) ([]loadgen.Answer, error) {
	return at.check(ctx, ownPath, l)
}

// check is Check with our program at a path in the container of the load.
func (at Place) check(ctx context.Context, path string, l *spec.Load) ([]loadgen.Answer, error) {
	one := *l // its schedule does not matter, and a rate that is a share may be unknown
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

// WrongAnswers describes the failures of answers; empty if there are none.
func WrongAnswers(answers []loadgen.Answer) string {
	var wrong []string
	for _, a := range answers {
		if a.Failure != "" {
			wrong = append(wrong, fmt.Sprintf("%s %s: %s", a.Method, a.URL, a.Failure))
		}
	}
	return strings.Join(wrong, "; ")
}

// checkBefore asks for every target once with our own generator, and checks the answers, if the load says so.
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

// generatorFailure returns why our generator failed.
func generatorFailure(exit engine.Exit) string {
	if exit.OutOfMemory {
		return "the load generator ran out of memory"
	}
	said := strings.TrimPrefix(strings.TrimSpace(string(exit.Stderr)), agent.ErrorPrefix(agent.Load))
	return cmp.Or(said, fmt.Sprintf("the load generator ended with status %d", exit.Code)) // a killed one says nothing
}
