// Package engine is the contract of engines: places where the containers of a trial run, apart from everything else, and
// where they are found again after a crash.
//
// An Engine prepares images and opens spaces. A Space is a private network: its containers reach each other by name and
// nothing outside it. A Container that Start returned is ready, and only the load talks to it. Load generators and timed
// commands run by Exec, in containers that were started for them and idle. Closing a space removes everything in it. What
// a killed process could not close, or kept, carries the labels of this package; Sweep removes it, and touches nothing
// else and no live run.
//
// An error means that the engine could not do it. A program that ends with a status other than zero is not an error: it
// is an Exit.
package engine

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"strings"
	"time"

	"benchbook/notebook/spec"
)

// Labels of everything that we start, by which Sweep and people find it again.
const (
	LabelRun     = "benchbook.run"     // the run that started it
	LabelOwner   = "benchbook.owner"   // the process that started it, by Owner
	LabelService = "benchbook.service" // the name of the service
	LabelImage   = "benchbook.image"   // on images that we made: their purpose
)

// ErrUnavailable is wrapped by errors that say in one sentence why no engine can be had here, and the way out.
var ErrUnavailable = errors.New("no container engine")

// Engine is somewhere that trials can run. Its methods may be called from several goroutines.
type Engine interface {
	// Name is the word for the engine in records and messages, such as "docker".
	Name() string

	// Facts are for the record, about the engine and its machine: versions, kernel, storage driver, cgroup version,
	// whether it is this machine. Keys are dotted lower-case words.
	Facts(ctx context.Context) (map[string]string, error)

	// Prepare makes an image available. An image that was built before from the same inputs is found again without
	// building. The builder's output goes to log, for people to read. An error of the build, or of an image that it is
	// built from, is a *BuildError; for a named image that cannot be had, or a kind of image that the engine does not
	// have, it is an *ImageError.
	Prepare(ctx context.Context, image Image, log io.Writer) (Prepared, error)

	// Find returns the id of a named image, and an empty one if the image is not here.
	Find(ctx context.Context, reference string) (id string, err error)

	// Open makes a space. Everything that is started in it is labelled with the run. The error is a *BusyError if the
	// engine belongs to another run, which only a cluster can tell.
	Open(ctx context.Context, run string) (Space, error)

	// Sweep removes containers, networks and volumes with our labels whose owner is no longer alive, and returns them.
	// With dryRun it only returns them. A network or volume that cannot be removed does not affect other runs: it is
	// returned with its Problem, without an error.
	Sweep(ctx context.Context, dryRun bool) ([]Leftover, error)

	// Close closes the connection to the engine. The caller closes spaces before.
	Close() error
}

