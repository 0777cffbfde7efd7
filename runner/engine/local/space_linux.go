package local

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/google/renameio/v2"
	"golang.org/x/sys/unix"

	"benchbook/internal/files"
	"benchbook/notebook/spec"
	"benchbook/runner/config"
	"benchbook/runner/engine"
	"benchbook/runner/engine/kernel"
	"benchbook/runner/engine/readiness"
)

// space is the processes of a space. A space within another has the folder and the names of that one.
type space struct {
	engine *Engine
	folder string
	run    string
	names  *names
	outer  *space // nil for one that is within no other
	tree   *engine.Tree[running]
}

// names is the file of the names that our own programs find services by.
type names struct {
	file string

	mu    sync.Mutex
	there map[string][]string // the aliases of each service
}

// set adds a service and its aliases, or removes it if aliases is nil.
func (n *names) set(service string, aliases []string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.there, service)
	if aliases != nil {
		n.there[service] = aliases
	}
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(n.there)) {
		fmt.Fprintf(&text, "%s %s\n", loopback, strings.Join(append([]string{name}, n.there[name]...), " "))
	}
	return renameio.WriteFile(n.file, []byte(text.String()), 0o644) // whoever reads it finds all of them
}

// loopback is the address of all services.
const loopback = "127.0.0.1"

func (s *space) Group(ctx context.Context) (engine.Space, error) {
	return s.tree.Group(ctx, func(tree *engine.Tree[running]) (engine.Space, error) {
		return &space{engine: s.engine, folder: s.folder, run: s.run, names: s.names, outer: s, tree: tree}, nil
	})
}

// Keep refuses: the kernel ends what we have started when we end, so that a run that is killed leaves nothing.
func (s *space) Keep(context.Context) ([]engine.Kept, error) {
	return nil, errors.New("the engine local keeps nothing running: its processes end with benchbook; use the engine " +
		"docker to look at them later")
}

func (s *space) Start(ctx context.Context, service engine.Service) (engine.Container, error) {
	r, err := s.start(ctx, service, "", nil, nil, nil)
	if err == nil {
		err = readiness.Wait(ctx, service, r)
		if err != nil {
			return nil, errors.Join(engine.StartError(ctx, service.Name, err), s.discard(r))
		}
	}
	if err != nil {
		return nil, engine.StartError(ctx, service.Name, err)
	}
	return r, nil
}

func (s *space) Run(ctx context.Context, program engine.Program, started func(engine.Container)) (engine.Exit, error) {
	exit, err := s.runProgram(ctx, program, started)
	return exit, engine.RunError(ctx, program.Name, err)
}

func (s *space) runProgram(ctx context.Context, program engine.Program, started func(engine.Container)) (exit engine.Exit,
	err error) {
	stdout, stderr := &engine.Head{Limit: engine.MaxStdout, Full: program.Full}, &engine.Tail{Limit: engine.MaxStderr}
	r, err := s.start(ctx, program.Service(), program.Beside, program.Stdin, stdout, stderr)
	if err != nil {
		return exit, err
	}
	defer func() { err = errors.Join(err, s.discard(r)) }()
	if started != nil {
		started(r)
	}
	if _, err := r.process.wait(ctx); err != nil {
		return exit, err
	}
	return engine.Exit{Code: r.process.code, Stdout: stdout.Bytes(), Stderr: stderr.Bytes()}, nil
}

// start starts the process of a service or program. Beside names a service that has to be there; where stdout and
// stderr are nil, both go to the log alone.
func (s *space) start(ctx context.Context, service engine.Service, beside string, stdin io.Reader, stdout,
	stderr io.Writer) (*running, error) {
	leave, err := s.tree.Enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	if err := s.tree.Take(service.Name); err != nil {
		return nil, err
	}
	r := &running{Tree: kernel.NewTree(), space: s, service: service, log: engine.NewLog()}
	err = r.check()
	if found, _ := s.tree.Find(beside); err == nil && beside != "" && found == nil {
		err = fmt.Errorf("there is no service %q whose network it could share", beside)
	}
	if err == nil {
		err = r.start(stdin, stdout, stderr)
	}
	if err != nil {
		if refused := (*refusal)(nil); errors.As(err, &refused) {
			err = &engine.RejectedError{Name: service.Name, Err: refused.err}
		}
		return nil, errors.Join(err, s.discard(r))
	}
	s.tree.Put(service.Name, r)
	return r, nil
}

// discard removes what was started, or begun to be, at once.
func (s *space) discard(r *running) error {
	if err := r.remove(context.Background(), 0); err != nil {
		s.tree.Put(r.service.Name, r) // it stays written down, for Close to try again
		return err
	}
	s.tree.Free(r.service.Name)
	return nil
}

func (s *space) Close(ctx context.Context) error {
	return s.tree.Close(ctx, func(r *running) error { return r.remove(ctx, r.service.StopGrace) }, func() error {
		if s.outer != nil {
			return nil
		}
		return files.RemoveAll(s.folder)
	})
}

