package spec

import (
	"time"

	"github.com/kballard/go-shellquote"

	"benchbook/internal/slice"
)

// Load is a load of HTTP requests: a closed loop, or with a rate an open loop.
type Load struct {
	Target      string            `json:"target" yaml:"-"` // the first of Targets, if there are several
	Method      string            `json:"method"`
	Headers     map[string]string `json:"headers,omitempty" as:"variables"`
	Body        string            `json:"body,omitempty"`
	Connections int               `json:"connections"`
	Threads     int               `json:"threads,omitempty"` // 0: the number of cores of the load
	Duration    time.Duration     `json:"duration,omitempty"`
	Requests    int               `json:"requests,omitempty"`
	Cut         bool              `json:"cut,omitempty" yaml:"-"` // drop requests under way once Requests have ended
	Warmup      time.Duration     `json:"warmup,omitempty"`
	Think       time.Duration     `json:"think,omitempty"`
	Timeout     time.Duration     `json:"timeout"`
	Keepalive   bool              `json:"keepalive"`
	Verify      `yaml:"verify"`
	FailuresMax float64  `json:"failures_max" yaml:"failures" as:"failures"` // accepted share of failures; 0 by default
	CPUSet      string   `json:"cpuset,omitempty"`
	Priority    string   `json:"priority,omitempty" as:"priority"` // high (before services on the same CPUs) or empty
	Targets     []Target `json:"targets,omitempty" yaml:"target"`  // only if there are several
	Pace        `yaml:"rate"`
	Arrivals    string   `json:"arrivals,omitempty" as:"arrivals"` // in an open loop: constant or poisson
	Outside     bool     `json:"outside,omitempty"`                // the targets run already; they are not services
	Tool        string   `json:"tool,omitempty" as:"tool"`         // empty: benchbook
	Args        []string `json:"args,omitempty" as:"args"`         // of the tool
	Script      *File    `json:"script,omitempty" as:"script"`     // the author's; nil: the tool sends Target
	Driver      *Driver  `json:"driver,omitempty"`                 // sends the requests; nil: a tool or benchbook does

	Drain bool `json:"-" yaml:"drain"` // send no more than Requests, and wait for the last answer
}

// Verify describes a correct answer.
type Verify struct {
	Status      []int  `json:"status,omitempty"`
	Contains    string `json:"contains,omitempty"`
	Match       string `json:"match,omitempty"`
	Length      *int64 `json:"length,omitempty"` // of the body in bytes; nil: any
	CheckBefore bool   `json:"check_before" yaml:"before"`
}

// Pace is the rate of an open loop: a number, or a share of another experiment's throughput.
type Pace struct {
	Rate      float64 `json:"rate,omitempty" yaml:"-" alone:"yes" as:"rate"` // per second; 0: a closed loop, or a share
	RateShare float64 `json:"rate_share,omitempty" yaml:"share" as:"share" need:"write rate: {share: 80%, of: EXPERIMENT}"`
	RateOf    string  `json:"rate_of,omitempty" yaml:"of" need:"write rate: {share: 80%, of: EXPERIMENT}"`
	RateOwn   bool    `json:"rate_own,omitempty" yaml:"own"` // of the same parameters, not the smallest typical throughput
}

// The distributions of times between requests.
const ConstantArrivals, PoissonArrivals = "constant", "poisson"

// Driver is a program of the article that sends the requests of a load.
type Driver struct {
	Image       Image    `json:"image" yaml:",inline"`
	Command     []string `json:"command,omitempty" as:"words" need:"add command: with the program and its arguments"` // the program and its arguments
	Environment []string `json:"environment,omitempty" as:"variables"`
	Configs     []File   `json:"configs,omitempty"`
	Prints      string   `json:"prints,omitempty" as:"prints"` // Summary; empty: a line for each request
}

// Summary is the value of Prints for a driver that prints one summary of all requests.
const Summary = "summary"

// String returns the image and the command line of the driver.
func (d *Driver) String() string {
	image, command := d.Image.Name, shellquote.Join(d.Command...)
	if d.Image.Build != nil {
		image = "built from " + d.Image.Build.Dockerfile
	}
	if image == "" || command == "" {
		return image + command
	}
	return image + ": " + command
}

// URLs returns the targets of a load.
func (l *Load) URLs() []string {
	if len(l.Targets) == 0 {
		return []string{l.Target}
	}
	return slice.Map(l.Targets, func(t Target) string { return t.URL })
}

// Target is one of the requests that a load sends.
type Target struct {
	URL     string            `json:"url" alone:"yes" need:"write {url: http://SERVICE:PORT/, weight: 1}"`
	Method  string            `json:"method"`
	Headers map[string]string `json:"headers,omitempty" as:"variables"`
	Body    string            `json:"body,omitempty"`
	Weight  float64           `json:"weight"` // relative to the other targets
}

// Command is a program to measure.
type Command struct {
	Run         []string      `json:"run" as:"words"`
	Image       Image         `json:"image" yaml:",inline"`
	Configs     []File        `json:"configs,omitempty"`
	Environment []string      `json:"environment,omitempty" as:"variables"`
	WorkingDir  string        `json:"working_dir,omitempty"`
	Stdin       string        `json:"stdin,omitempty"`
	Warmup      int           `json:"warmup,omitempty"`     // runs before the timed one
	ExpectExit  int           `json:"expect_exit" yaml:"-"` // always 0; kept because old keys contain it
	Timeout     time.Duration `json:"timeout,omitempty"`
	Service     string        `json:"service,omitempty"` // service to run in; empty: a container of its own
	CPUSet      string        `json:"cpuset,omitempty"`  // from the article; empty: the plan chooses
	Results     `yaml:"output"`

	Shell bool `json:"-" yaml:"shell"` // Run is a command line for a shell
	// AsLoad runs the command on the CPUs of a load. It is not in the JSON: in older versions all commands did so.
	AsLoad bool `json:"-"`
}

// Results is how to read the output of a benchmark framework.
type Results struct {
	// the format
	Output     string `json:"output,omitempty" yaml:"format" alone:"yes" as:"framework" need:"add format: with the framework, such as benchfmt"`
	OutputFile string `json:"output_file,omitempty" yaml:"file"` // file or folder with the output; empty: standard output
}

// Hook is a command that runs before the repetitions, or before each of them.
type Hook struct {
	Service string   `json:"service,omitempty"` // empty: where the measured command runs
	Run     []string `json:"run" as:"words" need:"write {service: NAME, run: PROGRAM ARGUMENTS}"`
}

// Deferred is a value with a template that a search fills in before the repetitions. In a Plan such numbers are 0.
type Deferred struct {
	Key      string `json:"key"` // path of keys: load.connections
	Template string `json:"template"`
}
