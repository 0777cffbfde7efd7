package local

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"benchbook/internal/files"
	"benchbook/runner/engine"
	"benchbook/runner/engine/kernel"
)

// Engine runs services as processes of this machine. It implements engine.Engine.
type Engine struct {
	parent      string // of all folders
	folder      string // of this engine: programs that were prepared
	environment []string

	mu       sync.Mutex
	programs map[string]program // by reference
}

// program is an executable that was prepared.
type program struct{ name, file string }

// New makes an engine. From then on, this process has the children that its own have left. The error wraps
// engine.ErrUnavailable if the folder cannot be written to.
func New(_ context.Context, o Options) (engine.Engine, error) {
	e := &Engine{parent: cmp.Or(o.Folder, os.Getenv("TMPDIR"), "/var/tmp"), environment: o.Environment,
		programs: make(map[string]program)}
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
	if err = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return nil, errors.Join(fmt.Errorf("starting the engine local: %w", err), e.Close())
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

// machineReference is the image of services that have none: the files of this machine.
const machineReference = "this machine"

// Prepare knows no images but executables of ours and the machine itself; of others the error is an *engine.ImageError.
func (e *Engine) Prepare(ctx context.Context, image engine.Image, _ io.Writer) (engine.Prepared, error) {
	const wayOut = "leave out image and build, so that its program is one of this machine, or use the engine docker"
	switch {
	case ctx.Err() != nil:
		return engine.Prepared{}, context.Cause(ctx)
	case !image.One():
		return engine.Prepared{}, errors.New("an image needs exactly one of a name, a build, an executable and the machine")
	case image.Name != "":
		return engine.Prepared{}, &engine.ImageError{Reference: image.Name, WayOut: wayOut,
			Err: fmt.Errorf("the engine local has no images, and so not %s", image.Name)}
	case image.Build != nil:
		return engine.Prepared{}, &engine.ImageError{Reference: image.Build.For, WayOut: wayOut,
			Err: fmt.Errorf("the engine local builds no images, and so not that of %s", image.Build.For)}
	case image.Machine:
		return engine.Prepared{Reference: machineReference, ID: machineReference}, nil
	}
	return e.prepare(image.Executable)
}

// prepare puts an executable where processes can be made of it.
func (e *Engine) prepare(executable *engine.Executable) (engine.Prepared, error) {
	sum := sha256.Sum256(append([]byte(executable.Name+"\x00"), executable.Data...))
	digest := hex.EncodeToString(sum[:])
	out := engine.Prepared{Reference: executable.Name + ":" + digest[:12], ID: "sha256:" + digest}
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, ok := e.programs[out.Reference]; ok {
		return out, nil
	}
	if filepath.Base(executable.Name) != executable.Name {
		return engine.Prepared{}, fmt.Errorf("invalid executable name %q", executable.Name)
	}
	file := filepath.Join(e.folder, digest)
	if err := os.WriteFile(file, executable.Data, 0o755); err != nil {
		return engine.Prepared{}, fmt.Errorf("preparing %s: %w", executable.Name, err)
	}
	e.programs[out.Reference], out.Built = program{executable.Name, file}, true
	return out, nil
}

func (e *Engine) Open(ctx context.Context, run string) (engine.Space, error) {
	if ctx.Err() != nil {
		return nil, fmt.Errorf("opening a space: %w", context.Cause(ctx))
	}
	folder, err := e.makeFolder(run)
	if err != nil {
		return nil, fmt.Errorf("opening a space: %w", err)
	}
	s := &space{engine: e, folder: folder, run: run, tree: engine.New[running]("space " + filepath.Base(folder)),
		names: &names{file: filepath.Join(folder, "hosts"), there: map[string][]string{}}}
	if err := s.names.set("", nil); err != nil {
		return nil, errors.Join(fmt.Errorf("opening a space: %w", err), files.RemoveAll(folder))
	}
	return s, nil
}

func (e *Engine) program(reference string) (p program, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	p, ok = e.programs[reference]
	return p, ok
}

func (e *Engine) Close() error { return files.RemoveAll(e.folder) }

// What lies in each of our folders beside the files of services, by which Sweep knows it.
const (
	folderPrefix = "benchbook-local-"
	ownerName    = "owner" // the process that made it, and the run, in a line each
)

// makeFolder makes a folder that says whose it is before it has any name that Sweep looks at.
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

// Sweep removes what killed processes have left: folders, one of each space, and what has let go of its parent there.
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
		run, abandoned := abandonedBy(folder)
		if !abandoned || !strings.HasPrefix(entry.Name(), folderPrefix) {
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

// sweepProcesses kills the processes of this user whose variables say that who started them has ended.
func sweepProcesses(dryRun bool) (leftovers []engine.Leftover) {
	for _, children := range kernel.Children() {
		for _, pid := range children {
			handle, err := unix.PidfdOpen(pid, 0) // what the number stands for from now on stays the same process
			if err != nil {
				continue // it has ended
			}
			_, variables := engine.Variables(environment(pid)) // of another user they are not told
			if alive, known := engine.OwnerAlive(variables[ownerVariable]); known && !alive && (dryRun ||
				unix.PidfdSendSignal(handle, unix.SIGKILL, nil, 0) == nil) {
				leftovers = append(leftovers, engine.Leftover{Kind: "process", Name: strconv.Itoa(pid),
					Run: variables[runVariable]})
			}
			_ = unix.Close(handle) // nothing was written to it
		}
	}
	return leftovers
}

// abandonedBy says whether a folder is ours, and the process that made it has ended; and of which run it was. Anybody
// may make folders where ours are, so only those of this user count.
func abandonedBy(folder string) (run string, ours bool) {
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