// shares says whether another service here, or in a space around, is found by a name.
func (s *space) shares(alias string) bool {
	for around := s; around != nil; around = around.outer {
		if slices.ContainsFunc(around.tree.All(), func(r *running) bool {
			return r.service.Name == alias || slices.Contains(r.service.Aliases, alias)
		}) {
			return true
		}
	}
	return false
}

// running is a service or program of a space.
type running struct {
	*kernel.Tree
	space   *space
	service engine.Service
	log     *engine.Log
	folder  string            // private, below that of the space
	files   map[string]string // what was put there, by the path that the service knows it by
	process *process
}

// check refuses what processes without containers cannot have, rather than to leave it out.
func (r *running) check() error {
	service := r.service
	if service.Image.ID == "" {
		return errors.New("its image was not prepared")
	}
	if keys := service.NeedsContainer(); len(keys) > 0 {
		return refusef("without containers it cannot have %s: remove it, or use the engine docker", strings.Join(keys, ", "))
	}
	for _, f := range service.Configs {
		if !path.IsAbs(f.Path) {
			return fmt.Errorf("file %q: a path in a service is absolute", f.Path)
		}
	}
	for _, alias := range service.Aliases {
		if r.space.shares(alias) {
			return refusef("the engine local finds one service by a name, and %q is one of several: use the engine docker",
				alias)
		}
	}
	if _, err := stopSignal(service.StopSignal); err != nil {
		return err
	}
	cpus, err := kernel.ParseCPUs(service.CPUSet)
	if err == nil {
		err = kernel.Online("/", cpus)
	}
	if service.CPUSet != "" && err != nil {
		return refusef("Requested CPUs are not available - requested %s: %w", service.CPUSet, err)
	}
	return r.checkPorts()
}

// checkPorts refuses a service whose ports somebody else has: that one would be measured in its place.
func (r *running) checkPorts() error {
	open, err := kernel.Of("/proc/self").Listeners()
	if err != nil {
		return err
	}
	for _, at := range open {
		if slices.Contains(r.service.Expose, int(at.Port())) {
			return refusef("port %d is in use on this machine, and services without containers share its ports: "+
				"stop what listens there, or take another port", at.Port())
		}
	}
	return nil
}

// stopSignal reads the name or number of a signal, with or without SIG.
func stopSignal(name string) (syscall.Signal, error) {
	if name == "" {
		return syscall.SIGTERM, nil
	}
	if s := unix.SignalNum("SIG" + strings.TrimPrefix(strings.ToUpper(name), "SIG")); s != 0 {
		return s, nil
	}
	if number, err := strconv.Atoi(name); err == nil && number > 0 && number <= 64 {
		return syscall.Signal(number), nil
	}
	return 0, refusef("Invalid signal: %s", name)
}

// start makes the folder of the process, and the process.
func (r *running) start(stdin io.Reader, stdout, stderr io.Writer) error {
	args := slices.Concat(r.service.Entrypoint, r.service.Command)
	r.files = map[string]string{}
	if r.service.Image.Reference != machineReference {
		program, ok := r.space.engine.program(r.service.Image.Reference)
		if !ok {
			return fmt.Errorf("there is no program %s: it was prepared by another engine", r.service.Image.Reference)
		}
		r.files["/"+program.name] = program.file
		if r.service.Entrypoint == nil {
			args = append([]string{program.file}, args...)
		}
	}
	if len(args) == 0 {
		return refusef("there is nothing to run: add a command")
	}
	var err error
	if r.folder, err = os.MkdirTemp(r.space.folder, "process-*"); err != nil {
		return err
	}
	if err := os.Chmod(r.folder, 0o755); err != nil {
		return err
	}
	for _, file := range r.service.Configs {
		name := filepath.Join(r.folder, path.Clean(file.Path))
		if err := writeFile(name, file); err != nil {
			return refusef("file %s: %w", file.Path, err)
		}
		r.files[path.Clean(file.Path)] = name
	}
	l := launch{stdin: stdin, stdout: r.log, stderr: r.log, args: args}
	if stdout != nil {
		l.stdout, l.stderr = io.MultiWriter(stdout, r.log), io.MultiWriter(stderr, r.log)
	}
	if err := r.fill(&l, nil, ""); err != nil {
		return err
	}
	if r.process, err = l.start(); err != nil {
		return err
	}
	return r.space.names.set(r.service.Name, append([]string{}, r.service.Aliases...))
}

// writeFile puts a file where it belongs.
func writeFile(name string, file spec.File) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(name, file.Data, file.Mode()); err != nil {
		return err
	}
	return os.Chmod(name, file.Mode()) // whatever the umask says
}

// Variables that all of our processes have, by which they are found again.
const (
	ownerVariable   = "BENCHBOOK_OWNER"   // the process that started it, as engine.Owner gives it
	runVariable     = "BENCHBOOK_RUN"     // the run
	serviceVariable = "BENCHBOOK_SERVICE" // its folder
)

