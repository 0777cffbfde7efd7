package kubernetes

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"benchbook/runner/engine"
	"benchbook/runner/engine/agent"
	"benchbook/runner/engine/docker"
	"benchbook/runner/engine/enginetest"
)

// clusterVariable names the folder of the cluster that cluster/clustertest/run makes.
const clusterVariable = "BENCHBOOK_TEST_CLUSTER"

// cluster is that folder, or the test is skipped.
func cluster(t *testing.T) string {
	t.Helper()
	folder := os.Getenv(clusterVariable)
	if folder == "" {
		if strings.Contains(os.Getenv("BENCHBOOK_TEST_REQUIRE"), "kubernetes") {
			t.Fatal("there is no cluster, and BENCHBOOK_TEST_REQUIRE asks for it")
		}
		t.Skip("needs a cluster: run make test-kubernetes")
	}
	return folder
}

// fileOf reads a file of the cluster's folder.
func fileOf(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(cluster(t), name))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

// buildAgent builds the program for containers, once.
var buildAgent = sync.OnceValues(func() ([]byte, error) {
	folder, err := os.MkdirTemp("", "")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	file := filepath.Join(folder, agent.Name)
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", file,
		"benchbook/runner/benchbook-agent")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if output, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building %s: %w: %s", agent.Name, err, output)
	}
	return os.ReadFile(file)
})

// options are those of the user of the cluster.
func options(t *testing.T) Options {
	t.Helper()
	builder, err := docker.New(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { builder.Close() })
	return Options{
		Kubeconfig: filepath.Join(cluster(t), "user.kubeconfig"), Builder: builder, Agent: buildAgent,
		Cluster: engine.Cluster{Registry: fileOf(t, "registry"), LoadNodes: map[string]string{"benchbook.test/pool": "load"},
			ServiceNodes: map[string]string{"benchbook.test/pool": "services"}},
		VolumeSize: 1 << 20, Memory: 64 << 20,
	}
}

// open connects to the cluster, or skips the test.
func open(t *testing.T) *Engine {
	t.Helper()
	e, err := New(t.Context(), options(t))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// The user of the cluster has just the rights that the manual lists.
func TestEngine(t *testing.T) {
	cluster(t)
	t.Cleanup(func() { discardImages(t) })
	enginetest.Run(t, func(t *testing.T) engine.Engine { return open(t) })
}

// discardImages removes from the engine that builds what the suite alone needs.
func discardImages(t *testing.T) {
	ctx := context.WithoutCancel(t.Context())
	ids, err := exec.CommandContext(ctx, "docker", "images", "--quiet", "--filter",
		"label="+engine.LabelImage+"="+enginetest.Made()).Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range strings.Fields(string(ids)) {
		if out, err := exec.CommandContext(ctx, "docker", "rmi", "--force", id).CombinedOutput(); err != nil {
			t.Errorf("removing image %s: %v: %s", id, err, out)
		}
	}
}
