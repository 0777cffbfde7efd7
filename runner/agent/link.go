//go:build linux

package agent

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"benchbook/internal/proc"
)

// Relay is a link. Make one with ListenLink.
type Relay struct {
	*loop
	trip    int64            // nanoseconds over the link, in one direction
	used    int              // bytes in transit
	limit   int              // of used, beyond what each flow may always have
	starved []*flow          // that wait until used is below limit
	refused int              // connections that the service has refused
	buffer  *[maxRead]byte   // for what is read
	spare   []*[maxRead]byte // buffers to use again, of maxSpare at most
}

// ListenLink returns a link that accepts connections; they wait until Serve.
func ListenLink(ctx context.Context, config LinkConfig) (*Relay, error) {
	l, err := newLoop()
	if err != nil {
		return nil, err
	}
	r := &Relay{loop: l, trip: int64(config.RTT / 2), limit: maxAll, buffer: new([maxRead]byte)}
	for _, route := range config.Routes {
		targets, err := lookup(ctx, route.Target)
		if err != nil {
			return nil, err
		}
		next := 0 // the connections go round the containers of a service that is scaled
		if err := l.listen(route.Listen, func(client int) {
			r.accepted(client, targets[next%len(targets)])
			next++
		}); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// lookupTimeout is how long a look-up of the name of a service may take.
const lookupTimeout = 10 * time.Second

// lookup returns the addresses of a service in order, only IPv4 ones if there are any.
func lookup(ctx context.Context, target string) (found []unix.Sockaddr, err error) {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	host, name, err := net.SplitHostPort(target)
	if err != nil {
		return nil, fmt.Errorf("target: %w", err)
	}
	port, err := strconv.ParseUint(name, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("target %q: invalid port %q", target, name)
	}
	all, err := proc.LookupHost(ctx, host)
	if err != nil {
		return nil, fmt.Errorf("target %q: %w", target, err)
	}
	for i := range all {
		all[i] = all[i].Unmap()
	}
	slices.SortFunc(all, netip.Addr.Compare) // of IPv4 first
	for _, ip := range slices.Compact(all) {
		switch {
		case ip.Is4():
			found = append(found, &unix.SockaddrInet4{Port: int(port), Addr: ip.As4()})
		case !all[0].Is4():
			found = append(found, &unix.SockaddrInet6{Port: int(port), Addr: ip.As16()})
		}
	}
	return found, nil
}

// maxRefused is the number of refused connections that are logged: one says as much as thousands.
const maxRefused = 10

func (r *Relay) logRefused(err error) {
	if r.refused++; r.refused <= maxRefused {
		fmt.Fprintf(r.log, "benchbook-link: connecting to the service: %v\n", err)
	}
}
