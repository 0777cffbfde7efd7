// Package compose reads Compose files with Compose's library, compose-go, and returns the services of an experiment.
//
// compose-go does interpolation, env_file, extends, profiles and merging of files. table.go has a rule for each key of
// a service; reach.go refuses files outside the repository before they are read.
//
// The rules are in docs/compose.md.
package compose

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/template"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/sirupsen/logrus"

	"benchbook/internal/slice"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

// Options say where Compose files are and what an article changes in them.
type Options struct {
	Dir         string          // the folder that the paths of files are relative to
	Root        string          // the folder that all files must lie in
	Environment []string        // names of environment variables that Compose files may use
	AnySecret   bool            // secrets may use any variable, while an article is being written
	LeavesOut   bool            // leave out and list unsupported keys of services, while an article is being written
	Services    *source.Node    // of the article; their keys replace those of the Compose services of the same name
	Private     map[string]bool // receives the values of Environment and of secret variables in files; may be nil
}

// Project is the result of reading Compose files.
type Project struct {
	Services  *source.Node      // by name, in the keys of articles, merged with the services of the article
	Secrets   *source.Node      // by name, in the keys of articles; nil if no service uses one
	Published map[string]bool   // names of services with ports
	Contents  map[string][]byte // configs and secrets that are not in files, by the path that represents them
	Notes     []string          // for the author
	LeftOut   []LeftOut         // with Options.LeavesOut
	Files     []string          // absolute paths of the Compose files and of .env files
	EnvFiles  []string          // absolute paths of files that an env_file names

	options     Options
	root        string
	given       map[string]string // the variables of Environment that are set
	environment types.Mapping     // given, and .env
	missing     map[string]bool   // names of variables without a value
	refused     []*refusal
	ignored     map[string][]string     // names of services by the keys of theirs that have no effect
	resolved    map[*source.Source]bool // the texts of Services and Secrets
}

// LeftOut is a key of a service that is not supported, and why.
type LeftOut struct{ Service, Key, Reason string }

// Holds reports whether a value is from the Compose files. p may be nil.
func (p *Project) Holds(t source.Text) bool { return p != nil && p.resolved[t.Pos.Source] }

// A refusal is an error with a hint.
type refusal struct{ text, hint string }

func (r *refusal) Error() string { return r.text }

// Read reads Compose files, of which later ones override earlier ones. It returns nil if there is a problem.
func Read(names []source.Text, o Options, problems *source.Problems) *Project {
	p := &Project{Contents: map[string][]byte{}, Published: map[string]bool{}, options: o, root: realPath(o.Root),
		given: map[string]string{}, missing: map[string]bool{}, ignored: map[string][]string{},
		resolved: map[*source.Source]bool{}}
	if o.Private == nil {
		p.options.Private = map[string]bool{}
	}
	for _, name := range o.Environment {
		if value, ok := os.LookupEnv(name); ok {
			p.given[name], p.options.Private[value] = value, true
		}
	}
	paths := slice.Map(names, func(t source.Text) string { return t.Value })
	if err := p.load(paths); err != nil {
		p.refused = []*refusal{p.refusalOf(err)}
	}
	for _, r := range p.refused {
		problems.Add("compose", names[0].Pos, "%s: %s", strings.Join(paths, ", "), r.text).Hint = r.hint
	}
	if len(p.refused) > 0 {
		return nil
	}
	return p
}

// realPath returns a path with its links resolved, or unchanged if there is no such file.
func realPath(name string) string {
	if real, err := filepath.EvalSymlinks(name); err == nil {
		return real
	}
	return name
}

// refusalOf converts an error to a refusal. Its text has no values of variables, and no path of the root.
func (p *Project) refusalOf(err error) *refusal {
	if refused, ok := errors.AsType[*refusal](err); ok {
		return refused
	}
	text := strings.NewReplacer(p.root+string(filepath.Separator), "", ": invalid compose project", "", "validating ", "",
		" false schema", " is not a key of Compose").Replace(err.Error())
	text = record.NewRedactor(slices.Collect(maps.Values(p.given))...).Text(strings.Join(strings.Fields(text), " "))
	return &refusal{"it cannot be used: " + text, "correct it: `docker compose config` refuses it too"}
}

