// Package plan turns the experiments of an article into the trials to run.
//
// A Plan is complete: every matrix is multiplied out, every default written down with where it came from, every file
// read, the order of repetitions drawn, and each trial's key computed, so printing a Plan shows what a run will do. Only
// the addresses of services, what searches find by the rules that are in the Plan, and what will be measured are
// unknown. What a Plan holds and this version cannot run yet is listed in it, see Unsupported.
//
// Rules are those of docs/experiment.md and docs/defaults.md, those of searches docs/searches.md.
package plan

import (
	"encoding/json"
	"time"

	"benchbook/notebook/article"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
)

// Plan is what a run of an article does.
type Plan struct {
	Article     string
	Profile     string
	Experiments []*Experiment
	// All are the experiments of the article, also where a run leaves some out: others may take from them what they found.
	All []*Experiment

	others func() []*Plan
}

// Others are the plans of the article's other profiles, full first and quick next, without those that have problems of their own. They
// are made when they are asked for first.
func (p *Plan) Others() []*Plan {
	if p.others == nil {
		return nil
	}
	return p.others()
}

// Experiment is the trials of one experiment and the order of their repetitions.
type Experiment struct {
	Name        string
	Description string
	Skipped     string // why the profile leaves it out; then there is nothing else
	Engine      article.EngineName
	Cluster     string // the host of the project whose nodes Hosts are; empty for those of the project's own cluster, and for machines
	Repetitions int
	Interleaved bool
	Seed        int64
	Trials      []*Trial // in the order of the matrix; the A/A pair's second half is the last, if there is one
	Steps       []Step   // in the order to run; none of trials that are unavailable, and none beside a search for capacity
	Timeout     time.Duration
	Parameters  []string          // names of the identifying parameters, in order
	Shared      []string          // services that live through the whole experiment
	Setup       []Hook            // once before everything, in shared services
	Cleanup     []Hook            // once after everything, in shared services
	Hosts       map[string]string // hosts of the project by service, and by load for the load
	Metrics     []Metric          // that the experiment adds
	Digest      string            // of all that makes a run of it the same run
	Pos         source.Pos
	// Origin says where each value of the merged definition came from, by its path of keys, such as load.connections: "built in",
	// "benchbook.yaml:3", "article.md:20", "profile quick, built in", "profile smoke, article.md:31", "--repetitions". A list
	// is one value.
	Origin  map[string]string
	remarks source.Problems // see Remarks

	// Unsupported is what this version cannot run yet; then it runs none of the experiment.
	Unsupported []Unsupported
}

// Step is one repetition of one trial.
type Step struct {
	Trial      *Trial
	Round      int // from 1
	Repetition int // from 1
	// Replaces is the repetition that the machine disturbed and this one is measured in the place of. A Plan has none of these.
	Replaces int
}

// Trial is one cell of an experiment: services, and what is done to them.
type Trial struct {
	Name        string             // identifying values, such as "sync" or "uvicorn, starlette"
	Parameters  []record.Parameter // identifying
	Labels      []record.Parameter
	Unavailable string     // why it cannot be measured; then it has no services, no load, no steps and no key, and an empty definition
	InsteadOf   string     // what it is a substitute for
	Services    []*Service // those that others depend on first
	Load        *Load      // exactly one of Load and Command
	Command     *Command
	Tune        []Search  // before the repetitions
	Capacity    *Capacity // instead of the repetitions
	Prepare     []Hook    // before each repetition
	Conclude    []Hook    // after each repetition
	Deferred    []Deferred
	Adapted     []string        // what runs on other CPUs than the article says, with both: "server on 0-2 instead of 12"
	Calibration bool            // second half of the A/A pair
	Definition  json.RawMessage // all of the above that enters the key
	Inputs      []record.Input
	Key         string
	// FullKey is, of a trial of the profile quick that searches for values, its key in full: a search that is recorded with it has
	// found them already. It is empty elsewhere.
	FullKey string

	template *template // what Tuned resolves; nil where nothing is deferred
}

// Deferred is a value that a search finds before the repetitions. Where it is no text, the Plan has zero at its place.
type Deferred struct {
	Key      string `json:"key"` // path of keys: load.connections
	Template string `json:"template"`
}

