//go:build linux

package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"benchbook/runner/config"
	"benchbook/runner/delay"
)

// Relay is a link. Make one with Listen.
type Relay struct {
	server    *delay.Server
	config    Config
	addresses []net.Addr
	lines     [2]*line // to the service, and back
	log       io.Writer

	mu      sync.Mutex // guards what follows, and the flows
	jitter  *rand.Rand
	used    int       // bytes in transit
	limit   int       // of used, beyond what each flow may always have
	room    sync.Cond // used or the size of a flow has become smaller
	refused int       // connections that the service has refused
}

// lookupTimeout is how long a look-up of the name of a service may take.
const lookupTimeout = 10 * time.Second

// Listen returns a relay that accepts connections; they wait until Serve.
func Listen(ctx context.Context, config Config) (*Relay, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	server, err := delay.NewServer()
	if err != nil {
		return nil, err
	}
	r := &Relay{server: server, config: config, jitter: rand.New(rand.NewPCG(config.Seed, 0)), log: io.Discard,
		limit: maxAll, lines: [2]*line{newLine(config.Rate), newLine(config.Rate)}}
	r.room.L = &r.mu
	for _, route := range config.Routes {
		address, err := r.listen(ctx, route)
		if err != nil {
			server.Close()
			return nil, err
		}
		r.addresses = append(r.addresses, address)
	}
	return r, nil
}

func (r *Relay) listen(ctx context.Context, route Route) (net.Addr, error) {
	targets, err := lookup(ctx, route.Target)
	if err != nil {
		return nil, err
	}
	var next atomic.Uint64 // the connections go round the containers of a service that is scaled
	return r.server.Listen(route.Listen, func(ctx context.Context, client *net.TCPConn) {
		r.relay(ctx, client, targets[(next.Add(1)-1)%uint64(len(targets))])
	})
}

// Addresses is where it listens, in the order of the routes.
func (r *Relay) Addresses() []net.Addr { return r.addresses }

// Serve relays until the context is done, and then closes all connections. It writes to the log how late bytes were
// sent on, and which connections the service has refused.
func (r *Relay) Serve(ctx context.Context, log io.Writer) error {
	r.log = log
	return r.server.Serve(ctx, log)
}

// lookup returns the addresses of a service in order, only those of IPv4 if there are any.
func lookup(ctx context.Context, target string) ([]netip.AddrPort, error) {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	host, name, err := net.SplitHostPort(target)
	if err != nil {
		return nil, fmt.Errorf("target %q: %w", target, err)
	}
	port, err := strconv.ParseUint(name, 10, 16)
	if err != nil || port == 0 {
		return nil, fmt.Errorf("target %q: invalid port %q", target, name)
	}
	all, err := config.Lookup(ctx, host)
	if err != nil {
		return nil, fmt.Errorf("target %q: %w", target, err)
	}
	for i := range all {
		all[i] = all[i].Unmap()
	}
	slices.SortFunc(all, netip.Addr.Compare) // of IPv4 first
	var found []netip.AddrPort
	for _, ip := range slices.Compact(all) {
		if ip.Is4() == all[0].Is4() {
			found = append(found, netip.AddrPortFrom(ip, uint16(port)))
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("target %q: its name has no address", target)
	}
	return found, nil
}

// tripLocked draws the time of a trip over the link, in one direction.
func (r *Relay) tripLocked() time.Duration {
	half := r.config.RTT / 2
	if r.config.Jitter == 0 {
		return half
	}
	return half + time.Duration((2*r.jitter.Float64()-1)*float64(r.config.Jitter))
}

// maxRefused is the number of refused connections that are logged: one says as much as thousands.
const maxRefused = 10

func (r *Relay) logRefused(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.refused++; r.refused > maxRefused {
		return
	}
	if errno := syscall.Errno(0); errors.As(err, &errno) {
		err = errno
	}
	fmt.Fprintf(r.log, "benchbook-link: connecting to the service: %v\n", err)
}
