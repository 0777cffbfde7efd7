package cli

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"benchbook/internal/slowtest"
	"benchbook/lab"
	"benchbook/notebook/record"
	"benchbook/runner/agent"
	"benchbook/runner/engine/enginetest"
)

// onLocal returns a configuration with the local engine only.
func onLocal(t testing.TB) lab.Config {
	t.Helper()
	slowtest.SkipSequential(t)
	w := wired(nil)
	w.Consent = nil // nobody can be asked
	local, err := w.Engine(t.Context(), "local")
	enginetest.Need(t, "local", err)
	local.Close()
	t.Setenv("DOCKER_HOST", "unix:///nonexistent")
	tools := builtPrograms(t)
	w.LockDir, w.Settler = t.TempDir(), nil
	w.Agent = func() ([]byte, error) { return os.ReadFile(filepath.Join(tools, agent.Name)) }
	return w
}

// A server on loopback is measured without Docker.
func TestRunningTarget(t *testing.T) {
	w := onLocal(t)
	var answered atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { answered.Add(1) }))
	defer server.Close()
	dir, folder := project(t, "live", "---\ntitle: Live\n---\n\n~~~yaml experiment\nname: live\nload: {target: \""+server.URL+
		"\", outside: true, requests: 500, connections: 2}\nrepetitions: 1\ncalibrate: false\n~~~\n")
	mustRun(t, w, "-C", dir, "run")
	r := measuredIn(t, folder)["live"][0]
	if r.Load.Completed < 500 || answered.Load() < 500 || r.Load.ForeignCPU != -1 || r.Facts[record.FactTarget] == "" ||
		r.Facts["engine.name"] != "local" {
		t.Errorf("%d answers given: %+v, facts %v", answered.Load(), r.Load, r.Facts)
	}
}
