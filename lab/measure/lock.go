package measure

import (
	"context"
	"slices"

	"benchbook/lab"
	"benchbook/runner/machine"
)

// Lock takes this machine for what is to be done, so that no two runs use it at the same time: a second one waits. A run
// that is connected to machines elsewhere has taken its locks already.
func Lock(ctx context.Context, a *lab.Session, host machine.Host, at targets, doing string) (unlock func(),
	err error) {
	if slices.ContainsFunc(at.distinct(), func(one *target) bool { return one.machines != nil }) {
		return func() {}, nil
	}
	if unlock, err = a.Lock(ctx, host, doing); err != nil {
		return nil, lab.Interrupted(ctx, err)
	}
	return unlock, nil
}