// fill gives a launch what all processes of the service have. What they name by the paths of its files gets those that
// the files have.
func (r *running) fill(l *launch, further []string, folder string) error {
	l.tree = r.Tree
	l.order.Ulimits = r.service.Ulimits
	l.order.CPUs, _ = kernel.ParseCPUs(r.service.CPUSet) // it was checked
	names, values := engine.Variables(slices.Concat(r.space.engine.environment, r.service.Environment, further))
	for _, name := range names {
		l.env = append(l.env, name+"="+r.place(values[name]))
	}
	l.env = append(l.env, ownerVariable+"="+engine.Owner(), runVariable+"="+r.space.run, serviceVariable+"="+r.folder,
		config.NamesVariable+"="+r.space.names.file)
	for i, arg := range l.args {
		l.args[i] = r.place(arg)
	}
	l.folder = r.folder
	if wanted := cmp.Or(folder, r.service.WorkingDir); wanted != "" {
		l.folder = filepath.Join(r.folder, wanted) // where files of its own are
		if !isFolder(l.folder) {
			l.folder = wanted
		}
		if !isFolder(l.folder) {
			return refusef("working directory: there is no folder %s on this machine", wanted)
		}
	}
	return nil
}

func isFolder(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

// A path stands in a text between other characters than these, and may follow a flag of one letter, or slashes.
var word, first = regexp.MustCompile(`[\pL\pN_./~%+-]+`), regexp.MustCompile(`^(-\pL|/+)?(/.*)$`)

// place puts the paths of files in the place of those that the service knows them by.
func (r *running) place(text string) string {
	return cmp.Or(r.files[text], word.ReplaceAllStringFunc(text, func(word string) string {
		if m := first.FindStringSubmatch(word); m != nil && r.files[m[2]] != "" {
			return m[1] + r.files[m[2]]
		}
		return word
	}))
}

func (r *running) Name() string { return r.service.Name }

func (r *running) Logs(context.Context) ([]byte, error) { return r.log.Bytes(), nil }

func (r *running) Ended(context.Context) (engine.Exit, bool, error) {
	select {
	case <-r.process.done:
		return engine.Exit{Code: r.process.code}, true, nil
	default:
		return engine.Exit{}, false, nil
	}
}

// Exec runs a command, which ends with the service. One that cannot be started ends with status 127, as in a shell.
func (r *running) Exec(ctx context.Context, command engine.Command) (engine.Exit, error) {
	if len(command.Args) == 0 {
		return engine.Exit{}, fmt.Errorf("running a command in %s: it is empty", r.service.Name)
	}
	stdout, stderr := &engine.Head{Limit: engine.MaxStdout}, &engine.Tail{Limit: engine.MaxStderr}
	l := launch{args: slices.Clone(command.Args), stdout: stdout, stderr: stderr}
	if len(command.Stdin) > 0 {
		l.stdin = bytes.NewReader(command.Stdin)
	}
	err := r.fill(&l, command.Environment, command.WorkingDir)
	var p *process
	if err == nil {
		p, err = l.start()
	}
	if refused := (*refusal)(nil); errors.As(err, &refused) {
		return engine.Exit{Code: 127, Stderr: []byte(refused.Error() + "\n")}, nil
	}
	if err == nil {
		select {
		case <-p.done:
		case <-r.process.done: // with which it ends
			p.signal(syscall.SIGKILL)
			<-p.done
		case <-ctx.Done():
			p.signal(syscall.SIGKILL)
			err = context.Cause(ctx)
		}
	}
	if err != nil {
		return engine.Exit{}, fmt.Errorf("running %q in %s: %w", command.Args, r.service.Name, err)
	}
	return engine.Exit{Code: p.code, Stdout: stdout.Bytes(), Stderr: stderr.Bytes()}, nil
}

func (r *running) Wait(ctx context.Context) (int, error) {
	return r.process.wait(ctx)
}

func (r *running) Reach(context.Context) (readiness.Dial, error) {
	return func(ctx context.Context, port int) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(loopback, strconv.Itoa(port)))
	}, nil
}

// Follow has both streams as one, as they are kept.
func (r *running) Follow(ctx context.Context, stdout, _ io.Writer) error {
	return r.log.Follow(ctx, r.process.done, stdout)
}

// remove ends the process, and with it all that it has started, and removes its folder. Grace is how long it may take
// to end by itself, and so is the context: then it is killed. It may have been begun to be made only, or have been
// removed already.
func (r *running) remove(ctx context.Context, grace time.Duration) error {
	if r.process != nil {
		r.end(ctx, grace)
		if err := r.space.names.set(r.service.Name, nil); err != nil {
			return err
		}
	}
	if err := files.RemoveAll(r.folder); err != nil {
		return fmt.Errorf("removing %s: %w", r.service.Name, err)
	}
	return nil
}

// end gives the process its time, and kills it then, with commands that still run in it.
func (r *running) end(ctx context.Context, grace time.Duration) {
	if grace > 0 {
		signal, _ := stopSignal(r.service.StopSignal) // it was checked
		r.process.signal(signal)
		bounded, cancel := context.WithTimeout(ctx, grace)
		defer cancel()
		if _, err := r.process.wait(bounded); err == nil {
			return
		}
	}
	r.process.signal(syscall.SIGKILL)
	<-r.process.done
}
