package docker

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/containerd/errdefs"
	api "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/machine"
)

// request returns the library's request for a container.
func (s *space) request(ctx context.Context, c *container) (request testcontainers.ContainerRequest, err error) {
	service := &c.service
	image := service.Image.ID
	if image == "" {
		return request, errors.New("its image was not prepared")
	}
	if err := visible(service); err != nil {
		return request, err
	}
	host := api.HostConfig{}
	if host.Mounts, err = s.mounts(ctx, service); err != nil {
		return request, err
	}
	files := service.Configs
	if service.ReadOnly && len(files) > 0 {
		// The engine cannot copy files into a read-only container, not even before it starts.
		if image, err = s.engine.withFiles(ctx, image, service.Name, files); err != nil {
			return request, err
		}
		files = nil
	}
	request = testcontainers.ContainerRequest{
		Image: image, Name: s.containerName(service.Name), Entrypoint: service.Entrypoint, Cmd: service.Command,
		Labels: s.engine.labels(s.run),
		ConfigModifier: func(config *api.Config) {
			config.Hostname = service.Hostname
			config.Env = service.Environment // the library's Env is a map and loses the order
			config.WorkingDir = service.WorkingDir
			config.User = service.User
			config.StopSignal = service.StopSignal
			config.Healthcheck = &api.HealthConfig{Test: []string{"NONE"}}
		},
	}
	request.Labels[engine.LabelService] = service.Name
	limit(&host, service)
	request.Networks = []string{s.name}
	request.NetworkAliases = map[string][]string{s.name: append([]string{service.Name}, service.Aliases...)}
	s.connect(ctx, &host, service)
	var made *api.HostConfig
	request.HostConfigModifier = func(config *api.HostConfig) { *config, made = host, config }
	hooks := testcontainers.ContainerLifecycleHooks{
		PreCreates: []testcontainers.ContainerRequestHook{func(context.Context, testcontainers.ContainerRequest) error {
			made.PortBindings = nil // the library publishes the ports that the image exposes
			return nil
		}},
		PostCreates: []testcontainers.ContainerHook{func(ctx context.Context, created testcontainers.Container) error {
			return s.engine.copyFiles(ctx, created.GetContainerID(), "/", files)
		}},
	}
	if service.Ready.Log != "" {
		hooks.PreStarts = []testcontainers.ContainerHook{func(ctx context.Context, _ testcontainers.Container) error {
			return c.attachOutput(ctx)
		}}
	}
	request.LifecycleHooks = []testcontainers.ContainerLifecycleHooks{hooks}
	return request, nil
}

// visible returns an error if a config file would be hidden in the container, or cannot be copied there.
func visible(service *engine.Service) error {
	for _, file := range service.Configs {
		below := func(folder string) bool { return strings.HasPrefix(file.Path, strings.TrimSuffix(folder, "/")+"/") }
		if !path.IsAbs(file.Path) {
			return fmt.Errorf("file %q: a path in a container is absolute", file.Path)
		}
		for _, tmpfs := range service.Tmpfs {
			if mount, _, _ := strings.Cut(tmpfs, ":"); below(mount) {
				return engine.Refuse(service.Name, "file %s would be hidden by tmpfs %s", file.Path, mount)
			}
		}
		for _, v := range service.Volumes {
			// The files of a read-only container are in its image, so any volume hides them.
			if (v.ReadOnly || v.HasFiles() || service.ReadOnly) && below(v.Target) {
				return engine.Refuse(service.Name, "file %s cannot be put into the read-only volume %s", file.Path, v.Target)
			}
		}
	}
	return nil
}

// copyFiles copies files into a folder of a container. The library would compress them, which takes half a second for
// our program.
func (e *Engine) copyFiles(ctx context.Context, id, folder string, files []spec.File) error {
	if len(files) == 0 {
		return nil
	}
	files = slices.Clone(files)
	for i := range files {
		files[i].Path = strings.TrimPrefix(files[i].Path, "/")
	}
	archive, err := tarFiles(files)
	if err == nil {
		_, err = e.client.CopyToContainer(ctx, id, client.CopyToContainerOptions{DestinationPath: folder,
			Content: bytes.NewReader(archive)})
	}
	if err != nil {
		return fmt.Errorf("copying files into a container: %w", err)
	}
	return nil
}

