package proc

import (
	"context"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
)

// NamesVariable is the environment variable that lists service names which stand for this machine. The local engine
// sets it, because no name server knows its services.
const NamesVariable = "BENCHBOOK_NAMES"

// LookupHost returns the addresses of a host: loopback for a name in NamesVariable, otherwise what name servers return.
func LookupHost(ctx context.Context, host string) ([]netip.Addr, error) {
	if slices.Contains(strings.Fields(os.Getenv(NamesVariable)), host) {
		return []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1})}, nil
	}
	return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
}
