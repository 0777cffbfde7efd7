package compose

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/compose-spec/compose-go/v2/types"

	"benchbook/notebook/spec"
)

// A key says what becomes of a key of a service: taken, ignored, or refused with a hint.
type key struct {
	take   func(s *service, value any) // nil if it is not taken
	refuse string                      // a hint; NAME and KEY are replaced
}

var (
	same    = func(name string) key { return key{take: func(s *service, v any) { s.out[name] = v }} }
	part    = key{take: func(*service, any) {}} // read by the function of its parent
	ignored = key{}
	refused = func(hint string) key { return key{refuse: hint} }
)

// withoutIt is the hint where there is no other way out.
const withoutIt = "to measure without it, write NAME: {KEY: null} under services: of the experiment"

// table has the keys of services. Keys inside a key, or inside the items of its list, are PARENT.KEY; * matches any
// name. All other keys of Compose are refused.
var table = map[string]key{
	"build": {take: (*service).build}, "command": same("command"), "entrypoint": {take: (*service).entrypoint},
	"environment": {take: (*service).environment}, "expose": {take: (*service).ports}, "ports": {take: (*service).ports},
	"configs": {take: (*service).configs}, "secrets": {take: (*service).secrets}, "volumes": {take: (*service).volumes},
	"depends_on": {take: (*service).dependencies}, "healthcheck": {take: (*service).healthcheck},
	"networks": {take: (*service).networks}, "links": {take: (*service).links}, "platform": {take: (*service).platform},
	"deploy.replicas": same("scale"), "deploy.resources.limits.cpus": same("cpus"),
	"deploy.resources.limits.memory": same("mem_limit"), "deploy.resources.limits.pids": same("pids_limit"),
	"build.platforms": {take: (*service).platforms}, "build.network": {take: (*service).buildNetwork},

	"deploy.resources.reservations.devices": refused("measure it without the device: write NAME: {deploy: null} under " +
		"services: of the experiment"),
	"cgroup":         refused("services have a control group of their own: " + withoutIt),
	"cpu_period":     refused("write NAME: {cpus: NUMBER, KEY: null} under services: of the experiment"),
	"cpu_quota":      refused("write NAME: {cpus: NUMBER, KEY: null} under services: of the experiment"),
	"cpu_shares":     refused("write cpus: with the number of cores, or cpuset: with those that it gets"),
	"external_links": refused("add that container to the services"),
	"extra_hosts":    refused("services find each other by their names: " + withoutIt),
	"group_add":      refused("write user: with the group, such as 1000:1000"),
	"memswap_limit":  refused("write mem_limit: alone"),
	"network_mode":   refused("services have a network of their own: " + withoutIt),
	"post_start":     refused("write it as prepare: in the experiment"),
	"pre_start": refused("make it a service that ends, and wait for it with condition: " +
		"service_completed_successfully"),
	"pre_stop":               refused("write it as conclude: in the experiment"),
	"privileged":             refused("name what it needs in cap_add, and write NAME: {KEY: null} under services: of the experiment"),
	"provider":               refused("make it a service with an image"),
	"umask":                  refused("set it in the command of the service"),
	"volumes_from":           refused("name the volumes under volumes: of each service"),
	"networks.*.aliases":     refused("call it by the name of the service, or rename the service"),
	"volumes.volume.subpath": refused("mount the whole volume"),
}

