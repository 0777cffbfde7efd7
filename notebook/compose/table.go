package compose

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"benchbook/internal/slice"
	"benchbook/notebook/spec"
)

// A rule says what becomes of a key of a service: taken, ignored, or refused with a hint.
type rule struct {
	ignored bool
	take    func(s *service, value any) any // converts a value for the article, nil for none; nil to take it as it is
	hint    string                          // of a refused key; NAME and KEY are replaced
}

// withoutIt is the hint where no other key does the same.
const withoutIt = "to measure without it, write NAME: {KEY: null} under services: of the experiment"

// table has a rule for each key of services. Keys inside a key, or inside the items of its list, are PARENT.KEY; *
// matches any name. Keys that are not here are refused.
var table = map[string]rule{
	"build": {take: (*service).build}, "build.args": {take: withValues}, "build.network": {take: (*service).buildNetwork},
	"configs":               {take: (*service).configs},
	"depends_on.*.required": {take: drop}, "deploy": {take: (*service).deploy},
	"entrypoint": {take: (*service).entrypoint}, "environment": {take: (*service).variables},
	"expose": {take: (*service).ports}, "healthcheck": {take: healthcheck},
	"networks": {take: (*service).networks}, "platform": {take: (*service).platform}, "ports": {take: (*service).ports},
	"secrets": {take: (*service).secrets}, "volumes": {take: (*service).volumes}, "volumes.bind": {take: drop},

	"cpu_period":         {hint: "write NAME: {cpus: NUMBER, KEY: null} under services: of the experiment"},
	"cpu_quota":          {hint: "write NAME: {cpus: NUMBER, KEY: null} under services: of the experiment"},
	"networks.*.aliases": {hint: "call it by the name of the service, or rename the service"},
	"post_start":         {hint: "write it as prepare: in the experiment"},
	"pre_start":          {hint: "write a service that ends, and condition: service_completed_successfully"},
	"pre_stop":           {hint: "write it as conclude: in the experiment"},
	"volumes_from":       {hint: "name the volumes under volumes: of each service"},
}

// parents are the keys with rules for keys inside them.
var parents = map[string]bool{}

func init() {
	for name := range strings.FieldsSeq(`image cap_add cap_drop command cpus cpuset hostname init mem_limit pids_limit
		read_only scale security_opt shm_size stop_signal sysctls tmpfs ulimits user working_dir build.context
		build.dockerfile build.dockerfile_inline build.target configs.source configs.target depends_on
		depends_on.*.condition deploy.replicas deploy.resources deploy.resources.limits deploy.resources.limits.cpus
		deploy.resources.limits.memory deploy.resources.limits.pids deploy.resources.reservations secrets.source
		secrets.target volumes.type volumes.source volumes.target volumes.read_only volumes.bind.create_host_path
		volumes.tmpfs volumes.tmpfs.size volumes.volume`) {
		table[name] = rule{}
	}
	for name := range strings.FieldsSeq(`annotations attach cgroup_parent container_name cpu_count cpu_percent
		deploy.endpoint_mode deploy.labels deploy.mode deploy.placement deploy.resources.reservations.cpus
		deploy.resources.reservations.generic_resources deploy.resources.reservations.memory
		deploy.resources.reservations.pids deploy.restart_policy deploy.rollback_config deploy.update_config develop dns
		dns_opt dns_search dockerfile domainname env_file extends isolation label_file labels links log_driver log_opt logging
		mac_address mem_reservation name net oom_kill_disable oom_score_adj profiles pull_policy pull_refresh_after restart
		stdin_open stop_grace_period tty build.cache_from build.cache_to build.isolation build.labels build.no_cache
		build.no_cache_filter build.platforms build.provenance build.pull build.sbom build.shm_size build.tags build.ulimits
		configs.gid configs.mode configs.uid secrets.gid secrets.mode secrets.uid depends_on.*.restart networks.*.driver_opts
		networks.*.gw_priority networks.*.interface_name networks.*.mac_address networks.*.priority
		networks.*.use_service_name_alias volumes.bind.propagation volumes.bind.recursive volumes.bind.selinux
		volumes.consistency volumes.tmpfs.mode volumes.volume.labels volumes.volume.nocopy`) {
		table[name] = rule{ignored: true}
	}
	for name := range table {
		for at, c := range name {
			if c == '.' {
				parents[name[:at]] = true
			}
		}
	}
}

