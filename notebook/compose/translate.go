package compose

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/compose-spec/compose-go/v2/types"

	"benchbook/notebook/source"
	"benchbook/notebook/spec"
	"benchbook/notebook/yamltext"
)

// translate makes services of articles of those that the library has read. It is false if one cannot be.
func (p *Project) translate(problems *source.Problems) bool {
	before := problems.Len()
	p.Services = &yamltext.Node{Kind: yamltext.Map, Text: source.Text{Pos: p.texts[0].place()}}
	for _, name := range slices.Sorted(maps.Keys(p.loaded.Services)) {
		s := p.loaded.Services[name]
		t := &translation{Project: p, service: &s, problems: problems}
		p.Services.Fields = append(p.Services.Fields, yamltext.Field{
			Key: source.Text{Value: name, Pos: p.place(name, "")}, Value: t.node()})
	}
	return problems.Len() == before
}

// A translation is that of one service.
type translation struct {
	*Project
	service  *types.ServiceConfig
	problems *source.Problems
	noEffect []string // keys below those of the service that have none, such as build.labels
}

// node is the service in the words of an article. Keys that mean the same in both are taken over as they are, and so
// are those that only Settle knows about.
func (t *translation) node() *yamltext.Node {
	s := t.service
	values := plainValues(s)
	for key, translated := range map[string]any{
		"build": t.build(), "environment": environment(s.Environment), "expose": t.ports(), "configs": t.configs(),
		"secrets": t.secrets(), "volumes": t.volumes(), "depends_on": t.dependencies(s.DependsOn),
		"healthcheck": healthcheck(s.HealthCheck), "ulimits": ulimits(s.Ulimits), "networks": t.networks(s.Networks),
	} {
		if delete(values, key); translated != nil {
			values[key] = translated
		}
	}
	delete(values, "command") // which is null unless it is set
	delete(values, "entrypoint")
	if s.Command != nil {
		values["command"] = list(s.Command)
	}
	if s.Entrypoint != nil {
		values["entrypoint"] = list(s.Entrypoint)
	}
	if s.Build != nil {
		delete(values, "image") // the name that Compose would give to what is built
	}
	t.limits(values)
	for _, key := range t.noEffect {
		values[key] = ""
	}
	for _, link := range s.Links {
		if name, alias, ok := strings.Cut(link, ":"); ok && alias != name {
			t.refuse("links", "the name %q for service %q is not supported", "call it by the name of the service", alias, name)
		}
	}
	out := &yamltext.Node{Kind: yamltext.Map, Text: source.Text{Pos: t.place(s.Name, "")}}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		at := t.place(s.Name, key)
		out.Fields = append(out.Fields, yamltext.Field{Key: source.Text{Value: key, Pos: at}, Value: node(values[key], at)})
	}
	return out
}

// ignore notes the keys of v, which is below a key of the service, that have no effect: those that are set and not in
// read. Keys of a mapping in it are PARENT.KEY.
func (t *translation) ignore(key string, v any, read ...string) {
	for name, value := range plainValues(v) {
		inner, isMapping := value.(map[string]any)
		switch {
		case slices.Contains(read, name), isMapping && len(inner) == 0:
		case isMapping && slices.ContainsFunc(read, func(r string) bool { return strings.HasPrefix(r, name+".") }):
			for below := range inner {
				if !slices.Contains(read, name+"."+below) {
					t.noEffect = append(t.noEffect, key+"."+name+"."+below)
				}
			}
		default:
			t.noEffect = append(t.noEffect, key+"."+name)
		}
	}
}

// plainValues are the keys of a service, or of something in one, that are set, with their values as in JSON.
func plainValues(s any) map[string]any {
	data, err := json.Marshal(s)
	if err != nil {
		panic(fmt.Sprintf("compose: %v", err)) // it was read from a text
	}
	values := map[string]any{}
	decoder := json.NewDecoder(strings.NewReader(string(data)))
	decoder.UseNumber()
	if err := decoder.Decode(&values); err != nil {
		panic(fmt.Sprintf("compose: %v", err))
	}
	return values
}