func init() {
	for name := range strings.FieldsSeq(`image cap_add cap_drop cpus cpuset hostname init mem_limit pids_limit read_only
		scale security_opt shm_size stop_signal sysctls tmpfs ulimits user working_dir`) {
		table[name] = same(name)
	}
	for name := range strings.FieldsSeq(`build.context build.dockerfile build.dockerfile_inline build.target build.args
		configs.source configs.target secrets.source secrets.target depends_on.*.condition depends_on.*.required
		volumes.type volumes.source volumes.target volumes.read_only volumes.bind.create_host_path volumes.tmpfs.size`) {
		table[name] = part
	}
	for name := range strings.FieldsSeq(`annotations attach cgroup_parent container_name cpu_count cpu_percent
		deploy.endpoint_mode deploy.labels deploy.mode deploy.placement deploy.resources.reservations.cpus
		deploy.resources.reservations.generic_resources deploy.resources.reservations.memory
		deploy.resources.reservations.pids deploy.restart_policy deploy.rollback_config deploy.update_config develop dns dns_opt dns_search dockerfile domainname
		env_file extends isolation label_file labels log_driver log_opt logging mac_address mem_reservation name net
		oom_kill_disable oom_score_adj profiles pull_policy pull_refresh_after restart stdin_open stop_grace_period tty
		build.cache_from build.cache_to build.isolation build.labels build.no_cache build.no_cache_filter build.provenance
		build.pull build.sbom build.shm_size build.tags build.ulimits configs.gid configs.mode configs.uid
		secrets.gid secrets.mode secrets.uid depends_on.*.restart networks.*.driver_opts networks.*.gw_priority
		networks.*.interface_name networks.*.mac_address networks.*.priority networks.*.use_service_name_alias
		volumes.bind.propagation volumes.bind.recursive volumes.bind.selinux volumes.consistency volumes.tmpfs.mode
		volumes.volume.labels volumes.volume.nocopy`) {
		table[name] = ignored
	}
}

// A service is a Compose service that is being translated into the keys of an article.
type service struct {
	*Project
	*types.ServiceConfig
	project *types.Project
	out     map[string]any
	without []string // keys that have no effect
}

// translate returns services and secrets in the keys of articles.
func (p *Project) translate(project *types.Project) (services, secrets map[string]any) {
	services, secrets = map[string]any{}, map[string]any{}
	without := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(project.Services)) {
		over := p.options.Services.Get(name)
		config := project.Services[name]
		s := &service{Project: p, ServiceConfig: &config, project: project, out: map[string]any{}}
		values := plainValues(config)
		if config.Build != nil {
			delete(values, "image") // the name that Compose would give to the image
		}
		for key, hides := range map[string]string{"image": "build", "build": "image"} {
			if over.Get(key) != nil {
				delete(values, hides)
			}
		}
		for _, k := range slices.Sorted(maps.Keys(values)) {
			if over.Get(k) == nil {
				s.visit(k, values[k])
			}
		}
		s.addSecrets(secrets)
		for _, k := range s.without {
			if !slices.Contains(without[k], name) {
				without[k] = append(without[k], name)
			}
		}
		services[name] = s.out
	}
	var notes []string
	for _, k := range slices.Sorted(maps.Keys(without)) {
		notes = append(notes, strings.ReplaceAll(k, ".*", "")+" of "+strings.Join(without[k], ", "))
	}
	if len(notes) > 0 {
		p.Notes = append(p.Notes, "no effect here: "+strings.Join(notes, ", "))
	}
	return services, secrets
}

// plainValues returns the keys of v that are set, with their values as in JSON.
func plainValues(v any) map[string]any {
	out := map[string]any{}
	data, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(data, &out)
	}
	if err != nil {
		panic(fmt.Sprintf("compose: %v", err)) // it was read from a text
	}
	return out
}

// visit applies the rule of a key, and of the keys inside it.
func (s *service) visit(name string, value any) {
	if empty(value) {
		return
	}
	rule, known := table[name]
	inside := hasParts(name)
	switch {
	case known && rule.take != nil:
		rule.take(s, value)
	case known && rule.refuse == "":
		s.without = append(s.without, name)
	case known || !inside:
		s.refuse(name, name+" is not supported, and would change what is measured", cmp.Or(rule.refuse, withoutIt))
	}
	if inside {
		s.visitParts(name, value)
	}
}

func empty(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case map[string]any:
		return len(v) == 0
	}
	return value == "" || value == false
}

// hasParts reports whether the table has keys inside a key.
func hasParts(name string) bool {
	for k := range table {
		if strings.HasPrefix(k, name+".") {
			return true
		}
	}
	return false
}

// visitParts visits the keys of a mapping, or of the items of a list.
func (s *service) visitParts(name string, value any) {
	switch v := value.(type) {
	case []any:
		for _, item := range v {
			s.visitParts(name, item)
		}
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			if hasParts(name + ".*") {
				s.visitParts(name+".*", v[k])
			} else {
				s.visit(name+"."+k, v[k])
			}
		}
	}
}

