package plan

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"benchbook/notebook/article"
	"benchbook/notebook/inputs"
	"benchbook/notebook/projects"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
	"benchbook/notebook/yamltext"
)

// originPort is where an origin of ours listens.
const originPort = "80"

// services resolves the services of a trial and puts those that others depend on first.
func (p *planner) services(d *draft, at source.Pos) []*spec.Service {
	all := map[string]*spec.Service{}
	var resolved []string
	for i := range d.definition.Services {
		s := &d.definition.Services[i]
		if !article.IsName(s.Name.Value) || s.Name.Value == "peak" || s.Name.Value == loadName {
			p.problems.Add("bad-name", s.Name.Pos, "%q is no name for a service", s.Name.Value).
				Hint = "use letters, digits, - and _, and not the words peak and load"
			continue
		}
		if r := p.service(s.Name, &s.Value, d); r != nil {
			all[s.Name.Value] = r
			resolved = append(resolved, s.Name.Value)
		}
	}
	var out []*spec.Service
	const visiting, done = 1, 2
	state := map[string]int{}
	var visit func(name string)
	visit = func(name string) {
		if state[name] != 0 {
			return
		}
		state[name] = visiting
		for _, s := range d.definition.Services {
			if s.Name.Value != name {
				continue
			}
			for _, dep := range s.Value.DependsOn {
				switch {
				case all[dep.Value] == nil && slices.Contains(names(d.definition.Services), dep.Value):
					// It could not be resolved, which was said.
				case all[dep.Value] == nil:
					p.problems.Add("unknown-service", dep.Pos, "service %q depends on %q, which is none", name, dep.Value).
						Hint = source.Suggest(dep.Value, names(d.definition.Services))
				case state[dep.Value] == visiting:
					p.problems.Add("circle", dep.Pos, "services %q and %q wait for each other", name, dep.Value).
						Hint = "remove one of the depends_on"
				default:
					visit(dep.Value)
				}
			}
		}
		state[name] = done
		out = append(out, all[name])
	}
	for _, name := range resolved {
		visit(name)
	}
	p.conditions(d.definition.Services, all)
	return out
}

// dependencies are the names of services that one waits for.
func dependencies(list article.Dependencies) []string {
	var out []string
	for _, dep := range list {
		out = append(out, dep.Value)
	}
	return out
}

// conditions are those of dependencies that ask for something other than a service that is ready.
func conditions(list article.Dependencies) map[string]string {
	var out map[string]string
	for _, dep := range list {
		if dep.Condition.V != "" && dep.Condition.V != article.ServiceHealthy {
			if out == nil {
				out = map[string]string{}
			}
			out[dep.Value] = string(dep.Condition.V)
		}
	}
	return out
}

// completes says that others wait until a service has run to its end.
func completes(services article.Services, name string) bool {
	return slices.ContainsFunc(services, func(s article.Named[article.Service]) bool {
		return slices.ContainsFunc(s.Value.DependsOn, func(dep article.Dependency) bool {
			return dep.Value == name && dep.Condition.V == article.ServiceCompleted
		})
	})
}

// completed reports what is to run in a service that has run to its end before.
func (p *planner) completed(service source.Text, what string) {
	p.problems.Add("contradiction", service.Pos, "%s cannot run in service %q, which has completed before", what, service.Value).
		Hint = "name a service that keeps running"
}

// conditions checks what services ask of those that they depend on, and notes which ones run to their end.
func (p *planner) conditions(services article.Services, resolved map[string]*spec.Service) {
	for name, s := range resolved {
		s.Completes = completes(services, name)
	}
	for _, s := range services {
		on := resolved[s.Name.Value]
		if on != nil && on.Completes && s.Value.Healthcheck != nil && !on.Ready.HasNoTest() {
			p.problems.Add("contradiction", s.Name.Pos, "service %q has a healthcheck, and others wait until it has completed", s.Name.Value).
				Hint = "remove the healthcheck, or write condition: service_healthy"
		}
		for _, dep := range s.Value.DependsOn {
			on := resolved[dep.Value]
			if on == nil || !dep.Condition.Known() {
				continue
			}
			healthy := dep.Condition.V == article.ServiceHealthy
			switch {
			case healthy && on.Completes:
				p.problems.Add("contradiction", dep.Condition.Text.Pos,
					"service %q waits until %q is healthy, and another one until it has completed", s.Name.Value, dep.Value).
					Hint = "write condition: service_completed_successfully in both"
			case healthy && on.Ready.HasNoTest() && len(on.Expose) == 0:
				p.problems.Add("missing-key", dep.Condition.Text.Pos,
					"service %q has no healthcheck and exposes no port, so nothing tells when it is healthy", dep.Value).
					Hint = "give it a healthcheck, or write condition: service_started"
			}
		}
	}
}

