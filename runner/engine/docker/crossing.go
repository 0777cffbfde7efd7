package docker

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"

	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"

	"benchbook/runner/engine"
)

// Networks by which containers meet what runs on other hosts, beside that of their space. Of what is only found from
// there nothing gets out by itself: its packets keep an address that means nothing elsewhere, unless they are answers.
// What connects to others has to have the host's address put in the place of its own, and so reaches whatever the host
// does.
const (
	foundNetwork = "found"
	outNetwork   = "out"
)

// masquerade is the setting of a bridge network that puts the host's address in the place of those of containers.
const masquerade = "com.docker.network.bridge.enable_ip_masquerade"

// cross says by which further networks a container meets what runs on other hosts, and which of its ports are published
// there.
func (s *space) cross(ctx context.Context, service engine.Service, beside string) (networks []string,
	published network.PortMap, err error) {
	at := service.Location
	if beside != "" || !at.Published && len(at.Peers) == 0 {
		return nil, nil, nil
	}
	kind := foundNetwork
	if len(at.Peers) > 0 {
		kind = outNetwork
	}
	name, err := s.crossing(ctx, kind)
	if err != nil || !at.Published {
		return []string{name}, nil, err
	}
	address, err := netip.ParseAddr(at.Address)
	if err != nil {
		return nil, nil, fmt.Errorf("publishing the ports of %s: %w", service.Name, err)
	}
	published = network.PortMap{}
	for _, number := range service.Expose {
		port, err := network.ParsePort(strconv.Itoa(number) + "/tcp")
		if err != nil {
			return nil, nil, fmt.Errorf("publishing the ports of %s: %w", service.Name, err)
		}
		published[port] = []network.PortBinding{{HostIP: address, HostPort: strconv.Itoa(number)}}
	}
	return []string{name}, published, nil
}

// crossing makes a network to other hosts, once for the space and those within it.
func (s *space) crossing(ctx context.Context, kind string) (string, error) {
	for s.outer != nil {
		s = s.outer
	}
	s.making.Lock()
	defer s.making.Unlock()
	name := s.name + "-" + kind
	if slices.Contains(s.crossings, name) {
		return name, nil
	}
	_, err := s.engine.client.NetworkCreate(ctx, name, client.NetworkCreateOptions{
		Driver: "bridge", Labels: s.engine.labels(s.run),
		Options: map[string]string{masquerade: strconv.FormatBool(kind == outNetwork)},
	})
	if err != nil {
		return "", fmt.Errorf("making a network to other hosts: %w", err)
	}
	s.crossings = append(s.crossings, name)
	return name, nil
}

// removeCrossings removes the networks to other hosts, in which nothing is any more.
func (s *space) removeCrossings(ctx context.Context) error {
	s.making.Lock()
	defer s.making.Unlock()
	for len(s.crossings) > 0 {
		if err := s.engine.client.removeNetwork(ctx, s.crossings[0]); err != nil {
			return err
		}
		s.crossings = s.crossings[1:]
	}
	return nil
}