// refuse reports a key that cannot be taken.
func (s *service) refuse(name, text, hint string) {
	top, _, _ := strings.Cut(name, ".")
	text = strings.ReplaceAll(text, ".*", "")
	hint = strings.NewReplacer("NAME", s.Name, "KEY", top).Replace(hint)
	s.refused = append(s.refused, &refusal{fmt.Sprintf("service %q: %s", s.Name, text), hint})
}

// relative returns a path below the root with ./ before it, or unchanged outside.
func (s *service) relative(full string) string {
	if real, err := filepath.EvalSymlinks(filepath.Dir(full)); err == nil {
		full = filepath.Join(real, filepath.Base(full))
	}
	if rel, ok := s.inside(full); ok {
		return "./" + rel
	}
	return full
}

func (s *service) build(value any) {
	b := s.Build
	out := map[string]any{"context": s.relative(b.Context)}
	dockerfile := b.Dockerfile
	if !filepath.IsAbs(dockerfile) {
		dockerfile = filepath.Join(b.Context, dockerfile)
	} else if rel, err := filepath.Rel(b.Context, dockerfile); err == nil {
		b.Dockerfile = filepath.ToSlash(rel)
	}
	if strings.Contains(b.Context, "://") || strings.HasPrefix(b.Context, "git@") {
		s.refuse("build", "context: "+b.Context+" is fetched from elsewhere", "clone it into the repository")
	} else if _, ok := s.inside(b.Context); ok && b.DockerfileInline == "" {
		// What a context outside may hold is for the project to allow.
		if err := s.refuseOutside(dockerfile, "the Dockerfile "+s.shown(dockerfile)); err != nil {
			s.refuse("build", err.Error(), "copy it into the repository, and name it there")
		}
	}
	for k, v := range map[string]string{"dockerfile": b.Dockerfile, "dockerfile_inline": b.DockerfileInline,
		"target": b.Target} {
		if v != "" {
			out[k] = v
		}
	}
	if args := withValues(b.Args); len(args) > 0 {
		out["args"] = args
	}
	s.out["build"] = out
}

func (s *service) buildNetwork(any) {
	switch network := s.Build.Network; network {
	case "default":
	case spec.NoNetwork:
		s.out["build"].(map[string]any)["network"] = network
	default:
		s.refuse("build", "build.network: "+network+" is not supported", "write network: none, or leave it out")
	}
}

func (s *service) platforms(any) {
	if !slices.ContainsFunc(s.Build.Platforms, isHere) {
		s.refuse("build", "build.platforms has not this machine's, linux/"+runtime.GOARCH, withoutIt)
	}
}

func (s *service) platform(any) {
	if !isHere(s.Platform) {
		s.refuse("platform", fmt.Sprintf("platform %s cannot run here: this machine is linux/%s", s.Platform, runtime.GOARCH),
			"measure it on such a machine; to use this machine's image, write NAME: {platform: null} under services: of the experiment")
	}
}

// isHere reports whether containers on this machine have a platform: linux/amd64, linux, amd64 or linux/arm64/v8.
func isHere(platform string) bool {
	platform = strings.ToLower(platform)
	architecture, _, _ := strings.Cut(strings.TrimPrefix(platform, "linux/"), "/")
	other := map[string]string{"x86_64": "amd64", "aarch64": "arm64"}[architecture]
	return platform == "linux" || slices.Contains([]string{architecture, other}, runtime.GOARCH)
}

func (s *service) entrypoint(value any) {
	if list, _ := value.([]any); len(list) == 0 {
		s.refuse("entrypoint", "an empty entrypoint is not supported", "write entrypoint: with the program to run, or under "+
			"services: of the experiment NAME: {entrypoint: null} for the image's own")
	}
	s.out["entrypoint"] = value
}

func (s *service) environment(any) {
	if values := withValues(s.Environment); len(values) > 0 {
		s.out["environment"] = values
	}
	for name, value := range s.Environment {
		if value == nil {
			s.missing[name] = true
		}
	}
}

// withValues returns the variables that have a value.
func withValues(values types.MappingWithEquals) map[string]any {
	out := map[string]any{}
	for name, value := range values {
		if value != nil {
			out[name] = *value
		}
	}
	return out
}

// maxRange bounds a range of ports.
const maxRange = 100

