package loadgen

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"syscall"
	"time"

	"benchbook/internal/proc"
)

// origin is a server as a URL names it. Requests to the same origin share connections.
type origin struct {
	url         *url.URL
	secure      *tls.Config // nil over http
	addresses   []netip.AddrPort
	unreachable []netip.AddrPort
}

func newOrigin(u *url.URL) *origin {
	o := &origin{url: u}
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
		addresses = append(addresses, netip.AddrPortFrom(ip.Unmap(), portOf(o.url)))
	}
	slices.SortFunc(addresses, netip.AddrPort.Compare)
	return slices.Compact(addresses), nil
}

// tryEach tries addresses, up to the end of the first family with one that accepts connections: both families usually
// lead to the same server.
func tryEach(addresses []netip.AddrPort, try func(netip.AddrPort) (accepted bool, err error)) error {
	var first netip.AddrPort
	for _, address := range addresses {
		if first.IsValid() && first.Addr().Is4() != address.Addr().Is4() {
			break
		}
		accepted, err := try(address)
		if err != nil {
			return err
		}
		if accepted {
			first = address
		}
	}
	return nil
}

// choose picks the addresses that the load goes to, and checks the answers of each if the config says so. Addresses
// without a listener, such as ::1 of localhost, would make part of the clients fail from first to last.
func (l *load) choose(ctx context.Context, o *origin, all []netip.AddrPort) error {
	v := l.config.Verify
	requests := []*request{nil} // only connect
	if v != nil && (v.Before == nil || *v.Before) {
		requests = nil
		for _, t := range l.targets {
			if l.origins[t.origin] == o {
				requests = append(requests, t.request)
			}
		}
	} else if len(all) == 1 {
		o.addresses = all
		return nil
	}
	var refusals []error
	err := tryEach(all, func(address netip.AddrPort) (bool, error) {
		for _, r := range requests {
			answer, refusal, err := l.probe(ctx, o, address, r)
			switch {
			case ctx.Err() != nil:
				return false, ctx.Err()
			case refusal != nil:
				o.unreachable, refusals = append(o.unreachable, address), append(refusals, refusal)
				return false, nil
			case err != nil:
				return false, fmt.Errorf("check before timing: %s %s at %v: %w%s", r.method, r.name, address, err,
					answer.describe())
			}
		}
		o.addresses = append(o.addresses, address)
		return true, nil
	})
	if err == nil && len(o.addresses) == 0 {
		err = fmt.Errorf("before timing: no connection to %s: %w", o.url, errors.Join(refusals...))
	}
	return err
}

// errNoResources means that the generator, and not the server, has run out.
var errNoResources = errors.New("the generator is out of files or memory for connections; " +
	"raise its limits or lower connections")

// connectFailure returns the kind of a failure to open a connection; no kind if the generator is to blame.
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