// A service is a Compose service that is translated into the keys of an article.
type service struct {
	*Project
	types.ServiceConfig
	project *types.Project
	out     map[string]any
}

// service returns a service in the keys of articles, without those that the article replaces, and adds its secrets.
func (p *Project) service(project *types.Project, name string, secrets map[string]any) map[string]any {
	s := &service{Project: p, ServiceConfig: project.Services[name], project: project, out: map[string]any{}}
	values := plain(s.ServiceConfig).(map[string]any)
	replaced := p.options.Services.Get(name)
	if s.Build != nil || replaced.Get("build") != nil {
		delete(values, "image") // with build, it is the name that Compose would give to the image
	}
	if replaced.Get("image") != nil {
		delete(values, "build")
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if replaced.Get(key) == nil {
			if taken := s.apply(key, values[key]); taken != nil {
				s.out[key] = taken
			}
		}
	}
	s.addSecrets(secrets)
	return s.out
}

// apply returns what the article gets of the value of a key; nil for nothing.
func (s *service) apply(key string, value any) any {
	if m, isMap := value.(map[string]any); value == nil || value == "" || value == false || isMap && len(m) == 0 {
		return nil
	}
	r, known := table[key]
	switch {
	case !known || r.hint != "":
		s.refuse(key, key+" is not supported, and would change what is measured", cmp.Or(r.hint, withoutIt))
		return nil
	case r.ignored:
		s.ignore(key)
		return nil
	}
	if parents[key] {
		value = s.inside(key, value)
	}
	if r.take != nil {
		return r.take(s, value)
	}
	return value
}

// inside applies the rules of the keys of a mapping, or of the items of a list.
func (s *service) inside(key string, value any) any {
	switch v := value.(type) {
	case []any:
		for i := range v {
			v[i] = s.inside(key, v[i])
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if parents[key+".*"] {
				v[name] = s.inside(key+".*", v[name])
			} else if v[name] = s.apply(key+"."+name, v[name]); v[name] == nil {
				delete(v, name)
			}
		}
	}
	return value
}

// ignore notes that a key has no effect.
func (s *service) ignore(key string) {
	key = strings.ReplaceAll(key, ".*", "")
	if !slices.Contains(s.ignored[key], s.Name) {
		s.ignored[key] = append(s.ignored[key], s.Name)
	}
}

// refuse reports a key that cannot be taken.
func (s *service) refuse(key, text, hint string) {
	top, _, _ := strings.Cut(key, ".")
	hint = strings.NewReplacer("NAME", s.Name, "KEY", top).Replace(hint)
	s.refused = append(s.refused, &refusal{fmt.Sprintf("service %q: %s", s.Name, strings.ReplaceAll(text, ".*", "")), hint})
}

// drop is for keys whose effect compose-go has carried out.
func drop(*service, any) any { return nil }

// relative returns a path below the root with ./ before it, or unchanged outside.
func (s *service) relative(full string) string {
	if real, err := filepath.EvalSymlinks(filepath.Dir(full)); err == nil {
		full = filepath.Join(real, filepath.Base(full))
	}
	if rel, ok := s.below(full); ok {
		return "./" + rel
	}
	return full
}

