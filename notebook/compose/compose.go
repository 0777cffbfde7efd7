// Package compose reads Compose files by Compose's own rules and says what they mean in the words of articles.
//
// The rules are those of compose-go: interpolation, .env and env_file, extends, include, profiles and several files in
// a row. What it gives is the services of an experiment, in which everything has a place in a Compose file.
//
// Rules are those of docs/compose.md.
package compose

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/template"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/sirupsen/logrus"

	"benchbook/internal/files"
	"benchbook/internal/slice"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
	"benchbook/notebook/yamltext"
)

// Options say where Compose files are looked for, and what is made of them.
type Options struct {
	Dir         string         // that the paths of files are counted from
	Root        string         // the folder that nothing may lead out of; paths of files are given relative to it
	Environment []string       // names of the variables of this process that Compose files may use
	AnySecret   bool           // secrets may be any variable, for an article that is being written
	Services    *yamltext.Node // of the article; those that it does not remove run whatever their profiles are
	// Private gets the values of Environment, and those of .env and of an env_file whose names are those of secrets; nil
	// if nobody asks.
	Private map[string]bool
}

// Project is what Compose files say.
type Project struct {
	Services *yamltext.Node // by name, as in an article; keys that articles do not have are left to Settle
	Secrets  *yamltext.Node // those that services use, by name, as in an article; nil for none
	// Contents are those of configs and secrets that are in no file, by the path which stands for them.
	Contents map[string][]byte
	Notes    []string // what the author may want to know
	Files    []string // whole paths of the Compose files, and of the .env beside them
	EnvFiles []string // whole paths of what an env_file names

	private []string // see Options.Private

	root        string
	name        string            // of the project, for COMPOSE_PROJECT_NAME
	listed      []string          // names of variables that the article lists
	secret      bool              // whether secrets may be variables that it does not list
	given       map[string]string // those of them that this process has
	texts       []text            // the files as they are written, first those that the article names
	environment types.Mapping     // what the files may use: given, and .env
	named       int               // how many those are
	loaded      *types.Project
}

// Holds says that a value comes from the Compose files.
func (p *Project) Holds(t source.Text) bool {
	return p != nil && t.Pos.Source != nil &&
		slices.ContainsFunc(p.texts, func(of text) bool { return of.source == t.Pos.Source })
}

// Read reads Compose files, the later ones over the earlier. What is wrong is a problem, and the result then nil.
func Read(names []source.Text, o Options, problems *source.Problems) *Project {
	root, err := filepath.EvalSymlinks(o.Root)
	if err != nil {
		root = o.Root
	}
	p := &Project{Contents: map[string][]byte{}, root: root, listed: o.Environment, secret: o.AnySecret,
		given: map[string]string{}}
	for _, name := range o.Environment {
		if value, ok := os.LookupEnv(name); ok {
			p.given[name] = value
			p.private = append(p.private, value)
		}
	}
	var paths []string
	for _, name := range names {
		if full, ok := p.open(name, o.Dir, problems); ok {
			paths = append(paths, full)
		}
	}
	if len(paths) < len(names) || len(paths) == 0 {
		return nil
	}
	var wanted []string
	for _, f := range o.Services.All() {
		if f.Value.Kind != yamltext.Null {
			wanted = append(wanted, f.Key.Value)
		}
	}
	p.named = len(p.texts)
	err = within(patience, func() error {
		if err := (&reach{Project: p}).start(paths); err != nil {
			return err
		}
		return p.load(paths, wanted)
	})
	var refused *refusal
	switch {
	case errors.As(err, &refused):
		problems.Add("compose", refused.at, "%s", refused.text).Hint = refused.hint
		return nil
	case err != nil:
		problems.Add("compose", names[0].Pos, "%s cannot be used: %s", strings.Join(texts(names), ", "),
			record.NewRedactor(slices.Collect(maps.Values(p.given))...).Text(p.plain(err))).
			Hint = "correct it: `docker compose config` refuses it too"
		return nil
	}
	p.tellPrivate(o.Private)
	if !p.translate(problems) {
		return nil
	}
	return p
}

// tellPrivate adds the private values to known, which may be nil.
func (p *Project) tellPrivate(known map[string]bool) {
	if known == nil {
		return
	}
	for _, value := range p.private {
		known[value] = true
	}
}

// patience is how long reading may take.
const patience = 30 * time.Second

