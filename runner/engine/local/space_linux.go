package local

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"benchbook/runner/engine"
	"benchbook/runner/engine/kernel"
	"benchbook/runner/engine/output"
	"benchbook/runner/engine/readiness"
	"benchbook/runner/engine/spaces"
)

// space is a network and the processes in it. A space within another has the network of that one.
type space struct {
	engine  *Engine
	folder  string // private; of one within another, that of the outermost
	network *network
	outer   *space // nil for one that is within no other
	tree    *spaces.Tree[running]

	mu      sync.Mutex
	volumes map[string]string // folders, by name
}

// errKept is why nothing can be kept: the kernel ends what we have started when we end, so that a run that is killed
// leaves nothing.
var errKept = errors.New("the engine local keeps nothing running: its processes end with benchbook; use the engine " +
	"docker to look at them later")

func (s *space) Inner(ctx context.Context) (engine.Space, error) {
	return s.tree.Inner(ctx, func(tree *spaces.Tree[running]) (engine.Space, error) {
		return &space{engine: s.engine, folder: s.folder, network: s.network, outer: s, tree: tree,
			volumes: make(map[string]string)}, nil
	})
}

// Keep implements engine.Space: it refuses.
func (s *space) Keep(context.Context) ([]engine.Kept, error) { return nil, errKept }

func (s *space) Start(ctx context.Context, service engine.Service) (engine.Running, error) {
	r, err := s.start(ctx, service, "", nil, nil, nil)
	if err == nil {
		err = readiness.Wait(ctx, service, r)
		if err != nil {
			return nil, errors.Join(spaces.StartError(ctx, service.Name, err), s.discard(context.WithoutCancel(ctx), r))
		}
	}
	if err != nil {
		return nil, spaces.StartError(ctx, service.Name, err)
	}
	return r, nil
}

func (s *space) Run(ctx context.Context, program engine.Program, started func(engine.Running)) (engine.Exit, error) {
	exit, err := s.runProgram(ctx, program, started)
	return exit, spaces.RunError(ctx, program.Name, err)
}

func (s *space) runProgram(ctx context.Context, program engine.Program, started func(engine.Running)) (exit engine.Exit,
	err error) {
	stdout, stderr := &output.Head{Limit: output.MaxStdout}, &output.Tail{Limit: output.MaxStderr}
	service := program.Service()
	r, err := s.start(ctx, service, program.Beside, program.Stdin, stdout, stderr)
	if err != nil {
		return exit, err
	}
	defer func() { err = errors.Join(err, s.discard(context.WithoutCancel(ctx), r)) }()
	if started != nil {
		started(r)
	}
	select {
	case <-r.process.done:
	case <-ctx.Done():
		return exit, context.Cause(ctx)
	}
	return engine.Exit{Code: r.process.code, OutOfMemory: r.group.KilledForMemory(), Stdout: stdout.Bytes(),
		Stderr: stderr.Bytes()}, nil
}

// start starts the process of a service or program. Beside names whose network it has, if not one of its own; where
// stdout and stderr are nil, both go to the log alone.
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
	r := &running{space: s, service: service, log: newLog()}
	r.Meter = kernel.NewMeter(service.Name, service.Sysctls, func(context.Context) (*kernel.Files, error) {
		return r.group.Files(r.process.pid), nil
	})
	err = r.check()
	if err == nil && beside != "" {
		if r.beside, _ = s.tree.Find(beside); r.beside == nil {
			err = fmt.Errorf("there is no service %q whose network it could share", beside)
		}
	}
	if err == nil {
		err = r.start(stdin, stdout, stderr)
	}
	if err != nil {
		if refused := (*refusal)(nil); errors.As(err, &refused) {
			err = &engine.RejectedError{Name: service.Name, Err: refused.err}
		}
		return nil, errors.Join(err, s.discard(context.WithoutCancel(ctx), r))
	}
	s.tree.Put(service.Name, r)
	return r, nil
}

// discard removes what was started, or begun to be, at once.
func (s *space) discard(ctx context.Context, r *running) error {
	if err := r.remove(ctx, 0); err != nil {
		s.tree.Put(r.service.Name, r) // it stays written down, for Close to try again
		return err
	}
	s.tree.Free(r.service.Name)
	return nil
}

