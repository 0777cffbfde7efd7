//go:build !linux

package generator

import (
	"context"
	"errors"

	"benchbook/runner/load/http"
)

func measure(context.Context, context.CancelCauseFunc, *load, int) (*http.Result, error) {
	return nil, errors.New("the load generator runs on Linux only; run it in a container")
}