// Service is a container to start. JSON names are those of the article language; files count by their digests.
type Service struct {
	Name        string            `json:"name"`
	Image       Image             `json:"image"`
	Entrypoint  []string          `json:"entrypoint,omitempty"`
	Command     []string          `json:"command,omitempty"`
	Environment []string          `json:"environment,omitempty"` // with what env_file has
	Expose      []int             `json:"expose,omitempty"`
	Configs     []File            `json:"configs,omitempty"`
	DependsOn   []string          `json:"depends_on,omitempty"`
	Conditions  map[string]string `json:"conditions,omitempty"` // of DependsOn: those that ask for something other than ready
	Ready       Ready             `json:"ready,omitzero"`
	WorkingDir  string            `json:"working_dir,omitempty"`
	User        string            `json:"user,omitempty"`
	CPUSet      string            `json:"cpuset,omitempty"` // as the article says; where it says nothing, see Place
	Memory      int64             `json:"mem_limit,omitempty"`
	PIDs        int64             `json:"pids_limit,omitempty"` // -1: none
	ShmSize     int64             `json:"shm_size,omitempty"`
	Tmpfs       []string          `json:"tmpfs,omitempty"`
	ReadOnly    bool              `json:"read_only,omitempty"`
	Init        bool              `json:"init,omitempty"`
	StopSignal  string            `json:"stop_signal,omitempty"`
	StopGrace   time.Duration     `json:"stop_grace_period,omitempty"` // nanoseconds, as all durations here
	Hostname    string            `json:"hostname,omitempty"`
	CPUs        float64           `json:"cpus,omitempty"`
	Ulimits     map[string]Ulimit `json:"ulimits,omitempty"`
	Sysctls     map[string]string `json:"sysctls,omitempty"`
	CapAdd      []string          `json:"cap_add,omitempty"`
	CapDrop     []string          `json:"cap_drop,omitempty"`
	SecurityOpt []string          `json:"security_opt,omitempty"`
	Volumes     []Volume          `json:"volumes,omitempty"`
	Scale       int               `json:"scale,omitempty"` // 0 is one container
	Origin      *HTTPOrigin       `json:"origin,omitempty"`
	Link        *Link             `json:"link,omitempty"`

	// Completes says that it runs to its end before others that depend on it start.
	Completes bool `json:"-"` // as the conditions of the others say

	cpuset source.Text
	cpus   source.Text
}

// Image is a reference, a build, or with the engine local the machine itself; an origin has none of them.
type Image struct {
	Name    string `json:"name,omitempty"`
	Build   *Build `json:"build,omitempty"`
	Machine bool   `json:"machine,omitempty"`
}

// Build is a private build context.
type Build struct {
	Files      []File            `json:"files"`
	Dockerfile string            `json:"dockerfile"`
	Args       map[string]string `json:"args,omitempty"`
	Target     string            `json:"target,omitempty"`
	Pos        source.Pos        `json:"-"` // of the Dockerfile's listing, or of the build key
	Lines      []source.Pos      `json:"-"` // of the Dockerfile's lines, if it is a listing
}

