package plan

import (
	"slices"
	"testing"

	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

const twoHosts = "hosts: {a: ssh://a, b: ssh://b, cloud: {kubernetes: {context: bench}}, other: {kubernetes: {}}}\n"

// What runs where, who connects to whom, and how each machine is divided.
func TestHosts(t *testing.T) {
	const body = "name: e\nservices:\n" +
		"  proxy: {image: x, expose: ['80'], depends_on: [app]}\n" +
		"  app: {image: x, expose: ['8080'], depends_on: [database, cache]}\n" +
		"  database: {image: x, expose: ['5432']}\n" +
		"  cache: {image: x, expose: ['6379']}\n" +
		"load: {target: 'http://proxy/'}\nhosts: {proxy: a, app: a, database: b, cache: a}\n"
	e := mustPlan(t, text(block(body)), Options{}, map[string]string{"benchbook.yaml": twoHosts})
	trial := e.Trials[0]
	if got := e.HostNames(); !slices.Equal(got, []string{"", "a", "b"}) {
		t.Errorf("hosts are %q", got)
	}
	for of, want := range map[string][]string{"": {"proxy"}, "proxy": nil, "app": {"database"}, "database": nil} {
		if got := e.Peers(trial, of); !slices.Equal(got, want) {
			t.Errorf("%q connects to %q on other hosts, want %q", of, got, want)
		}
	}
	for service, want := range map[string]bool{"proxy": true, "app": false, "database": true, "cache": false} {
		if got := e.IsPeer(service); got != want {
			t.Errorf("%s is asked for from another host: %v, want %v", service, got, want)
		}
	}
	cores := [][]int{{0}, {1}, {2}}
	for host, want := range map[string]string{"": "0-2", "a": "0-2", "b": "0-2"} {
		if got := e.Place(host, cores); got.Services != want || got.Load != want {
			t.Errorf("on %q services have %s and the load %s, want all", host, got.Services, got.Load)
		}
	}
	together := mustPlan(t, text(block("name: e\nservices: {s: {image: x}, other: {image: x, expose: ['80']}}\n"+
		"load: {target: 'http://s/'}\nhosts: {other: a}\n")),
		Options{}, map[string]string{"benchbook.yaml": twoHosts})
	if got := together.Place("", cores); got.Services != "0-1" || got.Load != "2" {
		t.Errorf("services %s and load %s of one machine, want 0-1 and 2", got.Services, got.Load)
	}
}

// Where something runs is part of what identifies a trial, and trials that say nothing of hosts keep their keys.
func TestHostsAreInTheKey(t *testing.T) {
	key := func(hosts string) string {
		return mustPlan(t, text(block("name: e\nservices: {s: {image: x, expose: ['80']}}\nload: {target: 'http://s/'}\n"+
			hosts)), Options{},
			map[string]string{"benchbook.yaml": twoHosts}).Trials[0].Key
	}
	keys := []string{key(""), key("hosts: {s: a}\n"), key("hosts: {s: b}\n"), key("hosts: {load: a}\n")}
	slices.Sort(keys)
	if len(slices.Compact(keys)) != 4 {
		t.Errorf("keys are %q", keys)
	}
}

// On a cluster all services are on one node and the load is on another, unless it shares their network; nobody chooses
// CPUs by number.
func TestNodes(t *testing.T) {
	plan := func(body string) *Experiment {
		return mustPlan(t, text(block("name: e\nservices: {s: {image: x, cpuset: '7'}, t: {image: x, scale: 2}}\n"+body)),
			Options{},
			map[string]string{"benchbook.yaml": "engine: kubernetes\nregistry: registry.example\n" +
				"kubernetes: {context: lab, namespace: bench, nodes: {load: {pool: clients}}}\n"})
	}
	e := plan("load: {target: 'http://s/'}\n")
	if got := e.HostNames(); !slices.Equal(got, []string{"load", "services"}) || e.LoadHost(e.Trials[0]) != LoadNode ||
		e.HostOf("t") != ServiceNode {
		t.Errorf("hosts are %q", got)
	}
	cores := [][]int{{0}, {1}}
	if got := e.Place(ServiceNode, cores); got != (Placement{ServiceCores: 2, LoadCores: 2}) {
		t.Errorf("placed as %+v", got)
	}
	var problems source.Problems
	e.CheckCPUs(func(string) [][]int { return cores }, &problems)
	if !problems.Empty() {
		t.Errorf("its CPUs are a problem: %v", problems.Sorted())
	}
	if got := plan("load: {target: 'http://s/', network: shared}\n").HostNames(); !slices.Equal(got,
		[]string{"services"}) {
		t.Errorf("with a load in the network of its service hosts are %q", got)
	}
}

// A host that is a cluster runs an experiment as the engine kubernetes does, and its name is in the key: nodes are
// called the same in every one.
func TestClusterAsHost(t *testing.T) {
	plan := func(host string) *Plan {
		p, problems := newPlan(t, text(block("name: e\nservices: {s: {image: x, cpuset: '7'}}\n"+
			"load: {target: 'http://s/'}\nhosts: {s: "+host+", load: "+host+"}\n")),
			Options{}, map[string]string{"benchbook.yaml": twoHosts})
		if len(problems) > 0 {
			t.Fatalf("on %s: %v", host, problems)
		}
		return p
	}
	p := plan("cloud")
	e := p.Experiments[0]
	if e.Engine != spec.Kubernetes || p.Cluster() != "cloud" ||
		!slices.Equal(p.HostNames(), []string{LoadNode, ServiceNode}) ||
		e.HostOf("s") != ServiceNode || e.LoadHost(e.Trials[0]) != LoadNode {
		t.Errorf("in cluster %q with the engine %s, hosts are %q", p.Cluster(), e.Engine, p.HostNames())
	}
	machine := plan("a")
	if got := machine.Experiments[0]; machine.Cluster() != "" || got.Engine != spec.Docker {
		t.Errorf("on a machine it is in cluster %q, with the engine %s", machine.Cluster(), got.Engine)
	}
	keys := []string{e.Trials[0].Key, plan("other").Experiments[0].Trials[0].Key, machine.Experiments[0].Trials[0].Key}
	slices.Sort(keys)
	if len(slices.Compact(keys)) != 3 {
		t.Errorf("keys are %q", keys)
	}
}

// The results of an article are those of one set of machines: all of its experiments run in one cluster, or none does.
func TestOneClusterInAnArticle(t *testing.T) {
	experiment := func(name, hosts string) string {
		return block("name: " + name + "\nservices: {s: {image: x, expose: ['80']}}\nload: {target: 'http://s/'}\n" + hosts)
	}
	const inCloud, inOther = "hosts: {s: cloud, load: cloud}\n", "hosts: {s: other, load: other}\n"
	tests := []struct{ name, first, second, want string }{
		{"one", inCloud, inCloud, ""},
		{"none", "", "hosts: {s: a}\n", ""},
		{"first", inCloud, "", `experiment "e" runs in the cluster "cloud", and experiment "f" does not`},
		{"second", "", inCloud, `experiment "f" runs in the cluster "cloud", and experiment "e" does not`},
		{"two", inCloud, inOther, `experiment "f" runs in the cluster "other", and experiment "e" in the cluster "cloud"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, problems := newPlan(t, text(experiment("e", test.first)+experiment("f", test.second)), Options{},
				map[string]string{"benchbook.yaml": twoHosts})
			var got []string
			for _, p := range problems {
				got = append(got, p.Message)
			}
			if test.want == "" && len(got) > 0 || test.want != "" && !slices.Equal(got, []string{test.want}) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestAcrossHosts(t *testing.T) {
	const server = "services: {s: {image: x, expose: ['80']}, t: {image: x, expose: ['80'], depends_on: [s]}}\n" +
		"load: {target: 'http://s/'"
	tests := []struct{ name, body, want string }{
		{"as it should be", server + "}\nhosts: {s: a, t: a}\n", ""},
		{"shared network", server + ", network: shared}\nhosts: {s: a}\n",
			`the load shares the network of service "s", which is on another host`},
		{"shared network of one host", server + ", network: shared}\nhosts: {s: a, t: a, load: a}\n", ""},
		{"scaled", "services: {s: {image: x, expose: ['80'], scale: 2}}\nload: {target: 'http://s/'}\nhosts: {s: a}\n",
			`service "s" is scaled but requested from another host, where a name has one address`},
		{"no port", "services: {s: {image: x}}\nload: {target: 'http://s/'}\nhosts: {s: a}\n",
			`service "s" exposes no port but is requested from another host`},
		{"another port", "services: {s: {image: x, expose: ['80']}}\nload: {target: 'http://s:81/'}\nhosts: {s: a}\n",
			`the load requests port 81 of service "s" from another host, but the service does not expose it`},
		{"one port twice", "services: {s: {image: x, expose: ['80']}, t: {image: x, expose: ['80']}}\n" +
			"load: {target: ['http://s/', 'http://t/']}\nhosts: {s: a, t: a}\n",
			`services "s" and "t" on one host both expose port 80, and are requested from another one`},
		{"in a cluster", "services: {s: {image: x, scale: 2}}\nload: {target: 'http://s/'}\nhosts: {s: cloud, load: cloud}\n",
			""},
		{"a command in a service of a cluster",
			"services: {s: {image: x}}\ncommand: {service: s, run: x}\nhosts: {s: cloud}\n", ""},
		{"load outside of the cluster", "services: {s: {image: x, expose: ['80']}}\nload: {target: 'http://s/'}\n" +
			"hosts: {s: cloud}\n",
			`the load or command is on this machine, and host "cloud" is a cluster, which runs all of an experiment or nothing`},
		{"a service outside of the cluster", "services: {s: {image: x, expose: ['80']}}\nload: {target: 'http://s/'}\n" +
			"hosts: {s: a, load: cloud}\n",
			`service "s" is on host "a", and host "cloud" is a cluster, which runs all of an experiment or nothing`},
		{"two clusters", "services: {s: {image: x, expose: ['80']}}\nload: {target: 'http://s/'}\n" +
			"hosts: {s: cloud, load: other}\n",
			`the load or command is on host "other", and host "cloud" is a cluster, which runs all of an experiment or nothing`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, problems := newPlan(t, text(block("name: e\n"+test.body)), Options{},
				map[string]string{"benchbook.yaml": twoHosts})
			var got []string
			for _, p := range problems {
				got = append(got, p.Message)
			}
			if test.want == "" && len(got) > 0 || test.want != "" && !slices.Equal(got, []string{test.want}) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
