//go:build !linux

package loadgen

import (
	"context"
	"errors"
)

func measure(context.Context, context.CancelCauseFunc, *load, int) (*Result, error) {
	return nil, errors.New("the load generator runs on Linux only; run it in a container")
}
