package docker

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/containerd/errdefs"
	api "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"

	"benchbook/internal/test/must"
	"benchbook/runner/engine"
)

// owners returns an owner on this machine that is dead, and one on another machine.
func owners() (dead, elsewhere string) {
	owner := strings.Split(engine.Owner(), ".")
	last := len(owner) - 1
	return strings.Join(append(slices.Clone(owner[:last]), "1"), "."),
		strings.Join(append([]string{"another"}, owner[1:]...), ".")
}

func TestSweepLeavesOthersAlone(t *testing.T) {
	e := thisEngine(t, nil)
	dead, elsewhere := owners()
	networks := map[string]map[string]string{
		"of another machine": {engine.LabelRun: "dockertest", engine.LabelOwner: elsewhere},
		"without an owner":   {engine.LabelRun: "dockertest"},
		"of somebody else":   {"their.run": "dockertest", engine.LabelOwner: dead},
		"left behind":        {engine.LabelRun: "dockertest", engine.LabelOwner: dead},
	}
	for name, labels := range networks {
		created := must.Get(e.client.NetworkCreate(t.Context(), "benchbook-test-"+safeName(name),
			client.NetworkCreateOptions{Internal: true, Labels: labels}))
		t.Cleanup(func() { must.Do(e.removeNetwork(context.WithoutCancel(t.Context()), created.ID)) })
	}
	found := must.Get(e.Sweep(t.Context(), false))
	for name := range networks {
		leftover := engine.Leftover{Kind: "network", Name: "benchbook-test-" + safeName(name), Run: "dockertest"}
		_, err := e.client.NetworkInspect(t.Context(), leftover.Name, client.NetworkInspectOptions{})
		// Another test's benchbook may have swept it first.
		if gone := errdefs.IsNotFound(err); gone != (name == "left behind") || !gone && slices.Contains(found, leftover) {
			t.Errorf("the network %s: gone %v, found %v", name, gone, found)
		}
	}
}

// An engine may still start a container of a killed run, so its network can be removed only a moment later. A network
// that stays in use is no error.
func TestSweepTriesAgain(t *testing.T) {
	stuck := engine.Leftover{Kind: "network", Name: "left", Run: "killed",
		Problem: "Error response from daemon: network left has active endpoints"}
	for name, tt := range map[string]struct {
		refusals int
		age      time.Duration
		want     engine.Leftover
		asked    int
	}{
		"in use for a moment":                {2, 0, engine.Leftover{Kind: "network", Name: "left", Run: "killed"}, 3},
		"in use for ever, by something else": {1000, 0, stuck, sweepTries},
		"old, and in use for ever":           {1000, time.Hour, stuck, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dead, _ := owners()
				lists := map[string]any{"containers": []any{}, "volumes": map[string]any{}, "networks": []network.Summary{{
					Network: network.Network{ID: "1", Name: "left", Created: time.Now().Add(-tt.age),
						Labels: map[string]string{engine.LabelRun: "killed", engine.LabelOwner: dead}}}}}
				asked := 0
				e := listing(lists, func(w http.ResponseWriter, r *http.Request) {
					if asked++; asked > tt.refusals {
						lists["networks"] = []network.Summary{}
						w.WriteHeader(http.StatusNoContent)
						return
					}
					w.WriteHeader(http.StatusForbidden)
					_ = json.NewEncoder(w).Encode(map[string]string{"message": "network left has active endpoints"})
				})
				left, err := e.Sweep(t.Context(), false)
				if err != nil || len(left) != 1 || left[0] != tt.want || asked != tt.asked {
					t.Errorf("swept %+v, %v, asked %d times, want %+v and %d", left, err, asked, tt.want, tt.asked)
				}
			})
		})
	}
}

// listing is an engine that lists given objects by kind, and answers other requests with a function.
func listing(lists map[string]any, answer http.HandlerFunc) *Engine {
	return answering(func(w http.ResponseWriter, r *http.Request) {
		for kind, list := range lists {
			if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/"+kind) {
				_ = json.NewEncoder(w).Encode(list)
				return
			}
		}
		answer(w, r)
	})
}

// A container that ended while its engine removed it may stay in the engine's list, without a name, as seen once with
// Docker 20.10.
func TestSweepSkipsContainersThatAreOnlyListed(t *testing.T) {
	dead, _ := owners()
	e := listing(map[string]any{"networks": []any{}, "volumes": map[string]any{}, "containers": []api.Summary{{ID: "1",
		Labels: map[string]string{engine.LabelRun: "x", engine.LabelOwner: dead}}}}, http.NotFound)
	for _, dryRun := range []bool{true, false} {
		if left, err := e.Sweep(t.Context(), dryRun); err != nil || len(left) > 0 {
			t.Errorf("dry run %v: swept %+v, %v", dryRun, left, err)
		}
	}
}

// An engine refuses to remove an object that it is removing already, although the first removal may fail. The network
// of a space may stay in use for a moment after its containers were removed.
func TestRemovalIsTriedAgain(t *testing.T) {
	type removal func(*Engine, context.Context, string) error
	container, network := removal((*Engine).removeContainer), removal((*Engine).removeEmptied)
	const removing, used = "removal of container left is already in progress", "network left has active endpoints"
	for name, tt := range map[string]struct {
		remove          removal
		refusals, asked int
		message         string
		isFine          bool
	}{
		"a container that is gone":                   {container, 0, 1, "", true},
		"a container that is being removed":          {container, 1, 2, removing, true},
		"one that is being removed for a while":      {container, 3, 4, removing, true},
		"a network":                                  {network, 0, 1, "", true},
		"a network in use for a moment":              {network, 3, 4, used, true},
		"a network in use for ever":                  {network, 1000, sweepTries, used, true},
		"a network that is not removed for a reason": {network, 1000, 1, "no permission", false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				e := answering(func(w http.ResponseWriter, r *http.Request) {
					status := http.StatusNotFound // it is gone
					if asked++; asked <= tt.refusals {
						status = http.StatusConflict
					}
					w.WriteHeader(status)
					_ = json.NewEncoder(w).Encode(map[string]string{"message": tt.message})
				})
				if err := tt.remove(e, t.Context(), "left"); (err == nil) != tt.isFine || asked != tt.asked {
					t.Errorf("asked %d times, want %d, and ended with %v", asked, tt.asked, err)
				}
			})
		})
	}
}