// volume finds the folder of a volume by its name, here or in the spaces around, or makes it here, and says whether it
// is new.
func (s *space) volume(name string) (folder string, isNew bool, err error) {
	for around := s; around != nil; around = around.outer {
		around.mu.Lock()
		folder := around.volumes[name]
		around.mu.Unlock()
		if folder != "" {
			return folder, false, nil
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if folder, err = os.MkdirTemp(s.folder, "volume-*"); err != nil {
		return "", false, err
	}
	s.volumes[name] = folder
	return folder, true, os.Chmod(folder, 0o755)
}

func (s *space) Close(ctx context.Context) error {
	return s.tree.Close(ctx, func(r *running) error { return r.remove(ctx, r.service.StopGrace) }, func() (err error) {
		for _, folder := range s.volumes {
			err = errors.Join(err, os.RemoveAll(folder))
		}
		if err != nil || s.outer != nil {
			return err
		}
		s.network.close()
		return os.RemoveAll(s.folder)
	})
}

// running is a service or program of a space.
type running struct {
	*kernel.Meter
	space      *space
	service    engine.Service
	beside     *running // whose network it has; nil for one of its own
	log        *log
	folder     string // private, below that of the space
	address    netip.Addr
	group      *kernel.Group
	namespaces map[string]*os.File
	process    *process
}

// processNote is a file in the folder of a process that says which one it is, as engine.OwnerOf gives it.
const processNote = "process"

// groupName is that of the control group of a process, by its folder.
func groupName(folder string) string {
	return filepath.Base(filepath.Dir(folder)) + "-" + filepath.Base(folder)
}

var notInFileName = regexp.MustCompile(`[^a-zA-Z0-9_.-]+`)

// check refuses what processes without containers cannot have, rather than to leave it out.
func (r *running) check() error {
	service := r.service
	if service.Image.ID == "" {
		return errors.New("its image was not prepared")
	}
	if err := checkPaths(service); err != nil {
		return err
	}
	for name := range service.Sysctls {
		if !ownSetting.MatchString(name) {
			return refusef("kernel setting %s is one of the whole machine for the engine local: those that begin with net. "+
				"are the service's own", name)
		}
	}
	for _, option := range service.SecurityOpt {
		if !slices.Contains(noNewPrivileges, option) {
			return refusef("the engine local has no security option %q, only no-new-privileges: use the engine docker", option)
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
	return nil
}

func checkPaths(service engine.Service) error {
	for _, f := range service.Configs {
		if !path.IsAbs(f.Path) {
			return fmt.Errorf("file %q: a path in a service is absolute", f.Path)
		}
	}
	for _, v := range service.Volumes {
		if !path.IsAbs(v.Target) {
			return fmt.Errorf("volume %q: a path in a service is absolute", v.Target)
		}
	}
	return nil
}

// ownSetting are the names of kernel settings that each network namespace has for itself.
var ownSetting = regexp.MustCompile(`^net(\.[a-zA-Z0-9_-]+)+$`)

// noNewPrivileges is how Docker and Compose write that option.
var noNewPrivileges = []string{"no-new-privileges", "no-new-privileges:true", "no-new-privileges=true"}

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

// stopSignal reads the name or number of a signal, with or without SIG.
func stopSignal(name string) (syscall.Signal, error) {
	if name == "" {
		return syscall.SIGTERM, nil
	}
	if s := unix.SignalNum("SIG" + strings.TrimPrefix(strings.ToUpper(name), "SIG")); s != 0 {
		return s, nil
	}
	var number int
	if n, err := fmt.Sscanf(name, "%d", &number); n == 1 && err == nil && number > 0 && number <= 64 {
		return syscall.Signal(number), nil
	}
	return 0, refusef("Invalid signal: %s", name)
}

// start makes everything around the process, and the process.
func (r *running) start(stdin io.Reader, stdout, stderr io.Writer) error {
	var err error
	name := notInFileName.ReplaceAllString(r.service.Name, "-")
	if r.folder, err = os.MkdirTemp(r.space.folder, "process-"+name+"-*"); err != nil {
		return err
	}
	if err := makeFolders(r.folder); err != nil {
		return err
	}
	if r.group, err = kernel.NewGroup("/", groupName(r.folder)); err != nil {
		return err
	}
	l := launch{clone: newNamespaces, stdin: stdin, stdout: r.log, stderr: r.log, prepare: r.surround}
	if stdout != nil {
		l.stdout, l.stderr = io.MultiWriter(stdout, r.log), io.MultiWriter(stderr, r.log)
	}
	if r.beside != nil {
		l.join = map[string]*os.File{"net": r.beside.namespaces["net"]}
	} else {
		l.clone |= syscall.CLONE_NEWNET
	}
	l.order = r.order()
	if err := r.surroundings(&l.order); err != nil {
		return err
	}
	if len(l.order.Args) == 0 {
		return refusef("there is nothing to run: add a command")
	}
	if r.process, err = l.start(); err != nil {
		return err
	}
	// Only now, as what the process was before it became the program could need more than the program may have.
	processes := r.service.MaxPIDs()
	if !r.group.LimitsProcesses() {
		if r.service.PIDs > 0 {
			return refusef("the kernel of this machine does not limit processes: remove pids_limit")
		}
		processes = 0
	}
	if err := r.group.Limit(r.service.CPUs, r.service.Memory, processes); err != nil {
		return &refusal{err}
	}
	return nil
}

// order is what a process of the service is to become, in surroundings that are there.
func (r *running) order() order {
	service := r.service
	o := order{
		Args: slices.Concat(service.Entrypoint, service.Command), Environment: slices.Concat(passedOn(), service.Environment),
		WorkingDir: service.WorkingDir, User: service.User, Ulimits: service.Ulimits, CapAdd: service.CapAdd,
		CapDrop:         service.CapDrop,
		NoNewPrivileges: len(service.SecurityOpt) > 0, Init: service.Init,
	}
	o.CPUs, _ = kernel.ParseCPUs(service.CPUSet) // it was checked
	return o
}

// surroundings adds to the order of the first process what it is to make around it.
func (r *running) surroundings(o *order) (err error) {
	service := r.service
	o.Surroundings = &surroundings{
		Folder: r.folder, Mounts: r.space.engine.mounts, Hosts: r.space.network.hosts, Hostname: cmp.Or(service.Hostname,
			service.Name),
		OwnNetwork: r.beside == nil, Sysctls: service.Sysctls, ShmSize: service.ShmSize, Tmpfs: service.Tmpfs,
		Files:    service.Configs,
		ReadOnly: service.ReadOnly,
	}
	if service.Image.Reference != machineReference {
		r.space.engine.mu.Lock()
		program, ok := r.space.engine.programs[service.Image.Reference]
		r.space.engine.mu.Unlock()
		if !ok {
			return fmt.Errorf("there is no program %s: it was prepared by another engine", service.Image.Reference)
		}
		o.Surroundings.Program, o.Surroundings.As = program.file, program.name
		if service.Entrypoint == nil {
			o.Args = append([]string{"/" + program.name}, service.Command...)
		}
	}
	o.Surroundings.Volumes, err = r.volumes()
	return err
}

// passedOn are the variables of this machine that services get: where programs are, and nothing that is anybody's own.
func passedOn() []string {
	return []string{"PATH=" + cmp.Or(os.Getenv("PATH"), "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")}
}

// volumes makes what the service asks for of volumes available.
func (r *running) volumes() ([]volume, error) {
	var volumes []volume
	for i, v := range r.service.Volumes {
		out := volume{Target: path.Clean(v.Target), ReadOnly: v.ReadOnly}
		var err error
		switch {
		case v.Host != "":
			out.Source = v.Host
		case v.HasFiles():
			out.ReadOnly, out.Source = true, filepath.Join(r.folder, fmt.Sprintf("files-%d", i))
			err = os.Mkdir(out.Source, 0o755)
			for _, f := range v.Files {
				err = errors.Join(err, writeFile(out.Source, f))
			}
		case v.Name() != "":
			out.Source, out.Fill, err = r.space.volume(v.Name())
		case r.service.ReadOnly:
			out.Fill, out.Source = true, filepath.Join(r.folder, fmt.Sprintf("own-%d", i))
			err = os.Mkdir(out.Source, 0o755)
		}
		// Else the service has it for itself, as it has everything that it writes.
		if err != nil {
			return nil, fmt.Errorf("volume %s: %w", v.Target, err)
		}
		volumes = append(volumes, out)
	}
	return volumes, nil
}

// surround puts a process that waits for its order where it belongs.
func (r *running) surround(pid int) (err error) {
	if err := os.WriteFile(filepath.Join(r.folder, processNote), []byte(engine.OwnerOf(pid)+"\n"), 0o600); err != nil {
		return err
	}
	if err := r.group.Add(pid); err != nil {
		return err
	}
	if r.namespaces, err = openNamespaces(pid); err != nil {
		return err
	}
	if r.beside != nil {
		r.address = r.beside.address
		return nil
	}
	if r.address, err = r.space.network.join(r.service.Name, r.service.Aliases); err != nil {
		return err
	}
	return r.space.network.connect(pid, r.namespaces["net"], r.service.Name)
}

func (r *running) Name() string { return r.service.Name }

func (r *running) Logs(context.Context) ([]byte, error) { return r.log.kept.Bytes(), nil }

func (r *running) Ended(context.Context) (engine.Exit, bool, error) {
	select {
	case <-r.process.done:
		return engine.Exit{Code: r.process.code, OutOfMemory: r.group.KilledForMemory()}, true, nil
	default:
		return engine.Exit{}, false, nil
	}
}

// Exec implements engine.Running and readiness.Probed. A command that cannot be started ends with status 127, as in a
// shell.
func (r *running) Exec(ctx context.Context, command engine.Command) (engine.Exit, error) {
	stdout, stderr := &output.Head{Limit: output.MaxStdout}, &output.Tail{Limit: output.MaxStderr}
	o := r.order()
	o.Init, o.Args, o.WorkingDir = false, command.Args, cmp.Or(command.WorkingDir, o.WorkingDir)
	o.Environment = append(o.Environment, command.Environment...)
	l := launch{order: o, join: r.namespaces, stdout: stdout, stderr: stderr, prepare: r.group.Add}
	if len(command.Stdin) > 0 {
		l.stdin = bytes.NewReader(command.Stdin)
	}
	if len(command.Args) == 0 {
		return engine.Exit{}, fmt.Errorf("running a command in %s: it is empty", r.service.Name)
	}
	p, err := l.start()
	if refused := (*refusal)(nil); errors.As(err, &refused) {
		return engine.Exit{Code: 127, Stderr: []byte(refused.Error() + "\n")}, nil
	}
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return engine.Exit{}, fmt.Errorf("running %q in %s: %w", command.Args, r.service.Name, err)
	}
	select {
	case <-p.done:
		return engine.Exit{Code: p.code, Stdout: stdout.Bytes(), Stderr: stderr.Bytes()}, nil
	case <-ctx.Done():
		p.signal(syscall.SIGKILL)
		return engine.Exit{}, fmt.Errorf("running %q in %s: %w", command.Args, r.service.Name, context.Cause(ctx))
	}
}

func (r *running) Wait(ctx context.Context) (int, error) {
	select {
	case <-r.process.done:
		return r.process.code, nil
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
}

// Reach implements readiness.Probed: ports are asked from within the service's own network.
func (r *running) Reach(context.Context) (readiness.Dial, error) {
	return func(ctx context.Context, port int) (net.Conn, error) {
		return dial(ctx, r.namespaces["net"], r.address, port)
	}, nil
}

// Follow implements readiness.Probed. Both streams are one, as they are kept.
func (r *running) Follow(ctx context.Context, stdout, _ io.Writer) error {
	return r.log.follow(ctx, r.process.done, stdout)
}

// remove ends the process, and with it all that it has started, and removes what there is of it. Grace is how long it
// may take to end by itself, and so is the context: then it is killed. It may have been begun to be made only, or have
// been removed already.
func (r *running) remove(ctx context.Context, grace time.Duration) error {
	r.Meter.Close()
	if r.process != nil {
		r.end(ctx, grace)
	}
	var failures []error
	if r.beside == nil && r.address.IsValid() {
		failures = append(failures, r.space.network.leave(r.service.Name))
	}
	closeAll(r.namespaces)
	if r.group != nil {
		failures = append(failures, r.group.Remove())
	}
	if r.folder != "" {
		failures = append(failures, os.RemoveAll(r.folder))
	}
	if err := errors.Join(failures...); err != nil {
		return fmt.Errorf("removing %s: %w", r.service.Name, err)
	}
	return nil
}

// end gives the process its time, and kills it then.
func (r *running) end(ctx context.Context, grace time.Duration) {
	if grace > 0 {
		signal, _ := stopSignal(r.service.StopSignal) // it was checked
		r.process.signal(signal)
		over := time.NewTimer(grace)
		defer over.Stop()
		select {
		case <-r.process.done:
			return
		case <-over.C:
		case <-ctx.Done():
		}
	}
	r.process.signal(syscall.SIGKILL)
	<-r.process.done
}
