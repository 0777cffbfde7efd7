package article

import (
	"os"
	"path/filepath"
	"testing"
)

// A registry beside containerd is a contradiction only where no cluster needs it.
func TestRegistryBesideContainerd(t *testing.T) {
	const (
		imports = "{kubernetes: {context: a, containerd: /run/containerd/containerd.sock}}"
		pulls   = "{kubernetes: {context: b}}"
	)
	tests := []struct {
		name, file string
		want       string
	}{
		{"one cluster without", "engine: kubernetes\nregistry: r.example\n", ""},
		{"one cluster with", "engine: kubernetes\nregistry: r.example\nkubernetes: {containerd: /run/c.sock}\n", "contradiction"},
		{"one cluster with, for --engine", "registry: r.example\nkubernetes: {containerd: [/run/c.sock, /run/d.sock]}\n", "contradiction"},
		{"containerd alone", "engine: kubernetes\nkubernetes: {containerd: /run/c.sock}\n", ""},
		{"an empty list", "engine: kubernetes\nregistry: r.example\nkubernetes: {containerd: []}\n", ""},
		{"one of two hosts", "registry: r.example\nhosts: {one: " + imports + ", two: " + pulls + "}\n", ""},
		{"both hosts", "registry: r.example\nhosts: {one: " + imports + ", two: " + imports + "}\n", "contradiction"},
		{"a host beside a Docker endpoint", "registry: r.example\nhosts: {one: " + imports + ", big: ssh://big}\n", "contradiction"},
		{"a host beside the current cluster", "engine: kubernetes\nregistry: r.example\nhosts: {one: " + imports + "}\n", ""},
		{"a socket by a URL", "kubernetes: {containerd: 'unix:///run/c.sock'}\n", "wrong-value"},
		{"a socket seen from here", "hosts: {one: {kubernetes: {containerd: [c.sock]}}}\n", "wrong-value"},
		{"no word", "kubernetes: {containerd: [{a: b}]}\n", "wrong-shape"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, ProjectFile), []byte(tt.file), 0o644); err != nil {
				t.Fatal(err)
			}
			project, err := OpenProject(dir)
			if err != nil {
				t.Fatal(err)
			}
			var rules []string
			for _, p := range project.Problems.Sorted() {
				rules = append(rules, p.Rule)
			}
			if len(rules) > 1 || len(rules) == 0 && tt.want != "" || len(rules) == 1 && rules[0] != tt.want {
				t.Errorf("problems are %q, want %q", rules, tt.want)
			}
		})
	}
}
