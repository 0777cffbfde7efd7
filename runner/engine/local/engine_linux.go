package local

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"benchbook/internal/files"
	"benchbook/internal/proc"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
)

// Engine runs services as processes of this machine. It implements engine.Engine.
type Engine struct {
	parent      string // parent of all folders
	folder      string // this engine's folder, with prepared programs
	environment []string

	closed   sync.Once
	building sync.Mutex                 // held during a build, because builds share a folder
	builds   map[string]engine.Prepared // by their inputs
}

// New returns an engine, and makes this process a subreaper until all engines are closed. The error wraps
// engine.ErrUnavailable if the folder cannot be written to.
func New(_ context.Context, o Options) (engine.Engine, error) {
	e := &Engine{parent: cmp.Or(o.Folder, os.Getenv("TMPDIR"), "/var/tmp"), environment: o.Environment,
		builds: map[string]engine.Prepared{}}
	if e.environment == nil {
		for _, name := range []string{"PATH", "HOME"} {
			if value, ok := os.LookupEnv(name); ok {
				e.environment = append(e.environment, name+"="+value)
			}
		}
	}
	var err error
	if e.folder, err = e.makeFolder("programs"); err != nil {
		return nil, &unavailableError{fmt.Sprintf("its files go to %s, which cannot be written to (%v); set TMPDIR to a "+
			"folder of yours", e.parent, err)}
	}
	if err = addReaper(1); err != nil {
		return nil, errors.Join(fmt.Errorf("starting the engine local: %w", err), files.RemoveAll(e.folder))
	}
	return e, nil
}

func (e *Engine) Name() string { return Name }

func (e *Engine) Facts(context.Context) (map[string]string, error) {
	var names unix.Utsname
	err := unix.Uname(&names)
	return map[string]string{"engine.name": e.Name(), "engine.kernel": unix.ByteSliceToString(names.Release[:]),
		"engine.architecture": unix.ByteSliceToString(names.Machine[:]), "engine.local": "true"}, err
}

// References that Prepare returns: this machine, or a prefix and the path of an executable or of a build's folder.
const (
	machineReference = "this machine"
	programPrefix    = "program "
	buildPrefix      = "build "
)

// Prepare implements engine.Engine. It supports executables, builds that run a script, and the machine itself. The
// error for other images is an *engine.ImageError.
func (e *Engine) Prepare(ctx context.Context, image engine.Image, log io.Writer) (engine.Prepared, error) {
	const wayOut = "leave out image and build, so that its program is one of this machine, or use the engine docker"
	switch {
	case ctx.Err() != nil:
		return engine.Prepared{}, context.Cause(ctx)
	case !image.One():
		return engine.Prepared{}, errors.New("an image needs exactly one of a name, a build, an executable and the machine")
	case image.Name != "":
		return engine.Prepared{}, &engine.ImageError{Reference: image.Name, WayOut: wayOut,
			Err: fmt.Errorf("the engine local has no images, so it cannot use %s", image.Name)}
	case image.Build != nil && image.Build.Run != "":
		return e.build(ctx, image.Build, log)
	case image.Build != nil:
		return engine.Prepared{}, &engine.ImageError{Reference: image.Build.For, WayOut: wayOut,
			Err: fmt.Errorf("the engine local builds no images, so it cannot build %s", image.Build.For)}
	case image.Machine:
		return engine.Prepared{Reference: machineReference, ID: machineReference}, nil
	}
	return e.writeProgram(*image.Executable)
}

// writeProgram writes an executable to a folder named after its digest.
func (e *Engine) writeProgram(program engine.Executable) (engine.Prepared, error) {
	digest := fmt.Sprintf("%x", sha256.Sum256(append([]byte(program.Name+"\x00"), program.Data...)))
	file := filepath.Join(e.folder, digest, program.Name)
	out := engine.Prepared{Reference: programPrefix + file, ID: "sha256:" + digest}
	e.building.Lock()
	defer e.building.Unlock()
	if _, err := os.Stat(file); err == nil {
		return out, nil
	}
	out.Built = true
	if err := writeFile(file, spec.File{Data: program.Data, Exec: true}); err != nil {
		return engine.Prepared{}, fmt.Errorf("preparing %s: %w", program.Name, err)
	}
	return out, nil
}

// Find implements engine.Engine. It finds nothing, because there are no images.
func (e *Engine) Find(context.Context, string) (string, error) { return "", nil }

func (e *Engine) Open(ctx context.Context, run string) (engine.Space, error) {
	if ctx.Err() != nil {
		return nil, fmt.Errorf("opening a space: %w", context.Cause(ctx))
	}
	folder, err := e.makeFolder(run)
	if err != nil {
		return nil, fmt.Errorf("opening a space: %w", err)
	}
	return &space{engine: e, folder: folder, run: run,
		tree: engine.NewTree("space "+filepath.Base(folder), remove)}, nil
}

func (e *Engine) Close() error {
	err := files.RemoveAll(e.folder)
	e.closed.Do(func() { err = errors.Join(err, addReaper(-1)) })
	return err
}

// reaper makes this process a subreaper while engines exist, so that orphaned descendants become its children. Later,
// they would stay zombies because nothing waits for them.
var reaper struct {
	sync.Mutex
	engines int
}

// addReaper adds n to the number of engines.
func addReaper(n int) error {
	reaper.Lock()
	defer reaper.Unlock()
	reaper.engines += n
	return unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, uintptr(min(reaper.engines, 1)), 0, 0, 0)
}