func (p *planner) service(name source.Text, s *article.Service, d *draft) *spec.Service {
	out := &spec.Service{
		Name: name.Value, WorkingDir: s.WorkingDir.Value, User: s.User.Value, CPUSet: s.CPUSet.Value,
		Memory: int64(s.MemLimit.V), PIDs: int64(s.PidsLimit.V), ShmSize: int64(s.ShmSize.V), ReadOnly: s.ReadOnly.V, Init: s.Init.V,
		StopSignal: s.StopSignal.Value, StopGrace: s.StopGrace.V, Hostname: s.Hostname.Value, CPUs: s.CPUs.V,
		Sysctls: s.Sysctls.Map(), CapAdd: values(s.CapAdd), CapDrop: values(s.CapDrop), SecurityOpt: values(s.SecurityOpt),
		Tmpfs: values(s.Tmpfs), DependsOn: dependencies(s.DependsOn),
		Conditions: conditions(s.DependsOn),
	}
	d.places.cpusets[&out.CPUSet], d.places.cpus[out] = s.CPUSet, s.CPUs.Text
	sound := true // what is wrong with other keys is said in any case
	if s.Origin != nil {
		if !s.Image.IsZero() || s.Build != nil {
			p.problems.Add("contradiction", name.Pos, "service %q is an origin of ours, and so has no image and no build", name.Value).
				Hint = "keep origin, or image or build"
			sound = false
		}
		out.Origin = p.origin(s.Origin)
		out.Expose = []int{80}
		p.onlyOrigin(name, s)
	} else {
		image, ok := p.image(d, name.Value, s.Image, s.Build, fmt.Sprintf("service %q", name.Value), name.Pos, s.Tried,
			"origin", "origin: for an HTTP server of ours")
		out.Image, sound = image, ok
	}
	if s.Command != nil {
		out.Command = s.Command.Words
	}
	if s.Entrypoint != nil {
		out.Entrypoint = s.Entrypoint.Words
	}
	if out.Image.Machine && len(out.Command)+len(out.Entrypoint) == 0 && !s.Tried.Has("command", "entrypoint") {
		p.problems.Add("missing-key", name.Pos, "service %q has neither an image nor a program of this machine", name.Value).
			Hint = "add command: with the program and its arguments"
	}
	out.Environment = p.environment(s)
	for _, e := range s.Expose {
		if !e.Known() {
			continue
		}
		if e.V < 1 || e.V > 65535 {
			p.problems.Add("wrong-value", e.Text.Pos, "%d is no port", e.V).Hint = "ports go from 1 to 65535"
			continue
		}
		if !slices.Contains(out.Expose, e.V) {
			out.Expose = append(out.Expose, e.V)
		}
	}
	for i := range s.Configs {
		if f, ok := d.configs[&s.Configs[i]]; ok {
			out.Configs = append(out.Configs, f)
		}
	}
	if s.Healthcheck != nil {
		out.Ready = p.ready(s.Healthcheck, name, len(out.Expose) > 0)
	}
	for i := range s.Volumes {
		if v, ok := p.volume(&s.Volumes[i]); ok {
			out.Volumes = append(out.Volumes, v)
		}
	}
	for _, u := range s.Ulimits {
		if out.Ulimits == nil {
			out.Ulimits = map[string]spec.Ulimit{}
		}
		out.Ulimits[u.Name.Value] = spec.Ulimit{Soft: u.Value.Soft.V, Hard: u.Value.Hard.V}
	}
	if s.Scale.V != 1 {
		out.Scale = s.Scale.V
	}
	if s.Link != nil {
		out.Link = &spec.Link{RTT: s.Link.RTT.V, Jitter: s.Link.Jitter.V, Rate: float64(s.Link.Rate.V)}
		if len(out.Expose) == 0 {
			p.problems.Add("missing-key", s.Link.Pos, "service %q has a link and exposes no port", name.Value).
				Hint = "add expose: with the ports that the link is to lead to"
		}
	}
	p.checkService(s)
	p.blocked(s.Configs, s.Volumes)
	if !sound {
		return nil
	}
	return out
}