// node is a value as it would be read, at a place.
func node(v any, at source.Pos) *yamltext.Node {
	out := &yamltext.Node{Text: source.Text{Pos: at}}
	switch v := v.(type) {
	case nil:
		out.Kind = yamltext.Null
	case map[string]any:
		out.Kind = yamltext.Map
		for _, key := range slices.Sorted(maps.Keys(v)) {
			out.Fields = append(out.Fields, yamltext.Field{Key: source.Text{Value: key, Pos: at}, Value: node(v[key], at)})
		}
	case []any:
		out.Kind = yamltext.List
		for _, item := range v {
			out.Items = append(out.Items, node(item, at))
		}
	default:
		out.Text.Value = fmt.Sprint(v)
	}
	return out
}

func list[T any](items []T) []any {
	out := make([]any, len(items))
	for i, item := range items {
		out[i] = item
	}
	return out
}

// relative is a path below the root with ./ before it, and one outside as it is.
func (t *translation) relative(full string) string {
	if real, err := filepath.EvalSymlinks(filepath.Dir(full)); err == nil {
		full = filepath.Join(real, filepath.Base(full))
	}
	if rel, ok := t.inside(full); ok {
		return "./" + rel
	}
	return full
}

func (t *translation) build() any {
	b := t.service.Build
	if b == nil {
		return nil
	}
	out := map[string]any{"context": t.relative(b.Context)}
	if strings.Contains(b.Context, "://") || strings.HasPrefix(b.Context, "git@") {
		t.refuse("build", "context: %s is fetched from elsewhere", "clone it into the repository", b.Context)
	} else {
		t.checkDockerfile(b)
	}
	for key, value := range map[string]string{"dockerfile": b.Dockerfile, "dockerfile_inline": b.DockerfileInline,
		"target": b.Target} {
		if value != "" {
			out[key] = value
		}
	}
	if filepath.IsAbs(b.Dockerfile) {
		if rel, err := filepath.Rel(b.Context, b.Dockerfile); err == nil {
			out["dockerfile"] = filepath.ToSlash(rel)
		}
	}
	switch b.Network {
	case "", "default":
	case spec.NoNetwork:
		out["network"] = b.Network
	default:
		t.refuse("build", "build.network: %s is not supported", "write network: none, or leave it out", b.Network)
	}
	if args := environment(b.Args); args != nil {
		out["args"] = args
	}
	read := []string{"context", "dockerfile", "dockerfile_inline", "target", "args", "network"}
	for key, set := range map[string]bool{"ssh": len(b.SSH) > 0, "secrets": len(b.Secrets) > 0,
		"additional_contexts": len(b.AdditionalContexts) > 0, "extra_hosts": len(b.ExtraHosts) > 0,
		"entitlements": len(b.Entitlements) > 0, "privileged": b.Privileged,
		"platforms": len(b.Platforms) > 0 && !slices.ContainsFunc(b.Platforms, isHere)} {
		read = append(read, key)
		if set {
			t.refuse("build", "build.%s is not supported", "write a Dockerfile that does without, and name it in "+
				"services: {"+t.service.Name+": {build: {dockerfile: …}}}", key)
		}
	}
	t.ignore("build", b, read...)
	return out
}

// checkDockerfile refuses a Dockerfile outside the repository. What a context outside may hold is for the project to
// allow.
func (t *translation) checkDockerfile(b *types.BuildConfig) {
	full := absolute(b.Context, b.Dockerfile)
	if _, ok := t.inside(b.Context); !ok || b.DockerfileInline != "" {
		return
	}
	var refused *refusal
	if err := t.refuseOutside(full, "the Dockerfile "+b.Dockerfile, source.Pos{}); errors.As(err, &refused) {
		t.refuse("build", "%s", refused.hint, refused.text)
	}
}

// refuse reports a key of the service that cannot be translated.
func (t *translation) refuse(key, format, hint string, args ...any) {
	t.problems.Add("compose", t.place(t.service.Name, key), "service %q: %s", t.service.Name,
		fmt.Sprintf(format, args...)).Hint = hint
}