// within does something, and gives up on it after a time. What it does must not touch anything that is used then. That
// compose-go panics, as it does where a key is not of the kind that it expects, is an error.
func within(limit time.Duration, do func() error) error {
	done := make(chan error, 1)
	go func() {
		defer func() {
			if r := recover(); r != nil {
				done <- fmt.Errorf("compose-go cannot read it: %v", r)
			}
		}()
		done <- do()
	}()
	select {
	case err := <-done:
		return err
	case <-time.After(limit):
		return fmt.Errorf("reading it takes longer than %v: look whether all that it includes and extends are files", limit)
	}
}

func texts(list []source.Text) []string {
	return slice.Map(list, func(t source.Text) string { return t.Value })
}

// open finds a Compose file that the article names, and remembers where its values stand.
func (p *Project) open(name source.Text, dir string, problems *source.Problems) (full string, ok bool) {
	full, err := filepath.EvalSymlinks(filepath.Join(dir, filepath.FromSlash(name.Value)))
	if err != nil {
		problems.Add("no-such-file", name.Pos, "the Compose file %q cannot be read: %s", name.Value, files.Reason(err)).
			Hint = "count its path from the article's folder, such as ../../docker-compose.yml"
		return "", false
	}
	shown, inside := p.inside(full)
	if !inside {
		problems.Add("compose", name.Pos, "the Compose file %q lies outside the repository", name.Value).
			Hint = "copy it into the repository, with what it needs"
		return "", false
	}
	var unread source.Problems
	written, ok := source.Read(full, shown, &unread)
	if !ok {
		problems.Add("not-a-file", name.Pos, "the Compose file %q is not a file that can be read", name.Value).
			Hint = "name a file"
		return "", false
	}
	p.addText(written)
	return full, true
}

// inside gives the path of a file below the root, with slashes.
func (p *Project) inside(full string) (string, bool) {
	rel, ok := files.Below(p.root, full)
	return filepath.ToSlash(rel), ok
}

// addText adds a Compose file. compose-go reads more YAML than articles have; such a file has no places.
func (p *Project) addText(s *source.Source) text {
	var unread source.Problems
	p.texts = append(p.texts, text{s, yamltext.Parse(yamltext.Whole(s), &unread)})
	return p.texts[len(p.texts)-1]
}

// load has compose-go read the files. Services whose names are wanted run whatever their profiles are, with what they
// depend on, as if they had been named to Compose's own command.
func (p *Project) load(paths, wanted []string) error {
	// The library writes warnings to a logger of its own. Those that matter are notes.
	logrus.SetOutput(io.Discard)
	variables := map[string]variable{}
	read := func(consistent bool, profiles ...string) (*types.Project, error) {
		options, err := cli.NewProjectOptions(paths, cli.WithWorkingDirectory(filepath.Dir(paths[0])), cli.WithName(p.name),
			p.withEnvironment, cli.WithDefaultProfiles(profiles...), cli.WithoutEnvironmentResolution,
			cli.WithoutLabelsResolution, cli.WithConsistency(consistent),
			cli.WithLoadOptions(func(o *loader.Options) { noteVariables(o, variables) }))
		if err != nil {
			return nil, err
		}
		return options.LoadProject(context.Background())
	}
	var profiles, selected []string
	if len(wanted) > 0 {
		all, err := read(false)
		if err != nil {
			return err
		}
		if more := profilesOf(all, wanted); len(more) > 0 {
			profiles, selected = append(all.Profiles, more...), append(all.ServiceNames(), wanted...)
		}
	}
	project, err := read(true, profiles...)
	if err != nil {
		return err
	}
	// A profile may have more services than the one that is named.
	selected = slices.DeleteFunc(selected, func(name string) bool { return project.Services[name].Name == "" })
	if project, err = project.WithSelectedServices(selected); err != nil {
		return err
	}
	p.loaded = project.WithoutUnresolvedOptionalDependencies()
	if err := p.checkFiles(variables); err != nil {
		return err
	}
	written := p.loaded
	if p.loaded, err = p.loaded.WithServicesEnvironmentResolved(true); err != nil {
		return err
	}
	p.addPrivate(written)
	notePassed(p.loaded, variables)
	p.note(slices.Sorted(maps.Keys(p.given)), "from the environment of this command")
	p.noteNames(variables, unlisted, "not taken from the environment of this command: environment of compose does not "+
		"list them")
	p.noteNames(variables, unset, "not set and so empty")
	p.noteNames(variables, absent, "not set and so not passed on")
	p.note(slices.Sorted(maps.Keys(p.loaded.DisabledServices)), "left out by profiles")
	p.note(slices.Sorted(maps.Keys(p.loaded.Jobs)), "left out, as jobs are not run")
	return nil
}

