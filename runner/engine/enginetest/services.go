package enginetest

import (
	"strings"
	"time"

	"benchbook/notebook/spec"
	"benchbook/runner/engine"
)

// settings are the promises about single settings: what steps inside a service print.
func settings() (all []promise) {
	inside := func(name string, set func(*engine.Service), steps string, want ...string) promise {
		return promise{name, []spec.Capability{Execution, spec.Containers}, func(t *test) {
			service := t.server("server")
			set(&service)
			exit := t.exec(t.start(t.open(), service), strings.Fields(steps)...)
			got := strings.Join(strings.Fields(string(exit.Stdout)), " ")
			for _, want := range want {
				if exit.Code != 0 || !strings.Contains(got, want) {
					t.Errorf("status %d, there is no %q in %s%s", exit.Code, want, got, exit.Stderr)
				}
			}
		}}
	}
	of := func(p promise, c spec.Capability) promise {
		p.needs = append(p.needs, c)
		return p
	}
	const status = "cat=/proc/1/status cat=/proc/self/status"
	return []promise{
		inside("an entry point with arguments", func(s *engine.Service) {
			s.Entrypoint, s.Command = []string{"/puppet", "listen=8080", "out=entry"}, []string{"out=command", "sleep=1h"}
		}, "cat=/proc/1/cmdline", "listen=8080\x00out=entry\x00out=command\x00sleep=1h"),
		inside("local ports from 1024", func(*engine.Service) {}, "cat=/proc/sys/net/ipv4/ip_local_port_range", "1024 65535"),
		inside("a host name", func(s *engine.Service) { s.Hostname = "other" }, "cat=/proc/sys/kernel/hostname", "other"),
		inside("limits of resources", func(s *engine.Service) {
			s.Ulimits = map[string]spec.Ulimit{"nofile": {Soft: 2000, Hard: 2000}, "core": {Soft: 0, Hard: -1}}
		}, "cat=/proc/1/limits", "Max open files 2000 2000", "Max core file size 0 unlimited"),
		inside("a setting of its network", func(s *engine.Service) {
			s.Sysctls = map[string]string{"net.core.somaxconn": "77"}
		}, "cat=/proc/sys/net/core/somaxconn", "77"),
		of(inside("a setting of the kernel", func(s *engine.Service) {
			s.Sysctls = map[string]string{"kernel.shm_rmid_forced": "1"}
		}, "cat=/proc/sys/kernel/shm_rmid_forced", "1"), spec.KernelSettings),
		inside("capabilities and no new privileges", func(s *engine.Service) {
			s.CapDrop, s.CapAdd, s.SecurityOpt = []string{"ALL"}, []string{"NET_ADMIN"}, []string{"no-new-privileges:true"}
		}, "cat=/proc/1/status", "CapEff: 0000000000001000", "NoNewPrivs: 1"), // NET_ADMIN is bit 12
		of(inside("no security profile", func(s *engine.Service) { s.SecurityOpt = []string{"seccomp=unconfined"} },
			"cat=/proc/1/status", "Seccomp: 0"), spec.SecurityProfiles),
		inside("a user and its group", func(s *engine.Service) { s.User = "65534:65533" }, status,
			"Uid: 65534 65534 65534 65534 Gid: 65533 65533 65533 65533", "CapEff: 0000000000000000"),
		inside("our own program without privileges", func(s *engine.Service) { s.Ours = true }, status,
			"CapEff: 0000000000000000", "CapBnd: 0000000000000000", "NoNewPrivs: 1"),
		inside("shared memory of a size", func(s *engine.Service) { s.ShmSize = 1 << 20 }, "cat=/proc/mounts",
			"size=1024k"),
		inside("a folder in memory", func(s *engine.Service) { s.Tmpfs = []string{"/run/memory:size=64k,mode=1777"} },
			"cat=/proc/mounts write=/run/memory/x:y cat=/run/memory/x", " /run/memory tmpfs rw,", " y"),
		of(inside("a folder in memory without programs", func(s *engine.Service) { s.Tmpfs = []string{"/run/memory"} },
			"cat=/proc/mounts", " /run/memory tmpfs rw,nosuid,nodev,noexec"), spec.MountOptions),
		{"a first process that reaps", []spec.Capability{Execution, spec.Containers}, reaper},
	}
}

// reaper puts another process before that of the service, whose status it has.
func reaper(t *test) {
	space := t.open()
	service := t.server("server")
	service.Init = true
	exit := t.exec(t.start(space, service), "cat=/proc/1/comm")
	if got := strings.TrimSpace(string(exit.Stdout)); got == "puppet" || got == "" {
		t.Errorf("the first process is %q, want one that reaps", got)
	}
	service.Name, service.Command = "short", []string{"exit=3"}
	if _, err := space.Start(t.ctx, service); err == nil || !strings.Contains(err.Error(), "status 3") {
		t.Errorf("got %v, want a NotReadyError with status 3", err)
	}
	service.Name, service.Entrypoint = "none", []string{"/nothing"}
	if _, err := space.Start(t.ctx, service); err == nil {
		t.Error("a program that is not there was started")
	}
}

