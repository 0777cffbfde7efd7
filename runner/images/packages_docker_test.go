package images

import (
	"testing"

	"benchbook/internal/slowtest"
	"benchbook/internal/test/must"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/engine/docker"
	"benchbook/runner/engine/enginetest"
)

// The packages of a real image are found with its own programs: installed Debian packages, except removed ones that
// left their settings, and Python projects in any folder, except those from Debian packages.
func TestPackagesOfAnImage(t *testing.T) {
	slowtest.SkipSequential(t)
	e, err := docker.New(t.Context(), nil)
	enginetest.Need(t, "engine", err)
	defer e.Close()
	file := func(path, text string) spec.File { return spec.File{Path: path, Data: []byte(text)} }
	status := func(name, state, version string) string {
		return "Package: " + name + "\nStatus: " + state +
			"\nMaintainer: nobody <nobody@example.org>\nArchitecture: all\nVersion: " + version +
			"\nDescription: of a test\n\n"
	}
	build := &engine.Build{For: "packages", Build: spec.Build{Dockerfile: "Dockerfile", Files: []spec.File{
		file("Dockerfile", "FROM debian:bookworm-slim\nCOPY status /var/lib/dpkg/status\nCOPY tree /\n"),
		file("status", status("alpha", "install ok installed", "1:2.0-3+b1")+status("gone", "deinstall ok config-files",
			"0.9-1")+
			status("beta", "hold ok installed", "4.5~rc1-1")),
		file("tree/opt/env/lib/python3.11/site-packages/flask-3.1.3.dist-info/METADATA", "Name: flask\n"),
		file("tree/usr/local/lib/python3.11/dist-packages/uWSGI-2.0.31-py3.11.egg-info/PKG-INFO", "Name: uWSGI\n"),
		file("tree/usr/lib/python3/dist-packages/apt-2.6.1.egg-info/PKG-INFO", "Name: apt\n"),
		file("tree/opt/env/lib/python3.11/site-packages/pip/_vendor/rich-1.0.dist-info/METADATA", "Name: rich\n"),
	}}}
	image := must.Get(e.Prepare(t.Context(), engine.Image{Build: build}, t.Output()))
	s := &Store{Engine: e, Agent: FinderHere("").Agent}
	got, err := s.packagesOf(t.Context(), image)
	if want := (packages{Debian: "alpha 1:2.0-3+b1\nbeta 4.5~rc1-1", Python: "flask 3.1.3\nuWSGI 2.0.31"}); err != nil ||
		got != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}
