// Package plan turns the experiments of an article into the trials to run.
//
// A Plan is complete: every matrix is multiplied out, every default written down, every file read, the order of
// repetitions drawn, and each trial's key computed, so printing a Plan shows what a run will do. Only the addresses of
// services and what will be measured are unknown.
package plan

import (
	"encoding/json"
	"time"

	"benchbook/notebook/article"
	"benchbook/notebook/record"
)

// Plan is what a run of an article does.
type Plan struct {
	Article     string
	Profile     string
	Experiments []*Experiment
}

// Experiment is the trials of one experiment and the order of their repetitions.
type Experiment struct {
	Name        string
	Description string
	Skipped     string // why the profile leaves it out; then there is nothing else
	Repetitions int
	Interleaved bool
	Seed        int64
	Trials      []*Trial // in the order of the matrix; the A/A pair's second half is the last, if there is one
	Steps       []Step   // in the order to run
	Timeout     time.Duration
	Parameters  []string // names of the identifying parameters, in order
	Digest      string   // of all that makes a run of it the same run
	Pos         article.Pos
	// Origin says where each value of the merged definition came from: key path to "built in", "benchbook.yaml:3", "line 20".
	Origin map[string]string
}

// Step is one repetition of one trial.
type Step struct {
	Trial      *Trial
	Round      int // from 1
	Repetition int // from 1
}

// Trial is one cell of an experiment: services, and what is done to them.
type Trial struct {
	Name        string             // identifying values, such as "sync" or "uvicorn, starlette"
	Parameters  []record.Parameter // identifying
	Labels      []record.Parameter
	Services    []*Service // those that others depend on first
	Load        *Load      // exactly one of Load and Command
	Command     *Command
	Calibration bool            // second half of the A/A pair
	Definition  json.RawMessage // all of the above that enters the key
	Inputs      []record.Input
	Key         string
}

// Service is a container to start. JSON names are those of the article language; files count by their digests.
type Service struct {
	Name        string        `json:"name"`
	Image       Image         `json:"image"`
	Entrypoint  []string      `json:"entrypoint,omitempty"`
	Command     []string      `json:"command,omitempty"`
	Environment []string      `json:"environment,omitempty"`
	Expose      []int         `json:"expose,omitempty"`
	Configs     []File        `json:"configs,omitempty"`
	DependsOn   []string      `json:"depends_on,omitempty"`
	Ready       Ready         `json:"ready,omitzero"`
	WorkingDir  string        `json:"working_dir,omitempty"`
	User        string        `json:"user,omitempty"`
	CPUSet      string        `json:"cpuset,omitempty"` // as the article says; placement where it says nothing is the runner's
	Memory      int64         `json:"mem_limit,omitempty"`
	ShmSize     int64         `json:"shm_size,omitempty"`
	Tmpfs       []string      `json:"tmpfs,omitempty"`
	ReadOnly    bool          `json:"read_only,omitempty"`
	Init        bool          `json:"init,omitempty"`
	StopSignal  string        `json:"stop_signal,omitempty"`
	StopGrace   time.Duration `json:"stop_grace_period,omitempty"` // nanoseconds, as all durations here
}

// Image is a reference, or a build.
type Image struct {
	Name  string `json:"name,omitempty"`
	Build *Build `json:"build,omitempty"`
}

// Build is a private build context.
type Build struct {
	Files      []File            `json:"files"`
	Dockerfile string            `json:"dockerfile"`
	Args       map[string]string `json:"args,omitempty"`
	Target     string            `json:"target,omitempty"`
	Pos        article.Pos       `json:"-"` // of the Dockerfile's listing, or of the build key
	Lines      []article.Pos     `json:"-"` // of the Dockerfile's lines, if it is a listing
}

// At is the place of a line of the Dockerfile, counted from 1; of the whole, where the line is not known or not in the article.
func (b *Build) At(line int) article.Pos {
	if line < 1 || line > len(b.Lines) {
		return b.Pos
	}
	return b.Lines[line-1]
}

// File is a file with its contents.
type File struct {
	Path   string `json:"path"`
	Digest string `json:"digest"`
	Exec   bool   `json:"exec,omitempty"`
	Data   []byte `json:"-"`
}

// Ready says when a service is ready; at most one field beside Timeout is set.
type Ready struct {
	HTTP    string        `json:"http,omitempty"`
	Port    int           `json:"port,omitempty"`
	Log     string        `json:"log,omitempty"`
	Times   int           `json:"times,omitempty"`
	Command []string      `json:"command,omitempty"`
	Timeout time.Duration `json:"timeout,omitempty"`
}

// Load is requests over HTTP in a closed loop.
type Load struct {
	Target      string            `json:"target"`
	Method      string            `json:"method"`
	Headers     map[string]string `json:"headers,omitempty"`
	Body        string            `json:"body,omitempty"`
	Connections int               `json:"connections"`
	Threads     int               `json:"threads,omitempty"` // 0: the cores of the load
	Duration    time.Duration     `json:"duration,omitempty"`
	Requests    int               `json:"requests,omitempty"`
	Warmup      time.Duration     `json:"warmup,omitempty"`
	Think       time.Duration     `json:"think,omitempty"`
	Timeout     time.Duration     `json:"timeout"`
	Keepalive   bool              `json:"keepalive"`
	Status      []int             `json:"status,omitempty"`
	Contains    string            `json:"contains,omitempty"`
	Match       string            `json:"match,omitempty"`
	Length      *int64            `json:"length,omitempty"` // of the body in bytes; nil: any
	JSON        map[string]string `json:"json,omitempty"`
	WantHeaders map[string]string `json:"want_headers,omitempty"`
	CheckBefore bool              `json:"check_before"`
	FailuresMax float64           `json:"failures_max"` // share that is expected: 0 unless the article says more
	CPUSet      string            `json:"cpuset,omitempty"`
}

// Command is a program to time.
type Command struct {
	Run         []string      `json:"run"`
	Image       Image         `json:"image"`
	Configs     []File        `json:"configs,omitempty"`
	Environment []string      `json:"environment,omitempty"`
	WorkingDir  string        `json:"working_dir,omitempty"`
	Stdin       string        `json:"stdin,omitempty"`
	ExpectExit  int           `json:"expect_exit"`
	Contains    string        `json:"contains,omitempty"`
	Timeout     time.Duration `json:"timeout,omitempty"`
}
