// Package hosts makes one engine of several, each of which is on a machine of its own.
//
// What is started says on which host it runs, and with what on other hosts it has to do with (engine.Location); this
// package sends it to the engine of that host, and tells that one the addresses. Nothing of ours stands between two
// hosts: what passes is sent from machine to machine as they are connected.
//
// Images are made on the first host, which is our own machine wherever that is one of them, and brought to the others
// from there, so that all have the same. A space is one on every host on which something was started in it.
package hosts

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	"benchbook/runner/engine"
	"benchbook/slice"
)

// Engine is the engines of several hosts. It implements engine.Engine.
type Engine struct {
	hosts []engine.Host

	bringing sync.Mutex // held while an image is on its way

	mu     sync.Mutex
	copies map[string]map[string]string // ids of images, by host and by the id that they have where they were made
}

// New makes one engine of those of at least one host. Names are different; two names of the same engine are an error,
// as they would be one machine that is taken for two.
func New(list ...engine.Host) (*Engine, error) {
	if len(list) == 0 {
		return nil, errors.New("there is no host")
	}
	e := &Engine{hosts: slices.SortedFunc(slices.Values(list),
		func(a, b engine.Host) int { return cmp.Compare(a.Name, b.Name) }), copies: map[string]map[string]string{}}
	known := map[string]string{}
	for _, h := range e.hosts {
		locked, ok := h.Engine.(engine.Locked)
		if !ok {
			continue
		}
		if other, twice := known[locked.Identity()]; twice {
			return nil, fmt.Errorf("%s and %s are the same engine, and so the same machine: name one of them for everything "+
				"that runs there", words(other), words(h.Name))
		}
		known[locked.Identity()] = h.Name
	}
	return e, nil
}

// words names a host for people.
func words(host string) string { return engine.Host{Name: host}.String() }

// Name implements engine.Engine: that of its engines, which are of one kind.
func (e *Engine) Name() string { return e.hosts[0].Engine.Name() }

// host finds a host. The empty name is the first one where our own machine is none of them.
func (e *Engine) host(name string) (engine.Host, error) {
	for _, h := range e.hosts {
		if h.Name == name || name == "" {
			return h, nil
		}
	}
	return engine.Host{}, fmt.Errorf("there is no host %q", name)
}

// Facts implements engine.Engine: those of the first host, and those of all others below the name of each.
func (e *Engine) Facts(ctx context.Context) (map[string]string, error) {
	all := map[string]string{}
	for i, h := range e.hosts {
		facts, err := h.Engine.Facts(ctx)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", words(h.Name), err)
		}
		if i == 0 {
			maps.Copy(all, facts)
			continue
		}
		for name, value := range facts {
			all["hosts."+h.Name+"."+name] = value
		}
	}
	delete(all, "engine.local") // each is what it is
	return all, nil
}

// Maker implements engine.Delegating.
func (e *Engine) Maker() engine.Engine { return e.hosts[0].Engine }

func (e *Engine) Prepare(ctx context.Context, image engine.Image, log io.Writer) (engine.Prepared, error) {
	to := image.Hosts
	image.Hosts = nil
	prepared, err := e.Maker().Prepare(ctx, image, log)
	if err != nil {
		return prepared, err
	}
	for _, name := range to {
		if err := e.bring(ctx, prepared, name, log); err != nil {
			return prepared, fmt.Errorf("bringing the image %s to %s: %w", prepared.Reference, words(name), err)
		}
	}
	return prepared, nil
}

// bring brings an image from the first host to another, unless it is there already.
func (e *Engine) bring(ctx context.Context, image engine.Prepared, name string, log io.Writer) error {
	to, err := e.host(name)
	if err != nil || to.Name == e.hosts[0].Name || e.copyOn(to.Name, image) != "" {
		return err
	}
	source, canSave := e.Maker().(engine.Carrier)
	target, canLoad := to.Engine.(engine.Carrier)
	if !canSave || !canLoad {
		return fmt.Errorf("the engine %s has no images to bring", to.Engine.Name())
	}
	// One at a time: the same image may be wanted by several who prepare theirs at once, and all of them share the way.
	e.bringing.Lock()
	defer e.bringing.Unlock()
	id, here, err := target.Has(ctx, image)
	if err != nil {
		return err
	}
	if !here {
		fmt.Fprintf(log, "bringing %s to %s\n", image.Reference, words(name))
		saved, err := source.Save(ctx, image)
		if err != nil {
			return err
		}
		defer saved.Close()
		if id, err = target.Load(ctx, image, saved); err != nil {
			return err
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.copies[to.Name] == nil {
		e.copies[to.Name] = map[string]string{}
	}
	e.copies[to.Name][image.ID] = id
	return nil
}

// copyOn is the id of an image on a host; empty if it was not brought there.
func (e *Engine) copyOn(host string, image engine.Prepared) string {
	if host == e.hosts[0].Name {
		return image.ID
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.copies[host][image.ID]
}

// Sweep implements engine.Engine. A host that cannot be asked does not keep it from the others.
func (e *Engine) Sweep(ctx context.Context, dryRun bool) ([]engine.Leftover, error) {
	var all []engine.Leftover
	var failures []error
	for _, h := range e.hosts {
		found, err := h.Engine.Sweep(ctx, dryRun)
		for i := range found {
			found[i].Host = h.Name
		}
		all = append(all, found...)
		if err != nil {
			failures = append(failures, fmt.Errorf("%s: %w", words(h.Name), err))
		}
	}
	return all, errors.Join(failures...)
}

func (e *Engine) Close() error {
	failures := slice.Map(e.hosts, func(h engine.Host) error { return h.Engine.Close() })
	return errors.Join(failures...)
}

// location completes where something is with the addresses of hosts.
func (e *Engine) location(at engine.Location) (engine.Location, error) {
	address := func(host, why string) (string, error) {
		h, err := e.host(host)
		if err == nil && h.Address == "" {
			err = fmt.Errorf("%s has no address for other hosts, and %s: add it to hosts in benchbook.yaml, with its address",
				words(h.Name), why)
		}
		return h.Address, err
	}
	var err error
	if at.Published {
		if at.Address, err = address(at.Host, "what runs there is requested from other hosts"); err != nil {
			return at, err
		}
	}
	at.Peers = slices.Clone(at.Peers)
	for i, p := range at.Peers {
		if at.Peers[i].Address, err = address(p.Host,
			strings.TrimSpace(p.Name)+" is requested from other hosts"); err != nil {
			return at, err
		}
	}
	return at, nil
}