// environment is a mapping of variables without those that have no value.
func environment(values types.MappingWithEquals) any {
	out := map[string]any{}
	for name, value := range values {
		if value != nil {
			out[name] = *value
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// ports are those that the service exposes, those first that it would publish.
func (t *translation) ports() any {
	var out []any
	add := func(port string) {
		if !slices.Contains(out, any(port)) {
			out = append(out, port)
		}
	}
	for _, p := range t.service.Ports {
		if p.Protocol == "" || p.Protocol == "tcp" {
			add(strconv.Itoa(int(p.Target)))
		} else {
			t.Notes = append(t.Notes, fmt.Sprintf("%s: port %d is %s, and not exposed", t.service.Name, p.Target, p.Protocol))
		}
	}
	for _, e := range t.service.Expose {
		ports, protocol, _ := strings.Cut(e, "/")
		first, last, isRange := strings.Cut(ports, "-")
		if protocol == "udp" || protocol == "sctp" {
			continue
		}
		if !isRange {
			add(ports)
			continue
		}
		from, errFrom := strconv.Atoi(first)
		to, errTo := strconv.Atoi(last)
		if errFrom != nil || errTo != nil || to-from > maxRange {
			t.refuse("expose", "the ports %s cannot be waited for", "name the ports", e)
			continue
		}
		for port := from; port <= to; port++ {
			add(strconv.Itoa(port))
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// maxRange bounds a range of ports.
const maxRange = 100

// configs are the files that the service gets, by configs.
func (t *translation) configs() any {
	var out []any
	for _, c := range t.service.Configs {
		t.ignore("configs", c, "source", "target")
		of := t.loaded.Configs[c.Source]
		file := types.FileObjectConfig(of)
		t.ignore("configs."+c.Source, file, "name", "file", "environment", "content", "external")
		if taken := t.file(file, c.Source, "configs", "content:"); taken != nil {
			taken["target"] = target(c.Target, "/", c.Source)
			out = append(out, taken)
		}
	}
	if out == nil {
		return nil
	}
	return out
}

// secretsDir is where secrets are in containers.
const secretsDir = "/run/secrets"

// secrets are the files that the service gets, by secrets. Where their values come from is put into Secrets.
func (t *translation) secrets() any {
	var out []any
	for _, c := range t.service.Secrets {
		t.ignore("secrets", c, "source", "target")
		out = append(out, map[string]any{"source": c.Source, "target": target(c.Target, secretsDir, c.Source)})
		if t.Secrets.Get(c.Source) != nil {
			continue
		}
		of := types.FileObjectConfig(t.loaded.Secrets[c.Source])
		t.ignore("secrets."+c.Source, of, "name", "file", "environment", "content", "external")
		value := map[string]any{}
		_, known := t.loaded.Environment[of.Environment]
		if of.Environment != "" && (slices.Contains(t.listed, of.Environment) || t.secret && !known) {
			value["environment"] = of.Environment
		} else if of.Environment != "" && !known {
			t.refuse("secrets", "the secret %q is the variable %s, which the article does not list", "write compose: {files: "+
				"…, environment: ["+of.Environment+"]} in the experiment, or set it in .env", c.Source, of.Environment)
		} else if taken := t.file(of, c.Source, "secrets", "environment:"); taken != nil {
			value["file"] = taken["source"]
		}
		at := t.place(t.service.Name, "secrets")
		if t.Secrets == nil {
			t.Secrets = &yamltext.Node{Kind: yamltext.Map, Text: source.Text{Pos: at}}
		}
		t.Secrets.Fields = append(t.Secrets.Fields, yamltext.Field{Key: source.Text{Value: c.Source, Pos: at},
			Value: node(value, at)})
	}
	if out == nil {
		return nil
	}
	return out
}

// target is where a file is put: below a folder unless it says so.
func target(written, folder, name string) string {
	if written == "" {
		written = name
	}
	if path.IsAbs(written) {
		return written
	}
	return path.Join(folder, written)
}

// file is where the content of a config or secret is: in a file, or in Contents. It is nil if it is nowhere.
func (t *translation) file(f types.FileObjectConfig, name, key, instead string) map[string]any {
	switch {
	case bool(f.External):
		t.refuse(key, "%q is external, so nothing tells what is in it", "give it a file: or "+instead, name)
		return nil
	case f.File != "":
		if err := t.refuseOutside(f.File, "", source.Pos{}); err != nil && key == "configs" {
			t.refuse(key, "the file of %q lies outside the repository", "copy it into the repository", name)
			return nil
		}
		return map[string]any{"source": t.relative(f.File)}
	}
	data := f.Content
	if f.Content == "" && f.Environment == "" && (f.Driver != "" || f.TemplateDriver != "") {
		t.refuse(key, "%q has a driver of its own", "give it a file: or "+instead, name)
		return nil
	}
	if f.Environment != "" {
		var ok bool
		if data, ok = t.loaded.Environment[f.Environment]; !ok {
			t.refuse(key, "%q is the value of %s, which is not set", "set it in .env, or write compose: {files: …, "+
				"environment: ["+f.Environment+"]} in the experiment", name, f.Environment)
			return nil
		}
	}
	made := contentFolder + key + "/" + name
	t.Contents[made] = []byte(data)
	return map[string]any{"source": made}
}

// contentFolder is where the contents of configs stand that are in no file.
const contentFolder = ".compose/"

// volumes are what the service mounts.
func (t *translation) volumes() any {
	var out []any
	for _, v := range t.service.Volumes {
		if made := t.volume(v); made != nil {
			out = append(out, made)
		}
	}
	if out == nil {
		return nil
	}
	return out
}

func (t *translation) volume(v types.ServiceVolumeConfig) any {
	out := map[string]any{"type": v.Type, "target": v.Target}
	if v.ReadOnly {
		out["read_only"] = "true"
	}
	t.ignore("volumes", v, "type", "source", "target", "read_only", "bind.create_host_path", "volume.subpath", "tmpfs.size",
		"image")
	switch v.Type {
	case types.VolumeTypeTmpfs:
		delete(out, "read_only")
		if v.Tmpfs != nil && v.Tmpfs.Size > 0 {
			out["tmpfs"] = map[string]any{"size": strconv.FormatInt(int64(v.Tmpfs.Size), 10)}
		}
	case types.VolumeTypeBind:
		if _, err := os.Stat(v.Source); os.IsNotExist(err) {
			t.Notes = append(t.Notes, fmt.Sprintf("%s: %s does not exist, so %s begins empty", t.service.Name,
				t.relative(v.Source), v.Target))
			out["type"] = types.VolumeTypeVolume
			return out
		}
		out["source"], out["read_only"] = t.relative(v.Source), strconv.FormatBool(v.ReadOnly)
	case types.VolumeTypeVolume:
		of := t.loaded.Volumes[v.Source]
		t.ignore("volumes."+v.Source, of, "name", "driver", "driver_opts", "external")
		switch {
		case bool(of.External):
			t.refuse("volumes", "the volume %q is external, and its data is not here", "put the data into the repository, "+
				"and mount it from there", v.Source)
			return nil
		case len(of.DriverOpts) > 0 || !ordinary.MatchString(of.Driver):
			t.refuse("volumes", "the volume %q has a driver of its own", "remove driver and driver_opts: volumes are on the "+
				"engine's disk", v.Source)
			return nil
		}
		if v.Volume != nil && v.Volume.Subpath != "" {
			t.refuse("volumes", "subpath of the volume %q is not supported", "mount the whole volume", v.Source)
			return nil
		}
		if v.Source != "" {
			out["source"] = v.Source
		}
	default:
		t.refuse("volumes", "a volume of type %s is not supported", "mount a bind, a volume or a tmpfs", v.Type)
		return nil
	}
	return out
}

// ordinary is the driver of volumes on the engine's disk.
var ordinary = regexp.MustCompile(`^(local)?$`)

func (t *translation) dependencies(on types.DependsOnConfig) any {
	out := map[string]any{}
	for name, dependency := range on {
		t.ignore("depends_on."+name, dependency, "condition", "required")
		out[name] = map[string]any{"condition": dependency.Condition}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

func healthcheck(h *types.HealthCheckConfig) any {
	if h == nil {
		return nil
	}
	if h.Disable {
		return map[string]any{"disable": "true"}
	}
	out := map[string]any{}
	if len(h.Test) > 0 {
		out["test"] = list(h.Test)
	}
	for key, d := range map[string]*types.Duration{"interval": h.Interval, "timeout": h.Timeout,
		"start_period": h.StartPeriod, "start_interval": h.StartInterval} {
		if d != nil && *d > 0 {
			out[key] = fmt.Sprintf("%gs", time.Duration(*d).Seconds())
		}
	}
	if out["start_period"] == nil {
		delete(out, "start_interval") // of which there is nothing then
	}
	if h.Retries != nil && *h.Retries > 0 {
		out["retries"] = strconv.FormatUint(*h.Retries, 10)
	}
	return out
}

func ulimits(limits map[string]*types.UlimitsConfig) any {
	out := map[string]any{}
	for name, u := range limits {
		if u.Single != 0 {
			out[name] = strconv.Itoa(u.Single)
		} else {
			out[name] = map[string]any{"soft": strconv.Itoa(u.Soft), "hard": strconv.Itoa(u.Hard)}
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// networks is what a service says of its networks beyond being in them.
func (t *translation) networks(all map[string]*types.ServiceNetworkConfig) any {
	var aliases, addresses []any
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if of := t.loaded.Networks[name]; bool(of.External) && (of.Name == "host" || of.Name == "none") {
			t.refuse("networks", "the network %q is that of the machine, or none", "remove it: services have a network of "+
				"their own", name)
		} else {
			t.ignore("networks."+name, of, "name")
		}
		n := all[name]
		if n == nil {
			continue
		}
		t.ignore("networks."+name, n, "aliases", "ipv4_address", "ipv6_address", "link_local_ips")
		aliases = append(aliases, list(n.Aliases)...)
		addresses = append(addresses, list(n.LinkLocalIPs)...)
		for _, address := range []string{n.Ipv4Address, n.Ipv6Address} {
			if address != "" {
				addresses = append(addresses, address)
			}
		}
	}
	if _, implied := all["default"]; len(all) == 0 || implied && len(all) == 1 && aliases == nil && addresses == nil {
		return nil
	}
	out := map[string]any{}
	if aliases != nil {
		out["aliases"] = aliases
	}
	if addresses != nil {
		out["addresses"] = addresses
	}
	return out
}

// deployed begins the keys of deploy that have no effect.
const deployed = "deploy."

// limits moves what a service says of resources to the keys of articles.
func (t *translation) limits(values map[string]any) {
	s := t.service
	if s.Deploy != nil {
		t.deployment(values)
	}
	if s.CPUS > 0 {
		values["cpus"] = decimal(float64(s.CPUS))
	}
	if s.CPUQuota > 0 {
		period := float64(s.CPUPeriod)
		if period == 0 {
			period = 100_000 // microseconds, Docker's default
		}
		values["cpus"] = decimal(float64(s.CPUQuota) / period)
		delete(values, "cpu_quota")
		delete(values, "cpu_period")
	}
	for key, n := range map[string]types.UnitBytes{"mem_limit": s.MemLimit, "shm_size": s.ShmSize} {
		if n > 0 {
			values[key] = strconv.FormatInt(int64(n), 10)
		}
	}
}

// deployment moves what deploy says of resources, and leaves what has no effect for Settle to say so.
func (t *translation) deployment(values map[string]any) {
	d := t.service.Deploy
	for key, value := range values["deploy"].(map[string]any) {
		if key != "resources" && key != "replicas" && key != "placement" {
			values[deployed+key] = value
		}
	}
	if p := d.Placement; p.Constraints != nil || p.Preferences != nil || p.MaxReplicas > 0 {
		values[deployed+"placement"] = ""
	}
	delete(values, "deploy")
	if d.Replicas != nil {
		values["scale"] = strconv.Itoa(*d.Replicas)
	}
	if limits := d.Resources.Limits; limits != nil {
		t.ignore("deploy.resources.limits", limits, "cpus", "memory", "pids")
		for key, n := range map[string]int64{"mem_limit": int64(limits.MemoryBytes), "pids_limit": limits.Pids} {
			if n != 0 {
				values[key] = strconv.FormatInt(n, 10)
			}
		}
		if limits.NanoCPUs > 0 {
			values["cpus"] = decimal(float64(limits.NanoCPUs.Value()))
		}
	}
	r := d.Resources.Reservations
	if r == nil {
		return
	}
	values[deployed+"resources.reservations"] = ""
	if len(r.Devices) > 0 {
		t.refuse("deploy", "deploy.resources.reservations.devices is not supported", "measure it without the device: "+
			"write services: {"+t.service.Name+": {deploy: !reset null}} in an override file, and list that in compose:")
	}
}

// decimal writes a number that was kept in few digits without those that it never had.
func decimal(n float64) string {
	return strconv.FormatFloat(math.Round(n*1e4)/1e4, 'f', -1, 64)
}
