package spec

import (
	"time"

	"github.com/kballard/go-shellquote"

	"benchbook/internal/slice"
)

// Load is requests over HTTP, in a closed loop unless there is a rate.
type Load struct {
	Target      string            `json:"target" yaml:"-"` // the first of Targets, if there are several
	Method      string            `json:"method"`
	Headers     map[string]string `json:"headers,omitempty" as:"variables"`
	Body        string            `json:"body,omitempty"`
	Connections int               `json:"connections"`
	Threads     int               `json:"threads,omitempty"` // 0: the cores of the load
	Duration    time.Duration     `json:"duration,omitempty"`
	Requests    int               `json:"requests,omitempty"`
	Cut         bool              `json:"cut,omitempty" yaml:"-"` // drops requests under way when Requests others have ended
	Warmup      time.Duration     `json:"warmup,omitempty"`
	Think       time.Duration     `json:"think,omitempty"`
	Timeout     time.Duration     `json:"timeout"`
	Keepalive   bool              `json:"keepalive"`
	Verify      `yaml:"verify"`
	FailuresMax float64  `json:"failures_max" yaml:"failures" as:"failures"` // share that is expected; 0 unless more is written
	CPUSet      string   `json:"cpuset,omitempty"`
	Priority    string   `json:"priority,omitempty" as:"priority"` // high: before services on the same CPUs; or empty
	Targets     []Target `json:"targets,omitempty" yaml:"target"`  // if there are several
	Pace        `yaml:"rate"`
	Arrivals    string   `json:"arrivals,omitempty" as:"arrivals"` // of an open loop: constant or poisson
	Outside     bool     `json:"outside,omitempty"`                // the targets run already, and are no services
	Tool        string   `json:"tool,omitempty" as:"tool"`         // empty: our own generator
	Args        []string `json:"args,omitempty" as:"args"`         // of the tool
	Script      *File    `json:"script,omitempty" as:"script"`     // of the author, for the tool; nil: the tool sends Target
	Driver      *Driver  `json:"driver,omitempty"`                 // sends the requests; nil: our own generator

	Drain bool `json:"-" yaml:"drain"` // no more than Requests are sent, and all are waited for
}

// Verify is what a right answer looks like.
type Verify struct {
	Status      []int  `json:"status,omitempty"`
	Contains    string `json:"contains,omitempty"`
	Match       string `json:"match,omitempty"`
	Length      *int64 `json:"length,omitempty"` // of the body in bytes; nil: any
	CheckBefore bool   `json:"check_before" yaml:"before"`
}

// Pace is the rate of an open loop, per second, or as a share of what another experiment has reached.
type Pace struct {
	Rate      float64 `json:"rate,omitempty" yaml:"-" alone:"yes" as:"rate"` // 0: a closed loop, or a share
	RateShare float64 `json:"rate_share,omitempty" yaml:"share" as:"share" need:"write rate: {share: 80%, of: EXPERIMENT}"`
	RateOf    string  `json:"rate_of,omitempty" yaml:"of" need:"write rate: {share: 80%, of: EXPERIMENT}"`
	RateOwn   bool    `json:"rate_own,omitempty" yaml:"own"` // of the same parameters, instead of the smallest typical throughput
}

// The ways to space requests.
const ConstantArrivals, PoissonArrivals = "constant", "poisson"

// Driver is a program of the article that puts a load on.
type Driver struct {
	Image       Image    `json:"image" yaml:",inline"`
	Command     []string `json:"command,omitempty" as:"words" need:"add command: with the program and its arguments"` // the program and its arguments
	Environment []string `json:"environment,omitempty" as:"variables"`
	Configs     []File   `json:"configs,omitempty"`
	Prints      string   `json:"prints,omitempty" as:"prints"` // Summary; empty: a line for each request
}

// Summary is the output of a driver that summarizes all requests.
const Summary = "summary"

// String returns the image and the command line.
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

// URLs are the targets of a load.
func (l *Load) URLs() []string {
	if len(l.Targets) == 0 {
		return []string{l.Target}
	}
	return slice.Map(l.Targets, func(t Target) string { return t.URL })
}

// Target is one of several kinds of request.
type Target struct {
	URL     string            `json:"url" alone:"yes" need:"write {url: http://SERVICE:PORT/, weight: 1}"`
	Method  string            `json:"method"`
	Headers map[string]string `json:"headers,omitempty" as:"variables"`
	Body    string            `json:"body,omitempty"`
	Weight  float64           `json:"weight"` // relative to the other targets
}

// Command is a program to time.
type Command struct {
	Run         []string      `json:"run" as:"words"`
	Image       Image         `json:"image" yaml:",inline"`
	Configs     []File        `json:"configs,omitempty"`
	Environment []string      `json:"environment,omitempty" as:"variables"`
	WorkingDir  string        `json:"working_dir,omitempty"`
	Stdin       string        `json:"stdin,omitempty"`
	Warmup      int           `json:"warmup,omitempty"`     // runs before the one that is timed
	ExpectExit  int           `json:"expect_exit" yaml:"-"` // always 0; it is part of all keys
	Timeout     time.Duration `json:"timeout,omitempty"`
	Service     string        `json:"service,omitempty"` // where it runs; empty: in a container of its own
	CPUSet      string        `json:"cpuset,omitempty"`  // as the article says; empty: where the plan puts it
	Results     `yaml:"output"`

	Shell bool `json:"-" yaml:"shell"` // Run is a line for a shell
	// AsLoad says that it runs on the CPUs of a load. It is not in the JSON: in older versions all commands did.
	AsLoad bool `json:"-"`
}

// Results are what a benchmark framework prints.
type Results struct {
	// the format
	Output     string `json:"output,omitempty" yaml:"format" alone:"yes" as:"framework" need:"add format: with the framework, such as benchfmt"`
	OutputFile string `json:"output_file,omitempty" yaml:"file"` // or a folder; empty: standard output
}

// Hook is a command that is run before or after something.
type Hook struct {
	Service string   `json:"service,omitempty"` // empty: where the measured command runs
	Run     []string `json:"run" as:"words" need:"write {service: NAME, run: PROGRAM ARGUMENTS}"`
}

// Deferred is a value that a search finds before the repetitions. A number has zero in the Plan.
type Deferred struct {
	Key      string `json:"key"` // path of keys: load.connections
	Template string `json:"template"`
}
