// Package engine defines engines, which run the containers of a trial isolated from everything else and find them again
// after a crash.
//
// An Engine prepares images and opens spaces. A Space is a private network: its containers reach each other by name and
// nothing outside it. A Container that Start returned is ready, and only the load talks to it. Load generators and
// timed commands run by Exec, in idle containers started for them. Closing a space removes everything in it.
// Containers, networks and volumes that a killed process left, or that were kept, carry the labels of this package.
// Sweep removes these and nothing else, and leaves live runs alone.
//
// An error means that the engine failed. A program that exits with a non-zero status is an Exit, not an error.
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

// Labels of everything that benchbook starts, for Sweep and for people.
const (
	LabelRun     = "benchbook.run"     // the run that started it
	LabelOwner   = "benchbook.owner"   // the process that started it, by Owner
	LabelService = "benchbook.service" // the name of the service
	LabelImage   = "benchbook.image"   // the purpose of an image that benchbook built
)

// ErrUnavailable is wrapped by errors that say in one sentence why no engine is available and how to fix that.
var ErrUnavailable = errors.New("no container engine")

// Engine runs trials. Its methods may be called from several goroutines.
type Engine interface {
	// Name is the word for the engine in records and messages, such as "docker".
	Name() string

	// Facts returns facts about the engine and its machine for the record: versions, kernel, storage driver, cgroup
	// version, whether it is this machine. Keys are dotted lower-case words.
	Facts(ctx context.Context) (map[string]string, error)

	// Prepare pulls or builds an image, or reuses one that was built from the same inputs. The builder's output goes to
	// log, for people to read. The error is a *BuildError if the build or one of its base images fails, and an
	// *ImageError if a named image is not available or the engine does not support this kind of image.
	Prepare(ctx context.Context, image Image, log io.Writer) (Prepared, error)

	// Find returns the ID of a named image, empty if the engine does not have the image.
	Find(ctx context.Context, reference string) (id string, err error)

	// Open opens a space. Everything started in it is labelled with the run. The error is a *BusyError if another run is
	// using the engine, which only a cluster can detect.
	Open(ctx context.Context, run string) (Space, error)

	// Sweep removes containers, networks and volumes with our labels whose owner is dead, and returns them. With dryRun
	// it only returns them. A network or volume that cannot be removed does not affect other runs, so it is returned with
	// a Problem and is not an error.
	Sweep(ctx context.Context, dryRun bool) ([]Leftover, error)

	// Close closes the connection to the engine. Close all spaces first.
	Close() error
}

// A Space is a private network, or a group of containers within it.
type Space interface {
	// Start starts a container and returns when it is ready. A container that does not become ready is removed, and the
	// error is a *NotReadyError with its log. The error is a *RejectedError if the container cannot be started as
	// requested.
	Start(ctx context.Context, service Service) (Container, error)

	// Group opens a space within this one for containers that end before the others, such as the own services of one
	// repetition next to shared ones. Containers of both reach each other by name, share named volumes, and must have
	// different names. Closing the outer space closes the group too.
	Group(ctx context.Context) (Space, error)

	// Keep leaves the containers running for inspection and returns how to enter them, sorted by name. It closes the
	// space, so Close does nothing afterwards. Sweep removes the containers once this process has ended. Keep the
	// groups of a space before the space itself. Engines whose containers end with this process return an error.
	Keep(ctx context.Context) ([]Kept, error)

	// Close removes the containers, volumes and network of the space. Containers get their StopGrace to exit, but are
	// killed when the context is done. The removal itself is not cancelled. Close may be called twice.
	Close(ctx context.Context) error
}

// Kept is a container that was left running.
type Kept struct {
	Service string
	Enter   []string // the command that opens a shell in it, such as docker exec -it NAME sh
}

// A Container was started in a space. Its methods may be called from several goroutines.
type Container interface {
	// Name returns the name of its service.
	Name() string

	// Exec runs a command inside the container until it exits: the load, a timed command, a hook, a probe. If the context
	// is cancelled, Exec returns its cause, and the command may keep running until its container ends.
	Exec(ctx context.Context, command Command) (Exit, error)

	// Usage returns the processor time of the container's processes since its start, and the numbers that detail asks
	// for. Callers read processor time at most a hundred times a second, the rest at most twenty times.
	Usage(ctx context.Context, detail Detail) (Usage, error)

	// Logs returns the last mebibyte of standard output and standard error together, of the container's first process
	// and its children. Output of commands run by Exec is not included.
	Logs(ctx context.Context) ([]byte, error)

	// State returns whether the container is still running, and how it exited.
	State(ctx context.Context) (State, error)
}

// State is the state of a container.
type State struct {
	Ended bool
	Exit  Exit   // how it exited, without output
	Node  string // its cluster node; empty on other engines
	ID    string // its control group on another machine, if Usage must be read there; otherwise empty
	CPUs  string // the CPUs it may run on, in the kernel's format, such as "2-3"; empty if unknown or ended
}

