package docker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/engine/kernel"
)

// running is a container of a space.
type running struct {
	*kernel.Meter // fails with kernel.ErrElsewhere where the kernel's files cannot be read
	engine        *Engine
	name          string
	reached       []string // the names that it is reached by; none of a program
	id            string
	grace         time.Duration
}

func (r *running) Name() string { return r.name }

func (r *running) Logs(ctx context.Context) ([]byte, error) { return r.engine.client.logs(ctx, r.id) }

func (r *running) Ended(ctx context.Context) (engine.Exit, bool, error) {
	exit, ended, err := r.engine.client.ended(ctx, r.id)
	if err != nil {
		return exit, false, fmt.Errorf("looking at %s: %w", r.name, err)
	}
	return exit, ended, nil
}

// killed is the status of a process that was ended by SIGKILL, as the kernel does for lack of memory.
const killed = 137

// ended looks whether a container has ended. The engine may hear of the end before it hears that memory was the reason,
// so one with a limit that was killed is looked at again for two seconds.
func (d daemon) ended(ctx context.Context, id string) (engine.Exit, bool, error) {
	for looks := 1; ; looks++ {
		inspected, err := d.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
		if err != nil {
			return engine.Exit{}, false, err
		}
		state, host := inspected.Container.State, inspected.Container.HostConfig
		if state.Running {
			return engine.Exit{}, false, nil
		}
		isLate := state.ExitCode == killed && !state.OOMKilled && host != nil && host.Memory > 0
		if !isLate || looks == 40 || ctx.Err() != nil {
			return engine.Exit{Code: state.ExitCode, OutOfMemory: state.OOMKilled}, true, nil
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (r *running) Exec(ctx context.Context, command engine.Command) (engine.Exit, error) {
	exit, err := r.engine.client.exec(ctx, r.id, command)
	if err != nil {
		return exit, fmt.Errorf("running %q in %s: %w", command.Args, r.name, err)
	}
	return exit, nil
}

// remove stops and removes the container with its anonymous volumes. It may be gone already. Grace is how long it may
// take to end by itself, and so is the context: then it is killed. Removing it is not cancelled.
func (r *running) remove(ctx context.Context, grace time.Duration) error {
	r.Meter.Close()
	if grace > 0 {
		seconds := int((grace + time.Second - 1) / time.Second)
		// What cannot be stopped is removed all the same.
		_, _ = r.engine.client.ContainerStop(ctx, r.id, client.ContainerStopOptions{Timeout: &seconds})
	}
	ctx, cancel := uncancelled(ctx)
	defer cancel()
	if err := r.engine.client.removeContainer(ctx, r.id); err != nil {
		return fmt.Errorf("removing %s: %w", r.name, err)
	}
	return nil
}

// removeContainer kills and removes a container, with its anonymous volumes. It may be gone already.
func (d daemon) removeContainer(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	for {
		_, err := d.ContainerRemove(ctx, id, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
		if err == nil || gone(err) {
			return nil
		}
		if !passing(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(sweepPause):
		}
	}
}

// passing reports a refusal to remove a container that ends: somebody else may be removing or starting it.
func passing(err error) bool { return strings.Contains(err.Error(), "already in progress") }

func (d daemon) logs(ctx context.Context, id string) ([]byte, error) {
	stream, err := d.ContainerLogs(ctx, id, client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true})
	if err != nil {
		return nil, fmt.Errorf("reading the log: %w", err)
	}
	defer stream.Close()
	kept := &engine.Tail{Limit: engine.MaxLog}
	if _, err := stdcopy.StdCopy(kept, kept, stream); err != nil {
		return nil, fmt.Errorf("reading the log: %w", err)
	}
	return kept.Bytes(), nil
}

func (d daemon) exec(ctx context.Context, id string, command engine.Command) (engine.Exit, error) {
	created, err := d.ExecCreate(ctx, id, client.ExecCreateOptions{
		Cmd:          command.Args,
		Env:          command.Environment,
		WorkingDir:   command.WorkingDir,
		AttachStdin:  len(command.Stdin) > 0,
		AttachStdout: true,
		AttachStderr: true,
	})
	if err != nil {
		return engine.Exit{}, err
	}
	stream, err := d.ExecAttach(ctx, created.ID, client.ExecAttachOptions{})
	if err != nil {
		return engine.Exit{}, err
	}
	defer stream.Close()
	var stdin io.Reader
	if len(command.Stdin) > 0 {
		stdin = bytes.NewReader(command.Stdin)
	}
	collected := collect(stream.HijackedResponse, stdin, nil)
	select {
	case <-ctx.Done():
		return engine.Exit{}, context.Cause(ctx)
	case <-collected.done:
	}
	if collected.err != nil {
		return engine.Exit{}, fmt.Errorf("reading its output: %w", collected.err)
	}
	// The engine closes the stream a moment before it notes the exit.
	for {
		inspected, err := d.ExecInspect(ctx, created.ID, client.ExecInspectOptions{})
		if err != nil {
			return engine.Exit{}, err
		}
		if !inspected.Running {
			return engine.Exit{
				Code: inspected.ExitCode, Stdout: collected.stdout.Bytes(), Stderr: collected.stderr.Bytes(),
			}, nil
		}
		select {
		case <-ctx.Done():
			return engine.Exit{}, context.Cause(ctx)
		case <-time.After(time.Millisecond):
		}
	}
}

// collection is the output of a process while it is collected; its fields may be read when done is closed.
type collection struct {
	stdout *engine.Head
	stderr *engine.Tail
	err    error
	done   chan struct{}
}

// collect feeds a process that we are attached to and keeps its output, until the stream ends. It calls full as
// engine.Program has it.
func collect(stream client.HijackedResponse, stdin io.Reader, full func()) *collection {
	c := &collection{stdout: &engine.Head{Limit: engine.MaxStdout, Full: full},
		stderr: &engine.Tail{Limit: engine.MaxStderr}, done: make(chan struct{})}
	if stdin != nil {
		go func() {
			// A process need not read what it is given, so that errors here mean nothing.
			_, _ = io.Copy(stream.Conn, stdin)
			_ = stream.CloseWrite()
		}()
	}
	go func() {
		defer close(c.done)
		_, c.err = stdcopy.StdCopy(c.stdout, c.stderr, stream.Reader)
	}()
	return c
}

// containerSpec is what the containers of services and programs are made from.
type containerSpec struct {
	service engine.Service // a program is one that is never waited for
	reached []string       // the names of a service; none for a program
	beside  string         // the id of the container whose network namespace it shares
	known   []string       // names whose addresses it need not ask for, as "name:address"
	stdin   bool
}

// create makes a container without starting it. A container comes back with an error too, if it is there to be
// removed.
func (s *space) create(ctx context.Context, spec containerSpec) (testcontainers.Container, error) {
	service := spec.service
	image := service.Image.ID
	if image == "" {
		return nil, errors.New("its image was not prepared")
	}
	for _, file := range service.Configs {
		if !path.IsAbs(file.Path) {
			return nil, fmt.Errorf("file %q: a path in a container is absolute", file.Path)
		}
		if err := hidden(file.Path, service); err != nil {
			return nil, &engine.RejectedError{Name: service.Name, Err: err}
		}
	}
	mounts, err := s.mounts(ctx, service)
	if err != nil {
		return nil, err
	}
	if service.ReadOnly && len(service.Configs) > 0 {
		// The engine copies nothing into a container that is read-only, not even before it starts.
		derived, err := s.engine.images.withFiles(ctx, image, service.Name, service.Configs)
		if err != nil {
			return nil, err
		}
		image, service.Configs = derived, nil
	}
	labels := s.engine.labels(s.run)
	labels[engine.LabelService] = service.Name
	var host *container.HostConfig
	request := testcontainers.ContainerRequest{
		Image:      image,
		Name:       s.containerName(service.Name),
		Entrypoint: service.Entrypoint,
		Cmd:        service.Command,
		Labels:     labels,
		ConfigModifier: func(config *container.Config) {
			config.Hostname = service.Hostname
			config.Env = service.Environment // the library would lose its order
			config.WorkingDir = service.WorkingDir
			config.User = service.User
			config.StopSignal = service.StopSignal
			config.Healthcheck = &container.HealthConfig{Test: []string{"NONE"}}
			config.OpenStdin, config.StdinOnce, config.AttachStdin = spec.stdin, spec.stdin, spec.stdin
		},
		HostConfigModifier: func(config *container.HostConfig) {
			host = config
			s.configure(config, spec)
			config.Mounts = mounts
		},
		LifecycleHooks: []testcontainers.ContainerLifecycleHooks{{
			PreCreates: []testcontainers.ContainerRequestHook{
				func(context.Context, testcontainers.ContainerRequest) error {
					// The library has by now asked for every exposed port to be published, at any address.
					host.PortBindings = nil
					return nil
				},
			},
		}},
	}
	if spec.beside == "" {
		request.Networks = []string{s.name}
		request.NetworkAliases = map[string][]string{s.name: namesOf(service)}
	}
	for _, port := range service.Expose {
		request.ExposedPorts = append(request.ExposedPorts, strconv.Itoa(port)+"/tcp")
	}
	created, err := s.engine.provider.CreateContainer(ctx, request)
	if err == nil {
		err = s.engine.client.copyFiles(ctx, created.GetContainerID(), "/", service.Configs)
	}
	return created, err
}

// containerName is how the engine knows a container of this space.
func (s *space) containerName(service string) string { return s.name + "-" + safeName(service) }

// hidden says why a file that is put into a container before it starts would not be seen in it, or not get there.
func hidden(file string, service engine.Service) error {
	for _, tmpfs := range service.Tmpfs {
		if mount, _, _ := strings.Cut(tmpfs, ":"); strings.HasPrefix(file, strings.TrimSuffix(mount, "/")+"/") {
			return fmt.Errorf("file %s would be hidden by tmpfs %s", file, mount)
		}
	}
	for _, v := range service.Volumes {
		// An image with the files in it is made for a container that is read-only, and any volume lies over that.
		if (v.ReadOnly || v.HasFiles() || service.ReadOnly) && strings.HasPrefix(file, strings.TrimSuffix(v.Target, "/")+
			"/") {
			return fmt.Errorf("file %s cannot be put into the read-only volume %s", file, v.Target)
		}
	}
	return nil
}

// mostShares is the highest weight that the kernel gives a control group of version 1, and engines translate to that of
// version 2: 256 times that of others. A thread that wakes up then seldom waits for one of them.
const mostShares = 1 << 18

// configure sets everything about a container's surroundings.
func (s *space) configure(config *container.HostConfig, spec containerSpec) {
	service := spec.service
	config.LogConfig = container.LogConfig{
		Type: "json-file",
		// Two files, so that a mebibyte is there even after the first was given up; lines grow as JSON.
		Config: map[string]string{"max-size": "8m", "max-file": "2"},
	}
	config.CpusetCpus = service.CPUSet
	if service.First {
		config.CPUShares = mostShares
	}
	config.NanoCPUs = int64(service.CPUs * 1e9)
	config.Memory = service.Memory
	if most := service.MaxPIDs(); most > 0 {
		config.PidsLimit = &most
	}
	config.ShmSize = service.ShmSize
	config.CapAdd, config.CapDrop, config.SecurityOpt = service.CapAdd, service.CapDrop, service.SecurityOpt
	config.ReadonlyRootfs = service.ReadOnly
	if service.Init {
		config.Init = &service.Init
	}
	for _, name := range slices.Sorted(maps.Keys(service.Ulimits)) {
		limit := service.Ulimits[name]
		config.Ulimits = append(config.Ulimits, &container.Ulimit{Name: name, Soft: int64(limit.Soft),
			Hard: int64(limit.Hard)})
	}
	if len(service.Tmpfs) > 0 {
		config.Tmpfs = make(map[string]string)
		for _, tmpfs := range service.Tmpfs {
			mount, options, _ := strings.Cut(tmpfs, ":")
			config.Tmpfs[mount] = options
		}
	}
	config.Sysctls = maps.Clone(service.Sysctls)
	if spec.beside != "" {
		config.NetworkMode = container.NetworkMode("container:" + spec.beside)
		return
	}
	if config.Sysctls == nil {
		config.Sysctls = make(map[string]string)
	}
	if _, own := config.Sysctls[kernel.PortRange]; !own {
		config.Sysctls[kernel.PortRange] = fmt.Sprintf("%d %d", kernel.FirstPort, kernel.LastPort)
	}
	// The engine answers for names in the space. What it does not know must not be asked of the host's name server,
	// nor be looked for in the host's domains.
	config.DNS = []netip.Addr{s.names}
	config.DNSSearch = []string{"."}
	config.DNSOptions = []string{"timeout:1", "attempts:2"} // an engine may then not answer at all
	config.ExtraHosts = append(config.ExtraHosts, spec.known...)
}

// namesOf are the names that a service is reached by.
func namesOf(service engine.Service) []string {
	return append([]string{service.Name}, service.Aliases...)
}

// known are the names of the services of a space, and of those around it, each with its address. A program that looks
// up a name for every connection would otherwise have the engine's daemon work beside what is measured. A name that
// several have is left out: the engine takes turns with their addresses.
func (s *space) known(ctx context.Context) ([]string, error) {
	of := map[string][]string{}
	for around := s; around != nil; around = around.outer {
		for _, r := range around.tree.All() {
			if len(r.reached) == 0 {
				continue
			}
			inspected, err := s.engine.client.ContainerInspect(ctx, r.id, client.ContainerInspectOptions{})
			if err != nil && !gone(err) {
				return nil, err
			}
			address := ""
			if endpoint := inspected.Container.NetworkSettings; err == nil && endpoint != nil {
				if in, ok := endpoint.Networks[s.name]; ok && in.IPAddress.IsValid() {
					address = in.IPAddress.String()
				}
			}
			for _, name := range r.reached {
				of[name] = append(of[name], address)
			}
		}
	}
	var out []string
	for _, name := range slices.Sorted(maps.Keys(of)) {
		if addresses := of[name]; len(addresses) == 1 && addresses[0] != "" {
			out = append(out, name+":"+addresses[0])
		}
	}
	return out, nil
}

// copyFiles puts files below a folder of a container. Folders that are missing are made, those that are there stay as
// they are.
func (d daemon) copyFiles(ctx context.Context, id, folder string, files []spec.File) error {
	if len(files) == 0 {
		return nil
	}
	archive, err := tarFiles(files)
	if err != nil {
		return err
	}
	_, err = d.CopyToContainer(ctx, id, client.CopyToContainerOptions{DestinationPath: folder, Content: archive})
	if err != nil {
		return fmt.Errorf("copying files into it: %w", err)
	}
	return nil
}
