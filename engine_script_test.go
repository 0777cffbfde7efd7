package benchbook

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// scripts/engine finds an engine at an address also where there is no docker command.
func TestEngineScriptWithoutDocker(t *testing.T) {
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Skip(err)
	}
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip(err)
	}
	path := t.TempDir()
	if err := os.Symlink(curl, filepath.Join(path, "curl")); err != nil {
		t.Fatal(err)
	}
	engine := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/_ping" {
			http.NotFound(w, r)
		}
	}))
	defer engine.Close()
	find := func(host string) (string, error) {
		cmd := exec.Command(sh, "scripts/engine")
		cmd.Env = []string{"PATH=" + path, "DOCKER_HOST=" + host}
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	host := "tcp://" + engine.Listener.Addr().String()
	if out, err := find(host); err != nil || !strings.Contains(out, "a Docker engine answers at "+host) {
		t.Errorf("%v: %s", err, out)
	}
	engine.Close()
	if out, err := find(host); err == nil || !strings.Contains(out, "no Docker engine answers at DOCKER_HOST="+host) {
		t.Errorf("%v: %s", err, out)
	}
	if err := os.Remove(filepath.Join(path, "curl")); err != nil {
		t.Fatal(err)
	}
	if out, err := find(host); err == nil || !strings.Contains(out, "install curl or the docker command") {
		t.Errorf("%v: %s", err, out)
	}
}