// Names by which Sweep recognizes our folders.
const (
	folderPrefix = "benchbook-local-"
	ownerName    = "owner" // a file with two lines: the process that made the folder, and the run
)

// makeFolder makes a folder. It gets the name that Sweep looks for only after its owner file is written.
func (e *Engine) makeFolder(run string) (string, error) {
	hidden, err := os.MkdirTemp(e.parent, "."+folderPrefix+"*")
	if err != nil {
		return "", err
	}
	folder := filepath.Join(e.parent, strings.TrimPrefix(filepath.Base(hidden), "."))
	err = os.WriteFile(filepath.Join(hidden, ownerName), []byte(engine.Owner()+"\n"+run+"\n"), 0o600)
	if err == nil {
		err = os.Rename(hidden, folder)
	}
	if err != nil {
		return "", errors.Join(err, files.RemoveAll(hidden))
	}
	return folder, nil
}

// Sweep implements engine.Engine. It removes processes that outlived their run, and the folders of engines and spaces.
func (e *Engine) Sweep(ctx context.Context, dryRun bool) ([]engine.Leftover, error) {
	leftovers, failures := sweepProcesses(dryRun), []error(nil)
	entries, err := os.ReadDir(e.parent)
	if err != nil {
		return nil, fmt.Errorf("looking for what was left behind: %w", err)
	}
	for _, entry := range entries {
		folder := filepath.Join(e.parent, entry.Name())
		if ctx.Err() != nil {
			return leftovers, errors.Join(append(failures, context.Cause(ctx))...)
		}
		run, ended := abandoned(folder)
		if !ended || !strings.HasPrefix(entry.Name(), folderPrefix) {
			continue
		}
		if !dryRun {
			if err := files.RemoveAll(folder); err != nil {
				failures = append(failures, fmt.Errorf("removing space %s: %w", filepath.Base(folder), err))
				continue
			}
		}
		leftovers = append(leftovers, engine.Leftover{Kind: "folder", Name: filepath.Base(folder), Run: run})
	}
	return leftovers, errors.Join(failures...)
}

// sweepProcesses kills the processes of this user whose environment names a dead owner.
func sweepProcesses(dryRun bool) (leftovers []engine.Leftover) {
	for _, p := range proc.All() {
		handle, err := unix.PidfdOpen(p.PID, 0) // protects against a reused PID
		if err != nil {
			continue // it has ended
		}
		_, variables := engine.Variables(Environment(p.PID, 10*time.Millisecond)) // unreadable for other users' processes
		if alive, known := engine.OwnerAlive(variables[ownerVariable]); known && !alive && (dryRun ||
			unix.PidfdSendSignal(handle, unix.SIGKILL, nil, 0) == nil) {
			leftovers = append(leftovers, engine.Leftover{Kind: "process", Name: strconv.Itoa(p.PID),
				Run: variables[runVariable]})
		}
		_ = unix.Close(handle) // nothing was written to it
	}
	return leftovers
}

// abandoned reports whether a folder was made by a process of this user that has ended, and returns its run.
func abandoned(folder string) (run string, ours bool) {
	var stat unix.Stat_t
	if err := unix.Lstat(folder, &stat); err != nil || stat.Mode&unix.S_IFMT != unix.S_IFDIR ||
		int(stat.Uid) != os.Geteuid() {
		return "", false
	}
	text, err := os.ReadFile(filepath.Join(folder, ownerName))
	if err != nil {
		return "", false
	}
	owner, run, _ := strings.Cut(string(text), "\n")
	alive, known := engine.OwnerAlive(owner)
	return strings.TrimSpace(run), known && !alive
}

// space is a space or a group. A group shares the folder of its space.
type space struct {
	engine *Engine
	folder string
	run    string
	group  bool
	tree   *engine.Tree[container]
}

func (s *space) Group(ctx context.Context) (engine.Space, error) {
	tree, err := s.tree.Group(ctx)
	if err != nil {
		return nil, err
	}
	group := *s
	group.group, group.tree = true, tree
	return &group, nil
}

// Keep always returns an error, because the processes end with this one.
func (s *space) Keep(context.Context) ([]engine.Kept, error) {
	return nil, errors.New("the engine local keeps nothing running: its processes end with benchbook; use the engine " +
		"docker to look at them later")
}

func (s *space) Start(ctx context.Context, service engine.Service) (engine.Container, error) {
	c, err := s.tree.Start(ctx, service.Name, func() (*container, error) { return s.start(service) },
		func(c *container) error { return engine.WaitReady(ctx, service, c) })
	if err != nil {
		return nil, err
	}
	return c, nil
}

// start starts a container. It returns one together with an error if the container must be removed.
func (s *space) start(service engine.Service) (*container, error) {
	c, err := newContainer(s, service)
	if err != nil {
		return nil, err
	}
	return c, c.start()
}

// names returns the names and aliases of the services in the space, which our own programs resolve.
func (s *space) names() (names []string) {
	for _, c := range s.tree.All() {
		names = append(append(names, c.Name()), c.service.Aliases...)
	}
	return names
}

func (s *space) Close(ctx context.Context) error {
	return s.tree.Close(ctx, func() error {
		if s.group {
			return nil
		}
		return files.RemoveAll(s.folder)
	})
}
