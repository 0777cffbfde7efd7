package docker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/moby/moby/client"

	"benchbook/runner/engine"
)

// Limits for retrying to remove leftovers.
const (
	sweepTries = 20
	sweepPause = 250 * time.Millisecond
)

// stuckAfter is the age after which a leftover network that is still in use is assumed to stay in use.
const stuckAfter = time.Minute

// Sweep implements engine.Engine. It retries removals that fail for some seconds: the engine may still be executing
// requests of a killed process, such as starting a container in a network, and others may be sweeping too. Stuck
// networks are tried once.
func (e *Engine) Sweep(ctx context.Context, dryRun bool) ([]engine.Leftover, error) {
	var removed []engine.Leftover
	for try := 1; ; try++ {
		found, final, err := e.sweepOnce(ctx, dryRun)
		var stuck []engine.Leftover
		for _, l := range found {
			switch {
			case l.Problem != "":
				stuck = append(stuck, l)
				if l.Kind == "container" { // it would disturb measurements
					err = errors.Join(err, fmt.Errorf("removing container %s: %s", l.Name, l.Problem))
				}
			case !slices.Contains(removed, l):
				removed = append(removed, l)
			}
		}
		if err == nil && (len(stuck) == 0 || final && len(removed) == 0) || try == sweepTries {
			return slices.Concat(removed, stuck), err
		}
		if cause := engine.Sleep(ctx, sweepPause); cause != nil {
			return removed, errors.Join(err, cause)
		}
	}
}

// sweepOnce removes what can be removed now. Final reports that only stuck networks are left.
func (e *Engine) sweepOnce(ctx context.Context, dryRun bool) (leftovers []engine.Leftover, final bool, _ error) {
	ours := make(client.Filters).Add("label", engine.LabelRun, engine.LabelOwner)
	containers, containersErr := e.client.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: ours})
	networks, networksErr := e.client.NetworkList(ctx, client.NetworkListOptions{Filters: ours})
	volumes, volumesErr := e.client.VolumeList(ctx, client.VolumeListOptions{Filters: ours})
	if err := errors.Join(containersErr, networksErr, volumesErr); err != nil {
		return nil, false, fmt.Errorf("looking for what was left behind: %w", err)
	}
	final = true
	sweep := func(kind, name string, labels map[string]string, made time.Time, remove func() error) {
		if alive, known := engine.OwnerAlive(labels[engine.LabelOwner]); alive || !known {
			return
		}
		left := engine.Leftover{Kind: kind, Name: name, Run: labels[engine.LabelRun]}
		if !dryRun {
			if err := remove(); err != nil {
				left.Problem = err.Error()
			}
		}
		final = final && left.Problem != "" && kind == "network" && time.Since(made) > stuckAfter
		leftovers = append(leftovers, left)
	}
	for _, c := range containers.Items { // first, because networks and volumes in use cannot be removed
		if len(c.Names) > 0 { // without a name it is already being removed
			sweep("container", strings.TrimPrefix(c.Names[0], "/"), c.Labels, time.Time{},
				func() error { return e.removeContainer(ctx, c.ID) })
		}
	}
	for _, n := range networks.Items {
		sweep("network", n.Name, n.Labels, n.Created, func() error { return e.removeNetwork(ctx, n.ID) })
	}
	for _, v := range volumes.Items {
		sweep("volume", v.Name, v.Labels, time.Time{}, func() error { return e.removeVolume(ctx, v.Name) })
	}
	return leftovers, final, nil
}

// removeContainer kills and removes a container with its anonymous volumes. It may be gone already.
func (e *Engine) removeContainer(ctx context.Context, id string) error {
	ctx, cancel := uncancelled(ctx)
	defer cancel()
	return removed(ctx, func() error {
		_, err := e.client.ContainerRemove(ctx, id, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
		return err
	})
}

// removeVolume removes a volume. It may be gone already.
func (e *Engine) removeVolume(ctx context.Context, id string) error {
	return removed(ctx, func() error {
		_, err := e.client.VolumeRemove(ctx, id, client.VolumeRemoveOptions{})
		return err
	})
}

// removeNetwork removes a network. It may be gone already.
func (e *Engine) removeNetwork(ctx context.Context, id string) error {
	return removed(ctx, func() error {
		_, err := e.client.NetworkRemove(ctx, id, client.NetworkRemoveOptions{})
		return err
	})
}

// removeEmptied removes a network whose containers have just been removed. The engine may need a moment to drop their
// endpoints. Docker 20.10 on a busy machine may keep one until it is restarted; the network then stays, as it disturbs
// nothing, and Sweep reports it.
func (e *Engine) removeEmptied(ctx context.Context, id string) error {
	for try := 1; ; try++ {
		err := e.removeNetwork(ctx, id)
		if err == nil || !strings.Contains(err.Error(), "active endpoints") {
			return err
		}
		if try == sweepTries {
			return nil
		}
		if engine.Sleep(ctx, sweepPause) != nil {
			return err
		}
	}
}
