// Package engine says what every engine promises: a place where the services of a trial run, apart from
// everything else, and where they can be found again whatever happens to us.
//
// An Engine prepares images and opens spaces. A Space is a private network: services started in it reach each other by
// name and nothing outside it. The repetitions of an experiment follow each other in one, which has the services that
// outlive them, if there are some; each repetition has a space of its own within it, and leaves nothing there. A
// Service that Start returned is ready, and nothing talks to it any more but the load. Closing a space removes all that
// was started in it, volumes included; whatever a killed process could not close, or was told to keep, carries the
// labels of this package and is removed by Sweep, which touches nothing else and no other live run.
//
// Errors mean that we could not do it. A program that ends with a status other than zero is not an error: it is
// an Exit.
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
	LabelDoing   = "benchbook.doing"   // on locks: what whoever has it does, as Locked.Lock was told
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

	// Open makes a space. The labels of the run are put on everything that is started in it.
	Open(ctx context.Context, run string) (Space, error)

	// Sweep removes containers, networks and volumes that carry our labels and whose owner is no longer alive, and names
	// them. With dryRun it only names them. A network or volume that cannot be removed does not affect other runs: it is
	// named with its Problem, which is not an error.
	Sweep(ctx context.Context, dryRun bool) ([]Leftover, error)

	// Close lets go of the connection to the engine. Spaces are closed by whoever opened them.
	Close() error
}

// Space is a private network, or a part of it, and what runs there.
type Space interface {
	// Start starts a service and returns when it is ready. A service that was started but did not become ready is removed
	// again, and the error is a *NotReadyError; one that could not be started as it was asked for, a *RejectedError.
	Start(ctx context.Context, service Service) (Running, error)

	// Run runs a program in a container of its own in this space until it ends. Then its name is free, and it is removed,
	// perhaps while the caller goes on. A cancelled context ends the program. started, which may be nil, is called when
	// the program has begun. The error of a program that could not be started as it was asked for is a *RejectedError.
	Run(ctx context.Context, program Program, started func(Running)) (Exit, error)

	// Inner makes a space within this one. What runs in either reaches the other by name, so that a name is in use in one
	// of them only, and they share volumes by name. The inner one is closed by itself, which leaves this one as it is, and
	// with this one at the latest.
	Inner(ctx context.Context) (Space, error)

	// Keep leaves what runs in the space as it is, for people to look at, and says how to enter it, in order of names. The
	// space is closed then, and Close does nothing; Sweep removes what was kept once this process has ended. A space
	// within it is kept by itself, and before it. The error of an engine whose processes end with this one says so.
	Keep(ctx context.Context) ([]Kept, error)

	// Close removes everything that was started in the space, its volumes, and the space. Services get the time to end
	// that they were started with, but no longer than the context lasts: then they are killed. Removing is not cancelled.
	// It may be called twice.
	Close(ctx context.Context) error
}

// Kept is a service that was left running.
type Kept struct {
	Service string
	Enter   []string // the command by which a person gets a shell beside it, such as docker exec -it NAME sh
}

// Running is a service or program while it runs.
type Running interface {
	// Name is the name it was started under.
	Name() string
	// Usage is what it has used since it started. It is cheap enough to be called ten times a second.
	Usage(ctx context.Context) (Usage, error)
	// Logs is what it wrote so far, standard output and standard error together, at most the last mebibyte.
	Logs(ctx context.Context) ([]byte, error)
	// Ended says whether it has ended by itself, and how; the Exit has no output.
	Ended(ctx context.Context) (Exit, bool, error)
	// Exec runs a command inside it, beside its own processes, until the command ends. A cancelled context ends
	// the waiting; a command that is still running then ends with the container at the latest.
	Exec(ctx context.Context, command Command) (Exit, error)
}

// Threaded is a Running that can tell how busy each of its threads was. Not every engine can.
type Threaded interface {
	// Threads is the processor time, user and system, of each thread that its processes have now, by a number that tells
	// them apart. It is cheap enough to be called twenty times a second.
	// Where some of them are named, it need not tell of others.
	Threads(ctx context.Context, only ...int) (map[int]time.Duration, error)
}

// Queued is a Running that can tell how long its threads waited for a core. Not every engine can.
type Queued interface {
	// Waits is how long each thread that its processes have now could have run and had no core, by the number that
	// Threaded has for it. It is as cheap as that.
	Waits(ctx context.Context) (map[int]time.Duration, error)
}