func configs(t *test) {
	service := t.server("server")
	service.Configs = []spec.File{
		{Path: "/new/folder/a.txt", Data: []byte("a\n")},
		{Path: "/tmp/b.txt", Exec: true, Data: []byte("b\n")},
	}
	for _, readOnly := range []bool{false, true} {
		service.ReadOnly = readOnly
		server := t.start(t.open(), service)
		t.want(t.exec(server, "cat=/new/folder/a.txt", "cat=/tmp/b.txt", "mode=/new/folder/a.txt", "mode=/tmp/b.txt"),
			"a\nb\n-rw-r--r--\n-rwxr-xr-x\n")
		if exit := t.exec(server, "write=/tmp/new:x"); (exit.Code != 0) != readOnly {
			t.Errorf("read-only %v: writing ended with status %d", readOnly, exit.Code)
		}
	}
}

func volumes(t *test) {
	files := []spec.File{{Path: "a.txt", Data: []byte("a\n")}, {Path: "below/run", Exec: true, Data: []byte("b\n")}}
	service := func(name string) engine.Service {
		out := t.server(name)
		out.Volumes = []spec.Volume{
			{Target: "/data", Source: "data"}, {Target: "/own"},
			{Type: spec.BindVolume, Target: "/files", Files: files, ReadOnly: true},
			{Type: spec.BindVolume, Target: "/empty", ReadOnly: true},
		}
		out.Tmpfs = []string{"/run/memory:size=64k"}
		return out
	}
	reader := t.server("reader")
	reader.Volumes = []spec.Volume{{Target: "/data", Source: "data", ReadOnly: true}}
	space := t.open()
	containers := map[string]engine.Container{}
	for _, s := range []engine.Service{service("one"), service("two"), reader} {
		containers[s.Name] = t.start(space, s)
	}
	for _, tt := range []struct {
		in, step, want string // no want: it fails
	}{
		{"one", "cat=/files/a.txt", "a\n"},
		{"one", "cat=/files/below/run", "b\n"},
		{"one", "mode=/files/below/run", "-rwxr-xr-x\n"},
		{"one", "mode=/files/a.txt", "-rw-r--r--\n"},
		{"one", "keep=/data/x:of one", "of one\n"},
		{"one", "keep=/own/x:of one", "of one\n"},
		{"one", "keep=/run/memory/x:of one", "of one\n"},
		{"one", "write=/files/a.txt:changed", ""},
		{"one", "write=/files/new:x", ""},
		{"one", "write=/empty/new:x", ""},
		{"one", "write=/run/memory/large:" + strings.Repeat("x", 80<<10), ""},
		{"two", "cat=/data/x", "of one\n"},
		{"two", "cat=/files/a.txt", "a\n"},
		{"two", "cat=/own/x", ""},
		{"reader", "cat=/data/x", "of one\n"},
		{"reader", "write=/data/x:changed", ""},
	} {
		exit := t.exec(containers[tt.in], tt.step)
		if (exit.Code == 0) != (tt.want != "") || string(exit.Stdout) != tt.want {
			t.Errorf("%.60s in %s: got %d, %q, %s; want %q", tt.step, tt.in, exit.Code, exit.Stdout, exit.Stderr, tt.want)
		}
	}
	// In another space a volume of the same name is another one.
	t.close(space)
	again := t.start(t.open(), service("one"))
	if exit := t.exec(again, "cat=/data/x"); exit.Code == 0 {
		t.Errorf("a volume was there after its space was closed: %s", exit.Stdout)
	}
}

// grace closes groups whose services end in time, or do not.
func grace(t *test) {
	space := t.open()
	data := []spec.Volume{{Target: "/data", Source: "data"}}
	box := t.idle("box")
	box.Volumes = data
	seen := t.start(space, box)
	tests := []struct {
		name, signal string
		steps        []string
		grace        time.Duration
		wrote        bool
		atLeast      time.Duration
	}{
		{"the usual signal", "", []string{"await=1", "sleep=100ms", "write=/data/usual:x"}, 2 * prompt, true,
			100 * time.Millisecond},
		{"its own signal", "SIGUSR1", []string{"await=1", "write=/data/own:x"}, 2 * prompt, true, 0},
		{"it takes no notice", "", []string{"await=3", "write=/data/late:x"}, time.Second, false, time.Second},
		{"it gets no time", "", []string{"await=1", "write=/data/none:x"}, 0, false, 0},
	}
	for _, tt := range tests {
		t.run(t.T, tt.name, func(t *test) {
			group := t.group(space)
			service := t.server("server")
			service.Volumes, service.Command, service.Ready = data, tt.steps, spec.Ready{Log: "waiting"}
			service.StopSignal, service.StopGrace = tt.signal, tt.grace
			t.start(group, service)
			began := time.Now()
			t.close(group)
			if took := time.Since(began); took < tt.atLeast || took > prompt {
				t.Errorf("closing took %v, want at least %v", took, tt.atLeast)
			}
			path, _, _ := strings.Cut(strings.TrimPrefix(tt.steps[len(tt.steps)-1], "write="), ":")
			if exit := t.exec(seen, "cat="+path); (exit.Code == 0) != tt.wrote {
				t.Errorf("it wrote before it ended: %v, want %v", exit.Code == 0, tt.wrote)
			}
		})
	}
}
