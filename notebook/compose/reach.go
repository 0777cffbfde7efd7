package compose

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/compose-spec/compose-go/v2/types"

	"benchbook/internal/files"
)

// Largest sizes of files, in bytes.
const (
	maxFile        = 4 << 20 // a Compose file
	maxEnvironment = 1 << 20 // a file of variables
)

// refuseFiles is a listener of compose-go that refuses include and extends of other files. It panics, since only that
// stops compose-go before it opens them.
func refuseFiles(event string, entry map[string]any) {
	if event == "include" || entry["file"] != nil {
		panic(&refusal{event + " names other files, which is not supported", "list them under compose: of the experiment, or " +
			"write them into one file with `docker compose config`"})
	}
}

// readFile checks a file of the repository and adds it to Files.
func (p *Project) readFile(full string, most int64) error {
	name := p.shown(full)
	if err := p.refuseOutside(full, name); err != nil {
		return err
	}
	if _, _, err := files.Read(full, most); err != nil {
		return &refusal{name + " cannot be read: " + files.Reason(err), "name a file of the repository"}
	}
	p.Files = append(p.Files, full)
	return nil
}

// readEnvironment sets the variables for Compose files: given, and those in the .env file of a folder.
func (p *Project) readEnvironment(dir string) error {
	p.environment = types.Mapping(p.given).Clone()
	name := filepath.Join(dir, ".env")
	if info, err := os.Stat(name); err != nil || info.IsDir() {
		return nil
	}
	if err := p.readFile(name, maxEnvironment); err != nil {
		return err
	}
	values, err := dotenv.GetEnvFromFile(p.environment, []string{name})
	p.environment.Merge(values)
	return err
}

// refuseOutside returns an error for a path that leads out of the repository, also through links. For a file that does
// not exist it checks the nearest folder that does.
func (p *Project) refuseOutside(full, name string) error {
	real, err := filepath.EvalSymlinks(full)
	for above := full; errors.Is(err, fs.ErrNotExist) && above != filepath.Dir(above); {
		above = filepath.Dir(above)
		real, err = filepath.EvalSymlinks(above)
	}
	if err != nil {
		return &refusal{name + " cannot be read: " + files.Reason(err), "name a file of the repository"}
	}
	if _, ok := p.below(real); !ok {
		return &refusal{name + " lies outside the repository", "copy it into the repository, and name it there"}
	}
	return nil
}

// checkFiles refuses label_file and env_file files outside the repository, and adds those of env_file to EnvFiles.
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
			if _, _, err := files.Read(f.Path, maxEnvironment); err == nil {
				p.EnvFiles = append(p.EnvFiles, f.Path)
			} else if bool(f.Required) || !errors.Is(err, fs.ErrNotExist) {
				return &refusal{fmt.Sprintf("service %q: env_file %s: %s", name, p.shown(f.Path), files.Reason(err)),
					"name a file of the repository"}
			}
		}
	}
	return nil
}

// below returns the path of a file relative to the root, with slashes; ok is false for a file outside.
func (p *Project) below(full string) (string, bool) {
	rel, ok := files.Below(p.root, full)
	return filepath.ToSlash(rel), ok
}

// shown returns a path relative to the root, or unchanged if it is outside.
func (p *Project) shown(full string) string {
	if rel, ok := p.below(full); ok {
		return rel
	}
	return full
}