// Metered is a Running whose processor time can be read apart from the rest of its Usage, for much less. Not every
// engine can.
type Metered interface {
	// CPU is the user and system time that its processes have used since it started. It is cheap enough to be called a
	// hundred times a second.
	CPU(ctx context.Context) (time.Duration, error)
}

// Listening is a Running that can tell where it listens. Not every engine can.
type Listening interface {
	// Listeners are the addresses at which something in its network accepts TCP connections, sorted, without those of the
	// engine itself.
	Listeners(ctx context.Context) ([]netip.AddrPort, error)
}

// Placed is a Running that can tell on which CPUs it may run. Engines have it that choose these themselves: what was
// asked for says only how many they are.
type Placed interface {
	// CPUs are those that it may run on now, as the kernel writes them: "2-3".
	CPUs(ctx context.Context) (string, error)
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

// Service is a container that stays up while load is put on it, as its specification says, but for its image, which was
// prepared. Whoever starts it has waited for what it depends on, has made a container of each replica, and has put
// links before services; volumes are named ones, folders of the host, and files.
type Service struct {
	spec.Service
	Image   Prepared
	Aliases []string      // further names it is reached by, which several services may share
	Within  time.Duration // it is not waited for longer until it is ready; 0: as long as its healthcheck says
	Begun   func()        // called when the service was started and the waiting begins; may be nil
	First   bool          // it goes before others on the CPUs that it shares with them
	Location
}

// DefaultPIDs is how many processes and threads each service and program may have where nothing else is said, on
// engines that can limit them: so many that a server with a thread for each of some thousand connections has room, and
// a quarter of the 32,768 that all of a machine may have where its kernel is not told otherwise, so that one that makes
// more and more of them does not take the machine down.
const DefaultPIDs = 8192

// MaxPIDs is the limit of processes and threads that a service gets; 0: none.
func (s *Service) MaxPIDs() int64 { return max(0, cmp.Or(s.PIDs, DefaultPIDs)) }

// Location says on which node of a cluster something runs. Zero is the engine's own machine.
type Location struct {
	Host string // the name of the node
}

// Command is something to run inside a service: a step of preparation, a timed command.
type Command struct {
	Args        []string // the program and its arguments; no shell is put around them
	Environment []string // KEY=value, beside that of the service
	WorkingDir  string   // empty: the service's
	Stdin       []byte
}

// Program is a container that runs to its end: the load generator, a timed command.
type Program struct {
	Name        string
	Image       Prepared
	Entrypoint  []string // nil: the image's
	Command     []string // nil: the image's
	Environment []string
	Files       []spec.File
	WorkingDir  string
	CPUSet      string
	First       bool   // it goes before others on the CPUs that it shares with them
	Beside      string // a service of the space whose network namespace it shares; empty: one of its own
	// Single says that it is one process. Where it ends with status 0 nothing of it was killed for lack of memory, and no
	// engine has to find that out, which may take longer than to see that it has ended.
	Single bool
	// Full is called once when it has written more to standard output than an Exit keeps, so that whoever has no use for
	// it may end it; nil for nobody.
	Full func()
	// Stdin is its standard input; nil for none. It is read while the program runs, and what it gives may come late.
	// Whoever gives it lets reading it end once Run has returned, as an engine may still wait for more.
	Stdin io.Reader
	Location
}

// Service is the program as what it has in common with services: a container of its own.
func (p *Program) Service() Service {
	return Service{Service: spec.Service{Name: p.Name, Entrypoint: p.Entrypoint, Command: p.Command,
		Environment: p.Environment,
		Configs:     p.Files, WorkingDir: p.WorkingDir, CPUSet: p.CPUSet}, Image: p.Image, First: p.First,
		Location: p.Location}
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
	Code           int // 128 plus the signal, if it was killed by one
	OutOfMemory    bool
	Stdout, Stderr []byte
}

// Usage is what the processes of a container have used since it started. What an engine cannot tell is -1.
type Usage struct {
	At              time.Time     // when it was read
	CPU             time.Duration // user and system time
	Memory          int64         // anonymous and shared memory now, without page cache, in bytes
	Periods         int64         // scheduling periods with a CPU limit in force
	Throttled       int64         // of them, those in which it was held back
	ListenOverflows int64         // connections its network namespace dropped because a listen queue was full
	Retransmits     int64         // TCP segments its network namespace sent again
}

// Leftover is something that a run left behind when it was killed.
type Leftover struct {
	Kind string // "container", "network", "volume", "files", "folder" or "process"
	Name string
	Run  string

	Problem string // why it could not be removed; empty if it was
}
