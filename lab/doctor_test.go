package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shirou/gopsutil/v4/disk"

	"benchbook/internal/slice"
	"benchbook/internal/test/assert"
	"benchbook/notebook/article"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/engine/enginetest/fake"
	"benchbook/runner/machine"
)

// session returns a session with the given engines, and its output.
func session(t *testing.T, engines ...Engine) (a *Session, said *bytes.Buffer) {
	t.Helper()
	said = &bytes.Buffer{}
	return &Session{Stdout: said, Stderr: io.Discard, Dir: t.TempDir(), Config: Config{Engines: engines,
		Machine: Machine{Disk: freeDisk(1 << 40)}}}, said
}

// freeDisk returns a Machine.Disk with that many free bytes.
func freeDisk(bytes uint64) func(string) (*disk.UsageStat, error) {
	return func(string) (*disk.UsageStat, error) { return &disk.UsageStat{Free: bytes}, nil }
}

// has returns an engine that follows a script; lacks returns one that is not available for a reason.
func has(name spec.Engine, s fake.Script) Engine {
	return Engine{Name: name, Connect: func(context.Context) (engine.Engine, error) { return fake.New(s), nil }}
}

func lacks(name spec.Engine, reason error) Engine {
	return Engine{Name: name, Connect: func(context.Context) (engine.Engine, error) { return nil, reason }}
}

var errDown = fmt.Errorf("%w: start it", engine.ErrUnavailable)

func TestCleanEngines(t *testing.T) {
	left := fake.Script{Leftovers: []engine.Leftover{{Kind: "container", Name: "server-1", Run: "1"}}}
	docker, local, down := has(spec.Docker, left), has(spec.Local, left), lacks(spec.Docker, errDown)
	for _, tt := range []struct {
		name    string
		engines []Engine
		dryRun  bool
		said    []string
		fails   bool
	}{
		{"something would be removed", []Engine{docker}, true, []string{"would remove container server-1"}, false},
		{"both engines left something", []Engine{docker, local}, false, []string{"server-1", "server-1"}, false},
		{"one whose processes end with us is missing", []Engine{has(spec.Docker, fake.Script{}), lacks(spec.Local, errDown)},
			false, []string{"nothing was left behind"}, false},
		{"one is missing, and another was asked", []Engine{down, local}, false, []string{"server-1"}, false},
		{"none could be asked", []Engine{down}, false, []string{""}, true},
		{"one fails otherwise", []Engine{lacks(spec.Docker, errors.New("no permission")), local}, false, []string{"server-1"},
			true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, said := session(t, tt.engines...)
			err := CleanEngines(t.Context(), a, tt.dryRun)
			lines := strings.Split(strings.TrimSpace(said.String()), "\n")
			if (err != nil) != tt.fails || !slices.EqualFunc(lines, tt.said, strings.Contains) {
				t.Errorf("%v, %q", err, lines)
			}
		})
	}
}

func TestExamineEngine(t *testing.T) {
	docker := func(s fake.Script) []Engine { return []Engine{has(spec.Docker, s)} }
	rest := " registry:" + fine + " left behind:" + fine
	for _, tt := range []struct {
		name    string
		engines []Engine
		want    string // levels of findings
		remedy  string // of the engine
	}{
		{"it is there", docker(fake.Script{}), "engine:" + fine + rest, ""},
		{"it is missing", []Engine{lacks(spec.Docker, errDown)}, "engine:" + missing, "start it"},
		{"it is missing, and another one is there", []Engine{lacks(spec.Docker, errDown), has(spec.Local, fake.Script{})},
			"engine:" + missing, "--engine local"},
		{"it has few rights", docker(fake.Script{Facts: map[string]string{"engine.rootless": "true"}}),
			"engine:" + warn + rest, "system's engine"},
		{"it is in a virtual machine", docker(fake.Script{Facts: map[string]string{"engine.local": "false"}}),
			"engine:" + missing + rest, "in that machine"},
		{"it is of another machine, which run measures", docker(fake.Script{Facts: map[string]string{"engine.local": "false",
			"engine.remote": "true"}}), "engine:" + warn + rest, "doctor there"},
		{"its registry is out of reach", docker(fake.Script{Reach: func(string) error { return errors.New("no such host") }}),
			"engine:" + fine + " registry:" + warn + " left behind:" + fine, ""},
		{"runs have left something", docker(fake.Script{Leftovers: []engine.Leftover{{Kind: "container"}}}),
			"engine:" + fine + " registry:" + fine + " left behind:" + warn, ""},
		{"images have a folder", docker(fake.Script{Storage: "/var/lib/x"}),
			"engine:" + fine + " registry:" + fine + " disk of the engine:" + fine + " left behind:" + fine, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, _ := session(t, tt.engines...)
			found := examineEngine(t.Context(), a, &article.Project{})
			levels := slice.Map(found, func(f finding) string { return f.Name + ":" + f.Level })
			assert.Equal(t, strings.Join(levels, " "), tt.want)
			if e := found[0]; !e.Vital || !strings.Contains(e.Remedy, tt.remedy) || (e.Remedy == "") != (e.Level == fine) {
				t.Errorf("%+v", e)
			}
		})
	}
}

// A machine on which nothing is wrong, and what makes doctor warn.
func TestExamineMachine(t *testing.T) {
	type state struct {
		host machine.Host
		look machine.State
		free uint64
	}
	quiet := func() *state {
		s := &state{free: 1 << 40, host: machine.Host{Cores: [][]int{{0}, {1}}, Facts: map[string]string{
			"host.governor": "performance", "host.siblings": "none", "host.memory": "16 GiB"}}}
		s.look = machine.State{Memory: 16 << 30, Available: 8 << 30}
		return s
	}
	for _, tt := range []struct {
		name   string
		change func(s *state)
		warned string // about what; empty for nothing
	}{
		{"all is well", func(*state) {}, ""},
		{"the system tells nothing", func(s *state) {
			s.host.Facts = map[string]string{"host.siblings": "none", "host.memory": "unknown"}
			s.look = machine.State{Noise: machine.Noise{Foreign: -1, Jitter: -1}, Steal: -1}
		}, ""},
		{"one core", func(s *state) { s.host.Cores = [][]int{{0, 1}} }, "cores"},
		{"threads share cores", func(s *state) { s.host.Facts["host.siblings"] = "0+1" }, ""},
		{"frequencies follow the load", func(s *state) { s.host.Facts["host.governor"] = "powersave" }, "governor"},
		{"a virtual machine", func(s *state) { s.host.Facts["host.virtual"] = "kvm" }, ""},
		{"little memory", func(s *state) { s.look.Available = 1 << 30 }, "memory"},
		{"late timers", func(s *state) { s.look.Jitter = 3 * time.Millisecond }, "noise"},
		{"other programs", func(s *state) { s.look.Foreign = 0.06 }, "other programs"},
		{"neighbours", func(s *state) { s.look.Steal = 0.02 }, "steal"},
		{"a full disk", func(s *state) { s.free = 1 << 20 }, "disk"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := quiet()
			tt.change(s)
			a, _ := session(t)
			a.Config.Machine.Disk = freeDisk(s.free)
			list := append(examineMachine(s.host, s.look, nil), examineDisk(a, "disk", a.Dir, enoughForRecords))
			var warned []string
			for _, f := range list {
				if f.Level != fine {
					warned = append(warned, f.Name)
				}
				if f.Words == "" || (f.Remedy != "") != (f.Level != fine) || f.Vital {
					t.Errorf("%+v", f)
				}
			}
			assert.Equal(t, strings.Join(warned, " "), tt.warned, "it warns about")
		})
	}
}