// load reads the files. It returns panics, which compose-go has on some files, as errors.
func (p *Project) load(names []string) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *refusal:
			err = r
		default:
			err = fmt.Errorf("compose-go cannot read it: %v", r)
		}
	}()
	var paths []string
	for _, name := range names {
		full := realPath(filepath.Join(p.options.Dir, filepath.FromSlash(name)))
		if err := p.readFile(full, maxFile); err != nil {
			return err
		}
		paths = append(paths, full)
	}
	if err := p.readEnvironment(filepath.Dir(paths[0])); err != nil {
		return err
	}
	project, err := p.project(paths)
	if err != nil {
		return err
	}
	if err := p.checkFiles(project); err != nil {
		return err
	}
	resolved, err := project.WithServicesEnvironmentResolved(true)
	if err != nil {
		return err
	}
	p.addPrivate(project, resolved)
	return p.translate(resolved, strings.Join(names, ", "))
}

// addPrivate adds values from .env and env_file files whose names are those of secrets to Private.
func (p *Project) addPrivate(project, resolved *types.Project) {
	add := func(name, value string) {
		if spec.IsSecretName(name) {
			p.options.Private[value] = true
		}
	}
	for name, value := range p.environment {
		add(name, value)
	}
	for service, s := range resolved.Services {
		for name, value := range s.Environment {
			if _, written := project.Services[service].Environment[name]; !written && value != nil {
				add(name, *value)
			}
		}
	}
}

// translate sets Services, Secrets and Notes.
func (p *Project) translate(project *types.Project, shown string) error {
	services, secrets := &source.Node{Kind: source.Map}, map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(project.Services)) {
		service, err := p.parse(fmt.Sprintf("%s (service %s)", shown, name), p.service(project, name, secrets))
		if err != nil {
			return err
		}
		key := source.Text{Value: name, Pos: service.Text.Pos}
		services.Fields, services.Text.Pos = append(services.Fields, source.Field{Key: key, Value: service}), key.Pos
	}
	p.Services = source.Merge(services, p.options.Services, false) // service leaves out keys that both have
	var err error
	if len(secrets) > 0 {
		p.Secrets, err = p.parse(shown+" (secrets)", secrets)
	}
	var ignored []string
	for _, key := range slices.Sorted(maps.Keys(p.ignored)) {
		ignored = append(ignored, key+" of "+strings.Join(p.ignored[key], ", "))
	}
	note := func(before string, names []string, after string) {
		if len(names) > 0 {
			p.Notes = append(p.Notes, before+strings.Join(names, ", ")+after)
		}
	}
	note("no effect here: ", ignored, "")
	note("", slices.Sorted(maps.Keys(p.given)), " from the environment of this command")
	note("", slices.Sorted(maps.Keys(p.missing)),
		" not set, so empty or their default; this command's variables need environment: of compose")
	note("", slices.Sorted(maps.Keys(project.DisabledServices)), " left out by profiles")
	note("", slices.Sorted(maps.Keys(project.Jobs)), " left out, as jobs are not run")
	return err
}

// project loads the files with compose-go. COMPOSE_PROFILES of the environment activates profiles.
func (p *Project) project(paths []string) (*types.Project, error) {
	logrus.SetOutput(io.Discard) // drops the library's warnings; Notes have what matters
	options, err := cli.NewProjectOptions(paths, cli.WithWorkingDirectory(filepath.Dir(paths[0])),
		func(o *cli.ProjectOptions) error { o.Environment = p.environment.Clone(); return nil },
		cli.WithDefaultProfiles(), cli.WithoutEnvironmentResolution, cli.WithoutLabelsResolution,
		cli.WithLoadOptions(p.noteMissing))
	if err != nil {
		return nil, err
	}
	options.WithListeners(refuseFiles)
	project, err := options.LoadProject(context.Background())
	if err != nil {
		return nil, err
	}
	return project.WithoutUnresolvedOptionalDependencies(), nil
}

// noteMissing collects the names of variables that have no value.
func (p *Project) noteMissing(o *loader.Options) {
	if o.Interpolate == nil {
		return // compose-go also calls this where it reads nothing
	}
	substitute := o.Interpolate.Substitute
	o.Interpolate.Substitute = func(text string, values template.Mapping) (string, error) {
		return substitute(text, func(name string) (string, bool) {
			value, ok := values(name)
			if !ok {
				p.missing[name] = true
			}
			return value, ok
		})
	}
}

// parse returns the node of a value. Problems with it show the value as a JSON text with this name.
func (p *Project) parse(name string, value any) (*source.Node, error) {
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return nil, err
	}
	s := source.New(name, text)
	p.resolved[s] = true
	var problems source.Problems
	n := source.Parse(source.Whole(s), &problems)
	if !problems.Empty() {
		return nil, errors.New(problems.Sorted()[0].Message)
	}
	return n, nil
}

func plain(v any) (out any) {
	data, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(data, &out)
	}
	if err != nil {
		panic(err) // load returns it as an error
	}
	return out
}
