package http

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
)

// resolve returns the addresses of the target, those of IPv4 first.
func resolve(ctx context.Context, u *url.URL) ([]netip.AddrPort, error) {
	port, err := portOf(u)
	if err != nil {
		return nil, err
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", u.Hostname())
	if err != nil {
		return nil, fmt.Errorf("resolving the target's host: %w", err)
	}
	var addresses []netip.AddrPort
	for _, ip := range ips {
		addresses = append(addresses, netip.AddrPortFrom(ip.Unmap(), port))
	}
	slices.SortFunc(addresses, netip.AddrPort.Compare)
	return slices.Compact(addresses), nil
}

// choose picks the addresses that the load goes to, and checks the answer of each if the config asks for it.
//
// A name may have addresses that nothing listens on, such as ::1 for localhost, and those would make part of the
// clients fail from first to last. So all that accept a connection share the load, but of one family only: both
// usually lead to the same server.
func (l *load) choose(ctx context.Context, all []netip.AddrPort) (chosen, unreachable []netip.AddrPort, err error) {
	check := l.config.Verify != nil && (l.config.Verify.Before == nil || *l.config.Verify.Before)
	if len(all) == 1 && !check {
		return all, nil, nil
	}
	var refusals []error
	for _, address := range all {
		if len(chosen) > 0 && chosen[0].Addr().Is4() != address.Addr().Is4() {
			break
		}
		o, answer, err := l.try(ctx, address, check)
		switch {
		case err != nil:
			return nil, nil, err
		case o.kind == Connect:
			unreachable = append(unreachable, address)
			refusals = append(refusals, o.err)
			continue
		case check && o.kind == "":
			o.err = l.config.Verify.all(answer)
		}
		if o.err != nil {
			return nil, nil, fmt.Errorf("check before timing: %s %s at %v: %w%s",
				l.target.method(), l.target.URL, address, o.err, answer.describe())
		}
		chosen = append(chosen, address)
	}
	if len(chosen) == 0 {
		return nil, nil, fmt.Errorf("before timing: no connection to %s: %w", l.target.URL, errors.Join(refusals...))
	}
	return chosen, unreachable, nil
}

// try opens a connection and, if that is wanted, gets an answer over it.
func (l *load) try(ctx context.Context, address netip.AddrPort, exchange bool) (outcome, *whole, error) {
	c := newClient(l, address)
	defer c.close()
	c.answer.whole = &whole{}
	o := outcome{start: l.now()}
	if err := c.open(ctx, &o, o.start); err != nil || o.kind != "" || !exchange {
		return o, c.answer.whole, err
	}
	c.exchange(&o)
	return o, c.answer.whole, ctx.Err()
}

// describe is what came, for a message about what was wanted.
func (a *whole) describe() string {
	switch {
	case a.statusLine == "":
		return ""
	case len(a.body) == 0:
		return fmt.Sprintf("; the answer was %q without a body", a.statusLine)
	}
	return fmt.Sprintf("; the answer was %q with a body of %d bytes, %q", a.statusLine, len(a.body), excerpt(a.body))
}
