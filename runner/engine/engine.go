// Package engine is the contract of engines: places where the services of a trial run, apart from everything else, and
// where they can be found again after a crash.
//
// An Engine prepares images and opens spaces. A Space is a private network: its services reach each other by name and
// nothing outside it. A Container that Start returned is ready, and only the load talks to it. Load generators and timed
// commands run by Exec, in containers that were started for them and idle. Closing a space removes everything that was
// started in it, with its volumes. What a killed process could not close, or was told to keep, carries the labels of this
// package; Sweep removes it, and touches nothing else and no live run.
//
// An error means that the engine could not do it. A program that ends with a status other than zero is not an error: it
// is an Exit.
package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"benchbook/notebook/spec"
)

// Labels that everything we start carries, by which Sweep and people find it again.
const (
	LabelRun     = "benchbook.run"     // the run that started it
	LabelOwner   = "benchbook.owner"   // the process that started it, as Owner gives it
	LabelService = "benchbook.service" // the name of the service or program
	LabelImage   = "benchbook.image"   // on images we made: what for
	LabelDoing   = "benchbook.doing"   // on locks: what the run that has it measures
)

// ErrUnavailable is wrapped by errors that mean no engine can be had here; what they say is one sentence with the way
// out.
var ErrUnavailable = errors.New("no container engine")

// NotReadyError is a service that ended, or whose time ran out, before it was ready: a result about the service, and
// not a fault of the engine.
type NotReadyError struct {
	Service string
	After   time.Duration // how long it was waited for; 0 for one that ended
	Reason  error
	Log     []byte // the end of what it wrote
}

func (e *NotReadyError) Error() string {
	after := ""
	if e.After > 0 {
		after = " after " + seconds(e.After)
	}
	return fmt.Sprintf("service %q was not ready%s: %v", e.Service, after, e.Reason)
}

// seconds writes a time as people say it: 3s, 1m, 1m30s.
func seconds(d time.Duration) string {
	if d >= time.Second {
		d = d.Round(time.Second)
	} else {
		d = d.Round(10 * time.Millisecond)
	}
	words := d.String()
	if strings.HasSuffix(words, "m0s") {
		words = strings.TrimSuffix(words, "0s")
	}
	return words
}

func (e *NotReadyError) Unwrap() error { return e.Reason }

// RejectedError is a container that the engine would not make or start as it was asked for: a program or user that its
// image does not have, a value that it does not take. That is a result about what was asked, and not a fault of the
// engine.
type RejectedError struct {
	Name string // of the service or program
	Err  error
}

func (e *RejectedError) Error() string {
	return fmt.Sprintf("%q could not be started: %v", e.Name, e.Err)
}

func (e *RejectedError) Unwrap() error { return e.Err }

// Engine is somewhere that trials can run. Its methods may be called from several goroutines.
type Engine interface {
	// Name is the word for the engine in records and messages, such as "docker".
	Name() string

	// Facts are what a record should tell about the engine and the machine behind it: versions, kernel, storage
	// driver, cgroup version, whether it is this machine. Keys are dotted lower-case words.
	Facts(ctx context.Context) (map[string]string, error)

	// Prepare makes an image available and says what it came from. An image that was built before from the same inputs is
	// found again without building. The builder's output goes to log, for people to read; an error of the build itself, or
	// of an image that it is built from, is a *BuildError, and that of a named image that cannot be had, or of any kind of
	// image that the engine does not have at all, is an *ImageError with a way out.
	Prepare(ctx context.Context, image Image, log io.Writer) (Prepared, error)

	// Find returns the id of a named image, and an empty one if the image is not here.
	Find(ctx context.Context, reference string) (id string, err error)

	// Open makes a space. The labels of the run are put on everything that is started in it. The error is a *BusyError if
	// the engine belongs to another run, which only a cluster can tell.
	Open(ctx context.Context, run string) (Space, error)

	// Sweep removes containers, networks and volumes that carry our labels and whose owner is no longer alive, and names
	// them. With dryRun it only names them. A network or volume that cannot be removed does not affect other runs: it is
	// named with its Problem, which is not an error.
	Sweep(ctx context.Context, dryRun bool) ([]Leftover, error)

	// Close lets go of the connection to the engine. Spaces are closed by whoever opened them.
	Close() error
}

