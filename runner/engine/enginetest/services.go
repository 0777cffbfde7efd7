package enginetest

import (
	"regexp"
	"strings"
	"time"

	"benchbook/internal/test/assert"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
)

// settings returns the promises about single settings. They match the output of steps inside a service.
func settings() []promise {
	inside := func(name string, set func(*engine.Service), steps string, want ...string) promise {
		return promise{name, []spec.Capability{Execution, spec.Containers}, func(t *test) {
			service := t.server("server")
			set(&service)
			exit := t.exec(t.start(t.open(), service), strings.Fields(steps)...)
			got := strings.Join(strings.Fields(string(exit.Stdout)), " ")
			for _, want := range want {
				if exit.Code != 0 || !regexp.MustCompile(want).MatchString(got) {
					t.Errorf("status %d, there is no %q in %q%s", exit.Code, want, got, exit.Stderr)
				}
			}
		}}
	}
	of := func(c spec.Capability, p promise) promise {
		p.needs = append(p.needs, c)
		return p
	}
	files := func(s *engine.Service) {
		s.Configs = []spec.File{{Path: "/new/folder/a.txt", Data: []byte("a\n")}, {Path: "/b", Exec: true, Data: []byte("b\n")}}
	}
	const readFiles = "cat=/new/folder/a.txt cat=/b mode=/new/folder/a.txt mode=/b "
	return []promise{
		inside("an entry point with arguments", func(s *engine.Service) {
			s.Entrypoint, s.Command = []string{"/puppet", "listen=8080", "out=entry"}, []string{"out=command", "sleep=1h"}
		}, "cat=/proc/1/cmdline", "listen=8080\x00out=entry\x00out=command\x00sleep=1h"),
		inside("a host name, a setting of its network, local ports, files, limits and memory", func(s *engine.Service) {
			files(s)
			s.Hostname, s.Sysctls = "other", map[string]string{"net.core.somaxconn": "77"}
			s.Ulimits = map[string]spec.Ulimit{"nofile": {Soft: 2000, Hard: 2000}, "core": {Soft: 0, Hard: -1}}
			s.ShmSize, s.Tmpfs = 1<<20, []string{"/run/memory:size=64k,mode=1777"}
		}, "cat=/proc/sys/kernel/hostname cat=/proc/sys/net/core/somaxconn cat=/proc/sys/net/ipv4/ip_local_port_range "+
			readFiles+"write=/new/x:y keep=/run/memory/x:z cat=/proc/1/limits cat=/proc/mounts",
			"^other 77 1024 65535 a b -rw-r--r-- -rwxr-xr-x z ", "Max open files 2000 2000", "Max core file size 0 unlimited",
			`/dev/shm tmpfs \S*size=1024k`, " /run/memory tmpfs rw,"),
		inside("files where nothing can be written", func(s *engine.Service) { files(s); s.ReadOnly = true },
			readFiles+"fails=write=/new/x:y", "^a b -rw-r--r-- -rwxr-xr-x$"),
		of(spec.KernelSettings, inside("a setting of the kernel", func(s *engine.Service) {
			s.Sysctls = map[string]string{"kernel.shm_rmid_forced": "1"}
		}, "cat=/proc/sys/kernel/shm_rmid_forced", "^1$")),
		inside("capabilities and no new privileges", func(s *engine.Service) {
			s.CapDrop, s.CapAdd, s.SecurityOpt = []string{"ALL"}, []string{"NET_ADMIN"}, []string{"no-new-privileges:true"}
		}, "status=CapEff status=NoNewPrivs", "^(0{12}1000 ){2}1 1$"), // NET_ADMIN is bit 12
		of(spec.SecurityProfiles, inside("no security profile", func(s *engine.Service) {
			s.SecurityOpt = []string{"seccomp=unconfined"}
		}, "status=Seccomp", "^0 0$")),
		inside("a user and its group", func(s *engine.Service) { s.User = "65534:65533" },
			"status=Uid status=Gid status=CapEff", "^(65534 ){8}(65533 ){8}0{16} 0{16}$"),
		inside("our own program without privileges", func(s *engine.Service) { s.Ours = true },
			"status=Uid status=CapEff status=CapBnd status=NoNewPrivs fails=write=/x:y", `^([1-9]\d* ){8}(0{16} ){4}1 1$`),
		of(spec.MountOptions, inside("a folder in memory without programs", func(s *engine.Service) {
			s.Tmpfs = []string{"/run/memory"}
		}, "cat=/proc/mounts", " /run/memory tmpfs rw,nosuid,nodev,noexec")),
		of(spec.Priorities, inside("it goes first", func(s *engine.Service) { s.First = true },
			"either=/sys/fs/cgroup/cpu/cpu.shares:/sys/fs/cgroup/cpu.weight", "^(262144|10000)$")),
		inside("a first process that reaps", func(s *engine.Service) { s.Init = true }, "cat=/proc/1/comm", "^([^p]|p[^u])"),
		{"the status behind a process that reaps", []spec.Capability{Execution, spec.Containers}, func(t *test) {
			service := t.server("server")
			service.Init, service.Command = true, []string{"exit=3"}
			_, err := t.open().Start(t.ctx, service)
			wantError[*engine.NotReadyError](t, err, "status 3")
			service.Entrypoint = []string{"/nothing"}
			_, err = t.open().Start(t.ctx, service)
			wantError[error](t, err)
		}},
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
	for _, tt := range []struct{ in, steps, want string }{
		{"one", "cat=/files/a.txt cat=/files/below/run mode=/files/below/run mode=/files/a.txt",
			"a\nb\n-rwxr-xr-x\n-rw-r--r--\n"},
		{"one", "keep=/data/x:1 keep=/own/x:2 keep=/run/memory/x:3", "1\n2\n3\n"},
		{"one", "fails=write=/files/a.txt:changed fails=write=/files/new:x fails=write=/empty/new:x", ""},
		{"one", "fails=write=/run/memory/large:" + strings.Repeat("x", 80<<10), ""},
		{"two", "cat=/data/x cat=/files/a.txt fails=cat=/own/x", "1\na\n"},
		{"reader", "cat=/data/x fails=write=/data/x:changed", "1\n"},
	} {
		t.want(t.exec(containers[tt.in], strings.Fields(tt.steps)...), tt.want)
	}
	// A group shares the volumes of its space, and its own volumes end with it.
	for range 2 {
		group, fresh := t.group(space), t.server("fresh")
		fresh.Volumes = []spec.Volume{{Target: "/data", Source: "data"}, {Target: "/scratch", Source: "scratch"}}
		steps := []string{"fails=cat=/scratch/x", "write=/data/x:fresh", "write=/scratch/x:fresh"}
		t.want(t.exec(t.start(group, fresh), steps...), "")
		t.close(group)
		t.want(t.exec(containers["one"], "cat=/data/x"), "fresh\n")
	}
	// In another space, the same name is another volume.
	t.close(space)
	again := t.start(t.open(), service("one"))
	t.fails(t.exec(again, "cat=/data/x"), "a volume outlives its space")
}

// grace closes groups whose services stop in time or not.
func grace(t *test) {
	space := t.open()
	data := []spec.Volume{{Target: "/data", Source: "data"}}
	box := t.idle("box")
	box.Volumes = data
	seen := t.start(space, box)
	for _, tt := range []struct {
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
		{"it gets no time", "", []string{"await=1", "write=/data/none:x"}, 0, t.asksFirst, 0},
	} {
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
			assert.Equal(t, t.exec(seen, "cat="+path).Code == 0, tt.wrote, "it wrote before it ended")
		})
	}
}
