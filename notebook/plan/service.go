package plan

import (
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"benchbook/internal/files"
	"benchbook/notebook/article"

	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

// services reads the services of a trial and puts those that others depend on first.
func (r *reader) services() []*spec.Service {
	all := map[string]*spec.Service{}
	for i := range r.definition.Services {
		s := &r.definition.Services[i]
		if !article.IsName(s.Name.Value) || s.Name.Value == "peak" || s.Name.Value == LoadName {
			r.problems.Add("bad-name", s.Name.Pos, "invalid service name %q", s.Name.Value).
				Hint = "use letters, digits, - and _, and not the words peak and load"
			continue
		}
		if out := r.service(s.Name, &s.Value); out != nil {
			all[s.Name.Value] = out
		}
	}
	out := ordered(r.definition.Services, all, r.problems)
	checkConditions(r.definition.Services, all, r.problems)
	return out
}

// ordered sorts services so that each comes after those that it depends on. Services that could not be read are left
// out.
func ordered(services article.Services, read map[string]*spec.Service, problems *source.Problems) []*spec.Service {
	var out []*spec.Service
	const visiting, done = 1, 2
	state := map[string]int{}
	var visit func(s *article.Named[article.Service])
	visit = func(s *article.Named[article.Service]) {
		name := s.Name.Value
		if state[name] != 0 {
			return
		}
		state[name] = visiting
		for _, dep := range s.Value.DependsOn {
			i := slices.IndexFunc(services, func(o article.Named[article.Service]) bool { return o.Name.Value == dep.Value })
			switch {
			case i < 0:
				problems.Add("unknown-service", dep.Pos, "service %q depends on %q, which does not exist", name, dep.Value).
					Hint = source.Suggest(dep.Value, Names(services))
			case read[dep.Value] == nil:
				// It could not be read, which was reported.
			case state[dep.Value] == visiting:
				problems.Add("circle", dep.Pos, "services %q and %q wait for each other", name, dep.Value).
					Hint = "remove one of the depends_on"
			default:
				visit(&services[i])
			}
		}
		state[name] = done
		out = append(out, read[name])
	}
	for i := range services {
		if read[services[i].Name.Value] != nil {
			visit(&services[i])
		}
	}
	return out
}

// dependsOn are the names of services that one waits for, and their conditions other than being ready.
func dependsOn(list article.Dependencies) (names []string, conditions map[string]string) {
	for _, dep := range list {
		names = append(names, dep.Value)
		if dep.Condition.V != "" && dep.Condition.V != article.ServiceHealthy {
			if conditions == nil {
				conditions = map[string]string{}
			}
			conditions[dep.Value] = string(dep.Condition.V)
		}
	}
	return names, conditions
}

// Completes says that others wait until a service has run to its end.
func Completes(services article.Services, name string) bool {
	return slices.ContainsFunc(services, func(s article.Named[article.Service]) bool {
		return slices.ContainsFunc(s.Value.DependsOn, func(dep article.Dependency) bool {
			return dep.Value == name && dep.Condition.V == article.ServiceCompleted
		})
	})
}

// AddCompleted reports something that is to run in a service that has completed.
func AddCompleted(service source.Text, what string, problems *source.Problems) {
	problems.Add("contradiction", service.Pos, "%s cannot run in service %q, which has completed before", what,
		service.Value).Hint = "name a service that keeps running"
}

// checkConditions checks what services ask of those that they depend on, and notes which ones run to their end.
func checkConditions(services article.Services, read map[string]*spec.Service, problems *source.Problems) {
	for name, s := range read {
		s.Completes = Completes(services, name)
	}
	for _, s := range services {
		own := read[s.Name.Value]
		if own != nil && own.Completes && s.Value.Healthcheck != nil && !own.Ready.HasNoTest() {
			problems.Add("contradiction", s.Name.Pos,
				"service %q has a healthcheck, and others wait until it has completed", s.Name.Value).
				Hint = "remove the healthcheck, or write condition: service_healthy"
		}
		for _, dep := range s.Value.DependsOn {
			if on := read[dep.Value]; on != nil && dep.Condition.V == article.ServiceHealthy && dep.Condition.Known() {
				checkHealthy(s.Name.Value, dep, on, problems)
			}
		}
	}
}

// checkHealthy checks that something tells when a service is healthy, which another one waits for.
func checkHealthy(name string, dep article.Dependency, on *spec.Service, problems *source.Problems) {
	switch {
	case on.Completes:
		problems.Add("contradiction", dep.Condition.Text.Pos,
			"service %q waits until %q is healthy, and another one until it has completed", name, dep.Value).
			Hint = "write condition: service_completed_successfully in both"
	case !on.Ready.HasNoTest() || len(on.Expose) > 0:
	case !on.Image.Machine && !on.NoImageHealthcheck:
		on.HealthyByImage = true // what is in the image is known in a run
	default:
		problems.Add("missing-key", dep.Condition.Text.Pos,
			"service %q has no healthcheck and exposes no port, so nothing tells when it is healthy", dep.Value).
			Hint = "give it a healthcheck, or write condition: service_started"
	}
}

// service reads a service; nil if it has no image.
func (r *reader) service(name source.Text, s *article.Service) *spec.Service {
	out := &spec.Service{
		Name: name.Value, WorkingDir: s.WorkingDir.Value, User: s.User.Value, CPUSet: s.CPUSet.Value,
		Memory: int64(s.MemLimit.V), PIDs: int64(s.PidsLimit.V), ShmSize: int64(s.ShmSize.V), ReadOnly: s.ReadOnly.V,
		Init: s.Init.V, StopSignal: s.StopSignal.Value, StopGrace: s.StopGrace.V, Hostname: s.Hostname.Value,
		CPUs: s.CPUs.V, Sysctls: s.Sysctls.Map(), CapAdd: article.Texts(s.CapAdd), CapDrop: article.Texts(s.CapDrop),
		SecurityOpt: article.Texts(s.SecurityOpt), Tmpfs: article.Texts(s.Tmpfs), Command: words(s.Command),
		Entrypoint: words(s.Entrypoint), Environment: r.environment(s), Configs: r.draft.configs.files(s.Configs),
		Secrets: r.secrets(s), Volumes: r.volumes(s.Volumes), Ulimits: ulimits(s.Ulimits),
	}
	out.DependsOn, out.Conditions = dependsOn(s.DependsOn)
	sound := r.program(name, s, out)
	out.Expose = exposed(s.Expose, out.Expose)
	out.Ready = readiness(s.Healthcheck, name, len(out.Expose) > 0, r.problems)
	out.NoImageHealthcheck = isDisabled(s.Healthcheck)
	if s.Scale.V != 1 {
		out.Scale = s.Scale.V
	}
	if s.Link != nil {
		out.Link = linkSpec(s.Link, r.problems)
		if len(out.Expose) == 0 {
			r.problems.Add("missing-key", s.Link.Pos, "service %q has a link and exposes no port", name.Value).
				Hint = "add expose: with the ports that the link is to lead to"
		}
	}
	r.checkPermissions(s)
	checkCovered(s.Configs, s.Volumes, r.problems)
	if !sound {
		return nil // problems of other keys were reported all the same
	}
	return out
}

// program reads what a service runs: our origin, or a program in its image. It is false if that is unknown.
func (r *reader) program(name source.Text, s *article.Service, out *spec.Service) (ok bool) {
	if s.Origin != nil {
		out.Origin, out.Expose = origin(s.Origin, r.problems), []int{80}
		r.checkOrigin(name, s)
		if !s.Image.IsZero() || s.Build != nil {
			r.problems.Add("contradiction", name.Pos, "service %q is an origin, so it has no image and no build",
				name.Value).Hint = "keep origin, or image or build"
			return false
		}
		return true
	}
	out.Image, ok = r.image(image{name.Value, fmt.Sprintf("service %q", name.Value), s.Image, s.Build, name.Pos, s.Tried,
		"origin", "origin: for benchbook's built-in HTTP server"})
	if out.Image.Machine && len(out.Command)+len(out.Entrypoint) == 0 && !s.Tried.Has("command", "entrypoint") {
		r.problems.Add("missing-key", name.Pos, "service %q has neither an image nor a program of this machine", name.Value).
			Hint = "add command: with the program and its arguments"
	}
	return ok
}

// words are those of a command line; nil for none.
func words(c *article.CommandLine) []string {
	if c == nil {
		return nil
	}
	return c.Words
}

// exposed adds the ports that a service exposes to those that it has already.
func exposed(written []article.Value[int], ports []int) []int {
	for _, e := range written {
		if e.Known() && !slices.Contains(ports, e.V) {
			ports = append(ports, e.V)
		}
	}
	return ports
}

// ulimits are the limits of a container's processes; nil for none.
func ulimits(list article.Map[article.Ulimit]) map[string]spec.Ulimit {
	if len(list) == 0 {
		return nil
	}
	out := map[string]spec.Ulimit{}
	for _, u := range list {
		out[u.Name.Value] = spec.Ulimit{Soft: u.Value.Soft.V, Hard: u.Value.Hard.V}
	}
	return out
}

// checkPermissions reports what the project does not allow.
func (r *reader) checkPermissions(s *article.Service) {
	for _, c := range s.CapAdd {
		r.allow(article.AllowCapAdd, c.Pos, "the capability "+c.Value)
	}
	for _, o := range s.SecurityOpt {
		r.allow(article.AllowSecurityOpt, o.Pos, "the security option "+o.Value)
	}
	for _, c := range s.Sysctls {
		r.allow(article.AllowSysctls, c.Name.Pos, "the kernel setting "+c.Name.Value)
	}
}

// allow reports what the project does not allow articles to ask for.
func (r *reader) allow(what article.Permission, at source.Pos, words string) {
	if !r.project.Allows(what) {
		NotAllowed(what, at, words, r.problems)
	}
}

// NotAllowed reports what the project does not allow articles to ask for.
func NotAllowed(what article.Permission, at source.Pos, words string, problems *source.Problems) {
	problems.Add("not-allowed", at, "%s is more than this project allows its articles", words).
		Hint = fmt.Sprintf("if you trust the article, add %q to the list allow: in %s", what, article.ProjectFile)
}

// image is the image of a service in the words of the article, or that of the command.
type image struct {
	service, what string // its service, empty for the command, and what messages call that
	name          source.Text
	build         *article.Build
	at            source.Pos
	tried         source.Tried
	other, hint   string // another key that can replace it, with a hint
}

// image reads an image. It is false if there is none.
func (r *reader) image(i image) (spec.Image, bool) {
	switch {
	case i.name.Value != "" && i.build != nil:
		r.problems.Add("image-or-build", i.name.Pos, "%s has both an image and a build", i.what).Hint = "keep one of them"
		return spec.Image{}, false
	case i.name.Value != "":
		return spec.Image{Name: i.name.Value}, true
	case i.build != nil:
		r.checkWrittenSecrets(i.build.Args)
		return r.build(i)
	case i.tried.Has("image", "build", i.other):
		return spec.Image{}, false
	case r.project.Engine.V.Can(spec.Machine):
		return spec.Image{Machine: true}, true
	}
	r.problems.Add("image-or-build", i.at, "%s has neither an image nor a build", i.what).
		Hint = "add build: with a folder beside the article, image: with a name, or " + i.hint
	return spec.Image{}, false
}

// revisionOf is what a build takes its context from; zero: the files as they are.
func (r *reader) revisionOf(b *article.Build) source.Text {
	if b.Git.IsZero() && r.revision != "" {
		return source.Text{Value: r.revision, Pos: b.Pos}
	}
	return b.Git
}

func (r *reader) build(i image) (spec.Image, bool) {
	written := i.build.Context
	if written.IsZero() {
		written.Pos = i.build.Pos
	}
	folder := r.folder(written)
	up := path.Clean(written.Value)
	git := r.revisionOf(i.build)
	above, isGit := up == ".." || strings.HasPrefix(up, "../"), !git.IsZero()
	if above || isGit {
		root, context := r.project.Repository(), filepath.Join(folder.Doc.Dir, filepath.FromSlash(up))
		below, inside := files.Below(root, context)
		switch outside := !inside; {
		case outside && !i.build.Git.IsZero():
			r.problems.Add("no-such-revision", i.build.Git.Pos, "the build context %q is outside the git repository",
				written.Value).Hint = "name a folder of the repository, or remove git from the build"
			return spec.Image{}, false
		case outside && !r.project.Allows(article.AllowContexts):
			r.allow(article.AllowContexts, written.Pos, fmt.Sprintf("the build context %q, outside the repository,",
				written.Value))
			return spec.Image{}, false
		case outside:
			root, below, isGit = context, ".", false
		}
		moved := *i.build
		moved.Context.Value = filepath.ToSlash(below)
		if isGit {
			mayLack := i.build.Git.IsZero() && !above
			at, ok := folder.at(root, git, moved.Context.Value, mayLack, r.problems)
			if !ok {
				return spec.Image{}, false
			}
			if at != folder {
				moved.Git, folder, i.build = git, at, &moved
			}
		} else {
			folder, i.build = folder.aroundIt(root), &moved
		}
	}
	b, where, ok := folder.Build(i.build, UsersOf(i.service, i.build), i.at, r.problems)
	r.trial.dockerfiles[b] = where
	return spec.Image{Build: b}, ok
}