// mostShares is the maximum CPU weight of a control group of version 1, which engines translate for version 2. It is
// 256 times the default, so that a thread that wakes up rarely waits for one of another group.
const mostShares = 1 << 18

// limit sets the resource limits and privileges of a container.
func limit(config *api.HostConfig, service *engine.Service) {
	config.LogConfig = api.LogConfig{
		Type: "json-file",
		// Two files, so that a mebibyte of log remains after a rotation. JSON makes lines longer.
		Config: map[string]string{"max-size": "8m", "max-file": "2"},
	}
	config.CpusetCpus = service.CPUSet
	if service.First {
		config.CPUShares = mostShares
	}
	config.NanoCPUs = int64(service.CPUs * 1e9)
	config.Memory = service.Memory
	if most := cmp.Or(service.PIDs, engine.DefaultPIDs); most > 0 { // -1: no limit
		config.PidsLimit = &most
	}
	config.ShmSize = service.ShmSize
	config.CapAdd, config.CapDrop, config.SecurityOpt = service.CapAdd, service.CapDrop, guarded(service.SecurityOpt)
	config.ReadonlyRootfs = service.ReadOnly
	if service.Init {
		config.Init = &service.Init
	}
	for _, name := range slices.Sorted(maps.Keys(service.Ulimits)) {
		u := service.Ulimits[name]
		config.Ulimits = append(config.Ulimits, &api.Ulimit{Name: name, Soft: int64(u.Soft), Hard: int64(u.Hard)})
	}
	config.Tmpfs = make(map[string]string)
	for _, tmpfs := range service.Tmpfs {
		mount, options, _ := strings.Cut(tmpfs, ":")
		config.Tmpfs[mount] = options
	}
}

// connect sets up the network of a container.
func (s *space) connect(ctx context.Context, config *api.HostConfig, service *engine.Service) {
	config.NetworkMode = api.NetworkMode(s.name) // the default has a route out, should this network be gone
	config.Sysctls = map[string]string{machine.PortRange: machine.AllPorts}
	maps.Copy(config.Sysctls, service.Sysctls)
	// The engine resolves the names of the space. Other names must reach neither the host's name server nor its search
	// domains.
	config.DNS = []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1})}
	config.DNSSearch = []string{"."}
	config.DNSOptions = []string{"timeout:1", "attempts:2"} // the engine may not answer
	if len(service.Expose) == 0 {
		config.ExtraHosts = s.known(ctx)
	}
}

// ownUser runs our own programs. It differs from 65534, nobody, because services may run as nobody and the kernel has
// limits per user, such as for the memory of pipes.
const ownUser = "65532:65532"

// unprivilegedPortStart is the kernel setting for the lowest port that any user may listen on.
const unprivilegedPortStart = "net.ipv4.ip_unprivileged_port_start"

// confine removes all privileges from one of our own programs.
func confine(service *engine.Service) {
	service.User, service.ReadOnly = ownUser, true
	service.CapAdd, service.CapDrop = nil, []string{"ALL"}
	service.SecurityOpt = nil
	sysctls := map[string]string{unprivilegedPortStart: "0"}
	maps.Copy(sysctls, service.Sysctls)
	service.Sysctls = sysctls
}

// noNewPrivileges is the security option that keeps programs from gaining privileges.
const noNewPrivileges = "no-new-privileges"

// guarded adds no-new-privileges to security options that do not mention it.
func guarded(options []string) []string {
	mentioned := slices.ContainsFunc(options, func(o string) bool { return strings.HasPrefix(o, noNewPrivileges) })
	if mentioned {
		return options
	}
	return append(slices.Clone(options), noNewPrivileges+":true")
}

// minReserve is the memory in bytes that containers leave to the machine at least, unless that is more than half.
const minReserve = 256 << 20

// defaultMemory returns the memory limit of a service on a machine with total bytes: all but a sixteenth, so that a
// leaking service is killed before the engine or benchbook. It returns 0, no limit, for an unknown total.
func defaultMemory(total int64) int64 {
	return total - min(max(total/16, minReserve), total/2)
}

