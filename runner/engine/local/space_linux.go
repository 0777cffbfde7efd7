package local

import (
	"context"
	"errors"

	"benchbook/internal/files"
	"benchbook/runner/engine"
)

// space is the processes of a space, or of a group, which has the folder of its space.
type space struct {
	engine *Engine
	folder string
	run    string
	group  bool
	tree   *engine.Tree[container]
}

func (s *space) Group(ctx context.Context) (engine.Space, error) {
	tree, err := s.tree.Group(ctx)
	if err != nil {
		return nil, err
	}
	group := *s
	group.group, group.tree = true, tree
	return &group, nil
}

// Keep refuses: the processes of a killed run must end with it.
func (s *space) Keep(context.Context) ([]engine.Kept, error) {
	return nil, errors.New("the engine local keeps nothing running: its processes end with benchbook; use the engine " +
		"docker to look at them later")
}

func (s *space) Start(ctx context.Context, service engine.Service) (engine.Container, error) {
	c, err := s.tree.Start(ctx, service.Name, func() (*container, error) { return s.start(service) },
		func(c *container) error { return engine.WaitReady(ctx, service, c) })
	if err != nil {
		return nil, err
	}
	return c, nil
}

// start starts a container. One comes back with an error too, if it is there to be removed.
func (s *space) start(service engine.Service) (*container, error) {
	c, err := newContainer(s, service)
	if err != nil {
		return nil, err
	}
	return c, c.start()
}

// names are those by which our own programs find the services of the space.
func (s *space) names() (names []string) {
	for _, c := range s.tree.All() {
		names = append(append(names, c.Name()), c.service.Aliases...)
	}
	return names
}

func (s *space) Close(ctx context.Context) error {
	return s.tree.Close(ctx, func() error {
		if s.group {
			return nil
		}
		return files.RemoveAll(s.folder)
	})
}
