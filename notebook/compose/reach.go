package compose

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/compose-spec/compose-go/v2/consts"
	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/paths"
	"github.com/compose-spec/compose-go/v2/template"
	"github.com/compose-spec/compose-go/v2/types"
	"go.yaml.in/yaml/v4" // the parser of compose-go, so that both see the same names

	"benchbook/internal/files"
	"benchbook/notebook/source"
	"benchbook/notebook/yamltext"
)

// Bounds of what is read.
const (
	maxFile        = 4 << 20 // bytes of a Compose file
	maxEnvironment = 1 << 20 // bytes of a file of variables
	maxFiles       = 500     // Compose files that are included and extended
)

// A refusal is an error with a place and a way out.
type refusal struct {
	at         source.Pos
	text, hint string
}

func (r *refusal) Error() string { return r.text }

// intoRepository is the way out for a file outside.
const intoRepository = "copy it into the repository, and name it there"

// A reach follows the names in Compose files before compose-go does, which opens whatever they name. It refuses files
// outside the repository without reading them.
//
// Source: loader.ApplyInclude, loader.ApplyExtends.
type reach struct {
	*Project
	count int // of Compose files that were read
}

// follow checks Compose files that are merged, and the files that they include and extend. Paths are relative to the
// folder of the first one. above has the files that include these; compose-go reports loops.
func (r *reach) follow(full []string, at source.Pos, environment types.Mapping, above []string) error {
	dir := filepath.Dir(full[0])
	environment, err := r.dotEnv(dir, at, environment)
	if err != nil {
		return err
	}
	extended := map[string]bool{}
	for _, name := range full {
		documents, text, err := r.parse(name, r.shown(name), at)
		if err != nil {
			return err
		}
		for _, document := range documents {
			err := errors.Join(r.includes(document["include"], text, dir, environment, append(slices.Clone(above), name)),
				r.extends(document, text, dir, environment, extended, func(name string) string { return name }))
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// dotEnv is an environment with the variables in the .env of a folder.
func (r *reach) dotEnv(dir string, at source.Pos, environment types.Mapping) (types.Mapping, error) {
	name := filepath.Join(dir, ".env")
	if info, err := os.Stat(name); err != nil || info.IsDir() {
		return environment, nil
	}
	if _, err := r.read(name, r.shown(name), maxEnvironment, at); err != nil {
		return nil, err
	}
	values, err := dotenv.GetEnvFromFile(environment, []string{name})
	if err != nil {
		return nil, err
	}
	return environment.Clone().Merge(values), nil
}

// start checks the Compose files that the article names, and the files that they include and extend. It also chooses the
// project name, a variable in these files: from the environment, else from the last file that sets it, else the folder's name.
func (r *reach) start(full []string) error {
	at, dir := r.texts[0].place(), filepath.Dir(full[0])
	environment, err := r.dotEnv(dir, at, types.Mapping(r.given).Clone())
	if err != nil {
		return err
	}
	r.name = filepath.Base(dir)
	for _, file := range full {
		documents, t, err := r.parse(file, r.shown(file), at)
		if err != nil {
			return err
		}
		for _, document := range documents {
			if document["name"] == nil {
				continue
			}
			if r.name, err = substituted(document["name"], "name", t.place("name"), environment); err != nil {
				return err
			}
		}
	}
	r.name = cmp.Or(loader.NormalizeProjectName(cmp.Or(environment[consts.ComposeProjectName], r.name)), "project")
	r.environment = environment.Clone()
	r.environment[consts.ComposeProjectName] = r.name
	return r.follow(full, at, r.environment, nil)
}

// A text is a Compose file with the places in it.
type text struct {
	source *source.Source
	node   *yamltext.Node
}

// place returns the place of the value at a path of keys, or of its innermost parent that exists.
func (t text) place(keys ...string) source.Pos {
	at, n := t.source.Pos(0, 0), t.node
	for _, key := range keys {
		for _, f := range n.All() {
			if f.Key.Value == key {
				at = f.Key.Pos
			}
		}
		n = n.Get(key)
	}
	return at
}

// includes checks the files in the value of `include`.
func (r *reach) includes(value any, t text, dir string, environment types.Mapping, above []string) error {
	entries, _ := value.([]any) // anything else is an error for compose-go before it opens a file
	for _, entry := range entries {
		at := t.place("include")
		if mapping, ok := entry.(map[string]any); ok {
			for _, key := range slices.Sorted(maps.Keys(mapping)) {
				if key != "path" {
					return &refusal{at, fmt.Sprintf("include has the key %s, which is not supported", key), "write the path alone: " +
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
			path, err := substituted(name, "path of include", at, environment)
			if err != nil {
				return err
			}
			full = append(full, absolute(dir, path))
			if err := r.refuseOutside(absolute(dir, path), path, at); err != nil {
				return err
			}
		}
		if len(full) == 0 || slices.Contains(above, full[0]) {
			continue
		}
		if err := r.follow(full, at, environment, above); err != nil {
			return err
		}
	}
	return nil
}

// extends checks the files that services extend. Expand is what compose-go does to their names before it joins them to
// the folder.
func (r *reach) extends(document map[string]any, t text, dir string, environment types.Mapping, seen map[string]bool,
	expand func(string) string) error {
	for _, kind := range []string{"services", "jobs"} {
		services, _ := document[kind].(map[string]any)
		for _, service := range slices.Sorted(maps.Keys(services)) {
			about, _ := services[service].(map[string]any)
			extends, _ := about["extends"].(map[string]any)
			if extends["file"] == nil {
				continue
			}
			at := t.place(kind, service, "extends")
			name, err := substituted(extends["file"], "file of extends", at, environment)
			if err != nil {
				return err
			}
			full := absolute(dir, expand(name))
			if seen[full] {
				continue
			}
			seen[full] = true
			documents, inner, err := r.parse(full, name, at)
			if err != nil {
				return err
			}
			for _, document := range documents {
				if err := r.extends(document, inner, filepath.Dir(full), environment, seen, paths.ExpandUser); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// substituted returns a string of a Compose file with its variables replaced by their values.
func substituted(value any, what string, at source.Pos, environment types.Mapping) (string, error) {
	written, ok := value.(string)
	if !ok {
		return "", &refusal{at, "the " + what + " is not a text", "write a text"}
	}
	return template.Substitute(written, environment.Resolve)
}

func absolute(dir, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(dir, name)
}

// parse reads a Compose file, which may hold several documents.
func (r *reach) parse(full, name string, at source.Pos) (documents []map[string]any, t text, err error) {
	if r.count++; r.count > maxFiles {
		return nil, t, &refusal{at, fmt.Sprintf("it names more than %d files", maxFiles), "write the services into fewer files"}
	}
	data, err := r.read(full, name, maxFile, at)
	if err != nil {
		return nil, t, err
	}
	t = r.text(full, data)
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	for {
		var document any
		switch err := decoder.Decode(&document); {
		case errors.Is(err, io.EOF):
			return documents, t, nil
		case err != nil:
			return nil, t, fmt.Errorf("%s: %w", t.source.Path, err)
		}
		if document, err = textKeys(document); err != nil {
			return nil, t, fmt.Errorf("%s: %w", t.source.Path, err)
		}
		if mapping, ok := document.(map[string]any); ok {
			documents = append(documents, mapping)
		}
	}
}

// textKeys returns a decoded YAML value with string keys only. It returns an error for any other key.
func textKeys(value any) (any, error) {
	var err error
	switch v := value.(type) {
	case map[any]any:
		out := map[string]any{}
		for key, inner := range v {
			name, ok := key.(string)
			if !ok {
				return nil, fmt.Errorf("the key %v is not a text", key)
			}
			out[name] = inner
		}
		return textKeys(out)
	case map[string]any:
		for key, inner := range v {
			if v[key], err = textKeys(inner); err != nil {
				return nil, err
			}
		}
	case []any:
		for i, inner := range v {
			if v[i], err = textKeys(inner); err != nil {
				return nil, err
			}
		}
	}
	return value, nil
}

// text is a file with its places.
func (r *reach) text(full string, data []byte) text {
	if real, err := filepath.EvalSymlinks(full); err == nil {
		full = real
	}
	shown, _ := r.inside(full)
	for _, t := range r.texts {
		if t.source.Path == shown {
			return t
		}
	}
	return r.addText(source.New(shown, data))
}

// read reads a file of the repository and adds it to the files read.
func (r *reach) read(full, name string, most int64, at source.Pos) ([]byte, error) {
	if err := r.refuseOutside(full, name, at); err != nil {
		return nil, err
	}
	data, _, err := files.Read(full, most)
	if err != nil {
		return nil, &refusal{at, name + " cannot be read: " + files.Reason(err), "name a file of the repository"}
	}
	if !slices.Contains(r.Files, full) {
		r.Files = append(r.Files, full)
	}
	return data, nil
}

// refuseOutside refuses a path that leads out of the repository, also through links. For a file that does not exist it
// checks the nearest folder that does.
func (p *Project) refuseOutside(full, name string, at source.Pos) error {
	real, err := filepath.EvalSymlinks(full)
	for above := full; errors.Is(err, fs.ErrNotExist) && above != filepath.Dir(above); {
		above = filepath.Dir(above)
		real, err = filepath.EvalSymlinks(above)
	}
	if err != nil {
		return &refusal{at, name + " cannot be read: " + files.Reason(err), "name a file of the repository"}
	}
	if _, ok := p.inside(real); !ok {
		return &refusal{at, name + " lies outside the repository", intoRepository}
	}
	return nil
}

// checkFiles refuses files outside the repository that services name, and collects the variables in those that are read
// into their environment.
func (p *Project) checkFiles(found map[string]variable) error {
	for _, name := range slices.Sorted(maps.Keys(p.loaded.Services)) {
		s := p.loaded.Services[name]
		of := func(key, path string) error {
			return p.refuseOutside(path, fmt.Sprintf("service %q: %s %s", name, key, p.shown(path)), p.place(name, key))
		}
		for _, hook := range s.PreStart {
			for _, f := range hook.EnvFiles {
				if err := p.refuseOutside(f.Path, fmt.Sprintf("service %q: env_file %s", name, p.shown(f.Path)),
					p.place(name, "pre_start")); err != nil {
					return err
				}
			}
		}
		for _, f := range s.LabelFiles {
			if err := of("label_file", f); err != nil {
				return err
			}
		}
		for _, f := range s.EnvFiles {
			if err := of("env_file", f.Path); err != nil {
				return err
			}
			if _, err := os.Stat(f.Path); !bool(f.Required) && errors.Is(err, fs.ErrNotExist) {
				continue
			}
			data, _, err := files.Read(f.Path, maxEnvironment)
			if err != nil {
				return &refusal{p.place(name, "env_file"), fmt.Sprintf("service %q: env_file %s: %s", name, p.shown(f.Path),
					files.Reason(err)), "name a file of the repository"}
			}
			p.EnvFiles = append(p.EnvFiles, f.Path)
			p.noteVariablesOf(data, found)
		}
	}
	return nil
}

// shown returns a path relative to the root, or unchanged if it is outside.
func (p *Project) shown(full string) string {
	if rel, ok := p.inside(full); ok {
		return rel
	}
	return full
}
