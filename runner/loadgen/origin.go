package loadgen

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"benchbook/internal/slice"
	"benchbook/runner/config"
)

// origin is a server as a URL names it. Requests to the same origin share connections.
type origin struct {
	url         *url.URL
	secure      *tls.Config // nil over http
	addresses   []netip.AddrPort
	unreachable []netip.AddrPort
}

// originName tells origins apart.
func originName(u *url.URL) string { return u.Scheme + "://" + hostField(u) }

func newOrigin(u *url.URL) *origin {
	o := &origin{url: u}
	if u.Scheme == "https" {
		o.secure = &tls.Config{
			ServerName: u.Hostname(),
			NextProtos: []string{"http/1.1"},
			// Servers under test have home-made certificates, and nothing secret is sent to them.
			InsecureSkipVerify: true,
			MinVersion:         tls.VersionTLS10,
		}
	}
	return o
}

// resolve returns the addresses of the origin, those of IPv4 first.
func (o *origin) resolve(ctx context.Context, timeout time.Duration) ([]netip.AddrPort, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	port, err := portOf(o.url)
	if err != nil {
		return nil, err
	}
	ips, err := config.Lookup(ctx, o.url.Hostname())
	if err != nil {
		return nil, fmt.Errorf("resolving the target's host: %w", err)
	}
	addresses := slice.Map(ips, func(ip netip.Addr) netip.AddrPort { return netip.AddrPortFrom(ip.Unmap(), port) })
	slices.SortFunc(addresses, netip.AddrPort.Compare)
	return slices.Compact(addresses), nil
}

// checksBefore says that answers are checked before timing.
func (l *load) checksBefore() bool {
	return l.config.Verify != nil && (l.config.Verify.Before == nil || *l.config.Verify.Before)
}

// choose picks the addresses of an origin that the load goes to, and checks the answers of each to its targets if the
// config asks for it.
//
// A name may have addresses that nothing listens on, such as ::1 for localhost, and those would make part of the
// clients fail from first to last. So all that accept a connection share the load, but of one family only: both
// usually lead to the same server.
func (l *load) choose(ctx context.Context, o *origin, all []netip.AddrPort) error {
	check := l.checksBefore()
	if len(all) == 1 && !check {
		o.addresses = all
		return nil
	}
	var refusals []error
	for _, address := range all {
		if len(o.addresses) > 0 && o.addresses[0].Addr().Is4() != address.Addr().Is4() {
			break
		}
		refusal, err := l.try(ctx, o, address, check)
		if err != nil {
			return err
		}
		if refusal != nil {
			o.unreachable = append(o.unreachable, address)
			refusals = append(refusals, refusal)
			continue
		}
		o.addresses = append(o.addresses, address)
	}
	if len(o.addresses) == 0 {
		return fmt.Errorf("before timing: no connection to %s: %w", o.url, errors.Join(refusals...))
	}
	return nil
}

// try opens a connection and, if that is wanted, gets an answer to each target over one.
func (l *load) try(ctx context.Context, o *origin, address netip.AddrPort, check bool) (refusal, err error) {
	if !check {
		_, refusal, err := l.probe(ctx, o, address, nil)
		return refusal, err
	}
	for i := range l.targets {
		t := &l.targets[i]
		if l.origins[t.origin] != o {
			continue
		}
		answer, refusal, err := l.probe(ctx, o, address, l.questionFor(t.request))
		if refusal != nil || ctx.Err() != nil {
			return refusal, err
		}
		if err != nil {
			return nil, fmt.Errorf("check before timing: %s %s at %v: %w%s",
				t.request.Method, l.config.Targets[i].URL, address, err, answer.describe())
		}
	}
	return nil, nil
}

// describe is what came, for a message about what was wanted.
func (a *whole) describe() string {
	switch {
	case a.statusLine == "":
		return ""
	case a.body.length == 0:
		return fmt.Sprintf("; the answer was %q without a body", a.statusLine)
	}
	return fmt.Sprintf("; the answer was %q with a body of %d bytes, %q", a.statusLine, a.body.length,
		excerpt(a.body.start))
}