// A Space is a private network, or a group of containers within it.
type Space interface {
	// Start starts a container and returns when it is ready. One that was started but did not become ready is removed
	// again, and the error is a *NotReadyError with its log. The error of one that could not be started as it was asked
	// for is a *RejectedError.
	Start(ctx context.Context, service Service) (Container, error)

	// Group makes a space within this one, for containers that end before the others: those of a repetition beside
	// services that several repetitions share. Containers of both reach each other by name, share volumes by name, and
	// cannot have the same name. Closing the outer space closes the group too.
	Group(ctx context.Context) (Space, error)

	// Keep leaves the containers running, for people to look at, and returns how to enter them, in order of names. The
	// space is closed then, and Close does nothing. Sweep removes the containers once this process has ended. Keep the
	// groups of a space before the space itself. The error of an engine whose processes end with this one says so.
	Keep(ctx context.Context) ([]Kept, error)

	// Close removes the containers of the space, its volumes, and its network. Containers get the time to end that they
	// were started with, but no longer than the context lasts: then they are killed. Removing is not cancelled. Close may
	// be called twice.
	Close(ctx context.Context) error
}

// Kept is a container that was left running.
type Kept struct {
	Service string
	Enter   []string // the command that opens a shell in it, such as docker exec -it NAME sh
}

// A Container is a service, or something else that was started in a space. Its methods may be called from several
// goroutines.
type Container interface {
	// Name returns the name it was started under.
	Name() string

	// Exec runs a command inside the container until the command ends: the load, a timed command, a hook, a probe. When
	// the context is cancelled Exec returns its cause; the command may then run on until its container ends.
	Exec(ctx context.Context, command Command) (Exit, error)

	// Usage returns what the container's processes have used since it started, and what else detail asks for. Processor
	// time alone is cheap enough to be read a hundred times a second, all of it twenty times.
	Usage(ctx context.Context, detail Detail) (Usage, error)

	// Logs returns the last mebibyte that its first process and its children wrote, standard output and standard error
	// together. It does not include what commands of Exec wrote.
	Logs(ctx context.Context) ([]byte, error)

	// State returns whether the container still runs, and how it ended.
	State(ctx context.Context) (State, error)
}

// State is how a container is doing.
type State struct {
	Ended bool
	Exit  Exit   // how it ended, without output
	Node  string // the node of a cluster that it is on; empty on other engines
	CPUs  string // the CPUs that it may run on, as the kernel writes them, such as "2-3"; empty if unknown or ended
}

// Image says where a container's file system comes from: exactly one of its first four fields is set.
type Image struct {
	Name  string // a reference, such as "debian:bookworm-slim"
	Build *Build // a build context of our own
	// a single static executable, put into an empty image, or in the root directory of an engine without images
	Executable *Executable
	// the engine's machine itself, its programs and files; only engines without containers have that
	Machine bool
}

// One says whether exactly one of the fields is set that say where it comes from.
func (i Image) One() bool {
	n := 0
	for _, set := range []bool{i.Name != "", i.Build != nil, i.Executable != nil, i.Machine} {
		if set {
			n++
		}
	}
	return n == 1
}

// Executable is a static executable for an image FROM scratch. It becomes /NAME, the entry point of the image.
type Executable struct {
	Name string
	Data []byte
}

// Build is a private build context, and what it is for, in messages and labels: "async-101 server". Nothing outside it
// is read, and the author's folder is not touched.
type Build struct {
	For string
	spec.Build
}

