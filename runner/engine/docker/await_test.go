package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/moby/moby/client"
)

// late is a context of which nobody who waits has heard yet that it is done.
type late struct{ context.Context }

func (late) Done() <-chan struct{} { return nil }

// What ended well as the only process of its container is not asked about: the engine would answer when it has cleaned
// up.
func TestOutOfMemoryOfPrograms(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"Id": "1", "State": {"OOMKilled": true}}`)
	}))
	defer server.Close()
	api, err := client.New(client.WithHost("tcp://"+server.Listener.Addr().String()), client.WithAPIVersion("1.44"))
	if err != nil {
		t.Fatal(err)
	}
	e := &Engine{client: daemon{api}}
	if killed, err := e.client.outOfMemory(t.Context(), "1", true); killed || err != nil || asked > 0 {
		t.Errorf("of what is known: %v, %v after %d questions", killed, err, asked)
	}
	if killed, err := e.client.outOfMemory(t.Context(), "1", false); !killed || err != nil || asked == 0 {
		t.Errorf("of what is not known: %v, %v after %d questions", killed, err, asked)
	}
}

// The engine may hear that a container was killed before it hears that this was for lack of memory.
func TestOutOfMemoryIsHeardOfLate(t *testing.T) {
	for _, tt := range []struct {
		name, host string
		code       int
		want       bool
	}{
		{"with a limit", `{"Memory": 1000000}`, 137, true},
		{"without one", `{"Memory": 0}`, 137, false},
		{"ended by itself", `{"Memory": 1000000}`, 1, false},
	} {
		asked := 0
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			asked++
			w.Header().Set("Content-Type", "application/json")
			_, _ = fmt.Fprintf(w, `{"Id": "1", "HostConfig": %s, "State": {"ExitCode": %d, "OOMKilled": %v}}`, tt.host, tt.code,
				asked > 2)
		}))
		api, err := client.New(client.WithHost("tcp://"+server.Listener.Addr().String()), client.WithAPIVersion("1.44"))
		if err != nil {
			t.Fatal(err)
		}
		exit, ended, err := daemon{api}.ended(t.Context(), "1")
		if err != nil || !ended || exit.Code != tt.code || exit.OutOfMemory != tt.want {
			t.Errorf("%s: %+v, %v, %v", tt.name, exit, ended, err)
		}
		server.Close()
	}
}

// An engine that cannot wait has nothing to say about the container, and least of all where we wanted it to stop.
func TestAwaitEnd(t *testing.T) {
	enough := errors.New("enough")
	for _, tt := range []struct {
		name, said string
		cancelled  bool
		status     int
		want       string
	}{
		{"the container has ended", `{"StatusCode": 3}`, false, 3, ""},
		{"the engine cannot wait", `{"Error": {"Message": "out of order"}, "StatusCode": -1}`, false, 0, "out of order"},
		{"the engine hears of the cancelling before we do", `{"Error": {"Message": "context canceled"}, "StatusCode": -1}`,
			true, 0, "enough"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				if !strings.HasSuffix(r.URL.Path, "/wait") {
					return
				}
				if tt.cancelled {
					cancel(enough)
				}
				_, _ = io.WriteString(w, tt.said)
			}))
			defer server.Close()
			api, err := client.New(client.WithHost("tcp://"+server.Listener.Addr().String()), client.WithAPIVersion("1.44"))
			if err != nil {
				t.Fatal(err)
			}
			status, err := awaitEnd(late{ctx}, api, "1")
			if status != tt.status || tt.want == "" && err != nil || tt.want != "" && (err == nil || err.Error() != tt.want) {
				t.Errorf("got %d, %v, want %d, %q", status, err, tt.status, tt.want)
			}
			if tt.cancelled && !errors.Is(err, enough) {
				t.Errorf("got %v, want the reason of the cancelling", err)
			}
		})
	}
}