// memoryLeast is what Docker accepts as a limit; memoryMost is more than any machine has.
const (
	memoryLeast = 6 << 20
	memoryMost  = 64 << 40
)

// signals are those of Linux that have names; those of real time are SIGRTMIN+N and SIGRTMAX-N.
//
// Source: signal(7).
var signals = []string{"SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGIOT", "SIGBUS", "SIGFPE", "SIGKILL", "SIGUSR1", "SIGSEGV", "SIGUSR2",
	"SIGPIPE", "SIGALRM", "SIGTERM", "SIGSTKFLT", "SIGCHLD", "SIGCLD", "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG", "SIGXCPU", "SIGXFSZ",
	"SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO", "SIGPOLL", "SIGPWR", "SIGSYS", "SIGRTMIN", "SIGRTMAX"}

// isSignal says that an engine knows a signal: by its name, with or without SIG, or by its number.
func isSignal(s string) bool {
	if n, err := strconv.Atoi(s); err == nil {
		return n >= 1 && n <= 64
	}
	name := "SIG" + strings.TrimPrefix(strings.ToUpper(s), "SIG")
	for mark, real := range map[string]string{"+": "SIGRTMIN", "-": "SIGRTMAX"} {
		if base, offset, ok := strings.Cut(name, mark); ok {
			n, err := strconv.Atoi(offset)
			return base == real && err == nil && n >= 1 && n <= 30
		}
	}
	return slices.Contains(signals, name)
}

// checkService reports values that cannot be meant, and what the project does not allow.
func (p *planner) checkService(s *article.Service) {
	p.checkCPUSet(s.CPUSet)
	p.checkLimits(s)
	if s.Link != nil {
		p.checkLink(s.Link)
	}
	if t := s.StopSignal; t.Value != "" && !strings.Contains(t.Value, "${{") && !isSignal(t.Value) {
		p.problems.Add("wrong-value", t.Pos, "%q is no signal", t.Value).
			Hint = "write it as Linux does, such as SIGTERM"
	}
	if s.Scale.Known() && (s.Scale.V < 1 || s.Scale.V > 100) {
		p.problems.Add("wrong-value", s.Scale.Text.Pos, "scale has to be between 1 and 100, not %d", s.Scale.V)
	}
	for _, t := range s.Tmpfs {
		p.absolute(t, "tmpfs")
	}
	if s.WorkingDir.Value != "" {
		p.absolute(s.WorkingDir, "working_dir")
	}
	for _, c := range slices.Concat(s.CapAdd, s.CapDrop) {
		if !capability.MatchString(c.Value) {
			p.problems.Add("wrong-value", c.Pos, "%q is no capability", c.Value).
				Hint = "write it as Linux does, such as NET_ADMIN"
		}
	}
	p.checkPermissions(s)
}

// checkLimits reports limits that no engine takes.
func (p *planner) checkLimits(s *article.Service) {
	if s.CPUs.Known() && s.CPUs.V <= 0 {
		p.problems.Add("wrong-value", s.CPUs.Text.Pos, "cpus has to be more than 0").
			Hint = "write a number, such as 1.5"
	}
	if s.MemLimit.Known() && s.MemLimit.V < memoryLeast {
		p.problems.Add("wrong-value", s.MemLimit.Text.Pos, "mem_limit has to be 6m or more").
			Hint = "write a number with a unit, such as 256m"
	}
	if s.PidsLimit.Known() && s.PidsLimit.V < 1 && s.PidsLimit.V != -1 {
		p.problems.Add("wrong-value", s.PidsLimit.Text.Pos, "pids_limit has to be more than 0").
			Hint = "write how many processes and threads there may be, or -1 for no limit"
	}
	if s.MemLimit.Known() && s.MemLimit.V > memoryMost {
		p.problems.Add("wrong-value", s.MemLimit.Text.Pos, "mem_limit has to be %dt or less", memoryMost>>40).
			Hint = "write what the service may use, such as 256m"
	}
}

