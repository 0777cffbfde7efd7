package docker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"path"
	"slices"
	"strings"

	api "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/machine"
)

// request returns what the library makes a container from.
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
		// The engine copies nothing into a container that is read-only, not even before it starts.
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
			config.Env = service.Environment // the library's is a map, and loses its order
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
			made.PortBindings = nil // the library publishes what the image exposes
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

// visible returns an error if a file that is put into a container before it starts would not be seen in it, or not get
// there.
func visible(service *engine.Service) error {
	for _, file := range service.Configs {
		below := func(folder string) bool { return strings.HasPrefix(file.Path, strings.TrimSuffix(folder, "/")+"/") }
		if !path.IsAbs(file.Path) {
			return fmt.Errorf("file %q: a path in a container is absolute", file.Path)
		}
		for _, tmpfs := range service.Tmpfs {
			if mount, _, _ := strings.Cut(tmpfs, ":"); below(mount) {
				return &engine.RejectedError{Name: service.Name, Err: fmt.Errorf("file %s would be hidden by tmpfs %s",
					file.Path, mount)}
			}
		}
		for _, v := range service.Volumes {
			// The files of a read-only container are in its image, which any volume hides.
			if (v.ReadOnly || v.HasFiles() || service.ReadOnly) && below(v.Target) {
				return &engine.RejectedError{Name: service.Name, Err: fmt.Errorf(
					"file %s cannot be put into the read-only volume %s", file.Path, v.Target)}
			}
		}
	}
	return nil
}

// copyFiles puts files into a folder of a container. The library would compress them, which takes half a second for our
// program.
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

// mostShares is the highest CPU weight that the kernel gives a control group of version 1, and engines translate to that
// of version 2: 256 times the usual one. A thread that wakes up then seldom waits for one of another group.
const mostShares = 1 << 18

// limit sets what a container may use.
func limit(config *api.HostConfig, service *engine.Service) {
	config.LogConfig = api.LogConfig{
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
	config.CapAdd, config.CapDrop, config.SecurityOpt = service.CapAdd, service.CapDrop, guarded(service.SecurityOpt)
	config.ReadonlyRootfs = service.ReadOnly
	if service.Init {
		config.Init = &service.Init
	}
	for _, name := range slices.Sorted(maps.Keys(service.Ulimits)) {
		u := service.Ulimits[name]
		config.Ulimits = append(config.Ulimits, &api.Ulimit{Name: name, Soft: int64(u.Soft), Hard: int64(u.Hard)})
	}
	for _, tmpfs := range service.Tmpfs {
		mount, options, _ := strings.Cut(tmpfs, ":")
		if config.Tmpfs == nil {
			config.Tmpfs = make(map[string]string)
		}
		config.Tmpfs[mount] = options
	}
	config.Sysctls = maps.Clone(service.Sysctls)
}

// connect puts a container into the network of the space.
func (s *space) connect(ctx context.Context, config *api.HostConfig, service *engine.Service) {
	config.NetworkMode = api.NetworkMode(s.name) // else one that leads out, should somebody have removed this one
	if config.Sysctls == nil {
		config.Sysctls = make(map[string]string)
	}
	if _, own := config.Sysctls[machine.PortRange]; !own {
		config.Sysctls[machine.PortRange] = machine.AllPorts
	}
	// The engine answers for the names of the space. Other names must not be asked of the host's name server, nor be looked
	// for in the host's domains.
	config.DNS = []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1})}
	config.DNSSearch = []string{"."}
	config.DNSOptions = []string{"timeout:1", "attempts:2"} // the engine may not answer at all
	if len(service.Expose) == 0 {
		config.ExtraHosts = s.known(ctx)
	}
}
