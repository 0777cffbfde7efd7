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
	script := fake.Script{Run: func(ctx context.Context, _ fake.Program) (engine.Exit, error) {
		<-ctx.Done() // of the only command that the suite runs here
		return engine.Exit{}, context.Cause(ctx)
	}}
	enginetest.Run(t, func(*testing.T) engine.Engine { return fake.New(script) },
		enginetest.Lacks(enginetest.Execution, spec.Builds, enginetest.Leftovers))
}
