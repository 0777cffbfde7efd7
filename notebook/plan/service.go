package plan

import (
	"cmp"
	"fmt"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"benchbook/internal/files"
	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

// services completes the services of a trial, each after those it depends on.
func (d *draft) services() (out []*spec.Service) {
	all, read, needs := d.node.Get("services"), map[string]*spec.Service{}, map[string][]source.Text{}
	names, ended := all.Keys(), completed(all)
	exists := map[string]bool{}
	for _, s := range d.definition.Services {
		exists[s.Name] = true
		if at := all.Place(s.Name); !files.IsWord(s.Name) || s.Name == "peak" || s.Name == LoadName {
			d.problems.Add("bad-name", at, "invalid service name %q", s.Name).
				Hint = "use letters, digits, - and _, and not the words peak and load"
		} else if d.service(at, all.Get(s.Name), s) {
			s.Completes, read[s.Name] = ended[s.Name], s
		}
	}
	for _, f := range all.All() {
		d.checkConditions(f, read)
		for _, dep := range dependencies(f.Value) {
			if name := f.Key.Value; exists[dep.Value] {
				needs[name] = append(needs[name], dep)
			} else if read[name] != nil {
				d.problems.Add("unknown-service", dep.Pos, "service %q depends on %q, which does not exist", name, dep.Value).
					Hint = source.Suggest(dep.Value, names)
			}
		}
	}
	inOrder(names, needs, func(name string) {
		if s := read[name]; s != nil {
			out = append(out, s)
		}
	}, func(name string, dep source.Text) {
		d.problems.Add("circle", dep.Pos, "services %q and %q wait for each other", name, dep.Value).
			Hint = "remove one of the depends_on"
	})
	return out
}

// dependencies returns the names of the services that a service depends on.
func dependencies(service *source.Node) []source.Text {
	n := service.Under("depends_on")
	if n == nil || n.Kind != source.Map {
		return texts(n)
	}
	return slice.Map(n.Fields, func(f source.Field) source.Text { return f.Key })
}

// texts returns the scalar items of a list.
func texts(n *source.Node) (out []source.Text) {
	for _, item := range n.List() {
		if item.Kind == source.Scalar {
			out = append(out, item.Text)
		}
	}
	return out
}

// completed returns the services that others wait for to end.
func completed(services *source.Node) map[string]bool {
	names := map[string]bool{}
	for _, f := range services.All() {
		for _, dep := range f.Value.Get("depends_on").All() {
			if dep.Value.TextAt("condition").Value == spec.ServiceCompleted {
				names[dep.Key.Value] = true
			}
		}
	}
	return names
}

// checkKeepsRunning returns whether a service keeps running, so that what can run in it, and adds a problem if not.
func (p *planner) checkKeepsRunning(services *source.Node, service source.Text, what string) bool {
	if !completed(services)[service.Value] {
		return true
	}
	p.contradiction(service.Pos, fmt.Sprintf("%s cannot run in service %q, which has completed before", what,
		service.Value), "name a service that keeps running")
	return false
}

func (d *draft) checkConditions(f source.Field, read map[string]*spec.Service) {
	name := f.Key.Value
	if own := read[name]; own != nil && own.Completes && f.Value.Under("healthcheck") != nil && !own.Ready.HasNoTest() {
		d.contradiction(f.Key.Pos, fmt.Sprintf("service %q has a healthcheck, and others wait until it has completed", name),
			"remove the healthcheck, or write condition: service_healthy")
	}
	for _, dep := range f.Value.Get("depends_on").All() {
		other := dep.Key.Value
		on, condition := read[other], dep.Value.TextAt("condition")
		if on == nil || condition.Value != spec.ServiceHealthy {
			continue
		}
		switch {
		case on.Completes:
			d.contradiction(condition.Pos, fmt.Sprintf("service %q waits until %q is healthy, and another one until it "+
				"has completed", name, other), "write condition: service_completed_successfully in both")
		case !on.Ready.HasNoTest() || len(on.Expose) > 0:
		case !on.Image.OnMachine() && !on.NoImageHealthcheck:
			on.HealthyByImage = true // the run looks for a healthcheck in the image
		default:
			d.problems.Add("missing-key", condition.Pos,
				"service %q has no healthcheck and exposes no port, so nothing tells when it is healthy", other).
				Hint = "give it a healthcheck, or write condition: service_started"
		}
	}
}

// service completes a service. It returns false if it has nothing to run.
func (d *draft) service(at source.Pos, n *source.Node, s *spec.Service) bool {
	s.Environment = d.environment(n, s)
	d.secretFiles(n, s)
	for i, item := range n.Under("volumes").List() {
		d.volume(item, &s.Volumes[i])
	}
	for _, dep := range n.Get("depends_on").All() {
		if c := dep.Value.TextAt("condition").Value; c == spec.ServiceStarted || c == spec.ServiceCompleted {
			if s.Conditions == nil {
				s.Conditions = map[string]string{}
			}
			s.Conditions[dep.Key.Value] = c
		}
	}
	ok := d.program(at, n, s)
	ports := slice.Filter(s.Expose, func(port int) bool { return port != 0 }) // 0 was reported
	if s.Origin != nil {
		ports = append([]int{80}, ports...)
	}
	s.Expose = slice.Add([]int(nil), ports...)
	d.readiness(&s.Ready, n.Under("healthcheck"), s)
	if s.Scale == 1 {
		s.Scale = 0
	}
	if s.Link != nil && len(s.Expose) == 0 {
		d.problems.Add("missing-key", n.Get("link").Text.Pos, "service %q has a link and exposes no port", s.Name).
			Hint = "add expose: with the ports that the link is to lead to"
	}
	d.checkPermissions(n)
	return ok
}

// program completes what a service runs: our origin, or a program. It returns false after a problem.
func (d *draft) program(at source.Pos, n *source.Node, s *spec.Service) (ok bool) {
	if s.Origin != nil {
		s.Origin.Status = 200
		d.checkOrigin(n, s)
		if s.Image.Name != "" || s.Image.Build != nil {
			d.contradiction(at, fmt.Sprintf("service %q is an origin, so it has no image and no build", s.Name),
				"keep origin, or image or build")
			return false
		}
		return true
	}
	ok = d.image(&s.Image, image{s.Name, fmt.Sprintf("service %q", s.Name), n, at, "origin",
		"origin: for benchbook's built-in HTTP server"})
	if ok && s.Image.OnMachine() && len(s.Command)+len(s.Entrypoint) == 0 &&
		!d.definition.HasTried(n, "command", "entrypoint") {
		d.problems.Add("missing-key", at, "service %q has neither an image nor a program of this machine", s.Name).
			Hint = "add command: with the program and its arguments"
	}
	return ok
}

// originKeys are the keys of a service that have no effect on an origin.
var originKeys = []string{"command", "entrypoint", "environment", "configs", "volumes", "env_file", "tmpfs", "working_dir",
	"user"}

func (d *draft) checkOrigin(n *source.Node, s *spec.Service) {
	for _, key := range originKeys {
		if n.Get(key) != nil {
			d.contradiction(n.Place(key), fmt.Sprintf("service %q is an origin, so %s has no effect", s.Name, key),
				"remove "+key+", or give it an image or a build instead of origin")
		}
	}
	for i, item := range n.Under("expose").List() {
		if s.Expose[i] != 0 && s.Expose[i] != 80 {
			d.contradiction(item.Text.Pos, fmt.Sprintf("service %q is an origin, which listens on port 80 only", s.Name),
				"remove expose")
		}
	}
}

// secretFiles completes the paths of the secrets that a service gets as files.
//
// Source: docs/services.md#secrets-from-outside.
func (d *draft) secretFiles(n *source.Node, s *spec.Service) {
	for i, item := range n.Under("secrets").List() {
		f := &s.Secrets[i]
		if f.Name == "" {
			continue // reported when it was read
		}
		if f.Target = cmp.Or(f.Target, f.Name); !path.IsAbs(f.Target) {
			f.Target = path.Join(spec.SecretsDir, f.Target)
		}
		if s.ReadOnly && path.Dir(f.Target) != spec.SecretsDir {
			d.contradiction(item.TextAt("target").Pos, "nothing can be put at "+f.Target+" of a service that is read-only",
				"leave out target: the secret is "+spec.SecretsDir+"/"+f.Name+" then")
		}
		f.Target = path.Clean(f.Target)
	}
}

// checkPermissions reports capabilities, security options and sysctls that the project does not allow.
func (d *draft) checkPermissions(n *source.Node) {
	for _, c := range texts(n.Under("cap_add")) {
		d.allow(article.AllowCapAdd, c.Pos, "the capability "+c.Value)
	}
	for _, o := range texts(n.Under("security_opt")) {
		d.allow(article.AllowSecurityOpt, o.Pos, "the security option "+o.Value)
	}
	for _, c := range article.VariablesOf(n.Under("sysctls")) {
		d.allow(article.AllowSysctls, c.Name.Pos, "the kernel setting "+c.Name.Value)
	}
}

// allow reports what an article asks for, in words, if the project does not allow it.
func (p *planner) allow(what article.Permission, at source.Pos, words string) {
	if !p.project.Allow.Has(what) {
		p.problems.Add("not-allowed", at, "%s is more than this project allows its articles", words).
			Hint = fmt.Sprintf("if you trust the article, add %q to the list allow: in %s", what, article.ProjectFile)
	}
}

// image is a mapping that may have an image: a service, the command or a driver.
type image struct {
	service, what string // service name, LoadName for a driver, empty for the command; and its name in messages
	node          *source.Node
	at            source.Pos
	other, hint   string // another key that can replace it, and a hint to add it
}

// image completes an image. It returns false if there is none.
func (d *draft) image(out *spec.Image, i image) bool {
	switch {
	case out.Name != "" && out.Build != nil:
		d.problems.Add("image-or-build", i.node.TextAt("image").Pos, "%s has both an image and a build", i.what).
			Hint = "keep one of them"
		return false
	case out.Name != "":
		return true
	case out.Build != nil:
		d.checkWrittenSecrets(i.node.Under("build", "args"))
		return d.build(out, i)
	case d.definition.HasTried(i.node, "image", "build", i.other):
		return false
	case d.project.EngineName().Can(spec.Machine):
		out.Machine = true
		return true
	}
	d.problems.Add("image-or-build", i.at, "%s has neither an image nor a build", i.what).
		Hint = "add build: with a folder next to the article, image: with a name, or " + i.hint
	return false
}

// build completes a build, whose context may be above the article or in a revision of the repository.
func (d *draft) build(out *spec.Image, i image) (ok bool) {
	b, n := out.Build, i.node.Under("build")
	written := contextOf(n)
	folder, git := d.folder(written), n.TextAt("git")
	if git.IsZero() && d.revision != "" {
		git = source.Text{Value: d.revision, Pos: n.Text.Pos}
	}
	above := isAbove(path.Clean(written.Value))
	if above || !git.IsZero() {
		if folder, ok = d.contextElsewhere(folder, b, written, git, above); !ok {
			return false
		}
	}
	context, users := source.Text{Value: cmp.Or(b.Context, "."), Pos: written.Pos}, usersOf(i.service, b)
	if b.Run == "" {
		d.dockerfiles[b], ok = folder.build(b, n, context, users, d.problems)
		return ok
	}
	d.dockerfiles[b] = []source.Pos{n.TextAt("run").Pos}
	for i, t := range texts(n.Under("keep")) {
		if b.Keep[i], ok = article.CleanPath(t, d.problems); !ok {
			return false
		}
	}
	b.Files, ok = folder.context(context, users, copyPaths{allOfIt}, d.problems)
	return ok
}

// contextOf returns the context of a build, or an empty text at the place of the build.
func contextOf(build *source.Node) source.Text {
	if build.Kind != source.Map {
		return build.Text
	}
	context := build.TextAt("context")
	if context.IsZero() {
		context.Pos = build.Text.Pos
	}
	return context
}

// contextElsewhere returns the folder of a context that is above the article's folder or in a revision, and sets the
// build's path in it.
func (d *draft) contextElsewhere(folder *folder, b *spec.Build, written, git source.Text, above bool) (*folder, bool) {
	root, context := d.repository, folder.whole(path.Clean(written.Value))
	below, inside := files.Below(root, context)
	if !inside {
		if b.Git != "" {
			d.problems.Add("no-such-revision", git.Pos, "the build context %q is outside the git repository", written.Value).
				Hint = "name a folder of the repository, or remove git from the build"
			return nil, false
		}
		if !d.project.Allow.Has(article.AllowContexts) {
			d.allow(article.AllowContexts, written.Pos, fmt.Sprintf("the build context %q, outside the repository,",
				written.Value))
			return nil, false
		}
		root, below, git = context, ".", source.Text{}
	}
	moved := filepath.ToSlash(below)
	if git.IsZero() {
		b.Context = moved
		return folder.aroundIt(root), true
	}
	at, ok := folder.at(git, moved, b.Git == "" && !above, d.problems)
	if at != folder { // otherwise the revision lacks the folder, and the one on disk is used
		b.Context, b.Git = moved, git.Value
	}
	return at, ok
}

// readiness completes a healthcheck; the forms HTTP, PORT and LOG of its test are ours, the others Compose's.
func (d *draft) readiness(out *spec.Ready, n *source.Node, s *spec.Service) {
	at := func(key string) source.Pos { return n.TextAt(key).Pos }
	if n.Under("start_interval") != nil && n.Under("start_period") == nil {
		d.problems.Add("missing-key", at("start_interval"), "start_interval needs a start_period").
			Hint = "add start_period: with the time that the service may take to start"
	}
	test := out.Test
	if s.NoImageHealthcheck = out.Disable || len(test) == 1 && test[0] == "NONE"; s.NoImageHealthcheck {
		*out = spec.Ready{}
		return
	}
	if out.Test = nil; len(test) == 0 {
		return
	}
	kind := n.Get("test").List()[0].Text.Pos
	if hint, ok := readTest(out, test[0], test[1:]); !ok {
		d.problems.Add("wrong-value", kind, "the healthcheck of service %q cannot be read", s.Name).Hint = hint
	}
	if out.HTTP != "" && len(s.Expose) == 0 {
		d.problems.Add("missing-key", kind, "service %q exposes no port that could answer over HTTP", s.Name).
			Hint = "add expose: with the port"
	}
	for _, key := range []string{"timeout", "start_interval"} {
		if out.Log != "" && n.Under(key) != nil {
			d.contradiction(at(key), "a log is read continuously, so this time has no effect",
				"remove it; start_period is the time that the service may take to start")
		}
	}
}

// readTest reads the test of a healthcheck. It returns whether the test is valid, and a hint how to write it.
func readTest(out *spec.Ready, kind string, words []string) (hint string, ok bool) {
	var err error
	first := append(words, "")[0]
	switch kind {
	case "HTTP":
		out.HTTP = first
		return "write [HTTP, /path]", len(words) == 1 && strings.HasPrefix(first, "/")
	case "PORT":
		out.Port, err = strconv.Atoi(first)
		return `write [PORT, "5432"]`, len(words) == 1 && err == nil && out.Port >= 1 && out.Port <= 65535
	case "LOG":
		out.Log, out.Times = first, 1
		if len(words) == 2 {
			out.Times, err = strconv.Atoi(words[1])
		}
		return "write [LOG, text] or [LOG, text, times]", first != "" && len(words) <= 2 && err == nil && out.Times >= 1
	case "CMD":
		out.Command = words
		return "write [CMD, program, argument]", len(words) > 0
	case "CMD-SHELL":
		out.Command = []string{"/bin/sh", "-c", first}
		return "write [CMD-SHELL, command]", len(words) == 1
	case "NONE":
		return "write NONE alone", false
	}
	out.Command = []string{"/bin/sh", "-c", kind}
	return "begin with CMD, CMD-SHELL, NONE, HTTP, PORT or LOG", len(words) == 0
}
