package fake_test

import (
	"context"
	"testing"

	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/engine/enginetest"
	"benchbook/runner/engine/enginetest/fake"
)

func TestEngine(t *testing.T) {
	// Programs run until they are cancelled, as those of the suite that can be run here do.
	script := fake.Script{Run: func(ctx context.Context, _ engine.Program) (engine.Exit, error) {
		<-ctx.Done()
		return engine.Exit{}, context.Cause(ctx)
	}}
	enginetest.Run(t, func(*testing.T) engine.Engine { return fake.New(script) },
		enginetest.Lacks(enginetest.Execution, spec.Builds, enginetest.Leftovers))
}
