package machine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/runner/engine"
)

// Listening sockets are found with their addresses; connections are ignored.
func TestListeners(t *testing.T) {
	const text = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 00000000:2328 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2 1 0 100 0 0 10 0
   2: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 3 1 0 100 0 0 10 0
  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt
   0: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000
   1: 00000000000000000000000001000000:0051 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000
   2: 0000000000000000FFFF00000100007F:0052 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000
   3: nonsense
`
	want := []string{"0.0.0.0:9000", "127.0.0.1:82", "127.0.0.1:8080", "[::]:80", "[::1]:81"}
	exec := func(context.Context, engine.Command) (engine.Exit, error) {
		return engine.Exit{Stdout: []byte(text)}, nil
	}
	var words []string
	for _, l := range must.Get(ListenersBy(t.Context(), exec)) {
		words = append(words, l.String())
	}
	assert.Slice(t, words, want)
	for name, exec := range map[string]func(context.Context, engine.Command) (engine.Exit, error){
		"no cat": func(context.Context, engine.Command) (engine.Exit, error) { return engine.Exit{Code: 127}, nil },
		"no container": func(context.Context, engine.Command) (engine.Exit, error) {
			return engine.Exit{}, errors.New("gone")
		},
	} {
		_, err := ListenersBy(t.Context(), exec)
		assert.Equal(t, err != nil, true, "%s: an error", name)
	}
}

// A listener of this process is found in the files of this machine's kernel.
func TestListenersOfThisProcess(t *testing.T) {
	for _, network := range []string{"tcp4", "tcp6"} {
		listener, err := net.Listen(network, "localhost:0")
		if err != nil {
			t.Logf("%s: %v", network, err)
			continue
		}
		defer listener.Close()
		got, err := Listeners("/proc/self", nil)
		if err != nil || !slices.Contains(got, netip.MustParseAddrPort(fmt.Sprint(listener.Addr()))) {
			t.Errorf("%v is not among %v, %v", listener.Addr(), got, err)
		}
	}
}
