package local

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/shirou/gopsutil/v4/mem"
	"golang.org/x/sys/unix"

	"benchbook/runner/engine"
	"benchbook/runner/engine/kernel"
	"benchbook/runner/engine/spaces"
)

// Engine runs services as processes of this machine. It implements engine.Engine.
type Engine struct {
	parent  string // of all folders
	folder  string // of this engine: programs that were prepared
	mounts  []string
	facts   map[string]string
	version int // of control groups

	mu       sync.Mutex
	programs map[string]program // by reference
}

// program is an executable that was prepared.
type program struct{ name, file string }

// New makes an engine, once a process could be started in the way that all of them are. The error wraps
// engine.ErrUnavailable if this machine or this user cannot do that.
func New(ctx context.Context, o Options) (engine.Engine, error) {
	if os.Geteuid() != 0 {
		return nil, &unavailableError{"only root can isolate processes; run benchbook as root, or use the engine docker"}
	}
	e := &Engine{parent: cmp.Or(o.Folder, os.Getenv("TMPDIR"), "/var/tmp"), programs: make(map[string]program)}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("starting the engine local: %w", err)
	}
	e.mounts = otherMounts(string(mounts))
	if e.folder, err = e.makeFolder("programs"); err != nil {
		return nil, fmt.Errorf("starting the engine local: %w", err)
	}
	if err := e.try(ctx); err != nil {
		err = errors.Join(err, e.Close())
		if ctx.Err() != nil {
			return nil, fmt.Errorf("starting the engine local: %w", err)
		}
		return nil, &unavailableError{fmt.Sprintf("a process could not be started as required (%v); use a machine whose "+
			"root may make "+
			"namespaces, overlay mounts and control groups, which most containers do not allow, or the engine docker", err)}
	}
	if e.facts, err = e.findFacts(); err != nil {
		return nil, errors.Join(fmt.Errorf("starting the engine local: %w", err), e.Close())
	}
	return e, nil
}

// try runs a program that every machine has.
func (e *Engine) try(ctx context.Context) error {
	group, err := kernel.NewGroup("/", filepath.Base(e.folder))
	if err != nil {
		return err
	}
	e.version = group.Version()
	if err := group.Remove(); err != nil {
		return err
	}
	opened, err := e.Open(ctx, "trial")
	if err != nil {
		return err
	}
	exit, err := opened.Run(ctx, engine.Program{Name: "trial", Image: e.machine(), Entrypoint: []string{"true"}}, nil)
	if err == nil && exit.Code != 0 {
		err = fmt.Errorf("it ended with status %d", exit.Code)
	}
	return errors.Join(err, opened.Close(ctx))
}

func (e *Engine) Name() string { return Name }

// Facts implements engine.Engine. Memory is in bytes.
func (e *Engine) Facts(context.Context) (map[string]string, error) {
	return maps.Clone(e.facts), nil
}

func (e *Engine) findFacts() (map[string]string, error) {
	var names unix.Utsname
	if err := unix.Uname(&names); err != nil {
		return nil, err
	}
	memory, err := mem.VirtualMemory()
	if err != nil {
		return nil, err
	}
	release, err := os.ReadFile("/etc/os-release")
	if err != nil {
		release = nil // not every system has one
	}
	return map[string]string{
		"engine.name":           e.Name(),
		"engine.cgroup.version": strconv.Itoa(e.version),
		"engine.storage":        "overlay on " + fileSystem(e.parent),
		"engine.kernel":         unix.ByteSliceToString(names.Release[:]),
		"engine.os":             system(release),
		"engine.architecture":   unix.ByteSliceToString(names.Machine[:]),
		"engine.cpus":           strconv.Itoa(runtime.NumCPU()),
		"engine.memory":         strconv.FormatUint(memory.Total, 10),
		"engine.local":          "true",
	}, nil
}

// system is what a system calls itself in os-release(5).
func system(release []byte) string {
	for line := range bytes.Lines(release) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(string(line)), "PRETTY_NAME="); ok {
			return strings.Trim(name, `"'`)
		}
	}
	return "Linux"
}

// fileSystem names the kind of file system that a folder is on.
func fileSystem(folder string) string {
	var stat unix.Statfs_t
	if err := unix.Statfs(folder, &stat); err != nil {
		return "an unknown file system"
	}
	kinds := map[int64]string{unix.EXT4_SUPER_MAGIC: "ext4", unix.XFS_SUPER_MAGIC: "xfs", unix.BTRFS_SUPER_MAGIC: "btrfs",
		unix.TMPFS_MAGIC: "tmpfs"}
	return cmp.Or(kinds[int64(stat.Type)], fmt.Sprintf("file system %#x", stat.Type))
}