// Image is the source of a container's file system: exactly one of its fields is set.
type Image struct {
	Name       string      // a reference, such as "debian:bookworm-slim"
	Build      *Build      // a build context
	Executable *Executable // an empty image with one executable; on engines without images, just the executable in /
	Machine    bool        // the engine's machine itself; only on engines without containers
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

// Executable is a static executable for an image FROM scratch. It becomes /NAME, the image's entry point. Name is one
// word.
type Executable struct {
	Name string
	Data []byte
}

// Build is a self-contained build context. For is its purpose in messages and labels, such as "async-101 server".
type Build struct {
	For string
	spec.Build
}

// Prepared is an image that is available to the engine.
type Prepared struct {
	Reference   string     // the engine's name for the image
	ID          string     // digest of the image
	Bases       []Base     // one per FROM of its Dockerfile, or the image itself
	Built       bool       // false if it existed already
	Healthcheck spec.Ready // of the image; zero if it has none or the engine cannot tell
}

// Base is an image that another one was built from.
type Base struct {
	Reference string // as named by FROM
	ID        string // digest of the image that was used
	// Substitute names the image that was used because no registry could be reached, such as
	// "benchbook/debootstrap:bookworm"; empty if Reference itself was used.
	Substitute string
}

// Service is a container to start: a service of the article, or an idle container in which Exec runs a load or command.
// The caller prepares the image, waits for the services it depends on, and starts one Service per replica.
type Service struct {
	spec.Service
	Image   Prepared
	Aliases []string      // additional names, which several services may share
	Within  time.Duration // limit for becoming ready; 0: as its healthcheck says
	Begun   func()        // called when the service has started, before waiting for readiness; may be nil
	First   bool          // it takes precedence on CPUs that it shares
	Ours    bool          // it runs benchbook's program: without root, capabilities or a writable file system
	Host    string        // cluster node to run on; empty: the engine's own machine
}

// DefaultPIDs is the default limit of processes and threads per service, on engines that can limit them. It allows a
// thread for each of several thousand connections, but is a quarter of the kernel's default for the whole machine, so a
// runaway service cannot take the machine down.
const DefaultPIDs = 8192

// Command is a program to run inside a container.
type Command struct {
	Args        []string // the program and its arguments, run without a shell
	Environment []string // KEY=value, added to the container's
	WorkingDir  string   // empty: the container's
	Stdin       []byte
	// Full, unless nil, is called once if the command writes more to standard output than an Exit keeps, so that the
	// caller can stop waiting.
	Full func()
}

// Variables parses an environment of KEY=value lines. The last value of a name counts; names are in order of first
// appearance.
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

// Exit is how a program exited. It keeps the first 64 MiB of standard output and the last MiB of standard error.
type Exit struct {
	Code           int  // 128 plus the signal, if a signal killed it
	OutOfMemory    bool // a process of the container was killed for lack of memory, for Exec: while the command ran
	Stdout, Stderr []byte
}

// Detail selects what Usage reads besides processor time.
type Detail struct {
	Totals    bool // Memory, Periods, Throttled, ListenOverflows and Retransmits
	Threads   bool // Threads
	Listeners bool // Listeners
}

// Usage is the resource usage of a container's processes since its start. Numbers that were not asked for, or that the
// engine does not know, are -1; maps and slices are nil.
type Usage struct {
	At              time.Time        // time of the reading
	CPU             time.Duration    // user and system time
	Memory          int64            // anonymous and shared memory now, without page cache, in bytes
	Periods         int64            // scheduling periods with a CPU limit in force
	Throttled       int64            // periods throttled by the limit
	ListenOverflows int64            // connections dropped in its network namespace because a listen queue was full
	Retransmits     int64            // TCP segments retransmitted in its network namespace
	Threads         map[int]Thread   // current threads by thread ID
	Listeners       []netip.AddrPort // TCP listeners in its network namespace, sorted, without the engine's own
}

// NoUsage returns a Usage of now with zero processor time and everything else unknown.
func NoUsage() Usage {
	return Usage{At: time.Now(), Memory: -1, Periods: -1, Throttled: -1, ListenOverflows: -1, Retransmits: -1}
}

// Thread is the processor usage of one thread since its start.
type Thread struct {
	CPU    time.Duration // user and system time
	Waited time.Duration // time spent runnable without a core; -1 if unknown
}

// Leftover is something that a run left behind, because it was killed or kept its services.
type Leftover struct {
	Kind    string `json:"kind"` // "container", "network", "volume", "folder", "process" or "namespace"
	Name    string `json:"name"`
	Run     string `json:"run"`
	Problem string `json:"problem,omitempty"` // why it could not be removed; empty if it was
}

// Cluster says how a Kubernetes cluster is used.
type Cluster struct {
	Context   string // context of the user's kubeconfig; empty: its current one
	Namespace string // must exist; empty: the context's
	// Registry is where images are pushed to and pulled from by nodes, such as "registry.example.org/bench". The user has
	// logged in with docker login. Plain HTTP is used in private networks only.
	Registry string
	// LoadNodes and ServiceNodes are labels of the nodes for load generators and for services. If both are empty, load
	// generators avoid the nodes of services if there are others.
	LoadNodes, ServiceNodes map[string]string
	Prefer                  map[string][]string // node names by host, from the previous run
}

// Sleep waits for d. If the context is done first, it returns the context's cause.
func Sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}

// closeGrace is how long closing a space may take, on top of the stop time of its services.
const closeGrace = 30 * time.Second

// CloseSpace closes a space whose services may take up to stop to exit; if the context is done, they are killed at
// once. The error is a *LeftError.
func CloseSpace(ctx context.Context, space Space, stop time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, stop+closeGrace)
	defer cancel()
	if err := space.Close(ctx); err != nil {
		return &LeftError{err}
	}
	return nil
}