// ports exposes published ports, then exposed ones. UDP is left out.
func (s *service) ports(any) {
	if s.out["expose"] != nil {
		return
	}
	out := []any{}
	add := func(port string) {
		if !slices.Contains(out, any(port)) {
			out = append(out, port)
		}
	}
	for _, p := range s.Ports {
		if p.Protocol == "" || p.Protocol == "tcp" {
			add(strconv.Itoa(int(p.Target)))
			s.Published[s.Name] = true
		} else {
			s.Notes = append(s.Notes, fmt.Sprintf("%s: port %d is %s, and not exposed", s.Name, p.Target, p.Protocol))
		}
	}
	for _, e := range s.Expose {
		ports, protocol, _ := strings.Cut(e, "/")
		first, last, isRange := strings.Cut(ports, "-")
		from, errFrom := strconv.Atoi(first)
		to, errTo := strconv.Atoi(last)
		switch {
		case protocol == "udp" || protocol == "sctp":
		case !isRange:
			add(ports)
		case errFrom != nil || errTo != nil || to-from > maxRange:
			s.refuse("expose", "the ports "+e+" cannot be waited for", "name the ports")
		default:
			for port := from; port <= to; port++ {
				add(strconv.Itoa(port))
			}
		}
	}
	s.out["expose"] = out
}

// configs mounts the files of configs.
func (s *service) configs(any) {
	var out []any
	for _, c := range s.Configs {
		of := types.FileObjectConfig(s.project.Configs[c.Source])
		if file := s.file(of, c.Source, "configs", "content:"); file != "" {
			out = append(out, map[string]any{"source": file, "target": target(c.Target, "/", c.Source)})
		}
	}
	s.out["configs"] = out
}

// secretsDir is where secrets are in containers.
const secretsDir = "/run/secrets"

// secrets mounts the files of secrets.
func (s *service) secrets(any) {
	var out []any
	for _, c := range s.ServiceConfig.Secrets {
		out = append(out, map[string]any{"source": c.Source, "target": target(c.Target, secretsDir, c.Source)})
	}
	s.out["secrets"] = out
}

// addSecrets adds where the values of secrets come from. The article may mount them elsewhere.
func (s *service) addSecrets(to map[string]any) {
	for _, c := range s.ServiceConfig.Secrets {
		of := types.FileObjectConfig(s.project.Secrets[c.Source])
		_, known := s.environmentOf(of)
		listed := slices.Contains(s.options.Environment, of.Environment)
		switch {
		case of.Environment != "" && (listed || s.options.AnySecret && !known):
			to[c.Source] = map[string]any{"environment": of.Environment}
		case of.Environment != "" && !known:
			s.refuse("secrets", fmt.Sprintf("the secret %q is the variable %s, which the article does not list", c.Source,
				of.Environment), "write compose: {files: …, environment: ["+of.Environment+"]} in the experiment, or set it in .env")
		default:
			if file := s.file(of, c.Source, "secrets", "environment:"); file != "" {
				to[c.Source] = map[string]any{"file": file}
			}
		}
	}
}

func (s *service) environmentOf(f types.FileObjectConfig) (string, bool) {
	value, ok := s.Project.environment[f.Environment]
	return value, ok
}

// target returns where a file is put: below a folder unless it is absolute.
func target(written, folder, name string) string {
	if path.IsAbs(written) {
		return written
	}
	return path.Join(folder, cmp.Or(written, name))
}

// contentFolder has the contents of configs and secrets that are in no file.
const contentFolder = ".compose/"

// file returns the path of the content of a config or secret. It is empty if the key is refused.
func (s *service) file(f types.FileObjectConfig, name, key, instead string) string {
	data := f.Content
	switch value, known := s.environmentOf(f); {
	case bool(f.External):
		s.refuse(key, fmt.Sprintf("%q is external: its content is not in the project", name), "give it a file: or "+instead)
		return ""
	case f.Driver != "" || f.TemplateDriver != "":
		s.refuse(key, fmt.Sprintf("%q has a driver of its own", name), "give it a file: or "+instead)
		return ""
	case f.File != "" && key == "configs" && s.refuseOutside(f.File, "") != nil:
		s.refuse(key, fmt.Sprintf("the file of %q lies outside the repository", name), "copy it into the repository")
		return ""
	case f.File != "":
		return s.relative(f.File)
	case f.Environment != "" && !known:
		s.refuse(key, fmt.Sprintf("%q is the value of %s, which is not set", name, f.Environment), "set it in .env, or write "+
			"compose: {files: …, environment: ["+f.Environment+"]} in the experiment")
		return ""
	case f.Environment != "":
		data = value
	}
	made := contentFolder + key + "/" + name
	s.Contents[made] = []byte(data)
	return made
}

