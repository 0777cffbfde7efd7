package docker

import (
	"context"
	"errors"
	"fmt"
	"path"

	api "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/testcontainers/testcontainers-go"

	"benchbook/notebook/spec"
	"benchbook/runner/engine"
)

// mounts makes the volumes of a service.
func (s *space) mounts(ctx context.Context, service *engine.Service) ([]mount.Mount, error) {
	var mounts []mount.Mount
	for _, v := range service.Volumes {
		if !path.IsAbs(v.Target) {
			return nil, fmt.Errorf("volume %q: a path in a container is absolute", v.Target)
		}
		m := mount.Mount{Type: mount.TypeVolume, Target: v.Target, ReadOnly: v.ReadOnly}
		var err error
		switch {
		case v.Host != "":
			m.Type, m.Source = mount.TypeBind, v.Host
		case v.HasFiles():
			m.VolumeOptions = &mount.VolumeOptions{NoCopy: true} // of what the image has at the target
			m.Source, err = s.filled(ctx, service.Image.ID, v.Files)
		case v.Name() != "":
			m.VolumeOptions = &mount.VolumeOptions{Labels: s.engine.labels(s.run)} // it is made with the container
			m.Source = s.volume(v.Name())
		}
		if err != nil {
			return nil, fmt.Errorf("volume %s: %w", v.Target, err)
		}
		mounts = append(mounts, m)
	}
	return mounts, nil
}

// volume returns the engine's name of a volume of this space or one around it.
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
		id += suffix() // the space around may come to have one of this name
	}
	s.named[name], s.volumes = id, append(s.volumes, id)
	return id
}

// filled makes a volume that holds files. The engine puts files only into containers, so one that is never started takes
// them in.
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

// removeVolumes removes the volumes of the space, whose containers are gone.
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
