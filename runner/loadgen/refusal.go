package loadgen

import (
	"errors"
	"fmt"
	"syscall"
)

// refusal is the kind of failure that an error in opening a connection amounts to, or none if the generator is to
// blame, not the server.
func refusal(err error) (Kind, error) {
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
