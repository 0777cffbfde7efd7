package docker

import (
	"context"
	"errors"
	"fmt"
	"path"

	api "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/client"
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
			// The engine would copy what the image has at the target into a volume that is empty.
			m.VolumeOptions = &mount.VolumeOptions{NoCopy: true}
			m.Source, err = s.filled(ctx, service.Image.ID, v.Files)
		case v.Name() != "":
			m.Source, err = s.volume(ctx, v.Name())
		}
		if err != nil {
			return nil, fmt.Errorf("volume %s: %w", v.Target, err)
		}
		mounts = append(mounts, m)
	}
	return mounts, nil
}

// volume finds a volume by its name, here or in the spaces around, or makes it here.
func (s *space) volume(ctx context.Context, name string) (id string, err error) {
	if s.outer != nil {
		s.outer.mu.Lock()
		defer s.outer.mu.Unlock()
		if id, known := s.outer.named[name]; known {
			return id, nil
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if id, known := s.named[name]; known {
		return id, nil
	}
	id = s.name + "-" + safeName(name)
	if s.outer != nil {
		id += suffix() // the space around may come to have one of this name
	}
	s.named[name] = id
	return id, s.makeVolume(ctx, id)
}

// makeVolume makes a volume that is removed with the space. The space is locked.
func (s *space) makeVolume(ctx context.Context, id string) error {
	s.volumes = append(s.volumes, id) // first, as the engine may have made it although the request failed
	_, err := s.engine.client.VolumeCreate(ctx, client.VolumeCreateOptions{Name: id, Labels: s.engine.labels(s.run)})
	return err
}

// filled makes a volume that holds files. The engine puts files only into containers, so one that is never started takes
// them in.
func (s *space) filled(ctx context.Context, image string, files []spec.File) (id string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id = s.name + "-files" + suffix()
	if err := s.makeVolume(ctx, id); err != nil || len(files) == 0 {
		return id, err
	}
	const inside = "/.benchbook"
	filling, err := s.engine.provider.CreateContainer(ctx, testcontainers.ContainerRequest{
		Name: id, Image: image, Labels: s.engine.labels(s.run), Entrypoint: []string{"never"},
		Files: containerFiles(inside, files),
		HostConfigModifier: func(config *api.HostConfig) {
			config.NetworkMode = "none"
			config.Mounts = []mount.Mount{{Type: mount.TypeVolume, Source: id, Target: inside,
				VolumeOptions: &mount.VolumeOptions{NoCopy: true}}}
		},
	})
	if filling != nil {
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
