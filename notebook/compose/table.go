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

// withoutIt is the hint for keys that nothing replaces.
const withoutIt = "to measure without it, write NAME: {KEY: null} under services: of the experiment"

const onlyCPUs = "write NAME: {cpus: NUMBER, KEY: null} under services: of the experiment"

// hints has the hints for refused keys that something replaces.
var hints = map[string]string{
	"cpu_period":       onlyCPUs,
	"cpu_quota":        onlyCPUs,
	"networks.aliases": "call it by the name of the service, or rename the service",
	"post_start":       "write it as prepare: in the experiment",
	"pre_start":        "write a service that ends, and condition: service_completed_successfully",
	"volumes_from":     "name the volumes under volumes: of each service",
}

// Keys of services that are taken, and those that have no effect here. All others are refused.
const (
	takenKeys = `build cap_add cap_drop command configs cpus cpuset depends_on deploy entrypoint environment expose
		healthcheck hostname image init mem_limit networks pids_limit platform ports read_only scale secrets security_opt
		shm_size stop_signal sysctls tmpfs ulimits user volumes working_dir`
	ignoredKeys = `annotations attach cgroup_parent container_name cpu_count cpu_percent develop dns dns_opt dns_search
		dockerfile domainname env_file extends isolation label_file labels links log_driver log_opt logging mac_address
		mem_reservation name net oom_kill_disable oom_score_adj profiles pull_policy pull_refresh_after restart stdin_open
		stop_grace_period tty`
)

// conversions convert the value of a key for an article; a nil result drops the key. Other values are taken unchanged.
var conversions = map[string]func(s *service, value any) any{
	"build": (*service).build, "configs": (*service).configs, "depends_on": (*service).dependsOn,
	"deploy": (*service).deploy, "entrypoint": (*service).entrypoint, "environment": (*service).variables,
	"expose": (*service).ports, "healthcheck": healthcheck, "networks": (*service).networks,
	"platform": (*service).platform, "ports": (*service).ports, "secrets": (*service).secrets,
	"volumes": (*service).volumes,
}

// A service is a Compose service being translated into the keys of an article.
type service struct {
	*Project
	types.ServiceConfig
	project *types.Project
	out     map[string]any
}

// service returns a service in the keys of articles, without those that the article replaces, and fills in secrets.
func (p *Project) service(project *types.Project, name string, secrets map[string]any) map[string]any {
	s := &service{Project: p, ServiceConfig: project.Services[name], project: project, out: map[string]any{}}
	values := plain(s.ServiceConfig).(map[string]any)
	replaced := p.options.Services.Get(name)
	if s.Build != nil || replaced.Get("build") != nil {
		delete(values, "image") // with build, it only names the image that is built
	}
	if replaced.Get("image") != nil {
		delete(values, "build")
	}
	maps.DeleteFunc(values, func(key string, _ any) bool { return replaced.Get(key) != nil })
	values = s.only("", values, takenKeys, ignoredKeys)
	for _, key := range slices.Sorted(maps.Keys(values)) {
		value := values[key]
		if convert := conversions[key]; convert != nil {
			value = convert(s, value)
		}
		if value != nil {
			s.out[key] = value
		}
	}
	s.addSecrets(secrets)
	return s.out
}

// only returns the entries of a mapping whose keys are taken. It notes keys without effect, and refuses all others.
func (s *service) only(parent string, value any, taken, ignored string) map[string]any {
	out := map[string]any{}
	m, _ := value.(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(m)) {
		key := strings.TrimPrefix(parent+"."+name, ".")
		v := m[name]
		below, isMap := v.(map[string]any)
		switch {
		case v == nil || v == "" || v == false || isMap && len(below) == 0:
		case slices.Contains(strings.Fields(taken), name):
			out[name] = v
		case slices.Contains(strings.Fields(ignored), name):
			s.ignore(key)
		default:
			reason := key + " is not supported, and would change what is measured"
			if s.options.LeavesOut && parent == "" {
				s.LeftOut = append(s.LeftOut, LeftOut{s.Name, key, reason})
				continue
			}
			s.refuse(key, reason, cmp.Or(hints[key], withoutIt))
		}
	}
	return out
}

// ignore notes that a key has no effect.
func (s *service) ignore(key string) {
	if !slices.Contains(s.ignored[key], s.Name) {
		s.ignored[key] = append(s.ignored[key], s.Name)
	}
}

// refuse reports a key that cannot be taken.
func (s *service) refuse(key, text, hint string) {
	top, _, _ := strings.Cut(key, ".")
	hint = strings.NewReplacer("NAME", s.Name, "KEY", top).Replace(hint)
	s.refused = append(s.refused, &refusal{fmt.Sprintf("service %q: %s", s.Name, text), hint})
}

