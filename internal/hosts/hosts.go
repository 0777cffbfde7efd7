// Package hosts finds services where no name server knows them.
package hosts

import (
	"context"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
)

// Variable is an environment variable that names a file of services, written as hosts(5).
const Variable = "BENCHBOOK_NAMES"

// Lookup finds the addresses of a host: those in the file of Variable first.
func Lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	text, _ := os.ReadFile(os.Getenv(Variable)) // containers have none
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if len(words) > 1 && slices.Contains(words[1:], host) {
			address, err := netip.ParseAddr(words[0])
			return []netip.Addr{address}, err
		}
	}
	return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
}
