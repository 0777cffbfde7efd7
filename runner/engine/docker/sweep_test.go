package docker

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"

	"benchbook/internal/slowtest"
	"benchbook/runner/engine"
)

// An engine may still start a container of somebody who was killed: its network cannot be removed then, and a moment
// later it can. One that stays in use is no error, as it does no harm.
func TestSweepTriesAgain(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		refusals int
		age      time.Duration
		want     engine.Leftover
		asked    int
	}{
		"in use for a moment": {2, 0, engine.Leftover{Kind: "network", Name: "left", Run: "killed"}, 3},
		"in use for ever": {1000, 0, engine.Leftover{Kind: "network", Name: "left", Run: "killed",
			Problem: "Error response from daemon: network left has active endpoints"}, sweepTries},
		"old, and in use for ever": {1000, time.Hour, engine.Leftover{Kind: "network", Name: "left", Run: "killed",
			Problem: "Error response from daemon: network left has active endpoints"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				left, asked, err := sweepNetwork(t, tt.refusals, tt.age)
				if err != nil || len(left) != 1 || left[0] != tt.want || asked != tt.asked {
					t.Errorf("swept %+v, %v, asked %d times, want %+v and %d", left, err, asked, tt.want, tt.asked)
				}
			})
		})
	}
}

// sweepNetwork sweeps an engine that refuses so many times to remove a network of an age. Asked is how often it was
// asked to.
func sweepNetwork(t *testing.T, refusals int, age time.Duration) (left []engine.Leftover, asked int, err error) {
	t.Helper()
	owner := engine.Owner()
	labels := map[string]string{engine.LabelRun: "killed", engine.LabelOwner: owner[:strings.LastIndex(owner, ".")] + ".1"}
	removed, made := false, time.Now().Add(-age)
	api := answering(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		answer := any([]any{})
		switch {
		case r.Method == http.MethodDelete:
			if asked++; asked <= refusals {
				w.WriteHeader(http.StatusForbidden)
				answer = map[string]string{"message": "network left has active endpoints"}
				break
			}
			removed = true
			w.WriteHeader(http.StatusNoContent)
			return
		case strings.HasSuffix(r.URL.Path, "/networks") && !removed:
			answer = []network.Summary{{Network: network.Network{ID: "1", Name: "left", Labels: labels,
				Created: made}}}
		case strings.HasSuffix(r.URL.Path, "/volumes"):
			answer = map[string]any{}
		}
		_ = json.NewEncoder(w).Encode(answer)
	})
	left, err = (&Engine{client: api}).Sweep(t.Context(), false)
	return left, asked, err
}

// A container that ended while its engine removed it may stay in the engine's list, without a name, as seen once with
// Docker 20.10. It is not there, so that nobody has left it.
func TestSweepPassesOverWhatIsOnlyListed(t *testing.T) {
	t.Parallel()
	owner := engine.Owner()
	labels := map[string]string{engine.LabelRun: "lock", engine.LabelOwner: owner[:strings.LastIndex(owner, ".")] + ".1"}
	api := answering(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		answer := any([]any{})
		switch {
		case strings.HasSuffix(r.URL.Path, "/containers/json"):
			answer = []container.Summary{{ID: "1", Labels: labels}}
		case strings.Contains(r.URL.Path, "/containers/1"):
			w.WriteHeader(http.StatusNotFound)
			answer = map[string]string{"message": "no such container: 1"}
		case strings.HasSuffix(r.URL.Path, "/volumes"):
			answer = map[string]any{}
		}
		_ = json.NewEncoder(w).Encode(answer)
	})
	for _, dryRun := range []bool{true, false} {
		if left, err := (&Engine{client: api}).Sweep(t.Context(), dryRun); err != nil || len(left) > 0 {
			t.Errorf("dry run %v: swept %+v, %v", dryRun, left, err)
		}
	}
}

// answering is an engine that a function answers for, without a network, on which a fake time would not go on.
func answering(t *testing.T, answer http.HandlerFunc) daemon {
	t.Helper()
	api, err := client.New(client.WithHost("tcp://engine.invalid"), client.WithAPIVersion("1.44"),
		client.WithHTTPClient(&http.Client{Transport: handled(answer)}))
	if err != nil {
		t.Fatal(err)
	}
	return daemon{api}
}

// A handled request goes straight to who answers it.
type handled http.HandlerFunc

func (h handled) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := httptest.NewRecorder()
	h(answer, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return answer.Result(), nil
}

// TestRemovalThatSomebodyElseBegan: an engine refuses to remove what it is removing already. Who asked first may have
// been told no, as for a container that just then started: then nobody removes it unless it is asked for again.
func TestRemovalThatSomebodyElseBegan(t *testing.T) {
	slowtest.Skip(t)
	t.Parallel()
	for name, refusals := range map[string]int{"gone": 0, "once": 1, "for a while": 3} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asked := 0
			api := answering(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodDelete {
					<-r.Context().Done() // a wait for its removal, which does not come
					return
				}
				message := "no such container: left"
				w.Header().Set("Content-Type", "application/json")
				if asked++; asked <= refusals {
					w.WriteHeader(http.StatusConflict)
					message = "removal of container left is already in progress"
				} else {
					w.WriteHeader(http.StatusNotFound)
				}
				_ = json.NewEncoder(w).Encode(map[string]string{"message": message})
			})
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			if err := api.removeContainer(ctx, "left"); err != nil || asked != refusals+1 {
				t.Errorf("asked %d times, want %d, and ended with %v", asked, refusals+1, err)
			}
		})
	}
}
