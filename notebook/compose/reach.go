package compose

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/compose-spec/compose-go/v2/types"
	"go.yaml.in/yaml/v4" // the parser of compose-go, so that both see the same names

	"benchbook/internal/files"
	"benchbook/notebook/spec"
)

// Bounds of what is read.
const (
	maxFile        = 4 << 20 // bytes of a Compose file
	maxEnvironment = 1 << 20 // bytes of a file of variables
	maxFiles       = 500     // Compose files that are included and extended
)

// A reach checks the names of files in Compose files before compose-go opens them. It refuses files outside the
// repository without reading them, and names with variables, which only compose-go can resolve.
//
// Source: loader.ApplyInclude, loader.ApplyExtends.
type reach struct {
	*Project
	read  map[string]bool // files whose names are checked
	count int
}

// follow checks Compose files that are merged, and the files that they include and extend. Paths are relative to the
// folder of the first one.
func (r *reach) follow(full []string) error {
	dir := filepath.Dir(full[0])
	env := filepath.Join(dir, ".env")
	if info, err := os.Stat(env); err == nil && !info.IsDir() {
		if _, err := r.readFile(env, maxEnvironment); err != nil {
			return err
		}
	}
	for _, name := range full {
		if err := r.check(name, dir, true); err != nil {
			return err
		}
	}
	return nil
}

// check checks a Compose file. compose-go does not follow the includes of a file that is extended.
func (r *reach) check(full, dir string, includes bool) error {
	if r.read == nil {
		r.read = map[string]bool{}
	}
	key := fmt.Sprint(full, "\n", dir, includes)
	if r.read[key] {
		return nil // compose-go reports loops
	}
	r.read[key] = true
	documents, err := r.documents(full)
	for _, d := range documents {
		if includes && err == nil {
			err = r.includes(d.Include, dir)
		}
		for _, services := range []map[string]extending{d.Services, d.Jobs} {
			if err == nil {
				err = r.extends(services, dir)
			}
		}
	}
	return err
}

// includes checks the files in the entries of include.
func (r *reach) includes(entries []any, dir string) error {
	for _, entry := range entries {
		if mapping, ok := entry.(map[string]any); ok {
			for _, key := range slices.Sorted(maps.Keys(mapping)) {
				if key != "path" {
					return &refusal{fmt.Sprintf("include has the key %s, which is not supported", key), "write the path alone: " +
						"paths in an included file count from its folder, and its variables are in the .env of that folder"}
				}
			}
			entry = mapping["path"]
		}
		names, ok := entry.([]any)
		if !ok {
			names = []any{entry}
		}
		var full []string
		for _, name := range names {
			path, err := plainPath(name, "the path of include", dir)
			if err == nil {
				err = r.refuseOutside(path, fmt.Sprint(name))
			}
			if err != nil {
				return err
			}
			full = append(full, path)
		}
		if len(full) > 0 {
			if err := r.follow(full); err != nil {
				return err
			}
		}
	}
	return nil
}