var (
	// refusal matches the engine's messages about invalid requests that have no error status.
	refusal = regexp.MustCompile(
		`unable to find (user|group)|no matching entries in (passwd|group) file|Cannot mkdir: .* is not a directory|` +
			`requested CPUs are not available|invalid signal|OCI (runtime|permission)`)
	// shortage matches its messages about a machine that ran short of something, which have the same status.
	shortage = regexp.MustCompile(
		`no space left|[Cc]annot allocate memory|[Rr]esource temporarily unavailable|[Tt]oo many open files|` +
			`[Dd]evice or resource busy|all predefined address pools`)
	// stages matches the prefixes that the library, the engine and its runtime put before the cause.
	stages = regexp.MustCompile(`^(?s:.*)(?:Error response from daemon|OCI runtime create failed|runc create failed|` +
		`unable to start container process|error during container init): `)
)

// rejected turns an error about an invalid request into an *engine.RejectedError, and returns other errors unchanged.
func rejected(name string, err error) error {
	if err == nil || errors.As(err, new(*engine.RejectedError)) {
		return err
	}
	text := err.Error()
	if shortage.MatchString(text) || !errdefs.IsInvalidArgument(err) && !refusal.MatchString(text) {
		return err
	}
	text = strings.TrimSuffix(stages.ReplaceAllString(text, ""), ": unknown")
	return &engine.RejectedError{Name: name, Err: errors.New(text)}
}

// mounts returns the mounts of a service's volumes. It fills those with files.
func (s *space) mounts(ctx context.Context, service *engine.Service) ([]mount.Mount, error) {
	var mounts []mount.Mount
	for _, v := range service.Volumes {
		m := mount.Mount{Type: mount.TypeVolume, Target: v.Target, ReadOnly: v.ReadOnly}
		var err error
		switch {
		case v.Host != "":
			m.Type, m.Source = mount.TypeBind, v.Host
		case v.HasFiles():
			m.VolumeOptions = &mount.VolumeOptions{NoCopy: true} // do not copy the image's files at the target
			m.Source, err = s.filled(ctx, service.Image.ID, v.Files)
		case v.Name() != "":
			m.VolumeOptions = &mount.VolumeOptions{Labels: s.engine.labels(s.run)} // it is created with the container
			m.Source = s.volume(v.Name())
		}
		if err != nil {
			return nil, fmt.Errorf("volume %s: %w", v.Target, err)
		}
		mounts = append(mounts, m)
	}
	return mounts, nil
}

// volume returns the engine's name of a volume in this space or an outer one.
func (s *space) volume(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for around := s; around != nil; around = around.outer {
		if id, known := around.named[name]; known {
			return id
		}
	}
	id := s.name + "-" + safeName(name)
	if s.outer != nil {
		id += suffix() // the outer space may get a volume of this name later
	}
	s.named[name], s.volumes = id, append(s.volumes, id)
	return id
}

// filled creates a volume that holds files. The engine copies files only into containers, so filled uses one that is
// never started.
func (s *space) filled(ctx context.Context, image string, files []spec.File) (id string, err error) {
	id = s.name + "-files" + suffix()
	s.mu.Lock()
	s.volumes = append(s.volumes, id)
	s.mu.Unlock()
	const inside = "/.benchbook"
	filling, err := s.engine.provider.CreateContainer(ctx, testcontainers.ContainerRequest{
		Name: id, Image: image, Labels: s.engine.labels(s.run), Entrypoint: []string{"never"},
		HostConfigModifier: func(config *api.HostConfig) {
			config.NetworkMode = "none"
			config.Mounts = []mount.Mount{{Type: mount.TypeVolume, Source: id, Target: inside,
				VolumeOptions: &mount.VolumeOptions{NoCopy: true, Labels: s.engine.labels(s.run)}}}
		},
	})
	if filling != nil {
		if err == nil {
			err = s.engine.copyFiles(ctx, filling.GetContainerID(), inside, files)
		}
		err = errors.Join(err, s.engine.removeContainer(ctx, filling.GetContainerID()))
	}
	return id, err
}

// removeVolumes removes the volumes of the space after its containers.
func (s *space) removeVolumes(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.volumes) > 0 {
		if err := s.engine.removeVolume(ctx, s.volumes[0]); err != nil {
			return fmt.Errorf("removing volume %s: %w", s.volumes[0], err)
		}
		s.volumes = s.volumes[1:]
	}
	return nil
}
