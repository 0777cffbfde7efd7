package plan

import (
	"cmp"
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

// services reads the services of a trial, each after the services that it depends on.
func (r *reader) services() []*spec.Service {
	read := map[string]*spec.Service{}
	for i := range r.definition.Services {
		s := &r.definition.Services[i]
		if !article.IsName(s.Name.Value) || s.Name.Value == "peak" || s.Name.Value == LoadName {
			r.problems.Add("bad-name", s.Name.Pos, "invalid service name %q", s.Name.Value).
				Hint = "use letters, digits, - and _, and not the words peak and load"
			continue
		}
		if out := r.service(s.Name, &s.Value); out != nil {
			out.Completes = Completes(r.definition.Services, s.Name.Value)
			read[s.Name.Value] = out
		}
	}
	o := serviceOrder{r, read, map[string]bool{}, map[string]bool{}, nil}
	for _, s := range r.definition.Services {
		o.add(s)
		r.checkConditions(s, read)
	}
	return o.out
}

// serviceOrder sorts services so that each comes after those that it depends on.
type serviceOrder struct {
	*reader
	read     map[string]*spec.Service
	visiting map[string]bool
	done     map[string]bool
	out      []*spec.Service
}

// add appends a service that could be read, after the services that it depends on.
func (o *serviceOrder) add(s article.Named[article.Service]) {
	name := s.Name.Value
	if o.read[name] == nil || o.done[name] || o.visiting[name] {
		return
	}
	o.visiting[name] = true
	for _, dep := range s.Value.DependsOn {
		i := slices.IndexFunc(o.definition.Services,
			func(other article.Named[article.Service]) bool { return other.Name.Value == dep.Value })
		switch {
		case i < 0:
			o.problems.Add("unknown-service", dep.Pos, "service %q depends on %q, which does not exist", name, dep.Value).
				Hint = source.Suggest(dep.Value, Names(o.definition.Services))
		case o.visiting[dep.Value] && !o.done[dep.Value]:
			o.problems.Add("circle", dep.Pos, "services %q and %q wait for each other", name, dep.Value).
				Hint = "remove one of the depends_on"
		default:
			o.add(o.definition.Services[i])
		}
	}
	o.done[name] = true
	o.out = append(o.out, o.read[name])
}

// Completes reports whether others wait until a service has run to its end.
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

func (r *reader) checkConditions(s article.Named[article.Service], read map[string]*spec.Service) {
	if own := read[s.Name.Value]; own != nil && own.Completes && s.Value.Healthcheck != nil && !own.Ready.HasNoTest() {
		r.contradiction(s.Name.Pos, fmt.Sprintf("service %q has a healthcheck, and others wait until it has completed",
			s.Name.Value), "remove the healthcheck, or write condition: service_healthy")
	}
	for _, dep := range s.Value.DependsOn {
		on := read[dep.Value]
		if on == nil || dep.Condition.V != article.ServiceHealthy || !dep.Condition.Known() {
			continue
		}
		switch {
		case on.Completes:
			r.contradiction(dep.Condition.Text.Pos, fmt.Sprintf("service %q waits until %q is healthy, and another one until it "+
				"has completed", s.Name.Value, dep.Value), "write condition: service_completed_successfully in both")
		case !on.Ready.HasNoTest() || len(on.Expose) > 0:
		case !on.Image.OnMachine() && !on.NoImageHealthcheck:
			on.HealthyByImage = true // the image is read in a run
		default:
			r.problems.Add("missing-key", dep.Condition.Text.Pos,
				"service %q has no healthcheck and exposes no port, so nothing tells when it is healthy", dep.Value).
				Hint = "give it a healthcheck, or write condition: service_started"
		}
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
		Secrets: r.secretFiles(s), Volumes: r.volumes(s.Volumes), NoImageHealthcheck: isDisabled(s.Healthcheck),
	}
	for _, u := range s.Ulimits {
		if out.Ulimits == nil {
			out.Ulimits = map[string]spec.Ulimit{}
		}
		out.Ulimits[u.Name.Value] = spec.Ulimit{Soft: u.Value.Soft.V, Hard: u.Value.Hard.V}
	}
	for _, dep := range s.DependsOn {
		out.DependsOn = append(out.DependsOn, dep.Value)
		if dep.Condition.V != "" && dep.Condition.V != article.ServiceHealthy {
			if out.Conditions == nil {
				out.Conditions = map[string]string{}
			}
			out.Conditions[dep.Value] = string(dep.Condition.V)
		}
	}
	ok := r.program(name, s, out)
	for _, e := range s.Expose {
		if port := int(e.V); e.Known() && !slices.Contains(out.Expose, port) {
			out.Expose = append(out.Expose, port)
		}
	}
	if s.Healthcheck != nil {
		out.Ready = r.readiness(s.Healthcheck, name, len(out.Expose) > 0)
	}
	if s.Scale.V != 1 {
		out.Scale = s.Scale.V
	}
	if s.Link != nil {
		out.Link = &spec.Link{RTT: s.Link.RTT.V}
		if len(out.Expose) == 0 {
			r.problems.Add("missing-key", s.Link.Pos, "service %q has a link and exposes no port", name.Value).
				Hint = "add expose: with the ports that the link is to lead to"
		}
	}
	r.checkPermissions(s)
	if !ok {
		return nil // after its other keys were checked
	}
	return out
}

// program reads what a service runs: our origin, or a program in its image. It is false if that is unknown.
func (r *reader) program(name source.Text, s *article.Service, out *spec.Service) (ok bool) {
	if s.Origin != nil {
		out.Origin, out.Expose = r.origin(name, s), []int{80}
		if !s.Image.IsZero() || s.Build != nil {
			r.contradiction(name.Pos, fmt.Sprintf("service %q is an origin, so it has no image and no build", name.Value),
				"keep origin, or image or build")
			return false
		}
		return true
	}
	out.Image, ok = r.image(image{name.Value, fmt.Sprintf("service %q", name.Value), s.Image, s.Build, name.Pos, s.Tried,
		"origin", "origin: for benchbook's built-in HTTP server"})
	if out.Image.OnMachine() && len(out.Command)+len(out.Entrypoint) == 0 && !s.Tried.Has("command", "entrypoint") {
		r.problems.Add("missing-key", name.Pos, "service %q has neither an image nor a program of this machine", name.Value).
			Hint = "add command: with the program and its arguments"
	}
	return ok
}

// originKeys are the keys of a service that an origin has no use for.
var originKeys = []string{"command", "entrypoint", "environment", "configs", "volumes", "env_file", "tmpfs", "working_dir",
	"user"}

// origin reads an origin, which answers at once unless it has a latency.
func (r *reader) origin(name source.Text, s *article.Service) *spec.HTTPOrigin {
	n := r.node.Get("services").Get(name.Value)
	for _, key := range originKeys {
		if n.Get(key) != nil {
			r.contradiction(n.Place(key), fmt.Sprintf("service %q is an origin, so %s has no effect", name.Value, key),
				"remove "+key+", or give it an image or a build instead of origin")
		}
	}
	for _, e := range s.Expose {
		if e.Known() && e.V != 80 {
			r.contradiction(e.Text.Pos, fmt.Sprintf("service %q is an origin, which listens on port 80 only", name.Value),
				"remove expose")
		}
	}
	o := s.Origin
	out := &spec.HTTPOrigin{Body: int64(o.Body.V), Status: 200}
	if l := o.Latency; l != nil {
		out.Distribution = string(l.Distribution.V)
		out.Value, out.Median, out.Sigma = l.Value.V, l.Median.V, l.Sigma.V
	}
	return out
}

// secretFiles returns the secrets that a service gets as files.
//
// Source: docs/services.md#secrets-from-outside.
func (r *reader) secretFiles(s *article.Service) (out []spec.SecretFile) {
	for _, f := range s.Secrets {
		if f.Source.IsZero() {
			continue // reported when it was read
		}
		target := cmp.Or(f.Target.Value, f.Source.Value)
		if !path.IsAbs(target) {
			target = path.Join(spec.SecretsDir, target)
		}
		if s.ReadOnly.V && path.Dir(target) != spec.SecretsDir {
			r.contradiction(f.Target.Pos, "nothing can be put at "+target+" of a service that is read-only",
				"leave out target: the secret is "+spec.SecretsDir+"/"+f.Source.Value+" then")
		}
		out = append(out, spec.SecretFile{Name: f.Source.Value, Target: path.Clean(target)})
	}
	return out
}

// words returns the words of a command line, which may be nil.
func words(c *article.CommandLine) []string {
	if c == nil {
		return nil
	}
	return c.Words
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
func (p *planner) allow(what article.Permission, at source.Pos, words string) {
	if !p.project.Allows(what) {
		p.problems.Add("not-allowed", at, "%s is more than this project allows its articles", words).
			Hint = fmt.Sprintf("if you trust the article, add %q to the list allow: in %s", what, article.ProjectFile)
	}
}

// image is the image of a service in the words of the article, or of the command or driver.
type image struct {
	service, what string // its service, empty for the command, and what messages call it
	name          source.Text
	build         *article.Build
	at            source.Pos
	tried         source.Tried
	other, hint   string // another key that can replace it, with a hint
}

// image reads an image. It is false without one.
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

// build reads a build, whose context may be above the article or in a revision of its repository.
func (r *reader) build(i image) (spec.Image, bool) {
	written := i.build.Context
	if written.IsZero() {
		written.Pos = i.build.Pos
	}
	folder, git := r.folder(written), i.build.Git
	if git.IsZero() && r.revision != "" {
		git = source.Text{Value: r.revision, Pos: i.build.Pos}
	}
	up := path.Clean(written.Value)
	above := up == ".." || strings.HasPrefix(up, "../")
	if above || !git.IsZero() {
		var ok bool
		if folder, i.build, ok = r.contextElsewhere(folder, i.build, written, git, above); !ok {
			return spec.Image{}, false
		}
	}
	if !i.build.Run.IsZero() {
		b, where, ok := folder.Programs(i.build, UsersOf(i.service, i.build), r.problems)
		r.trial.dockerfiles[b] = where
		return spec.Image{Build: b}, ok
	}
	b, where, ok := folder.Build(i.build, UsersOf(i.service, i.build), i.at, r.problems)
	r.trial.dockerfiles[b] = where
	return spec.Image{Build: b}, ok
}

// contextElsewhere returns the folder of a context that is above the article's folder or in a revision, and the build
// with its path there.
func (r *reader) contextElsewhere(folder *Folder, b *article.Build, written, git source.Text,
	above bool) (*Folder, *article.Build, bool) {
	root, context := r.project.Repository(), filepath.Join(folder.Doc.Dir, filepath.FromSlash(path.Clean(written.Value)))
	below, inside := files.Below(root, context)
	if !inside {
		if !b.Git.IsZero() {
			r.problems.Add("no-such-revision", b.Git.Pos, "the build context %q is outside the git repository", written.Value).
				Hint = "name a folder of the repository, or remove git from the build"
			return nil, nil, false
		}
		if !r.project.Allows(article.AllowContexts) {
			r.allow(article.AllowContexts, written.Pos, fmt.Sprintf("the build context %q, outside the repository,",
				written.Value))
			return nil, nil, false
		}
		root, below, git = context, ".", source.Text{}
	}
	moved := *b
	moved.Context.Value = filepath.ToSlash(below)
	if git.IsZero() {
		return folder.aroundIt(root), &moved, true
	}
	at, ok := folder.at(root, git, moved.Context.Value, b.Git.IsZero() && !above, r.problems)
	if at == folder { // the revision has no such folder, so all have the one on disk
		return folder, b, ok
	}
	moved.Git = git
	return at, &moved, ok
}