// checkLink reports times and rates that no network has.
func (p *planner) checkLink(l *article.Link) {
	for _, v := range []article.Value[time.Duration]{l.RTT, l.Jitter} {
		if v.Known() && v.V < 0 {
			p.problems.Add("wrong-value", v.Text.Pos, "a network cannot take less than no time")
		}
	}
	if l.Rate.Known() && l.Rate.V <= 0 {
		p.problems.Add("wrong-value", l.Rate.Text.Pos, "rate has to be more than 0").
			Hint = "leave it out for as much as there is"
	}
	if j := l.Jitter; j.Known() && l.RTT.Known() && j.V > l.RTT.V/2 && l.RTT.V >= 0 {
		p.problems.Add("wrong-value", j.Text.Pos, "jitter is more than half of rtt: some trips would take less than no time").
			Hint = fmt.Sprintf("write %v at most, or a longer rtt", l.RTT.V/2)
	} else if j.Known() && j.V > 0 && !l.RTT.Set() {
		p.problems.Add("missing-key", j.Text.Pos, "a link with jitter has no rtt that it could be of").
			Hint = "add rtt: with twice the jitter or more"
	}
}

// checkPermissions reports what the project does not allow.
func (p *planner) checkPermissions(s *article.Service) {
	for _, c := range s.CapAdd {
		p.allow(projects.AllowCapAdd, c.Pos, "the capability "+c.Value)
	}
	for _, o := range s.SecurityOpt {
		p.allow(projects.AllowSecurityOpt, o.Pos, "the security option "+o.Value)
	}
	for _, c := range s.Sysctls {
		p.allow(projects.AllowSysctls, c.Name.Pos, "the kernel setting "+c.Name.Value)
	}
}

var capability = regexp.MustCompile(`^(CAP_)?[A-Z][A-Z_]*$`)

// allow reports what the project does not allow articles to ask for.
func (p *planner) allow(what projects.Permission, at source.Pos, words string) {
	if p.project.Allows(what) {
		return
	}
	p.problems.Add("not-allowed", at, "%s is more than this project allows its articles", words).
		Hint = fmt.Sprintf("if you trust the article, add %q to the list allow: in %s", what, article.ProjectFile)
}

// absolute makes sure that a path in a container begins at its root.
func (p *planner) absolute(t source.Text, what string) {
	if !path.IsAbs(t.Value) && !strings.HasPrefix(t.Value, "${{") {
		p.problems.Add("wrong-value", t.Pos, "%s has to be a path in the container, not %q", what, t.Value).
			Hint = "begin it with /"
	}
}

// environment is the variables of env_file and then of environment, which goes before.
func (p *planner) environment(s *article.Service) []string {
	var out []string
	own := map[string]bool{}
	for _, v := range s.Environment {
		own[v.Name.Value] = true
	}
	for _, t := range s.EnvFile {
		f, ok := p.folder(t).Doc.File(t, p.problems)
		if !ok {
			continue
		}
		for line := range strings.Lines(string(f.Data)) {
			line = strings.TrimSpace(line)
			if line == "" || line[0] == '#' {
				continue
			}
			name, value, ok := strings.Cut(strings.TrimPrefix(line, "export "), "=")
			name = strings.TrimSpace(name)
			if !ok || name == "" {
				p.problems.Add("wrong-value", t.Pos, "a line of %s has no value: %q", f.Path, line).
					Hint = "write NAME=value in every line; variables of the host are never passed on"
				break
			}
			if value, ok = fileValue(value); !ok {
				p.problems.Add("wrong-value", t.Pos, "a line of %s has a quote that is not closed, or words behind it: %q", f.Path, line).
					Hint = "close the quote at the end of the value, in the same line"
				break
			}
			if own[name] {
				continue
			}
			// Of a name that is there twice the last one counts, which programs would not agree on.
			out = slices.DeleteFunc(out, func(v string) bool { return strings.HasPrefix(v, name+"=") })
			out = append(out, name+"="+value)
		}
	}
	for _, v := range s.Environment {
		out = append(out, v.Name.Value+"="+v.Value.Value)
	}
	return out
}

