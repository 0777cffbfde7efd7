package docker

import (
	"context"
	"net"

	"github.com/moby/moby/client"
)

// Elsewhere returns where the usual engine is, as DOCKER_HOST has it, if that is another machine; else nothing. It does
// not connect to the engine.
func Elsewhere(ctx context.Context) string {
	host := usualHost()
	u, err := client.ParseHostURL(host)
	if err != nil {
		return ""
	}
	switch u.Scheme {
	case "ssh":
		return host
	case "tcp", "http", "https":
		if name, _, err := net.SplitHostPort(u.Host); err == nil && !isHere(ctx, name) {
			return host
		}
	}
	return ""
}
