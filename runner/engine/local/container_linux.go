package local

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"benchbook/internal/files"
	"benchbook/internal/proc"
	"benchbook/internal/slice"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/machine"
)

// container is a service of a space. It implements engine.Container and engine.Probed.
type container struct {
	*Tree
	space   *space
	service engine.Service
	folder  string            // private, in the space's folder
	built   string            // the folder of its build; empty without one
	files   map[string]string // real paths of its files, by their paths in the service
	log     log
	first   *process
	ended   bool // nothing more may be started; guarded by starting
}

// log keeps the end of a container's output. It also copies everything to follow, until its reader closes that.
type log struct {
	engine.Tail
	read   *io.PipeReader // nil without a follower
	follow *io.PipeWriter
}

func (l *log) Write(p []byte) (int, error) {
	n, err := l.Tail.Write(p)
	if l.follow != nil {
		_, _ = l.follow.Write(p) // it fails once the reader is done
	}
	return n, err
}

// Variables of all processes, by which they are found again.
const (
	ownerVariable   = "BENCHBOOK_OWNER"   // the process that started it, as engine.Owner gives it
	runVariable     = "BENCHBOOK_RUN"     // the run
	serviceVariable = "BENCHBOOK_SERVICE" // the folder of its container
)

// newContainer creates a container and its folder. It refuses settings that need real containers.
func newContainer(s *space, service engine.Service) (*container, error) {
	if err := s.check(service); err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp(s.folder, "process-*")
	if err != nil {
		return nil, err
	}
	c := &container{Tree: NewTree(serviceVariable + "=" + folder), space: s, service: service, folder: folder,
		files: map[string]string{}, log: log{Tail: engine.Tail{Limit: engine.MaxLog}}}
	if service.Ready.Log != "" && !service.Completes {
		c.log.read, c.log.follow = io.Pipe()
	}
	return c, nil
}

func (s *space) check(service engine.Service) error {
	if service.Image.ID == "" {
		return errors.New("its image was not prepared")
	}
	if keys := service.NeedsContainer(); len(keys) > 0 {
		return engine.Refuse(service.Name, "without containers it cannot have %s: remove it, or use the engine docker",
			strings.Join(keys, ", "))
	}
	for _, f := range service.Configs {
		if !path.IsAbs(f.Path) {
			return fmt.Errorf("file %q: a path in a service is absolute", f.Path)
		}
	}
	if stopSignal(service.StopSignal) == 0 {
		return engine.Refuse(service.Name, "Invalid signal: %s", service.StopSignal)
	}
	for _, taken := range s.names() {
		if slices.Contains(service.Aliases, taken) {
			return engine.Refuse(service.Name, "the engine local finds one service by a name, and %q is one of several: "+
				"use the engine docker", taken)
		}
	}
	cpus, ok := spec.ParseCPUSet(service.CPUSet)
	online := machine.OnlineCPUs("/")
	if service.CPUSet != "" && (!ok || slices.ContainsFunc(cpus, func(cpu int) bool { return !slices.Contains(online, cpu) })) {
		return engine.Refuse(service.Name, "Requested CPUs are not available - requested %s, available: %s", service.CPUSet,
			spec.CPUSet(online))
	}
	// Otherwise the program that has the port would be measured.
	open, err := machine.Listeners("/proc/self", nil)
	for _, at := range open {
		if slices.Contains(service.Expose, int(at.Port())) {
			return engine.Refuse(service.Name, "port %d is in use on this machine, and services without containers share its "+
				"ports: stop what listens there, or take another port", at.Port())
		}
	}
	return err
}

// stopSignal parses the name, with or without SIG, or number of a signal. It returns 0 for an unknown signal.
func stopSignal(name string) syscall.Signal {
	if name == "" {
		return syscall.SIGTERM
	}
	if number, err := strconv.Atoi(name); err == nil && number > 0 && number <= 64 {
		return syscall.Signal(number)
	}
	return unix.SignalNum("SIG" + strings.TrimPrefix(strings.ToUpper(name), "SIG"))
}

// start writes the files of the container and starts its first process.
func (c *container) start() error {
	args := slices.Concat(c.service.Entrypoint, c.service.Command)
	if folder, ok := strings.CutPrefix(c.service.Image.Reference, buildPrefix); ok {
		c.built = folder
	}
	if program, ok := strings.CutPrefix(c.service.Image.Reference, programPrefix); ok {
		c.files["/"+filepath.Base(program)] = program
		if c.service.Entrypoint == nil {
			args = append([]string{program}, args...)
		}
	}
	if len(args) == 0 {
		return engine.Refuse(c.Name(), "there is nothing to run: add a command")
	}
	if err := os.Chmod(c.folder, 0o755); err != nil {
		return err
	}
	for _, file := range c.service.Configs {
		name := filepath.Join(c.folder, path.Clean(file.Path))
		if err := writeFile(name, file); err != nil {
			return engine.Refuse(c.Name(), "file %s: %w", file.Path, err)
		}
		c.files[path.Clean(file.Path)] = name
	}
	p, err := c.run(engine.Command{Args: args}, &c.log, &c.log)
	if err != nil {
		return err
	}
	c.first = p
	if c.log.follow != nil {
		go func() {
			<-p.done
			_ = c.log.follow.Close() // closing a pipe cannot fail
		}()
	}
	return nil
}