// fileValue reads a value of env_file as Compose does: in single quotes as it stands, in double quotes with the escapes \n, \r,
// \t, \" and \\, and without quotes up to a comment, which begins behind a space. It is false for a quote that is not closed,
// and for more than a comment behind it. Nothing is expanded.
func fileValue(s string) (string, bool) {
	s = strings.TrimSpace(s)
	if s == "" || s[0] != '"' && s[0] != '\'' {
		if i := comment.FindStringIndex(s); i != nil {
			s = s[:i[0]]
		}
		return s, true
	}
	var value strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == s[0]:
			rest := strings.TrimSpace(s[i+1:])
			return value.String(), rest == "" || rest[0] == '#'
		case s[0] == '"' && s[i] == '\\' && i+1 < len(s) && escapes[s[i+1]] != 0:
			i++
			value.WriteByte(escapes[s[i]])
		default:
			value.WriteByte(s[i])
		}
	}
	return "", false
}

var (
	comment = regexp.MustCompile(`(^|\s+)#`)
	escapes = map[byte]byte{'n': '\n', 'r': '\r', 't': '\t', '"': '"', '\\': '\\'}
)

// volume resolves a volume. What is mounted from the article's folder is read-only and its bytes are inputs; paths of
// the host have to be allowed.
func (p *planner) volume(v *article.Volume) (spec.Volume, bool) {
	if v.Target.IsZero() {
		return spec.Volume{}, false // which was said when it was read
	}
	p.absolute(v.Target, "the target of a volume")
	out := spec.Volume{Type: string(v.Type.V), Source: v.Source.Value, Target: path.Clean(v.Target.Value), ReadOnly: v.ReadOnly.V}
	if out.Type == "" {
		out.Type = string(article.NamedVolume)
	}
	if v.Tmpfs != nil && v.Type.V != article.TmpfsVolume {
		p.problems.Add("contradiction", v.Tmpfs.Pos, "a volume of type %s has no tmpfs", out.Type).
			Hint = "write type: tmpfs, or remove it"
	}
	switch v.Type.V {
	case article.TmpfsVolume:
		if t := v.Tmpfs; t != nil {
			out.Size = int64(t.Size.V)
			if t.Size.Known() && t.Size.V <= 0 {
				p.problems.Add("wrong-value", t.Size.Text.Pos, "size has to be more than 0").Hint = "write a number with a unit, such as 64m"
			}
		}
		if !v.Source.IsZero() {
			p.problems.Add("contradiction", v.Source.Pos, "a tmpfs has no source").Hint = "remove source"
		}
		return out, true
	case article.BindVolume:
	default:
		if v.Source.Value != "" && !article.IsName(v.Source.Value) {
			p.problems.Add("wrong-value", v.Source.Pos, "%q is no name for a volume", v.Source.Value).
				Hint = "begin a path with ./, or use letters, digits, - and _"
			return out, false
		}
		return out, true
	}
	source := v.Source.Value
	if source == "" {
		p.problems.Add("missing-key", v.Pos, "a bind has no source").
			Hint = "add source: with a path beside the article, such as ./data"
		return out, false
	}
	if path.IsAbs(source) || strings.HasPrefix(source, "~") || source == ".." || strings.HasPrefix(path.Clean(source), "../") {
		p.allow(projects.AllowMounts, v.Source.Pos, fmt.Sprintf("the path %q of this machine, outside the article's folder,", source))
		host, err := hostPath(p.folder(v.Source).Doc.Dir, source)
		if err != nil {
			p.problems.Add("wrong-value", v.Source.Pos, "the path %q cannot be found: %v", source, err).
				Hint = "write a path that begins with /"
		}
		out.Host = host
		return out, true
	}
	out.ReadOnly = true
	out.Source = path.Clean(source)
	files, single, ok := p.folder(v.Source).Mounted(v.Source, p.problems)
	out.Files, out.Single = files, single
	return out, ok
}