// addPrivate adds the values of secrets in .env and in files of variables, which written does not have yet.
func (p *Project) addPrivate(written *types.Project) {
	for name, value := range p.loaded.Environment {
		if spec.IsSecretName(name) {
			p.private = append(p.private, value)
		}
	}
	for name, s := range p.loaded.Services {
		for variable, value := range s.Environment {
			if was := written.Services[name].Environment[variable]; was == nil && value != nil && spec.IsSecretName(variable) {
				p.private = append(p.private, *value)
			}
		}
	}
}

// withEnvironment gives compose-go the variables that its files may use.
func (p *Project) withEnvironment(o *cli.ProjectOptions) error {
	o.Environment = p.environment.Clone()
	return nil
}

// profilesOf are the profiles of wanted services that are not active.
func profilesOf(project *types.Project, wanted []string) (out []string) {
	for _, name := range wanted {
		out = append(out, project.DisabledServices[name].Profiles...)
	}
	return out
}

// A variable says where the value of a variable of Compose files comes from, if that is not one of them.
type variable int

const (
	unset    variable = iota // it has no value and no default, and is empty
	unlisted                 // this process has it, and the article does not list it
	absent                   // it is named without a value, and has none
)

// noteVariables collects the variables whose values are in no file.
func noteVariables(o *loader.Options, found map[string]variable) {
	if o.Interpolate == nil {
		return // options are also asked where nothing is read
	}
	substitute := o.Interpolate.Substitute
	o.Interpolate.Substitute = func(text string, values template.Mapping) (string, error) {
		noteVariablesIn(text, func(name string) bool { _, known := values(name); return known }, found)
		return substitute(text, values)
	}
}

// noteVariablesIn does that in a text in which some variables are known.
func noteVariablesIn(text string, isKnown func(name string) bool, found map[string]variable) {
	for name := range template.ExtractVariables(map[string]any{"": text}, nil) {
		_, ours := os.LookupEnv(name)
		hasDefault := slices.ContainsFunc([]string{":-", "-", ":+", "+", ":?", "?"}, func(mark string) bool {
			return strings.Contains(text, "${"+name+mark)
		})
		switch {
		case isKnown(name):
		case ours:
			found[name] = unlisted
		case !hasDefault:
			found[name] = unset
		}
	}
}

// noteVariablesOf does that in a file of variables. Those that stand further up in it are its own.
func (p *Project) noteVariablesOf(file []byte, found map[string]variable) {
	own := map[string]bool{}
	for line := range strings.Lines(string(file)) {
		name, value, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "export "), "=")
		if strings.HasPrefix(name, "#") || strings.HasPrefix(strings.TrimSpace(value), "'") {
			continue
		}
		noteVariablesIn(value, func(name string) bool {
			_, known := p.loaded.Environment[name]
			return known || own[name]
		}, found)
		own[strings.TrimSpace(name)] = true
	}
}

// notePassed collects the variables that are passed on to services by their names, and have no value.
func notePassed(project *types.Project, found map[string]variable) {
	note := func(values types.MappingWithEquals) {
		for name, value := range values {
			if _, known := found[name]; known || value != nil {
				continue
			}
			found[name] = absent
			if _, ours := os.LookupEnv(name); ours {
				found[name] = unlisted
			}
		}
	}
	for _, s := range project.Services {
		note(s.Environment)
		if s.Build != nil {
			note(s.Build.Args)
		}
	}
}

// noteNames adds a note about the variables of a kind.
func (p *Project) noteNames(found map[string]variable, kind variable, words string) {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(found)) {
		if found[name] == kind {
			names = append(names, name)
		}
	}
	p.note(names, words)
}

// note adds a note about names, if there are any.
func (p *Project) note(names []string, words string) {
	if len(names) > 0 {
		p.Notes = append(p.Notes, strings.Join(names, ", ")+" "+words)
	}
}

// plain is an error of the library without the paths of this machine.
func (p *Project) plain(err error) string {
	text := strings.ReplaceAll(err.Error(), p.root+string(filepath.Separator), "")
	text = strings.NewReplacer(": invalid compose project", "", "validating ", "", " false schema",
		" is not a key of Compose").Replace(text)
	return strings.Join(strings.Fields(text), " ")
}

// place is where a key of a service is written: in the last file that has it, at the service if that is in none, and
// else at the beginning of the first file. Files that are included or extended come before those that the article names.
func (p *Project) place(service, key string) source.Pos {
	at := p.texts[0].place()
	all := slices.Concat(p.texts[p.named:], p.texts[:p.named])
	for _, t := range all {
		if t.node.Get("services").Get(service) != nil {
			at = t.place("services", service)
		}
	}
	for _, t := range all {
		if t.node.Get("services").Get(service).Get(key) != nil {
			at = t.place("services", service, key)
		}
	}
	return at
}