// A Space is a private network, or a group of containers within it.
type Space interface {
	// Start starts a container and returns when it is ready. One that did not become ready is removed again, and the
	// error is a *NotReadyError with its log. The error of one that could not be started as requested is a
	// *RejectedError.
	Start(ctx context.Context, service Service) (Container, error)

	// Group makes a space within this one, for containers that end before the others, as of a repetition, where
	// several repetitions share services. Containers of both reach each other by name, share volumes by name, and cannot
	// have the same name. Closing the outer space closes the group too.
	Group(ctx context.Context) (Space, error)

	// Keep leaves the containers running, for people to look at, and returns how to enter them, in order of names. The
	// space is closed then, and Close does nothing. Sweep removes the containers once this process has ended. Keep the
	// groups of a space before the space itself. Engines whose processes end with this one return an error.
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

// A Container is something that was started in a space. Its methods may be called from several goroutines.
type Container interface {
	// Name returns the name of its service.
	Name() string

	// Exec runs a command inside the container until the command ends: the load, a timed command, a hook, a probe. When
	// the context is cancelled Exec returns its cause; the command may then run on until its container ends.
	Exec(ctx context.Context, command Command) (Exit, error)

	// Usage returns what the container's processes have used since it started, and what else detail asks for. Processor
	// time alone may be read a hundred times a second, everything twenty times.
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
	ID    string // the name of its control group on another machine, if its Usage is to be read there; else empty
	CPUs  string // the CPUs that it may run on, as the kernel writes them, such as "2-3"; empty if unknown or ended
}

// Image is the source of a container's file system: exactly one of its fields is set.
type Image struct {
	Name       string      // a reference, such as "debian:bookworm-slim"
	Build      *Build      // a build context of our own
	Executable *Executable // an empty image with one executable; without images, the executable in the root directory
	Machine    bool        // the programs and files of the engine's machine; only engines without containers have that
}

// One reports whether exactly one of the fields is set.
func (i Image) One() bool {
	n := 0
	for _, set := range []bool{i.Name != "", i.Build != nil, i.Executable != nil, i.Machine} {
		if set {
			n++
		}
	}
	return n == 1
}

// Executable is a static executable for an image FROM scratch. It becomes /NAME, the entry point of the image. Name is
// one word.
type Executable struct {
	Name string
	Data []byte
}

// Build is a private build context, and its purpose in messages and labels: "async-101 server". Nothing outside it is
// read.
type Build struct {
	For string
	spec.Build
}

// Prepared is an image that is there.
type Prepared struct {
	Reference   string     // by which the engine finds it
	ID          string     // digest of the image
	Bases       []Base     // one per FROM of its Dockerfile, or the image itself
	Built       bool       // false if it was there already
	Healthcheck spec.Ready // of the image; zero if it has none or the engine cannot tell
}

// Base is an image that another one was built from.
type Base struct {
	Reference string // as FROM names it
	ID        string // digest of the image that was used
	// Substitute names the image that was used instead where no registry could be reached, such as
	// "benchbook/debootstrap:bookworm"; empty: Reference itself.
	Substitute string
}

// Service is a container to start: a service of the article, or a container for a load generator or a command, whose
// first process idles while Exec runs in it. The caller has prepared the image, has waited for the services it depends
// on, and starts one Service for each replica.
type Service struct {
	spec.Service
	Image   Prepared
	Aliases []string      // further names it is reached by, which several services may share
	Within  time.Duration // the longest wait until it is ready; 0: as long as its healthcheck says
	Begun   func()        // called when the service was started and the waiting begins; may be nil
	First   bool          // it goes before others on the CPUs that it shares with them
	Ours    bool          // it runs our own program: without root, capabilities or a writable file system
	Host    string        // the name of the cluster's node that it runs on; empty: the engine's own machine
}

// DefaultPIDs is the limit of processes and threads of a service without a limit of its own, on engines that can limit
// them: enough for a server with a thread for each of some thousand connections, and a quarter of the kernel's default
// for a whole machine, so that a service that starts more and more does not take the machine down.
const DefaultPIDs = 8192

// Command is a program to run inside a container.
type Command struct {
	Args        []string // the program and its arguments; no shell is put around them
	Environment []string // KEY=value, added to the container's
	WorkingDir  string   // empty: the container's
	Stdin       []byte
	// Full is called once if the command writes more to standard output than an Exit keeps, so that the caller may stop
	// waiting; nil: not called.
	Full func()
}

// Variables returns the values of an environment of KEY=value, the last one of each name, and the names in the order of
// their first values.
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

// Detail selects what Usage reads besides the processor time.
type Detail struct {
	Totals    bool // Memory, Periods, Throttled, ListenOverflows and Retransmits
	Threads   bool // Threads
	Listeners bool // Listeners
}

// Usage is what the processes of a container have used since it started. A number that was not asked for, or that the
// engine cannot know, is -1; a map or slice is nil.
type Usage struct {
	At              time.Time        // when it was read
	CPU             time.Duration    // user and system time
	Memory          int64            // anonymous and shared memory now, without page cache, in bytes
	Periods         int64            // scheduling periods with a CPU limit in force
	Throttled       int64            // periods in which the limit held it back
	ListenOverflows int64            // connections its network namespace dropped because a listen queue was full
	Retransmits     int64            // TCP segments its network namespace sent again
	Threads         map[int]Thread   // threads that its processes have now, by thread ID
	Listeners       []netip.AddrPort // where its network namespace accepts TCP, sorted, without the engine's own
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
	Kind    string `json:"kind"` // "container", "network", "volume", "folder", "process" or "namespace"
	Name    string `json:"name"`
	Run     string `json:"run"`
	Problem string `json:"problem,omitempty"` // why it could not be removed; empty if it was
}

// Cluster says how a Kubernetes cluster is used.
type Cluster struct {
	Context   string // of the user's kubeconfig; empty: its current one
	Namespace string // has to exist; empty: the context's
	// Registry is where images are pushed to and where nodes pull them from, such as "registry.example.org/bench". The
	// user has logged in there by docker login. Plain HTTP is used within private networks only.
	Registry string
	// LoadNodes and ServiceNodes are labels of the nodes for load generators and for services. If both are empty, load
	// generators are kept away from the nodes of services where there are others.
	LoadNodes, ServiceNodes map[string]string
	Prefer                  map[string][]string // names of nodes by host, from the run before
}

// Sleep waits for d, or until the context is done, whose cause it then returns.
func Sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
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
