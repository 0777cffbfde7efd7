//go:build linux

package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"benchbook/runner/agent"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){agent.Name: main})
}

// The scripts find a server that answers hello at HELLO, and one that never answers at SILENT.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("HELLO", listen(t, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"))
			env.Setenv("SILENT", listen(t, ""))
			return nil
		},
	})
}