// hostPath is the absolute path of a source outside the folder of its article.
func hostPath(folder, source string) (string, error) {
	switch rest, home := strings.CutPrefix(source, "~"); {
	case home && (rest == "" || strings.HasPrefix(rest, "/")):
		dir, err := os.UserHomeDir()
		return filepath.Join(dir, rest), err
	case home:
		return "", errors.New("the home of another user is not looked up")
	case path.IsAbs(source):
		return path.Clean(source), nil
	}
	return filepath.Abs(filepath.Join(folder, source))
}

// maxSigma is the largest that our origin takes: then most times are shorter than anything can be timed, or longer than a day.
const maxSigma = 20

// onlyOrigin reports keys that mean something to the container of an image only.
func (p *planner) onlyOrigin(name source.Text, s *article.Service) {
	refuse := func(key string, at source.Pos) {
		if at.Source != nil {
			p.problems.Add("contradiction", at, "service %q is an origin of ours, and so has no use for %s", name.Value, key).
				Hint = "remove " + key + ", or give it an image or a build instead of origin"
		}
	}
	if s.Command != nil {
		refuse("command", s.Command.Pos)
	}
	if s.Entrypoint != nil {
		refuse("entrypoint", s.Entrypoint.Pos)
	}
	if len(s.Environment) > 0 {
		refuse("environment", s.Environment[0].Name.Pos)
	}
	if len(s.Configs) > 0 {
		refuse("configs", s.Configs[0].Source.Pos)
	}
	if len(s.Volumes) > 0 {
		refuse("volumes", s.Volumes[0].Pos)
	}
	refuse("env_file", first(s.EnvFile))
	refuse("tmpfs", first(s.Tmpfs))
	refuse("working_dir", s.WorkingDir.Pos)
	refuse("user", s.User.Pos)
	for _, e := range s.Expose {
		if e.Known() && e.V != 80 {
			p.problems.Add("contradiction", e.Text.Pos, "service %q is an origin of ours, which listens on port 80 only", name.Value).
				Hint = "remove expose"
		}
	}
	if h := s.Healthcheck; h != nil && len(h.Test) > 0 && !slices.Contains([]string{"HTTP", "PORT", "LOG"}, h.Test[0].Value) {
		refuse("a healthcheck that is a command", h.Test[0].Pos)
	}
}

// origin resolves an origin, which answers 200 at once unless it says otherwise.
func (p *planner) origin(o *article.Origin) *spec.HTTPOrigin {
	out := &spec.HTTPOrigin{Body: int64(o.Body.V), Status: 200, Errors: float64(o.Errors.V)}
	if o.Status.Set() {
		out.Status = o.Status.V
	}
	p.status(o.Status)
	if o.Status.Known() && o.Status.V >= 100 && o.Status.V < 200 {
		p.problems.Add("wrong-value", o.Status.Text.Pos, "an answer does not end with status %d", o.Status.V).Hint = "they go from 200 to 599"
	}
	if (out.Status == 204 || out.Status == 304) && out.Body > 0 {
		p.problems.Add("contradiction", o.Body.Text.Pos, "an answer of status %d has no body", out.Status).
			Hint = "remove body, or write another status"
	}
	if o.Errors.Known() && (o.Errors.V < 0 || o.Errors.V > 1) {
		p.problems.Add("wrong-value", o.Errors.Text.Pos, "errors has to be a share of the answers").
			Hint = "write a percentage from 0% to 100%"
	}
	if o.Body.Known() && o.Body.V < 0 {
		p.problems.Add("wrong-value", o.Body.Text.Pos, "body has to be a size")
	}
	if l := o.Latency; l != nil {
		out.Distribution = string(l.Distribution.V)
		out.Value, out.From, out.To, out.Median, out.Sigma = l.Value.V, l.From.V, l.To.V, l.Median.V, l.Sigma.V
		times := append([]article.Value[time.Duration]{l.Value, l.From, l.To, l.Median}, l.Values...)
		for _, v := range times {
			if v.Known() && v.V < 0 {
				p.problems.Add("wrong-value", v.Text.Pos, "an origin cannot answer before it is asked")
			}
		}
		if l.Sigma.Known() && !(l.Sigma.V > 0 && l.Sigma.V <= maxSigma) {
			p.problems.Add("wrong-value", l.Sigma.Text.Pos, "sigma has to be more than 0, and %d at most", maxSigma).
				Hint = "0.5 is usual for times on the web"
		}
		for _, v := range l.Values {
			out.Values = append(out.Values, v.V)
		}
	}
	return out
}

