package loadgen

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"benchbook/internal/proc"
)

// origin is a scheme, host and port. Requests to the same origin share connections.
type origin struct {
	url         *url.URL
	port        uint16
	secure      *tls.Config // nil over http
	addresses   []netip.AddrPort
	unreachable []netip.AddrPort
}

func newOrigin(u *url.URL, port uint16) *origin {
	o := &origin{url: u, port: port}
	if u.Scheme == "https" {
		o.secure = &tls.Config{
			ServerName: u.Hostname(),
			NextProtos: []string{"http/1.1"},
			// Servers under test have self-signed certificates, and nothing secret is sent to them.
			InsecureSkipVerify: true,
			MinVersion:         tls.VersionTLS10,
		}
	}
	return o
}

// resolve returns the addresses of the origin, IPv4 first.
func (o *origin) resolve(ctx context.Context, timeout time.Duration) ([]netip.AddrPort, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	ips, err := proc.LookupHost(ctx, o.url.Hostname())
	if err != nil {
		return nil, fmt.Errorf("resolving the target's host: %w", err)
	}
	var addresses []netip.AddrPort
	for _, ip := range ips {
		addresses = append(addresses, netip.AddrPortFrom(ip.Unmap(), o.port))
	}
	slices.SortFunc(addresses, netip.AddrPort.Compare)
	return slices.Compact(addresses), nil
}

// choose sets the origin's addresses to those that accept connections, and checks the answers at each if the config
// asks for it. An address without a listener, such as ::1 of localhost, would fail every request of its clients.
func (l *load) choose(ctx context.Context, o *origin, all []netip.AddrPort) error {
	v := l.config.Verify
	o.addresses = all
	targets := []*target{nil} // nil: only connect
	if v != nil && (v.Before == nil || *v.Before) {
		targets = nil
		for i := range l.targets {
			if t := &l.targets[i]; l.origins[t.origin] == o {
				targets = append(targets, t)
			}
		}
	} else if len(all) == 1 {
		return nil
	}
	for _, t := range targets {
		found, refused := l.probeEach(ctx, o, o.addresses, t)
		o.addresses = nil
		var refusals []string
		for _, a := range refused {
			o.unreachable, refusals = append(o.unreachable, a.Address), append(refusals, a.Failure)
		}
		if len(found) == 0 {
			return fmt.Errorf("before timing: no connection to %s: %s", o.url, strings.Join(refusals, "\n"))
		}
		for _, a := range found {
			if a.Failure != "" {
				return fmt.Errorf("check before timing: %s %s at %v: %s", t.method, t.name, a.Address, a.Failure)
			}
			o.addresses = append(o.addresses, a.Address)
		}
	}
	return nil
}

// errNoResources means that this process, not the server, has run out of files or memory.
var errNoResources = errors.New("the generator is out of files or memory for connections; " +
	"raise its limits or lower connections")

// connectFailure returns the kind of a failed connection attempt. The kind is empty if this process is to blame.
func connectFailure(err error) (Kind, error) {
	for _, ours := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM} {
		if errors.Is(err, ours) {
			return "", fmt.Errorf("%w: %w", errNoResources, err)
		}
	}
	if errors.Is(err, syscall.EADDRNOTAVAIL) {
		return Ports, err
	}
	return Connect, err
}
