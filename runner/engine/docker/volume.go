package docker

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/client"

	"benchbook/notebook/spec"
	"benchbook/runner/engine"
)

// mounts makes what a service asks for of volumes available.
func (s *space) mounts(ctx context.Context, service engine.Service) ([]mount.Mount, error) {
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
			m.Source, err = s.filled(ctx, service, v.Files)
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
func (s *space) volume(ctx context.Context, name string) (string, error) {
	s.making.Lock()
	defer s.making.Unlock()
	for around := s; around != nil; around = around.outer {
		around.mu.Lock()
		id, known := around.named[name]
		around.mu.Unlock()
		if known {
			return id, nil
		}
	}
	id := s.name + "-" + safeName(name)
	if s.outer != nil {
		id += "-" + strings.ToLower(rand.Text()[:6]) // the space around may come to have one of this name
	}
	if err := s.makeVolume(ctx, id); err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.named[name] = id
	return id, nil
}

// makeVolume makes a volume that is removed with the space.
func (s *space) makeVolume(ctx context.Context, id string) error {
	// Written down first: the engine may have made it also if it does not say so.
	s.mu.Lock()
	s.volumes = append(s.volumes, id)
	s.mu.Unlock()
	_, err := s.engine.client.VolumeCreate(ctx, client.VolumeCreateOptions{Name: id, Labels: s.engine.labels(s.run)})
	return err
}

// filled makes a volume that holds files. A container that is never started takes them in: the engine puts files only
// into containers.
func (s *space) filled(ctx context.Context, service engine.Service, files []spec.File) (id string, err error) {
	id = s.name + "-files-" + strings.ToLower(rand.Text()[:6])
	if err := s.makeVolume(ctx, id); err != nil || len(files) == 0 {
		return id, err
	}
	const inside = "/.benchbook"
	created, err := s.engine.client.ContainerCreate(ctx, client.ContainerCreateOptions{
		Name:   id,
		Config: &container.Config{Image: service.Image.ID, Labels: s.engine.labels(s.run), Entrypoint: []string{"never"}},
		HostConfig: &container.HostConfig{NetworkMode: "none", Mounts: []mount.Mount{{
			Type: mount.TypeVolume, Source: id, Target: inside, VolumeOptions: &mount.VolumeOptions{NoCopy: true},
		}}},
	})
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, s.engine.client.removeContainer(ctx, created.ID)) }()
	return id, s.engine.client.copyFiles(ctx, created.ID, inside, files)
}

// removeVolumes removes the volumes of the space, whose containers are gone.
func (s *space) removeVolumes(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.volumes) > 0 {
		if err := s.engine.client.removeVolume(ctx, s.volumes[0]); err != nil {
			return fmt.Errorf("removing volume %s: %w", s.volumes[0], err)
		}
		s.volumes = s.volumes[1:]
	}
	return nil
}

// removeVolume removes a volume, which may be gone already.
func (d daemon) removeVolume(ctx context.Context, id string) error {
	if _, err := d.VolumeRemove(ctx, id, client.VolumeRemoveOptions{}); err != nil && !gone(err) {
		return err
	}
	return nil
}

// removeNetwork removes a network, which may be gone already.
func (d daemon) removeNetwork(ctx context.Context, id string) error {
	if _, err := d.NetworkRemove(ctx, id, client.NetworkRemoveOptions{}); err != nil && !gone(err) {
		return err
	}
	return nil
}