// status reports what is no status of an answer.
func (p *planner) status(v article.Value[int]) {
	if v.Known() && (v.V < 100 || v.V > 599) {
		p.problems.Add("wrong-value", v.Text.Pos, "%d is no status of HTTP", v.V).Hint = "they go from 100 to 599"
	}
}

// image is what a service, by its name, or a command, by "", runs in. There is another key that can stand in its place, with a hint about it.
func (p *planner) image(d *draft, service string, name source.Text, build *article.Build, what string, at source.Pos, tried yamltext.Tried,
	other, hint string) (spec.Image, bool) {
	switch {
	case name.Value != "" && build != nil:
		p.problems.Add("image-or-build", name.Pos, "%s has both an image and a build", what).Hint = "keep one of them"
		return spec.Image{}, false
	case name.Value != "":
		return spec.Image{Name: name.Value}, true
	case build == nil && tried.Has("image", "build", other):
		return spec.Image{}, false
	case build == nil && p.engine().Can(spec.Machine):
		return spec.Image{Machine: true}, true
	case build == nil:
		p.problems.Add("image-or-build", at, "%s has neither an image nor a build", what).
			Hint = "add build: with a folder beside the article, image: with a name, or " + hint
		return spec.Image{}, false
	}
	written := build.Context
	if written.IsZero() {
		written.Pos = build.Pos
	}
	b, where, ok := p.folder(written).Build(build, inputs.UsersOf(service, build), at, p.problems)
	d.places.dockerfiles[b] = where
	return spec.Image{Build: b}, ok
}

// ready reads a healthcheck; the forms HTTP, PORT and LOG of its test are ours, the others Compose's.
func (p *planner) ready(h *article.Healthcheck, service source.Text, exposes bool) spec.Ready {
	r := spec.Ready{Interval: h.Interval.V, Timeout: h.Timeout.V, Retries: h.Retries.V, StartPeriod: h.StartPeriod.V, StartInterval: h.StartInterval.V}
	p.checkProbes(h)
	if h.Disable.V || len(h.Test) == 1 && h.Test[0].Value == "NONE" {
		return spec.Ready{} // as if there were none
	}
	if len(h.Test) > 0 {
		p.healthTest(&r, h, service, exposes)
	}
	return r
}

// healthTest reads the test of a healthcheck.
func (p *planner) healthTest(r *spec.Ready, h *article.Healthcheck, service source.Text, exposes bool) {
	kind, rest := h.Test[0], h.Test[1:]
	wrong := func(hint string) {
		p.problems.Add("wrong-value", kind.Pos, "the healthcheck of service %q cannot be read", service.Value).
			Hint = hint
	}
	words := values(rest)
	switch kind.Value {
	case "HTTP":
		if len(words) != 1 || !strings.HasPrefix(words[0], "/") {
			wrong("write [HTTP, /path]")
			return
		}
		if !exposes {
			p.problems.Add("missing-key", kind.Pos, "service %q exposes no port that could answer over HTTP", service.Value).
				Hint = "add expose: with the port"
		}
		r.HTTP = words[0]
	case "PORT":
		port, ok := onePort(words)
		if !ok {
			wrong(`write [PORT, "5432"]`)
			return
		}
		r.Port = port
	case "LOG":
		if !p.logTest(r, h, words) {
			wrong("write [LOG, text] or [LOG, text, times]")
		}
	case "CMD":
		if len(words) == 0 {
			wrong("write [CMD, program, argument]")
		}
		r.Command = words
	case "CMD-SHELL":
		if len(words) != 1 {
			wrong("write [CMD-SHELL, command]")
		}
		r.Command = append([]string{"/bin/sh", "-c"}, words...)
	case "NONE":
		wrong("write NONE alone")
	default:
		if len(h.Test) == 1 {
			r.Command = []string{"/bin/sh", "-c", kind.Value}
			return
		}
		wrong("begin with CMD, CMD-SHELL, NONE, HTTP, PORT or LOG")
	}
}