func (s *service) volumes(any) {
	var out []any
	for _, v := range s.Volumes {
		out = append(out, s.volume(v))
	}
	s.out["volumes"] = out
}

func (s *service) volume(v types.ServiceVolumeConfig) map[string]any {
	out := map[string]any{"type": v.Type, "target": v.Target}
	if v.ReadOnly && v.Type != types.VolumeTypeTmpfs {
		out["read_only"] = true
	}
	switch v.Type {
	case types.VolumeTypeTmpfs:
		if v.Tmpfs != nil && v.Tmpfs.Size > 0 {
			out["tmpfs"] = map[string]any{"size": strconv.FormatInt(int64(v.Tmpfs.Size), 10)}
		}
	case types.VolumeTypeBind:
		if _, err := os.Stat(v.Source); os.IsNotExist(err) {
			s.Notes = append(s.Notes, fmt.Sprintf("%s: %s does not exist, so %s begins empty", s.Name, s.relative(v.Source),
				v.Target))
			out["type"] = types.VolumeTypeVolume
		} else {
			out["source"], out["read_only"] = s.relative(v.Source), v.ReadOnly
		}
	case types.VolumeTypeVolume:
		if v.Source != "" {
			out["source"] = v.Source
		}
		if of := s.project.Volumes[v.Source]; bool(of.External) {
			s.refuse("volumes", fmt.Sprintf("the volume %q is external, and its data is not here", v.Source),
				"put the data into the repository, and mount it from there")
		} else if len(of.DriverOpts) > 0 || of.Driver != "" && of.Driver != "local" {
			s.refuse("volumes", fmt.Sprintf("the volume %q has a driver of its own", v.Source),
				"remove driver and driver_opts: volumes are on the engine's disk")
		}
	default:
		s.refuse("volumes", "a volume of type "+v.Type+" is not supported", "mount a bind, a volume or a tmpfs")
	}
	return out
}

func (s *service) dependencies(any) {
	out := map[string]any{}
	for name, d := range s.DependsOn {
		out[name] = map[string]any{"condition": d.Condition}
	}
	s.out["depends_on"] = out
}

func (s *service) healthcheck(any) {
	h := s.HealthCheck
	out := map[string]any{}
	if h.Disable {
		out["disable"] = true
		s.out["healthcheck"] = out
		return
	}
	if len(h.Test) > 0 {
		out["test"] = h.Test
	}
	for k, d := range map[string]*types.Duration{"interval": h.Interval, "timeout": h.Timeout,
		"start_period": h.StartPeriod, "start_interval": h.StartInterval} {
		if d != nil && *d > 0 {
			out[k] = fmt.Sprintf("%gs", time.Duration(*d).Seconds())
		}
	}
	if out["start_period"] == nil {
		delete(out, "start_interval")
	}
	if h.Retries != nil && *h.Retries > 0 {
		out["retries"] = *h.Retries
	}
	s.out["healthcheck"] = out
}

func (s *service) networks(any) {
	for _, name := range slices.Sorted(maps.Keys(s.Networks)) {
		if of := s.project.Networks[name]; bool(of.External) && (of.Name == "host" || of.Name == "none") {
			s.refuse("networks", fmt.Sprintf("network %q is not supported: services share a network of the experiment", name),
				"remove it")
		}
	}
	if _, implied := s.Networks["default"]; !implied || len(s.Networks) > 1 {
		s.without = append(s.without, "networks")
	}
}

func (s *service) links(any) {
	for _, link := range s.Links {
		if name, alias, ok := strings.Cut(link, ":"); ok && alias != name {
			s.refuse("links", fmt.Sprintf("the name %q for service %q is not supported", alias, name),
				"call it by the name of the service")
		}
	}
	s.without = append(s.without, "links")
}
