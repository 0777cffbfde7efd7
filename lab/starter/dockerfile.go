package starter

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"benchbook/notebook/projects"
	"benchbook/slice"
)

// isDockerfile tells a Dockerfile from a Compose file by its name, such as Dockerfile.dev or web.dockerfile.
func isDockerfile(file string) bool {
	name := strings.ToLower(filepath.Base(file))
	isYAML := slices.Contains([]string{".yml", ".yaml"}, filepath.Ext(name))
	return !isYAML && (strings.Contains(name, "dockerfile") || strings.Contains(name, "containerfile"))
}

// dockerService is the name of the service that is built from a Dockerfile.
const dockerService = "server"

// FromDockerfile writes an article for the project in dir that puts a load on the server in an image. The folder of the
// Dockerfile is the build context, and stays as it is.
//
// The error says in one sentence why that cannot be, and what to change.
func FromDockerfile(dir, file string) (*Article, error) {
	if err := readable(file); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: allow it, and try again (%w)", file, err)
	}
	folder := absolute(filepath.Dir(file))
	slug := slugOf(filepath.Base(folder))
	root := (&projects.Project{Dir: absolute(dir)}).Repository()
	if below, err := filepath.Rel(root, folder); err != nil || !filepath.IsLocal(below) {
		return nil, fmt.Errorf("%s is outside the repository of the project, %s: make the project in the repository of the "+
			"Dockerfile", file, root)
	}
	context, err := filepath.Rel(filepath.Join(absolute(dir), "experiments", slug), folder)
	if err != nil {
		return nil, err
	}
	ports := exposedBy(string(data))
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
		strings.Join(slice.Map(ports, strconv.Quote), ", "))
	return &Article{slug, text(slug, dockerService, ports[at], services)}, nil
}

// continued is the end of a line that goes on.
var continued = regexp.MustCompile(`\\[ \t]*\r?\n`)

// exposedBy are the TCP ports that the last stage of a Dockerfile exposes, or the stages that it is made from. Those of
// an image from elsewhere are not known, and ranges are left out: seldom does anything listen on all of one.
//
// Source: Dockerfile reference, "EXPOSE", "Environment replacement".
func exposedBy(dockerfile string) (ports []string) {
	stage, stages, values := "", map[string][]string{}, variables{}
	for line := range strings.Lines(continued.ReplaceAllString(dockerfile, " ")) {
		words := slices.DeleteFunc(strings.Fields(line), func(word string) bool { return strings.HasPrefix(word, "--") })
		if len(words) < 2 {
			continue
		}
		switch rest := words[1:]; strings.ToUpper(words[0]) {
		case "FROM":
			if stage = ""; len(rest) == 3 { // image AS stage
				stage = strings.ToLower(rest[2])
			}
			ports = slices.Clone(stages[strings.ToLower(values.expand(rest[0]))])
		case "ENV", "ARG":
			values.set(rest)
		case "EXPOSE":
			for _, word := range rest {
				if m := tcpPort.FindStringSubmatch(values.expand(word)); m != nil {
					ports = slice.Add(ports, m[1])
				}
			}
		}
		stages[stage] = ports
	}
	return ports
}

// tcpPort is a port as EXPOSE has it.
var tcpPort = regexp.MustCompile(`^([1-9]\d{0,4})(?i:/tcp)?$`)

// variables are those of a Dockerfile, as far as it gives them values.
type variables map[string]string

func (v variables) expand(word string) string {
	return os.Expand(strings.Trim(word, `"'`), func(name string) string {
		name, otherwise, _ := strings.Cut(name, ":-")
		return cmp.Or(v[name], otherwise)
	})
}

// set reads the words of ENV and ARG: NAME=value, or NAME value.
func (v variables) set(words []string) {
	if len(words) == 2 && !strings.Contains(words[0], "=") {
		words = []string{words[0] + "=" + words[1]}
	}
	for _, word := range words {
		if name, value, ok := strings.Cut(word, "="); ok {
			v[name] = v.expand(value)
		}
	}
}