func writeFile(name string, file spec.File) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(name, file.Data, file.Mode()); err != nil {
		return err
	}
	return os.Chmod(name, file.Mode()) // regardless of the umask
}

// run starts a process of the container. It replaces paths of the container's files in arguments and variables.
func (c *container) run(command engine.Command, stdout, stderr io.Writer) (*process, error) {
	names, values := engine.Variables(slices.Concat(c.space.engine.environment, c.service.Environment,
		command.Environment))
	env := make([]string, 0, len(names)+4)
	for _, name := range names {
		env = append(env, name+"="+c.place(values[name]))
	}
	env = append(env, ownerVariable+"="+engine.Owner(), runVariable+"="+c.space.run, serviceVariable+"="+c.folder,
		proc.NamesVariable+"="+strings.Join(c.space.names(), " "))
	folder := cmp.Or(c.built, c.folder)
	if wanted := cmp.Or(command.WorkingDir, c.service.WorkingDir); wanted != "" {
		folder = filepath.Join(folder, wanted) // prefer the container's own folder
		if !isFolder(folder) {
			folder = wanted
		}
		if !isFolder(folder) {
			return nil, engine.Refuse(c.Name(), "working directory: there is no folder %s on this machine", wanted)
		}
	}
	return c.launch(slice.Map(command.Args, c.place), env, folder, command.Stdin, stdout, stderr)
}

func isFolder(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

// Patterns for a word that may be a path, and for a path after a one-letter flag or extra slashes.
var word, first = regexp.MustCompile(`[\pL\pN_./~%+-]+`), regexp.MustCompile(`^(-\pL|/+)?(/.*)$`)

// place replaces paths of the container's files in a text by their real paths.
func (c *container) place(text string) string {
	return cmp.Or(c.files[text], word.ReplaceAllStringFunc(text, func(word string) string {
		if m := first.FindStringSubmatch(word); m != nil && c.files[m[2]] != "" {
			return m[1] + c.files[m[2]]
		}
		return word
	}))
}

func (c *container) Name() string { return c.service.Name }

func (c *container) Logs(context.Context) ([]byte, error) { return c.log.Bytes(), nil }

func (c *container) State(context.Context) (engine.State, error) {
	select {
	case <-c.first.done:
		return engine.State{Ended: true, Exit: engine.Exit{Code: c.first.code}}, nil
	default:
		return engine.State{CPUs: proc.Status(strconv.Itoa(c.first.cmd.Process.Pid), "Cpus_allowed_list")}, nil
	}
}

// Exec implements engine.Container. A command that cannot be started exits with status 127, as in a shell.
func (c *container) Exec(ctx context.Context, command engine.Command) (engine.Exit, error) {
	if len(command.Args) == 0 {
		return engine.Exit{}, fmt.Errorf("running a command in %s: it is empty", c.Name())
	}
	stdout := &engine.Head{Limit: engine.MaxStdout, Full: command.Full}
	stderr := &engine.Tail{Limit: engine.MaxStderr}
	p, err := c.run(command, stdout, stderr)
	if refused := (*engine.RejectedError)(nil); errors.As(err, &refused) {
		return engine.Exit{Code: 127, Stderr: []byte(refused.Err.Error() + "\n")}, nil
	}
	if err == nil {
		select {
		case <-p.done:
		case <-ctx.Done():
			p.signal(syscall.SIGKILL)
			err = context.Cause(ctx)
		}
	}
	if err != nil {
		return engine.Exit{}, fmt.Errorf("running %q in %s: %w", command.Args, c.Name(), err)
	}
	return engine.Exit{Code: p.code, Stdout: stdout.Bytes(), Stderr: stderr.Bytes()}, nil
}

func (c *container) Wait(ctx context.Context) (int, error) {
	select {
	case <-c.first.done:
		return c.first.code, nil
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
}

func (c *container) Reach(context.Context) (engine.Probe, error) {
	return engine.ProbeAt("127.0.0.1", c.Name()), nil
}

func (c *container) Follow(ctx context.Context, to io.Writer) error {
	stop := context.AfterFunc(ctx, func() { c.log.read.CloseWithError(context.Cause(ctx)) })
	defer stop()
	_, err := io.Copy(to, c.log.read)
	return errors.Join(err, c.log.read.Close())
}

// remove kills the processes of a container and removes its folder. If graceful, the first process gets its StopGrace
// to exit. remove may be called again.
func remove(ctx context.Context, c *container, graceful bool) error {
	if c.first != nil {
		if graceful && c.service.StopGrace > 0 {
			c.first.signal(stopSignal(c.service.StopSignal))
			bounded, cancel := context.WithTimeout(ctx, c.service.StopGrace)
			_, _ = c.Wait(bounded)
			cancel()
		}
		c.first.signal(syscall.SIGKILL)
		<-c.first.done
	}
	if err := files.RemoveAll(c.folder); err != nil {
		return fmt.Errorf("removing %s: %w", c.Name(), err)
	}
	return nil
}