// machine is the image of services that have none: the files of this machine.
func (e *Engine) machine() engine.Prepared {
	return engine.Prepared{Reference: machineReference, ID: machineReference}
}

const machineReference = "this machine"

// Prepare implements engine.Engine. There are no images but executables of ours and the machine itself: of others the
// error is an *engine.ImageError that says so.
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
		return e.machine(), nil
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
	s := &space{engine: e, folder: folder, tree: spaces.New[running]("space " + filepath.Base(folder)),
		volumes: make(map[string]string)}
	if s.network, err = newNetwork(folder); err != nil {
		return nil, errors.Join(fmt.Errorf("opening a space: %w", err), os.RemoveAll(folder))
	}
	return s, nil
}

func (e *Engine) Close() error { return os.RemoveAll(e.folder) }

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
	if err := os.WriteFile(filepath.Join(hidden, ownerName), []byte(engine.Owner()+"\n"+run+"\n"), 0o600); err != nil {
		return "", errors.Join(err, os.RemoveAll(hidden))
	}
	folder := filepath.Join(e.parent, strings.TrimPrefix(filepath.Base(hidden), "."))
	if err := os.Rename(hidden, folder); err != nil {
		return "", errors.Join(err, os.RemoveAll(hidden))
	}
	return folder, nil
}

// Sweep implements engine.Engine. What processes that were killed have left are folders, each with the control groups,
// and what may be alive of the processes, of one space.
func (e *Engine) Sweep(ctx context.Context, dryRun bool) ([]engine.Leftover, error) {
	entries, err := os.ReadDir(e.parent)
	if err != nil {
		return nil, fmt.Errorf("looking for what was left behind: %w", err)
	}
	var leftovers []engine.Leftover
	var failures []error
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), folderPrefix) {
			continue
		}
		folder := filepath.Join(e.parent, entry.Name())
		if ctx.Err() != nil {
			return leftovers, errors.Join(append(failures, context.Cause(ctx))...)
		}
		run, abandoned := abandonedBy(folder)
		if !abandoned {
			continue
		}
		if !dryRun {
			if err := sweepFolder(folder); err != nil {
				failures = append(failures, fmt.Errorf("removing space %s: %w", filepath.Base(folder), err))
				continue
			}
		}
		leftovers = append(leftovers, engine.Leftover{Kind: "folder", Name: filepath.Base(folder), Run: run})
	}
	return leftovers, errors.Join(failures...)
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

// sweepFolder ends what is left of the processes of a space, and removes what there is of it.
func sweepFolder(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	var failures []error
	for _, entry := range entries {
		own := filepath.Join(folder, entry.Name())
		text, err := os.ReadFile(filepath.Join(own, processNote))
		switch {
		case errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR):
			err = nil // it never came to be, or is no folder of a process
		case err == nil:
			err = endProcess(strings.TrimSpace(string(text)))
		}
		if err == nil && entry.IsDir() {
			err = kernel.RemoveGroup("/", groupName(own))
		}
		failures = append(failures, err)
	}
	if err := errors.Join(failures...); err != nil {
		return err
	}
	return os.RemoveAll(folder)
}

// ending is how long a process that was killed may take to end.
const ending = 5 * time.Second

// endProcess kills a process, by what engine.OwnerOf has said of it, and so whatever it has started. It may have ended.
func endProcess(owner string) error {
	if alive, known := engine.OwnerAlive(owner); !alive || !known {
		return nil
	}
	parts := strings.Split(owner, ".")
	pid, err := strconv.Atoi(parts[2])
	if err != nil {
		return err
	}
	// What the number stands for from now on stays the same process; whether it is ours is asked once more.
	handle, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("killing process %d: %w", pid, err)
	}
	defer unix.Close(handle)
	if alive, _ := engine.OwnerAlive(owner); !alive {
		return nil
	}
	if err := unix.PidfdSendSignal(handle, unix.SIGKILL, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("killing process %d: %w", pid, err)
	}
	for deadline := time.Now().Add(ending); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if alive, _ := engine.OwnerAlive(owner); !alive {
			return nil
		}
	}
	return fmt.Errorf("process %d has not ended after it was killed", pid)
}