func (s *service) build(value any) any {
	b := value.(map[string]any)
	b["context"] = s.relative(s.Build.Context)
	dockerfile := s.Build.Dockerfile
	if !filepath.IsAbs(dockerfile) {
		dockerfile = filepath.Join(s.Build.Context, dockerfile)
	} else if rel, err := filepath.Rel(s.Build.Context, dockerfile); err == nil {
		b["dockerfile"] = filepath.ToSlash(rel)
	}
	if strings.Contains(s.Build.Context, "://") || strings.HasPrefix(s.Build.Context, "git@") {
		s.refuse("build", "context: "+s.Build.Context+" is fetched from elsewhere", "clone it into the repository")
	} else if _, ok := s.below(s.Build.Context); ok && s.Build.DockerfileInline == "" {
		// A context outside the repository needs permission in the project file; plan checks that.
		if err := s.refuseOutside(dockerfile, "the Dockerfile "+s.shown(dockerfile)); err != nil {
			s.refuse("build", err.Error(), "copy it into the repository, and name it there")
		}
	}
	return b
}

func (s *service) buildNetwork(network any) any {
	if network == "default" {
		return nil
	}
	if network != spec.NoNetwork {
		s.refuse("build", fmt.Sprintf("build.network: %v is not supported", network), "write network: none, or leave it out")
	}
	return network
}

func (s *service) platform(any) any {
	if own := "linux/" + runtime.GOARCH; s.Platform != own && !strings.HasPrefix(s.Platform, own+"/") {
		s.refuse("platform", fmt.Sprintf("platform %s cannot run here: this machine is %s", s.Platform, own),
			"measure it on such a machine; to use this machine's image, write NAME: {KEY: null} under services: of the experiment")
	}
	return nil
}

// deploy sets the keys of the article with the same meaning.
func (s *service) deploy(any) any {
	if s.Deploy.Replicas != nil {
		s.out["scale"] = *s.Deploy.Replicas
	}
	if limits := s.Deploy.Resources.Limits; limits != nil {
		for from, to := range map[string]string{"cpus": "cpus", "memory": "mem_limit", "pids": "pids_limit"} {
			if value := plain(limits).(map[string]any)[from]; value != nil {
				s.out[to] = value
			}
		}
	}
	return nil
}

func (s *service) entrypoint(value any) any {
	if list, _ := value.([]any); len(list) == 0 {
		s.refuse("entrypoint", "an empty entrypoint is not supported", withoutIt)
	}
	return value
}

func (s *service) variables(value any) any {
	for name, v := range s.Environment {
		if v == nil {
			s.missing[name] = true
		}
	}
	return withValues(s, value)
}

// withValues removes variables without a value.
func withValues(_ *service, value any) any {
	values, _ := value.(map[string]any)
	maps.DeleteFunc(values, func(_ string, v any) bool { return v == nil })
	if len(values) == 0 {
		return nil
	}
	return values
}

// ports exposes published ports, then exposed ones, of TCP.
func (s *service) ports(any) any {
	var out []string
	for _, p := range s.Ports {
		if p.Protocol == "" || p.Protocol == "tcp" {
			out = slice.Add(out, strconv.Itoa(int(p.Target)))
			s.Published[s.Name] = true
		} else {
			s.ignore(fmt.Sprintf("port %d/%s", p.Target, p.Protocol))
		}
	}
	for _, e := range s.Expose {
		if port, protocol, _ := strings.Cut(e, "/"); protocol == "" || protocol == "tcp" {
			out = slice.Add(out, port)
		}
	}
	s.out["expose"] = out
	return nil
}

// configs mounts the files of configs.
func (s *service) configs(any) any {
	var out []any
	for _, c := range s.Configs {
		of := types.FileObjectConfig(s.project.Configs[c.Source])
		if file := s.file(of, c.Source, "configs", "content:"); file != "" {
			out = append(out, map[string]any{"source": file, "target": absolute("/", cmp.Or(c.Target, c.Source))})
		}
	}
	return out
}

// secrets mounts the files of secrets.
func (s *service) secrets(any) any {
	var out []any
	for _, c := range s.ServiceConfig.Secrets {
		target := absolute(spec.SecretsDir, cmp.Or(c.Target, c.Source))
		out = append(out, map[string]any{"source": c.Source, "target": target})
	}
	return out
}

// absolute returns a path below a folder, or the path itself if it is absolute.
func absolute(folder, name string) string {
	if path.IsAbs(name) {
		return name
	}
	return path.Join(folder, name)
}