// Prepared is an image that is there.
type Prepared struct {
	Reference string // by which the engine finds it
	ID        string // digest of the image
	Bases     []Base // one per FROM of its Dockerfile, or the image itself
	Built     bool   // false if it was there already
	// Healthcheck is that of the image; zero if it has none, or the engine cannot tell.
	Healthcheck spec.Ready
}

// Base is an image that another one was built from.
type Base struct {
	Reference string // as FROM names it
	ID        string // digest of what was used
	// Substitute names what stands in for Reference where no registry could be reached, such as
	// "benchbook/debootstrap:bookworm"; empty if Reference itself was used.
	Substitute string
}

// BuildError is an image that could not be built: a mistake in a Dockerfile, a package that is not there.
type BuildError struct {
	For  string
	Line int    // of the Dockerfile, counted from 1; 0 if it is not known
	Tail string // the builder's last lines
	Err  error
}

func (e *BuildError) Error() string { return "building the image of " + e.For + ": " + e.Err.Error() }

func (e *BuildError) Unwrap() error { return e.Err }

// ImageError is an image that is not here and cannot be brought here: misspelt, out of reach, or of a kind that the
// engine does not have.
type ImageError struct {
	Reference string // or what it is for, if it has no name
	Err       error  // names the image
	WayOut    string
}

func (e *ImageError) Error() string {
	if e.WayOut == "" {
		return e.Err.Error()
	}
	return e.Err.Error() + ": " + e.WayOut
}

func (e *ImageError) Unwrap() error { return e.Err }

// Service is a container to start: a service of the article as its specification says, or a container for a load
// generator or a command, whose first process idles while Exec runs in it. The caller has prepared the image, has waited
// for the services it depends on, and starts one Service for each replica.
type Service struct {
	spec.Service
	Image   Prepared
	Aliases []string      // further names it is reached by, which several services may share
	Within  time.Duration // the longest wait until it is ready; 0: as long as its healthcheck says
	Begun   func()        // called when the service was started and the waiting begins; may be nil
	First   bool          // it goes before others on the CPUs that it shares with them
	Ours    bool          // it runs our own program: without root, capabilities or a writable file system
	Beside  string        // a service of the space whose network namespace it shares; empty: one of its own
	Host    string        // the name of the cluster's node that it runs on; empty: the engine's own machine
}

// DefaultPIDs is how many processes and threads each service and program may have where nothing else is said, on
// engines that can limit them: so many that a server with a thread for each of some thousand connections has room, and
// a quarter of the 32,768 that all of a machine may have where its kernel is not told otherwise, so that one that makes
// more and more of them does not take the machine down.
const DefaultPIDs = 8192

// MaxPIDs is the limit of processes and threads that a service gets; 0: none.
func (s *Service) MaxPIDs() int64 { return max(0, cmp.Or(s.PIDs, DefaultPIDs)) }

// Command is a program to run inside a container.
type Command struct {
	Args        []string // the program and its arguments; no shell is put around them
	Environment []string // KEY=value, beside that of the container
	WorkingDir  string   // empty: the container's
	Stdin       []byte
	// Full is called once if the command writes more to standard output than an Exit keeps, so that the caller may stop
	// waiting; nil: not called.
	Full func()
}

// Variables are the values of an environment of KEY=value, the last one of a name, and the names in the order in which
// they first come.
func Variables(environment []string) (names []string, values map[string]string) {
	values = make(map[string]string)
	for _, variable := range environment {
		name, value, _ := strings.Cut(variable, "=")
		if _, twice := values[name]; !twice {
			names = append(names, name)
		}
		values[name] = value
	}
	return names, values
}

// Exit is how a program ended. Standard output is kept to its first 64 MiB, standard error to its last mebibyte.
type Exit struct {
	Code           int  // 128 plus the signal, if a signal killed it
	OutOfMemory    bool // a process was killed for lack of memory: of the container, or while the command of Exec ran
	Stdout, Stderr []byte
}

