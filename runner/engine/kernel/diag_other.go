//go:build !linux

package netns

import "errors"

// diagnosed is only for Linux.
func (n *Namespace) diagnosed() (pairs, error) {
	return nil, errors.New("connections are told on Linux only")
}