// addSecrets adds the files and variables of the service's secrets. The article may mount them elsewhere.
func (s *service) addSecrets(to map[string]any) {
	for _, c := range s.ServiceConfig.Secrets {
		of := types.FileObjectConfig(s.project.Secrets[c.Source])
		_, known := s.environment[of.Environment]
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

// contentFolder has the contents of configs and secrets that are in no file.
const contentFolder = ".compose/"

// file returns the path of the content of a config or secret; empty if it is refused.
func (s *service) file(f types.FileObjectConfig, name, key, instead string) string {
	value, known := s.environment[f.Environment]
	switch {
	case bool(f.External):
		s.refuse(key, fmt.Sprintf("%q is external: its content is not in the project", name), "give it a file: or "+instead)
	case f.Driver != "" || f.TemplateDriver != "":
		s.refuse(key, fmt.Sprintf("%q has a driver of its own", name), "give it a file: or "+instead)
	case f.File != "" && key == "configs" && s.refuseOutside(f.File, "") != nil:
		s.refuse(key, fmt.Sprintf("the file of %q lies outside the repository", name), "copy it into the repository")
	case f.File != "":
		return s.relative(f.File)
	case f.Environment != "" && !known:
		s.refuse(key, fmt.Sprintf("%q is the value of %s, which is not set", name, f.Environment), "set it in .env, or write "+
			"compose: {files: …, environment: ["+f.Environment+"]} in the experiment")
	default:
		made := contentFolder + key + "/" + name
		s.Contents[made] = []byte(cmp.Or(value, f.Content))
		return made
	}
	return ""
}

func (s *service) volumes(value any) any {
	for _, item := range value.([]any) {
		v := item.(map[string]any)
		delete(v, "volume")
		source, _ := v["source"].(string)
		of := s.project.Volumes[source]
		_, err := os.Stat(source)
		switch kind := v["type"]; {
		case kind == types.VolumeTypeTmpfs:
			delete(v, "read_only")
		case kind == types.VolumeTypeBind && os.IsNotExist(err):
			s.note(fmt.Sprintf("%s: %s does not exist, so %s begins empty", s.Name, s.relative(source), v["target"]))
			v["type"] = types.VolumeTypeVolume
			delete(v, "source")
		case kind == types.VolumeTypeBind:
			v["source"], v["read_only"] = s.relative(source), v["read_only"] == true
		case kind != types.VolumeTypeVolume:
			s.refuse("volumes", fmt.Sprintf("a volume of type %v is not supported", kind), "mount a bind, a volume or a tmpfs")
		case bool(of.External):
			s.refuse("volumes", fmt.Sprintf("the volume %q is external, and its data is not here", source),
				"put the data into the repository, and mount it from there")
		case len(of.DriverOpts) > 0 || of.Driver != "" && of.Driver != "local":
			s.refuse("volumes", fmt.Sprintf("the volume %q has a driver of its own", source),
				"remove driver and driver_opts: volumes are on the engine's disk")
		}
	}
	return value
}

// healthcheck removes values of zero, which are Compose's defaults.
func healthcheck(_ *service, value any) any {
	h := value.(map[string]any)
	if h["disable"] == true {
		return map[string]any{"disable": true}
	}
	maps.DeleteFunc(h, func(_ string, v any) bool { return v == "0s" || v == 0.0 })
	if h["start_period"] == nil {
		delete(h, "start_interval")
	}
	return h
}

func (s *service) networks(any) any {
	for _, name := range slices.Sorted(maps.Keys(s.Networks)) {
		if of := s.project.Networks[name]; bool(of.External) && (of.Name == "host" || of.Name == "none") {
			s.refuse("networks", fmt.Sprintf("network %q is not supported: services share a network of the experiment", name),
				"remove it")
		}
	}
	if _, implied := s.Networks["default"]; !implied || len(s.Networks) > 1 {
		s.ignore("networks")
	}
	return nil
}
