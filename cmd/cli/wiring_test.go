package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"benchbook/notebook/article"
)

// An ordinary benchbook says in one sentence how to measure in a cluster, and reads such articles.
func TestNeedsCluster(t *testing.T) {
	w := scripted()
	w.Cluster = wired(nil).Cluster
	const apart = "---\ntitle: Apart\n---\n\n~~~yaml experiment\nname: apart\n" +
		"services: {server: {image: \"nginx:1.27\", expose: [\"80\"]}}\nload: {target: \"http://server/\"}\nrepetitions: 1\n"
	tests := []struct {
		name, file string
		args       []string
	}{
		{"a flag", "registry: registry.example\n", []string{"run", "--engine", "kubernetes"}},
		{"the engine of a project", "engine: kubernetes\nregistry: registry.example\n", []string{"run"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir, _ := project(t, "apart", apart+"~~~\n")
			if err := os.WriteFile(filepath.Join(dir, article.ProjectFile), []byte(tt.file), 0o644); err != nil {
				t.Fatal(err)
			}
			if said := mustRun(t, w, "-C", dir, "check"); !strings.Contains(said, "no problems") {
				t.Errorf("check says %s", said)
			}
			var stdout, stderr bytes.Buffer
			status := run(append([]string{"-C", dir}, tt.args...), &stdout, &stderr, w)
			said := strings.Join(strings.Fields(stdout.String()+stderr.String()), " ")
			const sentence = "Kubernetes needs benchbook-cluster: build it with make build-cluster"
			if strings.Count(said, sentence) != 1 || status == 0 {
				t.Errorf("status %d\n%s%s", status, &stdout, &stderr)
			}
		})
	}
}