// At is the place of a line of the Dockerfile, counted from 1; of the whole, where the line is not known or not in the article.
func (b *Build) At(line int) source.Pos {
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

// Ready says when a service is ready. At most one of HTTP, Port, Log and Command is set; the other fields have the meaning of Compose,
// and zero where the article says nothing.
type Ready struct {
	HTTP          string        `json:"http,omitempty"`
	Port          int           `json:"port,omitempty"`
	Log           string        `json:"log,omitempty"`
	Times         int           `json:"times,omitempty"`
	Command       []string      `json:"command,omitempty"`
	Interval      time.Duration `json:"interval,omitempty"`
	Timeout       time.Duration `json:"timeout,omitempty"` // of one probe
	Retries       int           `json:"retries,omitempty"`
	StartPeriod   time.Duration `json:"start_period,omitempty"`
	StartInterval time.Duration `json:"start_interval,omitempty"`
}

// Ulimit is a limit of a container's processes.
type Ulimit struct {
	Soft int `json:"soft"`
	Hard int `json:"hard"`
}

// Volume is a place in a container that is not part of its image.
type Volume struct {
	Type     string `json:"type"`             // bind, volume or tmpfs
	Source   string `json:"source,omitempty"` // of bind: relative to the article's folder, or absolute; of volume: a name
	Target   string `json:"target"`
	ReadOnly bool   `json:"read_only,omitempty"`
	Files    []File `json:"files,omitempty"` // of bind inside the article's folder
	Size     int64  `json:"size,omitempty"`  // of tmpfs, in bytes; 0: no limit

	// Single says that the one of Files stands at Target itself, rather than in a folder there.
	Single bool `json:"-"`
	// Host is the absolute path that Source means on this machine, of bind outside the article's folder.
	Host string `json:"-"`
}

// HTTPOrigin is an HTTP server of ours. Times are in nanoseconds.
type HTTPOrigin struct {
	Distribution string          `json:"distribution,omitempty"` // empty: it answers at once
	Value        time.Duration   `json:"value,omitempty"`
	From         time.Duration   `json:"from,omitempty"`
	To           time.Duration   `json:"to,omitempty"`
	Median       time.Duration   `json:"median,omitempty"`
	Sigma        float64         `json:"sigma,omitempty"`
	Values       []time.Duration `json:"values,omitempty"`
	Body         int64           `json:"body,omitempty"` // bytes
	Status       int             `json:"status"`
	Errors       float64         `json:"errors,omitempty"` // share of answers
}

// Link is a relay of ours before a service.
type Link struct {
	RTT    time.Duration `json:"rtt,omitempty"`
	Jitter time.Duration `json:"jitter,omitempty"`
	Rate   float64       `json:"rate,omitempty"` // bytes per second; 0: as it comes
}

// Load is requests over HTTP, in a closed loop unless there is a rate or stages with one.
type Load struct {
	Target      string            `json:"target"` // the first of Targets, if there are several
	Method      string            `json:"method"`
	Headers     map[string]string `json:"headers,omitempty"`
	Body        string            `json:"body,omitempty"`
	Connections int               `json:"connections"`
	Threads     int               `json:"threads,omitempty"`    // of each generator; 0: the cores of the load
	Generators  int               `json:"generators,omitempty"` // that put it on together; 0: one
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
	Targets     []Target          `json:"targets,omitempty"`    // if there are several
	Rate        float64           `json:"rate,omitempty"`       // per second; 0: a closed loop, or a share
	RateShare   float64           `json:"rate_share,omitempty"` // of the smallest median throughput of experiment RateOf
	RateOf      string            `json:"rate_of,omitempty"`
	Arrivals    string            `json:"arrivals,omitempty"` // of an open loop: constant or poisson
	Stages      []Stage           `json:"stages,omitempty"`
	Network     string            `json:"network,omitempty"` // shared, or empty
	Tool        string            `json:"tool,omitempty"`    // empty: our own generator
	Args        []string          `json:"args,omitempty"`    // of the tool

	cpuset source.Text
}

// Target is one of several kinds of request.
type Target struct {
	URL     string            `json:"url"`
	Method  string            `json:"method"`
	Headers map[string]string `json:"headers,omitempty"`
	Body    string            `json:"body,omitempty"`
	Weight  float64           `json:"weight"` // relative to those of the others
}

// Stage is one part of a load whose rate or connections move in a straight line to those given.
type Stage struct {
	Duration    time.Duration `json:"duration"`
	Rate        float64       `json:"rate,omitempty"` // per second
	Connections int           `json:"connections,omitempty"`
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
	Service     string        `json:"service,omitempty"` // where it runs; empty: in a container of its own
	CPUSet      string        `json:"cpuset,omitempty"`  // as the article says; where it says nothing, see Experiment.PlaceLoad

	// AsLoad says that it runs where a load is put on from, as all commands did in older versions, which had no word for it.
	AsLoad bool `json:"-"`

	cpuset source.Text
}

// Hook is a command that is run before or after something.
type Hook struct {
	Service string   `json:"service,omitempty"` // empty: where the measured command runs
	Run     []string `json:"run"`
}

// Metric is a metric that an experiment adds.
type Metric struct {
	record.Metric
	Written string `json:"written,omitempty"` // the unit of the numbers that are found, such as ms, where it is not Unit
	Value   string `json:"value,omitempty"`   // an expression over the metrics of the same repetition
	Service string `json:"service,omitempty"` // whose log is searched, if Stream is log
	Stream  string `json:"stream,omitempty"`  // log, stdout, prepare or conclude; empty for one with a Value
	Regex   string `json:"regex,omitempty"`   // the first group of the last match is the number
	JSON    string `json:"json,omitempty"`    // a path with dots to the number
}
