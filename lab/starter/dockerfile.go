package starter

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"benchbook/internal/files"
	"benchbook/runner/engine/docker"
)

// isDockerfile reports whether a file has the name of a Dockerfile, such as Dockerfile.dev or web.dockerfile.
func isDockerfile(file string) bool {
	name := strings.ToLower(filepath.Base(file))
	isYAML := slices.Contains([]string{".yml", ".yaml"}, filepath.Ext(name))
	return !isYAML && (strings.Contains(name, "dockerfile") || strings.Contains(name, "containerfile"))
}

// fromDockerfile makes a service that is built from a Dockerfile, with the Dockerfile's folder as the build context.
func (m *maker) fromDockerfile(data []byte) error {
	context := absolute(filepath.Dir(m.file))
	if _, ok := files.Below(m.root, context); !ok {
		return fmt.Errorf("%s is outside the repository of the project, %s: make the project in the repository of the "+
			"Dockerfile", m.file, m.root)
	}
	read, err := docker.ReadDockerfile(data, nil, "")
	if p, ok := errors.AsType[*docker.DockerfileError](err); ok {
		return fmt.Errorf("%s line %d: %s", m.file, p.Line, p.Message)
	}
	ports := read.Exposed()
	at := slices.IndexFunc(ports, func(port string) bool { return !slices.Contains(elsewhere, port) })
	if at < 0 {
		return fmt.Errorf("%s exposes no port to put load on: add EXPOSE with the port on which its server answers over HTTP, "+
			"such as EXPOSE 8080", m.file)
	}
	build := " " + plain(m.relative(context))
	if name := filepath.Base(m.file); name != "Dockerfile" {
		build = fmt.Sprintf("\n      context:%s\n      dockerfile: %s", build, plain(name))
	}
	m.service, m.port = "server", ports[at]
	m.services = fmt.Sprintf("services:\n  %s:\n    build:%s\n    expose: [\"%s\"]\n", m.service, build,
		strings.Join(ports, `", "`))
	return nil
}
