//go:build linux

package main

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"benchbook/internal/test/must"
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
			hello := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, "hello")
			}))
			silent := must.Get(net.Listen("tcp", "127.0.0.1:0")) // nobody accepts what the kernel has
			env.Defer(func() {
				hello.Close()
				silent.Close()
			})
			env.Setenv("HELLO", hello.URL+"/")
			env.Setenv("SILENT", "http://"+silent.Addr().String()+"/")
			return nil
		},
	})
}
