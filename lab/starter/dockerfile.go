package starter

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"benchbook/internal/files"
	"benchbook/notebook/article"
	"benchbook/runner/engine/docker"
)

// isDockerfile reports whether a file is a Dockerfile by its name, such as Dockerfile.dev or web.dockerfile.
func isDockerfile(file string) bool {
	name := strings.ToLower(filepath.Base(file))
	isYAML := slices.Contains([]string{".yml", ".yaml"}, filepath.Ext(name))
	return !isYAML && (strings.Contains(name, "dockerfile") || strings.Contains(name, "containerfile"))
}

// dockerService is the name of the service that is built from a Dockerfile.
const dockerService = "server"

// FromDockerfile writes an article for the project in dir that puts a load on the server in an image. The folder of the
// Dockerfile is the build context, and is not changed. The error has a remedy.
func FromDockerfile(dir, file, path string) (*Article, error) {
	if err := readable(file); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: allow it, and try again (%w)", file, err)
	}
	folder := absolute(filepath.Dir(file))
	slug := slugOf(filepath.Base(folder))
	root := (&article.Project{Dir: absolute(dir)}).Repository()
	if _, ok := files.Below(root, folder); !ok {
		return nil, fmt.Errorf("%s is outside the repository of the project, %s: make the project in the repository of the "+
			"Dockerfile", file, root)
	}
	context, _ := filepath.Rel(filepath.Join(absolute(dir), "experiments", slug), folder) // both are absolute
	read, err := docker.ReadDockerfile(data, nil, "")
	if p, ok := errors.AsType[*docker.DockerfileError](err); ok {
		return nil, fmt.Errorf("%s line %d: %s", file, p.Line, p.Message)
	}
	ports := read.Exposed()
	at := slices.IndexFunc(ports, func(port string) bool { return !slices.Contains(elsewhere, port) })
	if at < 0 {
		return nil, fmt.Errorf("%s exposes no port to put load on: add EXPOSE with the port on which its server answers "+
			"over HTTP, such as EXPOSE 8080", file)
	}
	build := plain(filepath.ToSlash(context))
	if name := filepath.Base(file); name != "Dockerfile" {
		build = fmt.Sprintf("\n      context: %s\n      dockerfile: %s", build, plain(name))
	} else {
		build = " " + build
	}
	services := fmt.Sprintf("services:\n  %s:\n    build:%s\n    expose: [%s]\n", dockerService, build,
		`"`+strings.Join(ports, `", "`)+`"`)
	return &Article{slug, text(slug, dockerService, ports[at], path, services)}, nil
}
