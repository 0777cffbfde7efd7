//go:build linux

package agent

import (
	"context"
	"fmt"
	"math/rand/v2"
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
	config  LinkConfig
	lines   [2]line // to the service, and back
	jitter  *rand.Rand
	used    int            // bytes in transit
	limit   int            // of used, beyond what each flow may always have
	starved []*flow        // that wait until used is below limit
	refused int            // connections that the service has refused
	buffer  *[maxRead]byte // for what is read
	spare   []*[maxRead]byte
}

// ListenLink returns a link that accepts connections; they wait until Serve.
func ListenLink(ctx context.Context, config LinkConfig) (*Relay, error) {
	l, err := newLoop()
	if err != nil {
		return nil, err
	}
	r := &Relay{loop: l, config: config, jitter: rand.New(rand.NewPCG(config.Seed, 0)), limit: maxAll,
		buffer: new([maxRead]byte)}
	for i := range r.lines {
		r.lines[i] = line{loop: l, rate: config.Rate}
		r.lines[i].timer.fire = r.lines[i].giveTurns
	}
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

// trip draws the time of a trip over the link, in one direction, in nanoseconds.
func (r *Relay) trip() int64 {
	half := int64(r.config.RTT / 2)
	if r.config.Jitter == 0 {
		return half
	}
	return half + int64((2*r.jitter.Float64()-1)*float64(r.config.Jitter))
}

// maxRefused is the number of refused connections that are logged: one says as much as thousands.
const maxRefused = 10

func (r *Relay) logRefused(err error) {
	if r.refused++; r.refused <= maxRefused {
		fmt.Fprintf(r.log, "benchbook-link: connecting to the service: %v\n", err)
	}
}

// maxQueued is how far ahead the link may be occupied, in nanoseconds. Beyond it, senders wait.
const maxQueued = int64(10 * time.Millisecond)

// line is one direction of the link, which all connections share.
type line struct {
	loop    *loop
	rate    float64 // bytes per second; 0: unlimited
	free    int64   // when it has sent what it was given
	waiting []*flow // in the order in which they came
	timer   timer   // for the next turn
}

// piece is how much a connection sends at once: what takes a millisecond, but at least an Ethernet packet, so that the
// first bytes do not wait for many others.
func (l *line) piece() int {
	if l.rate == 0 {
		return maxRead
	}
	return int(min(max(l.rate/1000, 1460), maxRead))
}

// put occupies the line with n bytes, and returns when the last of them has left.
func (l *line) put(n int) (left int64) {
	now := l.loop.now()
	if l.rate == 0 {
		return now
	}
	l.free = max(l.free, now) + int64(float64(n)/l.rate*1e9)
	return l.free
}

// mustWait reports whether a flow must wait for its turn, and if so, queues it.
func (l *line) mustWait(f *flow) bool {
	if len(l.waiting) == 0 && l.free-l.loop.now() <= maxQueued {
		return false
	}
	f.queued = true
	l.waiting = append(l.waiting, f)
	l.loop.set(&l.timer, l.free-maxQueued)
	return true
}

// giveTurns lets flows read that wait for their turn.
func (l *line) giveTurns() {
	for len(l.waiting) > 0 {
		if l.free-l.loop.now() > maxQueued {
			l.loop.set(&l.timer, l.free-maxQueued)
			return
		}
		f := l.waiting[0]
		l.waiting = l.waiting[1:]
		f.queued = false
		f.read()
	}
}
