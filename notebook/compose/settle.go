package compose

import (
	"maps"
	"runtime"
	"slices"
	"strings"

	"benchbook/notebook/source"
	"benchbook/notebook/yamltext"
)

// kept are the keys of a service that articles have as well.
var kept = words(`build cap_add cap_drop command configs cpus cpuset depends_on entrypoint env_file environment expose
	healthcheck hostname image init mem_limit pids_limit read_only scale secrets security_opt shm_size stop_signal
	sysctls tmpfs ulimits user volumes working_dir origin link`)

// idle are the keys without a meaning in an experiment: it is the same measurement without them.
var idle = words(`annotations attach cgroup_parent container_name deploy develop dns dns_opt dns_search
	domainname label_file labels links log_driver log_opt logging mac_address mem_reservation oom_kill_disable
	oom_score_adj platform ports profiles pull_policy pull_refresh_after restart stdin_open stop_grace_period tty
	cpu_count cpu_percent isolation name extends net dockerfile`)

// refused are the keys that would change what is measured and are not done, with the way out.
var refused = map[string]string{
	"blkio_config":        withoutIt,
	"blkio_weight":        withoutIt,
	"cgroup":              "services have a control group of their own: " + withoutIt,
	"cpu_period":          "write cpus: with the number of cores",
	"cpu_quota":           "write cpus: with the number of cores",
	"cpu_rt_period":       withoutIt,
	"cpu_rt_runtime":      withoutIt,
	"cpu_shares":          "write cpus: with the number of cores, or cpuset: with those that it gets",
	"credential_spec":     withoutIt,
	"device_cgroup_rules": withoutIt,
	"devices":             withoutIt,
	"external_links":      "add that container to the services",
	"extra_hosts":         "services find each other by their names: " + withoutIt,
	"gpus":                withoutIt,
	"group_add":           "write user: with the group, such as 1000:1000",
	"ipc":                 withoutIt,
	"mem_swappiness":      withoutIt,
	"memswap_limit":       "write mem_limit: alone",
	"models":              withoutIt,
	"network_mode":        "services have a network of their own: " + withoutIt,
	"pid":                 withoutIt,
	"post_start":          "write it as prepare: in the experiment",
	"pre_start":           "make it a service that ends, and wait for it with condition: service_completed_successfully",
	"pre_stop":            "write it as conclude: in the experiment",
	"privileged":          "name what it needs in cap_add, and write NAME: {KEY: null} under services: of the experiment",
	"provider":            "make it a service with an image",
	"runtime":             withoutIt,
	"storage_opt":         withoutIt,
	"umask":               "set it in the command of the service",
	"use_api_socket":      withoutIt,
	"userns_mode":         withoutIt,
	"uts":                 withoutIt,
	"volume_driver":       withoutIt,
	"volumes_from":        "name the volumes under volumes: of each service",
}

// withoutIt is the way out where there is no other.
const withoutIt = "to measure without it, write NAME: {KEY: null} under services: of the experiment"

func words(text string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(text) {
		out[w] = true
	}
	return out
}

// Settle takes the keys out of services that mean nothing in an experiment, and says which. Keys that would change the
// measurement and are not done are problems.
func (p *Project) Settle(services *yamltext.Node, problems *source.Problems) (*yamltext.Node, []string) {
	out := *services
	out.Fields = slices.Clone(services.Fields)
	without := map[string][]string{}
	for i, service := range out.Fields {
		name := service.Key.Value
		var drop []string
		for _, f := range service.Value.All() {
			key := f.Key.Value
			hint, isRefused := refused[key]
			switch {
			case key == "networks":
				drop = append(drop, key)
				settleNetworks(name, f, problems)
				without[key] = append(without[key], name)
			case key == "entrypoint" && f.Value.Kind == yamltext.List && len(f.Value.Items) == 0:
				problems.Add("compose", f.Key.Pos, "service %q: an empty entrypoint is not supported", name).Hint = "write " +
					"entrypoint: with the program to run, or under services: of the experiment " + name +
					": {entrypoint: null} for the image's own"
			case key == "stop_grace_period" && !p.Holds(f.Key):
				// the article's own, which means something else
			case key == "platform" && !isHere(f.Value.Text.Value):
				problems.Add("compose", f.Key.Pos, "service %q: platform %s is not that of this machine, linux/%s", name,
					f.Value.Text.Value, runtime.GOARCH).Hint = "measure it on such a machine; for the image of this one write " +
					name + ": {platform: null} under services: of the experiment"
			case idle[key] || strings.Contains(key, "."):
				drop = append(drop, key)
				without[key] = append(without[key], name)
			case isRefused:
				drop = append(drop, key)
				problems.Add("compose", f.Key.Pos, "service %q: %s is not supported, and would change what is measured", name, key).
					Hint = strings.NewReplacer("NAME", name, "KEY", key).Replace(hint)
			}
		}
		out.Fields[i].Value = service.Value.Without(drop...)
	}
	return &out, inWords(without)
}

// isHere says whether a platform is that of containers on this machine: linux/amd64, linux, amd64 or linux/arm64/v8.
func isHere(platform string) bool {
	platform = strings.ToLower(platform)
	architecture, _, _ := strings.Cut(strings.TrimPrefix(platform, "linux/"), "/")
	other := map[string]string{"x86_64": "amd64", "aarch64": "arm64"}[architecture]
	return platform == "linux" || slices.Contains([]string{architecture, other}, runtime.GOARCH)
}

// settleNetworks reports what a service says of networks that is more than which ones it is in.
func settleNetworks(service string, networks yamltext.Field, problems *source.Problems) {
	for key, hint := range map[string]string{
		"aliases":   "call it by the name of the service, or rename the service",
		"addresses": "call it by the name of the service: " + withoutIt,
	} {
		if n := networks.Value.Get(key); n != nil && len(n.Items) > 0 {
			what := map[string]string{"aliases": "another name in a network", "addresses": "a fixed address"}[key]
			problems.Add("compose", networks.Key.Pos, "service %q has %s, %s, which is not supported", service, what,
				n.Items[0].Text.Value).Hint = strings.NewReplacer("NAME", service, "KEY", "networks").Replace(hint)
		}
	}
}

// inWords says which keys of which services have no effect.
func inWords(without map[string][]string) (out []string) {
	if of := without["ports"]; of != nil {
		out = append(out, "ports of "+strings.Join(of, ", ")+" exposed, not published")
		delete(without, "ports")
	}
	var idle []string
	for _, key := range slices.Sorted(maps.Keys(without)) {
		idle = append(idle, key+" of "+strings.Join(without[key], ", "))
	}
	if len(idle) > 0 {
		out = append(out, "no effect here: "+strings.Join(idle, ", "))
	}
	return out
}