// relative returns a path relative to the root, with ./ before it, or the whole path if it is outside.
func (s *service) relative(full string) string {
	full = filepath.Join(realPath(filepath.Dir(full)), filepath.Base(full))
	if rel, ok := s.below(full); ok {
		return "./" + rel
	}
	return full
}

func (s *service) build(value any) any {
	b := s.only("build", value, "args context dockerfile dockerfile_inline network target", `cache_from cache_to isolation
		labels no_cache no_cache_filter platforms provenance pull sbom shm_size tags ulimits`)
	if b["args"] = withValues(b["args"]); b["args"] == nil {
		delete(b, "args")
	}
	switch network := b["network"]; network {
	case "default":
		delete(b, "network")
	case nil, spec.NoNetwork:
	default:
		s.refuse("build", fmt.Sprintf("build.network: %v is not supported", network), "write network: none, or leave it out")
	}
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

// dependsOn keeps only the conditions; compose-go has handled required.
func (s *service) dependsOn(value any) any {
	of := value.(map[string]any)
	for name, v := range of {
		delete(v.(map[string]any), "required")
		of[name] = s.only("depends_on", v, "condition", "restart")
	}
	return of
}

func (s *service) platform(any) any {
	if own := "linux/" + runtime.GOARCH; s.Platform != own && !strings.HasPrefix(s.Platform, own+"/") {
		s.refuse("platform", fmt.Sprintf("platform %s cannot run here: this machine is %s", s.Platform, own),
			"measure it on such a machine; to use this machine's image, write NAME: {KEY: null} under services: of the experiment")
	}
	return nil
}

// deploy sets the keys of an article that mean the same.
func (s *service) deploy(value any) any {
	of := s.only("deploy", value, "replicas resources", "endpoint_mode labels mode placement restart_policy rollback_config update_config")
	if of["replicas"] != nil {
		s.out["scale"] = of["replicas"]
	}
	resources := s.only("deploy.resources", of["resources"], "limits reservations", "")
	s.only("deploy.resources.reservations", resources["reservations"], "", "cpus generic_resources memory pids")
	limits := s.only("deploy.resources.limits", resources["limits"], "cpus memory pids", "")
	for from, to := range map[string]string{"cpus": "cpus", "memory": "mem_limit", "pids": "pids_limit"} {
		if limits[from] != nil {
			s.out[to] = limits[from]
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
	return withValues(value)
}

// withValues removes variables that have no value; nil if none is left.
func withValues(value any) any {
	values, _ := value.(map[string]any)
	maps.DeleteFunc(values, func(_ string, v any) bool { return v == nil })
	if len(values) == 0 {
		return nil
	}
	return values
}

// ports exposes published TCP ports, then exposed ones.
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

func (s *service) configs(any) any {
	var out []any
	for _, c := range s.Configs {
		s.only("configs", plain(c), "source target", "gid mode uid")
		of := types.FileObjectConfig(s.project.Configs[c.Source])
		if file := s.file(of, c.Source, "configs", "content:"); file != "" {
			out = append(out, map[string]any{"source": file, "target": absolute("/", cmp.Or(c.Target, c.Source))})
		}
	}
	return out
}

func (s *service) secrets(any) any {
	var out []any
	for _, c := range s.ServiceConfig.Secrets {
		s.only("secrets", plain(c), "source target", "gid mode uid")
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

// addSecrets adds the files and variables of the service's secrets to a map. The article may mount them elsewhere.
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

// contentFolder is the made-up folder of configs and secrets that are not in files.
const contentFolder = ".compose/"

// file returns the path of the content of a config or secret; empty if that is refused.
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
	var out []any
	for _, item := range value.([]any) {
		v := s.only("volumes", item, "bind read_only source target tmpfs type volume", "consistency")
		s.only("volumes.bind", v["bind"], "create_host_path", "propagation recursive selinux")
		s.only("volumes.volume", v["volume"], "", "labels nocopy")
		if v["tmpfs"] != nil {
			v["tmpfs"] = s.only("volumes.tmpfs", v["tmpfs"], "size", "mode")
		}
		delete(v, "bind")
		delete(v, "volume")
		source, _ := v["source"].(string)
		of := s.project.Volumes[source]
		_, err := os.Stat(source)
		switch kind := v["type"]; {
		case kind == types.VolumeTypeTmpfs:
			delete(v, "read_only")
		case kind == types.VolumeTypeBind && os.IsNotExist(err):
			s.Notes = append(s.Notes, fmt.Sprintf("%s: %s does not exist, so %s begins empty", s.Name, s.relative(source), v["target"]))
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
		out = append(out, v)
	}
	return out
}

// healthcheck removes zeros, which stand for Compose's defaults.
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

func (s *service) networks(value any) any {
	for _, name := range slices.Sorted(maps.Keys(s.Networks)) {
		s.only("networks", value.(map[string]any)[name], "", `driver_opts gw_priority interface_name mac_address priority
			use_service_name_alias`)
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