// Detail selects what Usage reads beside the processor time.
type Detail struct {
	Totals    bool  // Memory, Periods, Throttled, ListenOverflows and Retransmits
	Threads   bool  // Threads
	Only      []int // with Threads: those that matter; others may be left out
	Listeners bool  // Listeners
}

// Usage is what the processes of a container have used since it started. A number that was not asked for, or that the
// engine cannot know, is -1; a map or slice is nil.
type Usage struct {
	At              time.Time     // when it was read
	CPU             time.Duration // user and system time
	Memory          int64         // anonymous and shared memory now, without page cache, in bytes
	Periods         int64         // scheduling periods with a CPU limit in force
	Throttled       int64         // periods in which the limit held it back
	ListenOverflows int64         // connections its network namespace dropped because a listen queue was full
	Retransmits     int64         // TCP segments its network namespace sent again

	// Threads are the threads that its processes have now, by thread ID.
	Threads map[int]Thread
	// Listeners are the addresses at which something in its network namespace accepts TCP connections, sorted, without
	// the engine's own.
	Listeners []netip.AddrPort
}

// NoUsage is a usage read now, in which everything is unknown but the processor time, which is zero.
func NoUsage() Usage {
	return Usage{At: time.Now(), Memory: -1, Periods: -1, Throttled: -1, ListenOverflows: -1, Retransmits: -1}
}

// Thread is what one thread has used since it started.
type Thread struct {
	CPU    time.Duration // user and system time
	Waited time.Duration // how long it could run and had no core; -1 if unknown
}

// Leftover is something that a run left behind when it was killed.
type Leftover struct {
	Kind string // "container", "network", "volume", "files", "folder" or "process"
	Name string
	Run  string

	Problem string // why it could not be removed; empty if it was
}

// StartError is the error of Space.Start, given why a service could not be started.
func StartError(ctx context.Context, service string, err error) error {
	var notReady *NotReadyError
	var rejected *RejectedError
	switch {
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	case errors.As(err, &rejected):
		return rejected
	case errors.As(err, &notReady):
		return notReady
	}
	return fmt.Errorf("starting service %q: %w", service, err)
}

// closeGrace is how long closing a space may take, besides the time that services get to end.
const closeGrace = 30 * time.Second

// CloseSpace closes a space whose services may take as long as stop to end; if the context is done they are killed at
// once. The error is a *LeftError.
func CloseSpace(ctx context.Context, space Space, stop time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, stop+closeGrace)
	defer cancel()
	if err := space.Close(ctx); err != nil {
		return &LeftError{err}
	}
	return nil
}

// LeftError means that containers could not be removed. Nothing can be measured next to them.
type LeftError struct{ Err error }

func (e *LeftError) Error() string { return "containers could not be removed: " + e.Err.Error() }

func (e *LeftError) Unwrap() error { return e.Err }

// BusyError means that another run has the engine.
type BusyError struct {
	Doing string    // what that run measures; empty if unknown
	Since time.Time // by the engine's clock
}

func (e *BusyError) Error() string {
	if e.Doing == "" {
		return "another benchbook is using this machine"
	}
	return fmt.Sprintf("another benchbook is using this machine: it has been %s since %s", e.Doing,
		e.Since.Local().Format("15:04:05 on 2 January"))
}

// Cluster says how a Kubernetes cluster is used.
type Cluster struct {
	Context   string // of the user's kubeconfig; empty: its current one
	Namespace string // has to exist; empty: that of the context
	// Registry is where images are pushed to and where nodes pull them from, such as "registry.example.org/bench". The
	// user has logged in there by docker login. Plain HTTP is used within private networks only.
	Registry string
	// LoadNodes and ServiceNodes are labels of the nodes for load generators and for services. If both are empty, load
	// generators are kept away from the nodes of services where there are others.
	LoadNodes, ServiceNodes map[string]string
	Prefer                  map[string][]string // names of nodes by host, those of the run before
}