// onePort reads a port that stands alone.
func onePort(words []string) (int, bool) {
	if len(words) != 1 {
		return 0, false
	}
	port, err := strconv.Atoi(words[0])
	return port, err == nil && port >= 1 && port <= 65535
}

// logTest reads a test that waits for a text in the log. It is false if it cannot be read.
func (p *planner) logTest(r *spec.Ready, h *article.Healthcheck, words []string) bool {
	times := 1
	if len(words) == 2 {
		times, _ = strconv.Atoi(words[1])
	}
	if len(words) < 1 || len(words) > 2 || words[0] == "" || times < 1 {
		return false
	}
	r.Log, r.Times = words[0], times
	for _, v := range []article.Value[time.Duration]{h.Timeout, h.StartInterval} {
		if v.Set() {
			p.problems.Add("contradiction", v.Text.Pos, "a log is read all the time: there are no probes for this time").
				Hint = "remove it; start_period is the time that the service may take to start"
		}
	}
	return true
}

// checkProbes reports times and numbers of probes that cannot be meant.
func (p *planner) checkProbes(h *article.Healthcheck) {
	for _, t := range []struct {
		key   string
		value article.Value[time.Duration]
	}{{"interval", h.Interval}, {"timeout", h.Timeout}, {"start_interval", h.StartInterval}} {
		if t.value.Known() && t.value.V <= 0 {
			p.problems.Add("wrong-value", t.value.Text.Pos, "%s has to be more than 0", t.key).
				Hint = "write a time, such as 30s"
		}
	}
	if h.StartPeriod.Known() && h.StartPeriod.V < 0 {
		p.problems.Add("wrong-value", h.StartPeriod.Text.Pos, "start_period cannot be less than 0").
			Hint = "write a time, such as 30s"
	}
	if h.Retries.Known() && h.Retries.V < 1 {
		p.problems.Add("wrong-value", h.Retries.Text.Pos, "retries has to be 1 or more").
			Hint = "write how many probes in a row may fail, such as 3"
	}
	if h.StartInterval.Set() && !h.StartPeriod.Set() {
		p.problems.Add("missing-key", h.StartInterval.Text.Pos, "start_interval has no start_period that it could be for").
			Hint = "add start_period: with the time that the service may take to start"
	}
}

// first is the place of the first word of a list, or none.
func first(list []source.Text) source.Pos {
	if len(list) == 0 {
		return source.Pos{}
	}
	return list[0].Pos
}

// values gives the words of a list; nil for none.
func values(list []source.Text) []string {
	var out []string
	for _, t := range list {
		out = append(out, t.Value)
	}
	return out
}

// configs reads the files that the containers of a trial get when they start.
func (p *planner) configs(d *draft) map[*article.Config]spec.File {
	out := map[*article.Config]spec.File{}
	if d.definition == nil {
		return out
	}
	add := func(list []article.Config, users []string) {
		for i := range list {
			if f, ok := p.folder(list[i].Source).Config(list[i], users, p.problems); ok {
				out[&list[i]] = f
			}
		}
	}
	for i := range d.definition.Services {
		s := &d.definition.Services[i]
		add(s.Value.Configs, inputs.UsersOf(s.Name.Value, s.Value.Build))
	}
	if c := d.definition.Command; c != nil {
		add(c.Configs, inputs.UsersOf("", c.Build))
	}
	return out
}

// names gives the names of services, in the order written.
func names(services article.Services) []string {
	var out []string
	for _, s := range services {
		out = append(out, s.Name.Value)
	}
	return out
}