// extends checks the files that services extend.
func (r *reach) extends(services map[string]extending, dir string) error {
	for _, service := range slices.Sorted(maps.Keys(services)) {
		value := services[service].Extends
		extends, isMapping := value.(map[string]any)
		if _, isName := value.(string); value == nil || isName || isMapping && extends["file"] == nil {
			continue
		}
		full, err := plainPath(extends["file"], fmt.Sprintf("service %q: the file of extends", service), dir)
		if err == nil {
			err = r.check(full, filepath.Dir(full), false)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// plainPath returns the path that a value names. It refuses one that compose-go would change before it opens it.
func plainPath(value any, what, dir string) (string, error) {
	name, ok := value.(string)
	switch {
	case !ok:
		return "", &refusal{what + " is not a text", "write a path"}
	case strings.Contains(name, "$"), strings.HasPrefix(name, "~"):
		return "", &refusal{fmt.Sprintf("%s is %s, which is not a plain path", what, name), "write a path in the repository, " +
			"without variables and ~"}
	case filepath.IsAbs(name):
		return name, nil
	}
	return filepath.Join(dir, name), nil
}

// A document has the keys of a YAML document that name other files.
type document struct {
	Include  []any
	Services map[string]extending
	Jobs     map[string]extending
}

// An extending service has the key extends, as a name or a mapping.
type extending struct{ Extends any }

// documents returns the documents of a Compose file.
func (r *reach) documents(full string) (out []document, err error) {
	if r.count++; r.count > maxFiles {
		return nil, &refusal{fmt.Sprintf("it names more than %d files", maxFiles), "write the services into fewer files"}
	}
	data, err := r.readFile(full, maxFile)
	if err != nil {
		return nil, err
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	for {
		var d document
		err := decoder.Decode(&d)
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.shown(full), err)
		}
		out = append(out, d)
	}
}

// readFile reads a file of the repository and adds it to Files.
func (p *Project) readFile(full string, most int64) ([]byte, error) {
	name := p.shown(full)
	if err := p.refuseOutside(full, name); err != nil {
		return nil, err
	}
	data, _, err := files.Read(full, most)
	if err != nil {
		return nil, &refusal{name + " cannot be read: " + files.Reason(err), "name a file of the repository"}
	}
	if !slices.Contains(p.Files, full) {
		p.Files = append(p.Files, full)
	}
	return data, nil
}

// dotEnv returns given with the variables in the .env of a folder. Given values win.
func dotEnv(dir string, given map[string]string) (types.Mapping, error) {
	out := types.Mapping(given).Clone()
	name := filepath.Join(dir, ".env")
	if info, err := os.Stat(name); err != nil || info.IsDir() {
		return out, nil
	}
	values, err := dotenv.GetEnvFromFile(out, []string{name})
	if err != nil {
		return nil, err
	}
	return out.Merge(values), nil
}

// refuseOutside refuses a path that leads out of the repository, also through links. For a file that does not exist it
// checks the nearest folder that does.
func (p *Project) refuseOutside(full, name string) error {
	real, err := filepath.EvalSymlinks(full)
	for above := full; errors.Is(err, fs.ErrNotExist) && above != filepath.Dir(above); {
		above = filepath.Dir(above)
		real, err = filepath.EvalSymlinks(above)
	}
	if err != nil {
		return &refusal{name + " cannot be read: " + files.Reason(err), "name a file of the repository"}
	}
	if _, ok := p.inside(real); !ok {
		return &refusal{name + " lies outside the repository", "copy it into the repository, and name it there"}
	}
	return nil
}

// checkFiles refuses files outside the repository that services name, and collects private values in their env_file.
func (p *Project) checkFiles(project *types.Project) error {
	for _, name := range slices.Sorted(maps.Keys(project.Services)) {
		s := project.Services[name]
		outside := func(key, path string) error {
			return p.refuseOutside(path, fmt.Sprintf("service %q: %s %s", name, key, p.shown(path)))
		}
		for _, f := range s.LabelFiles {
			if err := outside("label_file", f); err != nil {
				return err
			}
		}
		envFiles := slices.Clone(s.EnvFiles)
		for _, hook := range s.PreStart {
			envFiles = append(envFiles, hook.EnvFiles...)
		}
		for _, f := range envFiles {
			if err := outside("env_file", f.Path); err != nil {
				return err
			}
			data, _, err := files.Read(f.Path, maxEnvironment)
			if !bool(f.Required) && errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return &refusal{fmt.Sprintf("service %q: env_file %s: %s", name, p.shown(f.Path), files.Reason(err)),
					"name a file of the repository"}
			}
			p.EnvFiles = append(p.EnvFiles, f.Path)
			values, err := dotenv.UnmarshalBytesWithLookup(data, p.environment.Resolve)
			for variable, value := range values {
				if err == nil && spec.IsSecretName(variable) {
					p.private = append(p.private, value)
				}
			}
		}
	}
	return nil
}

// inside returns the path of a file relative to the root, with slashes; false outside it.
func (p *Project) inside(full string) (string, bool) {
	rel, ok := files.Below(p.root, full)
	return filepath.ToSlash(rel), ok
}

// shown returns a path relative to the root, or unchanged if it is outside.
func (p *Project) shown(full string) string {
	if rel, ok := p.inside(full); ok {
		return rel
	}
	return full
}
